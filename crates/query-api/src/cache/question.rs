use std::{
    borrow::Cow,
    env, fmt,
    ops::RangeInclusive,
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

use analytics::{RegionFilter, definitions, time::DateRange};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use shared_schema::{Domain, access::Scope};

use super::{CacheConfig, late::Watched};
use crate::parameters::{Given, Parameter};

/// What is asked, and for how long an answer to it may be kept.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(super) key: Key,
    pub(super) lifetime: Lifetime,
}

/// Equal for questions that have the same answer at the same time, and for no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

/// For how long an answer may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) fresh_for: Duration,
    /// The events that end it sooner. None where it is short enough anyway.
    pub(super) watched: Option<Watched>,
    /// Whether it tells something when it is old.
    pub(super) outlives_an_outage: bool,
}

/// How the answers of a path are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    /// For how long they are fresh.
    pub(crate) fresh_for: fn(&CacheConfig) -> Duration,
    /// The events that they are made of.
    pub(crate) domains: &'static [Domain],
    /// How far from their range.
    pub(crate) reach: Reach,
}

/// Which events an answer about a range is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those in the range.
    Range,
    /// Those in the range and all before it. What changes by later events, as what became of a user, may be as old as the
    /// answer is fresh.
    UpToItsEnd,
    /// Those in the range, all before it, and those after it that are late.
    Onwards,
}

impl Reach {
    /// Events that are not older are not late: they arrive all the time, and an answer of a while ago is told apart by its
    /// `complete_through`.
    const LATE: TimeDelta = TimeDelta::hours(1);

    /// Hours since 1970.
    fn hours(self, range: &DateRange, now: DateTime<Utc>) -> RangeInclusive<i64> {
        let last = hour(range.end() - TimeDelta::milliseconds(1));
        match self {
            Self::Range => hour(range.start())..=last,
            Self::UpToItsEnd => i64::MIN..=last,
            Self::Onwards => i64::MIN..=last.max(hour(now - Self::LATE)),
        }
    }
}

fn hour(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(3600)
}

impl Question {
    /// A question about a range.
    pub(crate) fn about(
        asked: Sought<'_>,
        range: &DateRange,
        keeping: Keeping,
        config: &CacheConfig,
        now: DateTime<Utc>,
    ) -> Self {
        let fresh_for = (keeping.fresh_for)(config);
        // Who sees some regions only learns from no lifetime that something happened or waits elsewhere.
        let lifetime = match now < range.end() || *asked.scope != Scope::Everywhere {
            true => Lifetime {
                fresh_for: fresh_for.min(config.filling.get()),
                watched: None,
                outlives_an_outage: true,
            },
            false => Lifetime {
                fresh_for,
                watched: Some(Watched {
                    domains: keeping.domains,
                    hours: keeping.reach.hours(range, now),
                }),
                outlives_an_outage: true,
            },
        };
        Self {
            key: asked.key(Some(range)),
            lifetime,
        }
    }

    /// A question about this second.
    pub(crate) fn of_this_second(asked: Sought<'_>, config: &CacheConfig) -> Self {
        Self {
            key: asked.key(None),
            lifetime: Lifetime {
                fresh_for: config.realtime.get(),
                watched: None,
                outlives_an_outage: false,
            },
        }
    }
}

/// Everything beside the range that decides what an answer is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sought<'q> {
    /// What is asked for.
    pub(crate) path: &'q str,
    /// Where the caller may look.
    pub(crate) scope: &'q Scope,
    /// Where it is asked for.
    pub(crate) region: &'q RegionFilter,
    /// All parameters that the path takes.
    pub(crate) parameters: &'q [Parameter],
    /// Those that are given.
    pub(crate) given: &'q Given,
}

/// Parameters whose meaning stands in the range and the region.
const READ: [&str; 5] = ["start_date", "end_date", "tz", "state", "city"];

impl Sought<'_> {
    fn key(&self, range: Option<&DateRange>) -> Key {
        let mut parts = vec![
            Cow::Borrowed(DEFINITIONS.as_str()),
            self.path.into(),
            format!("{:?}", self.scope).into(),
            format!("{:?}", self.region).into(),
        ];
        if let Some(range) = range {
            let (start, end) = (range.start(), range.end());
            parts.push(start.timestamp_millis().to_string().into());
            parts.push(end.timestamp_millis().to_string().into());
            parts.push(range.zone().name().into());
        }
        let others = self
            .parameters
            .iter()
            .filter(|known| !READ.contains(&known.name.as_str()));
        for known in others {
            let value = self.given.get(&known.name).or(known.default.as_deref());
            parts.push(format!("{}={}", known.name, value.unwrap_or_default()).into());
        }
        Key::of(&parts)
    }
}

/// Changes with what any metric or analysis means, and with this program: other statements may answer otherwise.
static DEFINITIONS: LazyLock<String> = LazyLock::new(|| {
    let all = serde_json::to_vec(&definitions::all()).unwrap_or_default();
    format!("{} {}", program(), hex::encode(Sha256::digest(&all)))
});

/// Equal for the replicas that run one image, and for no other build.
fn program() -> String {
    let file = env::current_exe().and_then(std::fs::metadata);
    let built = file.map(|file| {
        let since = file
            .modified()
            .ok()
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        format!("{} {since:?}", file.len())
    });
    format!(
        "{} {}",
        env!("CARGO_PKG_VERSION"),
        built.unwrap_or_default()
    )
}

impl Key {
    fn of(parts: &[Cow<'_, str>]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            // with its length, so that no two lists are written the same
            digest.update(part.len().to_be_bytes());
            digest.update(part.as_bytes());
        }
        Self(digest.finalize().into())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests;
