//! Currencies.

use std::fmt;

use super::{ParseText, text_value};
use crate::Fault;

/// An ISO 4217 style code, three upper-case letters; NGN when the field is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The naira, the currency of every number that names none.
    pub const NGN: Self = Self(*b"NGN");

    /// The code itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::NGN
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ParseText for Currency {
    const EXPECTED: &'static str = "a currency code";
    fn parse_text(text: &str) -> Result<Self, Fault> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(Fault::pattern("expected three upper-case letters like NGN")),
        }
    }
}

text_value!(Currency, "Currency", {"type": "string", "pattern": "^[A-Z]{3}$"});
