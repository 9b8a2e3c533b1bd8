use std::time::Duration;

use metadata_store::batches::REMEMBERED;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{ByteSize, HumanDuration, Problem, Settings};

/// For how long answers are kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// Whether answers are kept. Otherwise every request asks the database.
    pub enabled: bool,
    /// For how long metrics of ranges that are over are kept.
    pub metrics: HumanDuration,
    /// For how long analyses of ranges that are over are kept.
    pub analyses: HumanDuration,
    /// For how long at most an answer is kept whose range is not over, or which counts facts that are not settled yet.
    pub filling: HumanDuration,
    /// For how long the tiles of `/v1/metrics/realtime` are kept.
    pub realtime: HumanDuration,
    /// For how long an answer that is no longer fresh may be shown, and said to be stale, while a database does not answer or
    /// is too busy to be asked.
    pub stale: HumanDuration,
    /// Bytes of answers that each replica keeps in its own memory.
    pub memory: ByteSize,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            metrics: HumanDuration::secs(300),
            analyses: HumanDuration::secs(3600),
            filling: HumanDuration::secs(10),
            realtime: HumanDuration::secs(1),
            stale: HumanDuration::secs(3600),
            memory: ByteSize::mib(64),
        }
    }
}

impl CacheConfig {
    /// The longest time for which an answer is fresh.
    pub(super) fn longest(&self) -> Duration {
        let all = [self.metrics, self.analyses, self.filling, self.realtime];
        all.map(HumanDuration::get)
            .into_iter()
            .max()
            .unwrap_or_default()
    }
}

/// No answer is kept for longer: of batches that were forgotten nobody could tell what they touched.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
const _: () = assert!(2 * LONGEST.as_secs() <= REMEMBERED.as_secs());

impl Settings for CacheConfig {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let all = [
            ("metrics", self.metrics),
            ("analyses", self.analyses),
            ("filling", self.filling),
            ("realtime", self.realtime),
            ("stale", self.stale),
        ];
        let too_long = all.into_iter().filter(|(_, length)| length.get() > LONGEST);
        Problem::none_of(
            too_long.map(|(name, _)| Problem::new(name, "it may be twelve hours at most")),
        )
    }
}
