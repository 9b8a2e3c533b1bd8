use std::time::Duration;

use actix_web::web::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::ApiError;

/// An answer that was just made.
pub(crate) struct Made {
    /// The JSON.
    pub(crate) body: Vec<u8>,
    /// Whether nothing of it waits to be settled.
    pub(crate) is_settled: bool,
}

impl Made {
    /// An answer as JSON.
    pub(crate) fn of(answer: &impl Serialize, is_settled: bool) -> Result<Self, ApiError> {
        let body = serde_json::to_vec(answer)?;
        Ok(Self { body, is_settled })
    }
}

/// Bytes of an entry beside its body, about.
const OVERHEAD: usize = 256;

/// Tells answers to the same question apart.
pub(super) type Serial = Uuid;

/// An answer that is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) serial: Serial,
    /// What PostgreSQL's clock said before it was asked for; a batch that was stored later may not be in it.
    pub(super) asked_at: Option<DateTime<Utc>>,
    /// By this replica's clock.
    pub(super) fresh_until: DateTime<Utc>,
    /// What stands in `ETag`, without its quotes.
    pub(super) tag: String,
    pub(super) body: Bytes,
}

/// What Redis keeps before the body, as one line.
#[derive(Serialize, Deserialize)]
struct Head {
    serial: Serial,
    asked_at: Option<DateTime<Utc>>,
    tag: String,
    /// For how long it was fresh when it was written, in milliseconds.
    fresh: u64,
    /// After how long Redis was told to forget it.
    left: u64,
}

impl Kept {
    pub(super) fn new(
        made: Made,
        asked_at: Option<DateTime<Utc>>,
        began: DateTime<Utc>,
        fresh_for: Duration,
    ) -> Self {
        Self {
            serial: Uuid::new_v4(),
            asked_at,
            fresh_until: later(began, fresh_for),
            tag: tag(&made.body),
            body: made.body.into(),
        }
    }

    pub(super) fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        now < self.fresh_until
    }

    /// For how long it is fresh.
    pub(super) fn fresh_for(&self, now: DateTime<Utc>) -> Duration {
        (self.fresh_until - now).to_std().unwrap_or_default()
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> u32 {
        u32::try_from(self.body.len() + OVERHEAD).unwrap_or(u32::MAX)
    }

    /// Whether it may be shown, as stale, where none can be made.
    pub(super) fn is_known_still(&self, now: DateTime<Utc>, stale: Duration) -> bool {
        now < later(self.fresh_until, stale)
    }

    /// What Redis keeps of it for so long.
    pub(super) fn to_bytes(
        &self,
        now: DateTime<Utc>,
        left: Duration,
    ) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec(&Head {
            serial: self.serial,
            asked_at: self.asked_at,
            tag: self.tag.clone(),
            fresh: milliseconds(self.fresh_for(now)),
            left: milliseconds(left),
        })?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        Ok(bytes)
    }

    /// What Redis kept and will keep for so long still. Nothing if it is not as it was written: others write there too.
    ///
    /// How old it is, Redis tells by its own clock, which all replicas have in common.
    pub(super) fn from_bytes(bytes: Vec<u8>, now: DateTime<Utc>, left: Duration) -> Option<Self> {
        let bytes = Bytes::from(bytes);
        let line = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(bytes.get(..line)?).ok()?;
        let body = bytes.slice(line + 1..);
        if head.tag != tag(&body) {
            return None;
        }
        let age = head.left.checked_sub(milliseconds(left))?;
        let fresh_until = match head.fresh.checked_sub(age) {
            Some(fresh) => later(now, Duration::from_millis(fresh)),
            None => earlier(now, Duration::from_millis(age - head.fresh)),
        };
        Some(Self {
            serial: head.serial,
            asked_at: head.asked_at,
            fresh_until,
            tag: head.tag,
            body,
        })
    }
}

/// What stands in `ETag`: the SHA-256 of the body.
fn tag(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

pub(super) fn milliseconds(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

fn earlier(at: DateTime<Utc>, length: Duration) -> DateTime<Utc> {
    let length = TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
    at.checked_sub_signed(length)
        .unwrap_or(DateTime::<Utc>::MIN_UTC)
}

fn later(at: DateTime<Utc>, length: Duration) -> DateTime<Utc> {
    let length = TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
    at.checked_add_signed(length)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        let made = Made {
            body: b"{\"a\":1}\n".to_vec(),
            is_settled: true,
        };
        Kept::new(
            made,
            Some(DateTime::UNIX_EPOCH),
            DateTime::UNIX_EPOCH,
            Duration::from_secs(7),
        )
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_kept_is_read_as_it_was_written() {
        let kept = kept();
        let bytes = kept.to_bytes(at(0), MINUTE).unwrap();
        let read = Kept::from_bytes(bytes, at(0), MINUTE);
        assert_eq!(read, Some(kept));
    }

    #[test]
    fn how_old_it_is_follows_from_how_long_it_is_kept_still() {
        let bytes = kept().to_bytes(at(2), MINUTE).unwrap();
        let after = |seconds| {
            let left = MINUTE - Duration::from_secs(seconds);
            Kept::from_bytes(bytes.clone(), at(1000), left)
                .unwrap()
                .fresh_until
        };
        assert_eq!(after(0), at(1005));
        assert_eq!(after(4), at(1001));
        assert_eq!(after(15), at(990));
        let longer = Kept::from_bytes(bytes, at(1000), 2 * MINUTE);
        assert_eq!(longer, None, "somebody has changed how long it is kept");
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        let mut damaged = kept().to_bytes(at(0), MINUTE).unwrap();
        *damaged.last_mut().unwrap() = b'!';
        for bytes in [&b""[..], b"\n", b"{}", b"{}\n{}", b"\xff\n", &damaged] {
            let read = Kept::from_bytes(bytes.to_vec(), at(0), MINUTE);
            assert_eq!(read, None, "{bytes:?}");
        }
    }

    #[test]
    fn it_is_known_for_a_while_after_it_was_fresh() {
        let kept = kept();
        assert!(kept.is_known_still(at(66), MINUTE) && !kept.is_known_still(at(67), MINUTE));
    }

    #[test]
    fn it_is_fresh_before_its_end() {
        let kept = kept();
        assert!(kept.is_fresh(at(6)) && !kept.is_fresh(at(7)));
        assert_eq!(kept.fresh_for(at(6)), Duration::from_secs(1));
        assert_eq!(kept.fresh_for(at(8)), Duration::ZERO);
    }
}
