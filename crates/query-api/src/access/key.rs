use metadata_store::keys::Fingerprint;
use sha2::{Digest, Sha256};

/// What the text of every key begins with, so that one that has leaked is recognised.
const PREFIX: &str = "ork_";
/// Of the 256 random bits, in hexadecimal.
const DIGITS: usize = 64;
/// Characters that stay readable in lists: the prefix, and 24 of the 256 bits.
const HINT: usize = PREFIX.len() + 6;

/// The text of an API key. It is shown once, when it is made; what is stored is its fingerprint.
pub(crate) struct KeyText(String);

impl KeyText {
    /// A new one.
    pub(crate) fn random() -> Self {
        let bits: [u8; DIGITS / 2] = rand::random();
        Self(format!("{PREFIX}{}", hex::encode(bits)))
    }

    /// The key of this text, if it has the form of one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let is_hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (digits.len() == DIGITS && digits.bytes().all(is_hexadecimal))
            .then(|| Self(text.to_owned()))
    }

    /// The text. Do not log, format or store it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it. 256 random bits cannot be guessed, so a fast hash will do.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint {
            hash: Sha256::digest(&self.0).into(),
            hint: self.0.chars().take(HINT).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_made() {
        let key = KeyText::random();
        let read = KeyText::parse(key.expose()).unwrap();
        assert_eq!(read.fingerprint().hash, key.fingerprint().hash);
        assert_eq!(key.expose().len(), 68);
        assert_ne!(KeyText::random().fingerprint().hash, key.fingerprint().hash);
    }

    #[test]
    fn what_has_another_form_is_no_key() {
        let key = KeyText::random();
        let text = key.expose();
        for other in [
            "",
            "ork_",
            text.strip_suffix(|_: char| true).unwrap(),
            &format!("{text}0"),
            &text.to_uppercase(),
            &text.replace("ork_", "orx_"),
            &format!(" {text}"),
            &text.replace(|digit: char| digit.is_ascii_digit(), "é"),
        ] {
            assert!(KeyText::parse(other).is_none(), "{other}");
        }
    }

    #[test]
    fn its_hint_is_too_short_to_guess_it() {
        assert_eq!(KeyText::random().fingerprint().hint.len(), 10);
    }
}
