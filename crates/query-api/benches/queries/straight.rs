//! The statements of a request without the API: sent again as ClickHouse logged them, with their parameters put in.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use reqwest::{Client, Url};

/// A statement that ClickHouse logged.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// What the API calls it.
    pub(crate) name: String,
    sql: String,
    /// The settings that it was sent with.
    settings: BTreeMap<String, String>,
    /// Since 1970.
    began: Duration,
    took: Duration,
    /// The work of all its threads.
    pub(crate) cpu: Duration,
}

/// What `system.query_log` says of a statement.
pub(crate) type Logged = (String, String, String, u64, u64, u64);

impl TryFrom<Logged> for Statement {
    type Error = serde_json::Error;

    fn try_from((name, sql, settings, began, took, cpu): Logged) -> Result<Self, Self::Error> {
        Ok(Self {
            name,
            sql,
            settings: serde_json::from_str(&settings)?,
            began: Duration::from_micros(began),
            took: Duration::from_micros(took),
            cpu: Duration::from_micros(cpu),
        })
    }
}

/// ClickHouse.
pub(crate) struct Straight {
    client: Client,
    url: Url,
}

impl Straight {
    pub(crate) fn new(clickhouse: &event_store::Config) -> Self {
        let mut url = clickhouse.url.clone();
        url.query_pairs_mut()
            .append_pair("database", &clickhouse.database)
            .append_pair("default_format", "RowBinary");
        Self {
            client: Client::new(),
            url,
        }
    }

    /// How long they take, wave after wave.
    pub(crate) async fn send(&self, waves: &[Vec<&Statement>]) -> anyhow::Result<Duration> {
        let began = Instant::now();
        for wave in waves {
            try_join_all(wave.iter().map(|statement| self.send_one(statement))).await?;
        }
        Ok(began.elapsed())
    }

    async fn send_one(&self, statement: &Statement) -> reqwest::Result<usize> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(&statement.settings);
        let request = self.client.post(url).body(statement.sql.clone());
        let answer = request.send().await?.error_for_status()?;
        Ok(answer.bytes().await?.len())
    }
}

/// ClickHouse logs whole milliseconds.
const ROUNDED: Duration = Duration::from_millis(1);

/// What ran side by side, to do so again: statements that began before all before them had ended are of one wave.
pub(crate) fn waves(statements: &[Statement]) -> Vec<Vec<&Statement>> {
    let mut waves: Vec<Vec<&Statement>> = Vec::new();
    let mut over = Duration::ZERO;
    for statement in statements {
        match waves.last_mut() {
            Some(wave) if statement.began + ROUNDED < over => wave.push(statement),
            _ => waves.push(vec![statement]),
        }
        over = over.max(statement.began + statement.took);
    }
    waves
}
