//! What the API answers over what the ingestor stored, against what the simulator meant.
//!
//! Everything else compares stored rows with stored rows. Only this notices a value that was stored in a wrong place.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono_tz::{Africa::Lagos, Asia::Kolkata};
use service_runtime::{clock::ManualClock, config::HumanDuration, lifecycle};
use simulator::answer::{AnswerKey, Asked, Granularity, Told};
use tokio_util::sync::CancellationToken;

use super::{rig::Rig, sender::Story};

/// The API over what the members wrote, at the end of the story.
struct Api {
    base: String,
    client: reqwest::Client,
}

impl Api {
    fn start(rig: &Rig, story: &Story) -> Self {
        lifecycle::install_crypto_provider();
        let mut config = query_api::Config {
            clickhouse: rig.config.clickhouse.clone(),
            postgres: rig.config.postgres.clone(),
            ..query_api::Config::default()
        };
        config.http.listen = "127.0.0.1:0".parse().unwrap();
        config.http.workers = 1;
        config.auth.mode = query_api::AuthMode::Off;
        config.cache.enabled = false;
        // how fast it is does not matter here
        config.http.query_deadline = HumanDuration::secs(60);
        let server = query_api::bind(&config, Arc::new(ManualClock::at(story.end))).unwrap();
        let base = format!("http://{}", server.local_addr());
        tokio::spawn(server.run(CancellationToken::new()));
        Self {
            base,
            client: reqwest::Client::new(),
        }
    }

    async fn check(&self, told: &Told) {
        let url = format!("{}{}", self.base, told.path);
        let response = self.client.get(&url).send().await.unwrap();
        let answer = response.error_for_status().unwrap().json().await.unwrap();
        told.assert_equals(&answer);
    }
}

/// Once all regions are settled, the metrics are those of the answer key: in total and in each state, with their series.
pub(super) async fn assert_answered(rig: &Rig, story: &Story) {
    let (api, key) = (Api::start(rig, story), story.key());
    for asked in questions(story, &key) {
        for told in asked.metrics(&key) {
            api.check(&told).await;
        }
        api.check(&asked.tiles(&key)).await;
    }
}

fn questions(story: &Story, key: &AnswerKey) -> Vec<Asked> {
    let (start, end) = (story.start, story.end);
    // producers whose clocks are ahead tell of tomorrow
    let whole = || Asked::over(start, end + Duration::from_secs(86_400), Lagos, end);
    let odd = Duration::from_millis(30 * 3_600_000 + 123_457);
    let mut questions = vec![
        whole().by(Granularity::Daily),
        whole().by(Granularity::Weekly),
        Asked::over(start + odd, end - odd, Kolkata, end).by(Granularity::Hourly),
    ];
    let known: BTreeSet<&str> = key.regions().iter().map(|region| region.state).collect();
    for state in known.into_iter().chain(["unknown"]) {
        let asked = whole().in_region(Some(state), None);
        questions.push(asked.by(Granularity::Daily));
    }
    questions
}
