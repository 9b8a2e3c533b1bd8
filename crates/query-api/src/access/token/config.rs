use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{HumanDuration, Problem, Secret, Settings};
use url::{Host, Url};

/// The audit names a caller by its issuer and its subject, in 300 characters.
const LONGEST_ISSUER: usize = 90;

/// The JSON Web Tokens that are accepted. Without `secret` and `jwks_url` none are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenConfig {
    /// Who issues the tokens: their claim `iss` must be exactly this.
    pub issuer: String,
    /// Whom the tokens are for: their claim `aud` must be exactly this, or a list that has it.
    pub audience: String,
    /// The secret that tokens are signed with (HS256), of 32 bytes or more; empty for none. Not beside `jwks_url`.
    pub secret: Secret,
    /// Where the issuer publishes the public keys of its tokens (RS256, 2048 to 4096 bits) as a JSON Web Key Set: an
    /// https URL, or an http URL of a loopback address. Not beside `secret`.
    pub jwks_url: Option<Url>,
    /// Age at which the published keys are fetched again. While that fails, the last ones stand.
    pub jwks_refresh: HumanDuration,
    /// How long it may take to fetch the published keys, in all.
    pub jwks_timeout: HumanDuration,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: String::new(),
            secret: Secret::default(),
            jwks_url: None,
            jwks_refresh: HumanDuration::secs(10 * 60),
            jwks_timeout: HumanDuration::secs(3),
        }
    }
}

impl Settings for TokenConfig {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let mut problems = self.of_keys();
        problems.extend(self.jwks_url.as_ref().and_then(of_url));
        problems.extend(Problem::too_short("jwks_refresh", self.jwks_refresh));
        problems.extend(Problem::too_short("jwks_timeout", self.jwks_timeout));
        Problem::none_of(problems)
    }
}

impl TokenConfig {
    fn of_keys(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let (has_secret, has_url) = (!self.secret.is_empty(), self.jwks_url.is_some());
        problems.extend(Problem::weak_secret("secret", &self.secret));
        if has_secret && has_url {
            problems.push(Problem::new(
                "jwks_url",
                "it cannot be given beside secret: tokens are signed in one way",
            ));
        }
        if self.issuer.len() > LONGEST_ISSUER {
            let message = format!("it may have {LONGEST_ISSUER} bytes at most");
            problems.push(Problem::new("issuer", message));
        }
        for (name, value) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if (has_secret || has_url) && value.is_empty() {
                problems.push(Problem::new(
                    name,
                    "it must be given where tokens are accepted",
                ));
            }
        }
        problems
    }
}

/// Whoever can change the keys on their way can issue tokens.
fn of_url(url: &Url) -> Option<Problem> {
    let is_safe = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    };
    let message = match (is_safe, has_credentials(url)) {
        (false, _) => "it must be an https URL, or an http URL of a loopback address",
        (true, true) => "it must have no user and no password",
        (true, false) => return None,
    };
    Some(Problem::new("jwks_url", message))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // a name means what somebody else makes it mean
        Some(Host::Domain(_)) | None => false,
    }
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn problems(config: &TokenConfig) -> Vec<String> {
        let problems = config.validate().err().unwrap_or_default();
        problems
            .into_iter()
            .map(|problem| problem.setting)
            .collect()
    }

    fn signed_with(secret: &str, jwks_url: Option<&str>) -> TokenConfig {
        TokenConfig {
            issuer: "https://id.example".to_owned(),
            audience: "analytics".to_owned(),
            secret: Secret::from(secret),
            jwks_url: jwks_url.map(|url| url.parse().unwrap()),
            ..TokenConfig::default()
        }
    }

    #[test]
    fn the_default_is_valid_and_accepts_no_tokens() {
        let config = TokenConfig::default();
        assert_eq!(problems(&config), [""; 0]);
        assert!(config.secret.is_empty() && config.jwks_url.is_none());
    }

    #[test]
    fn a_secret_and_a_key_set_exclude_each_other() {
        let url = Some("https://id.example/keys");
        assert_eq!(problems(&signed_with(SECRET, None)), [""; 0]);
        assert_eq!(problems(&signed_with("", url)), [""; 0]);
        assert_eq!(problems(&signed_with(SECRET, url)), ["jwks_url"]);
    }

    #[test]
    fn a_secret_has_at_least_32_bytes() {
        assert_eq!(
            problems(&signed_with(&SECRET.replacen('0', "", 1), None)),
            ["secret"]
        );
        assert_eq!(problems(&signed_with(&"é".repeat(16), None)), [""; 0]);
    }

    #[rstest]
    #[case(SECRET, None)]
    #[case("", Some("https://id.example/keys"))]
    fn whoever_accepts_tokens_names_their_issuer_and_audience(
        #[case] secret: &str,
        #[case] url: Option<&str>,
    ) {
        let config = TokenConfig {
            issuer: String::new(),
            audience: String::new(),
            ..signed_with(secret, url)
        };
        assert_eq!(problems(&config), ["issuer", "audience"]);
    }

    #[rstest]
    #[case("https://id.example/keys?tenant=1", true)]
    #[case("http://127.0.0.1:8080/keys", true)]
    #[case("http://127.9.9.9/keys", true)]
    #[case("http://[::1]:8080/keys", true)]
    #[case("http://id.example/keys", false)]
    #[case("http://localhost/keys", false)]
    #[case("http://127.0.0.1.example/keys", false)]
    #[case("http://10.0.0.1/keys", false)]
    #[case("http://0.0.0.0/keys", false)]
    #[case("http://[::ffff:10.0.0.1]/keys", false)]
    #[case("https://user@id.example/keys", false)]
    #[case("https://user:password@id.example/keys", false)]
    #[case("http://127.0.0.1@id.example/keys", false)]
    #[case("file:///etc/keys", false)]
    #[case("ftp://127.0.0.1/keys", false)]
    #[case("data:application/json,{}", false)]
    fn keys_come_over_https_or_from_this_machine(#[case] url: &str, #[case] may: bool) {
        let expected: &[&str] = if may { &[] } else { &["jwks_url"] };
        assert_eq!(problems(&signed_with("", Some(url))), expected);
    }

    #[test]
    fn durations_of_less_than_a_millisecond_are_refused() {
        let config = TokenConfig {
            jwks_refresh: HumanDuration::secs(0),
            jwks_timeout: std::time::Duration::from_micros(500).into(),
            ..TokenConfig::default()
        };
        assert_eq!(problems(&config), ["jwks_refresh", "jwks_timeout"]);
    }

    #[test]
    fn the_secret_is_shown_nowhere() {
        let config = signed_with(SECRET, None);
        let json = serde_json::to_string(&config).unwrap();
        assert!(!format!("{config:?}{json}").contains(SECRET));
        let short = format!(
            "{:?}",
            signed_with("short-secret", None).validate().unwrap_err()
        );
        assert!(!short.contains("short-secret"));
    }
}
