mod claims;
mod forge;
mod hostile;
mod hs256;
mod interop;
mod issuer;
mod key_sets;
mod logs;
mod outage;
mod rotation;
mod rs256;

use chrono::{DateTime, Utc};
use service_runtime::{config::Secret, lifecycle};

use super::{TokenConfig, Verifier};

/// The secret of HS256.
const SECRET: &str = "a secret for tests, of more than 32 bytes";

/// When the tests take place.
fn now() -> DateTime<Utc> {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn config() -> TokenConfig {
    TokenConfig {
        issuer: forge::ISSUER.to_owned(),
        audience: forge::AUDIENCE.to_owned(),
        ..TokenConfig::default()
    }
}

fn verifier(config: &TokenConfig) -> Verifier {
    lifecycle::install_crypto_provider();
    Verifier::new(config).unwrap().unwrap()
}

/// A verifier of HS256.
fn by_secret() -> Verifier {
    verifier(&TokenConfig {
        secret: Secret::from(SECRET),
        ..config()
    })
}

/// A verifier of RS256 with the keys at this URL.
fn by_url(url: &str) -> Verifier {
    verifier(&TokenConfig {
        jwks_url: Some(url.parse().unwrap()),
        ..config()
    })
}
