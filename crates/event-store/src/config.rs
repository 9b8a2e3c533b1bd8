use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{HumanDuration, Problem, Secret, Settings};
use url::Url;

/// How ClickHouse is reached.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// ClickHouse's HTTP interface, `http://host:8123` or `https://host:8443`.
    pub url: Url,
    /// The database that holds the platform's tables.
    #[schemars(length(min = 1))]
    pub database: String,
    /// The user that all statements run as.
    pub user: String,
    /// The user's password; empty for none.
    pub password: Secret,
    /// How long a connection may take to be made.
    pub connect_timeout: HumanDuration,
    /// How long a query may take. The server is told to give up by itself, and is made to if it does not.
    pub request_timeout: HumanDuration,
    /// How long an insert may take. Longer than any that works: one that is cut off must be recovered.
    pub insert_timeout: HumanDuration,
    /// How insert bodies are compressed: `none` where the server is near, `lz4` where the network costs.
    pub insert_compression: Compression,
}

/// How the body of an insert is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Sent as it is.
    #[default]
    None,
    /// An LZ4 frame: about a third of the bytes for 0.7 µs of CPU per event.
    Lz4,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: local(),
            database: "openride_analytics".to_owned(),
            user: "default".to_owned(),
            password: Secret::default(),
            connect_timeout: HumanDuration::secs(5),
            request_timeout: HumanDuration::secs(30),
            insert_timeout: HumanDuration::secs(120),
            insert_compression: Compression::None,
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "a constant, parsed by every test that makes a default configuration"
)]
fn local() -> Url {
    Url::parse("http://127.0.0.1:8123").expect("a valid URL")
}

impl Settings for Config {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        if !matches!(self.url.scheme(), "http" | "https") || self.url.host().is_none() {
            problems.push(Problem::new(
                "url",
                "it must be an http or https URL with a host",
            ));
        }
        if !self.url.username().is_empty() || self.url.password().is_some() {
            problems.push(Problem::new(
                "url",
                "the user and the password are settings of their own",
            ));
        }
        if !is_identifier(&self.database) {
            problems.push(Problem::new(
                "database",
                "it must consist of letters, digits and underscores, and not begin with a digit",
            ));
        }
        let timeouts = [
            ("connect_timeout", self.connect_timeout),
            ("request_timeout", self.request_timeout),
            ("insert_timeout", self.insert_timeout),
        ];
        let too_short = |(name, timeout)| Problem::too_short(name, timeout);
        problems.extend(timeouts.into_iter().filter_map(too_short));
        if self.insert_timeout < self.connect_timeout {
            problems.push(Problem::new(
                "insert_timeout",
                "it must not be less than connect_timeout",
            ));
        }
        Problem::none_of(problems)
    }
}

/// Whether a name can stand in SQL as it is. The database's does, in every statement.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    let first = characters.next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert!(Config::default().validate().is_ok());
    }

    #[test]
    fn a_password_in_the_url_and_a_database_that_is_no_identifier_are_refused() {
        let config = Config {
            url: "http://user:secret@localhost:8123".parse().unwrap(),
            database: "rides; DROP".to_owned(),
            ..Config::default()
        };
        let problems = config.validate().unwrap_err();
        assert_eq!(problems.len(), 2);
    }

    #[test]
    fn timeouts_of_less_than_a_millisecond_are_refused() {
        let config = Config {
            connect_timeout: HumanDuration::secs(0),
            request_timeout: HumanDuration::secs(0),
            insert_timeout: std::time::Duration::from_micros(500).into(),
            ..Config::default()
        };
        let problems = config.validate().unwrap_err();
        let names: Vec<_> = problems.iter().map(|problem| &problem.setting).collect();
        assert_eq!(
            names,
            ["connect_timeout", "request_timeout", "insert_timeout"]
        );
    }
}
