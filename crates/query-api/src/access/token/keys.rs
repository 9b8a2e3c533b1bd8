use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use jsonwebtoken::{DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::object::Object;

/// The most keys of a set that are read.
const MOST_KEYS: usize = 100;

/// Fewer bits are too weak; with more, the library does not verify.
const BITS: RangeInclusive<usize> = 2048..=4096;

/// The keys of a JSON Web Key Set (RFC 7517) that verify RS256, by their `kid`.
#[derive(Debug, Default)]
pub(crate) struct KeySet {
    /// None where several keys have that `kid`.
    keys: HashMap<String, Option<Arc<DecodingKey>>>,
}

/// Something was to be a key set and is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoKeySet;

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// The parameters of a key that matter here.
#[derive(Deserialize)]
struct Jwk {
    kid: String,
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    n: String,
    e: String,
}

impl KeySet {
    /// Reads a key set. Keys that are no good for RS256 are left out, as are those behind the hundredth.
    ///
    /// # Errors
    /// When it is not a JSON object with a list of `keys`.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, NoKeySet> {
        let Object(document): Object<Document<'_>> =
            serde_json::from_slice(json).map_err(|_| NoKeySet)?;
        let mut set = Self::default();
        for raw in document.keys.into_iter().take(MOST_KEYS) {
            if let Some((kid, key)) = usable(raw) {
                set.keys
                    .entry(kid)
                    .and_modify(|known| *known = None)
                    .or_insert_with(|| Some(Arc::new(key)));
            }
        }
        Ok(set)
    }

    /// The one key of this name.
    pub(crate) fn find(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        self.keys.get(kid)?.clone()
    }

    /// Whether it has no key that can be named.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.values().all(Option::is_none)
    }
}

/// A key and its name, if it verifies RS256.
fn usable(raw: &RawValue) -> Option<(String, DecodingKey)> {
    let Object(jwk): Object<Jwk> = serde_json::from_str(raw.get()).ok()?;
    let is_meant = jwk.kty == "RSA"
        && jwk.purpose.is_none_or(|purpose| purpose == "sig")
        && jwk.alg.is_none_or(|alg| alg == "RS256")
        && jwk
            .key_ops
            .is_none_or(|operations| operations.iter().any(|one| one == "verify"));
    if !is_meant {
        return None;
    }
    let key = DecodingKey::from_rsa_components(&jwk.n, &jwk.e).ok()?;
    let DecodingKeyKind::RsaModulusExponent { n, .. } = key.kind() else {
        return None;
    };
    BITS.contains(&bits(n)).then_some((jwk.kid, key))
}

/// The bits of a number in bytes, the highest first.
fn bits(number: &[u8]) -> usize {
    let mut significant = number.iter().skip_while(|byte| **byte == 0);
    let Some(first) = significant.next() else {
        return 0;
    };
    let first_bits = u8::BITS.saturating_sub(first.leading_zeros());
    significant.count() * 8 + usize::try_from(first_bits).unwrap_or(0)
}
