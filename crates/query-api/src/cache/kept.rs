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

/// What is written before the body, as one line.
#[derive(Serialize, Deserialize)]
struct Head {
    serial: Serial,
    asked_at: Option<DateTime<Utc>>,
    tag: String,
}

impl Kept {
    pub(super) fn new(
        made: Made,
        asked_at: Option<DateTime<Utc>>,
        began: DateTime<Utc>,
        fresh_for: Duration,
    ) -> Self {
        let digest = Sha256::digest(&made.body);
        Self {
            serial: Uuid::new_v4(),
            asked_at,
            fresh_until: later(began, fresh_for),
            tag: hex::encode(digest),
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

    /// What Redis keeps of it.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec(&Head {
            serial: self.serial,
            asked_at: self.asked_at,
            tag: self.tag.clone(),
        })?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        Ok(bytes)
    }

    /// What Redis kept, fresh for some time still. Nothing if it cannot be read: others write there too.
    pub(super) fn from_bytes(
        bytes: Vec<u8>,
        now: DateTime<Utc>,
        fresh_for: Duration,
    ) -> Option<Self> {
        let bytes = Bytes::from(bytes);
        let line = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(bytes.get(..line)?).ok()?;
        Some(Self {
            serial: head.serial,
            asked_at: head.asked_at,
            fresh_until: later(now, fresh_for),
            tag: head.tag,
            body: bytes.slice(line + 1..),
        })
    }
}

/// Of an entry beside its body.
const OVERHEAD: usize = 256;

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

    #[test]
    fn what_is_kept_is_read_as_it_was_written() {
        let kept = kept();
        let bytes = kept.to_bytes().unwrap();
        let read = Kept::from_bytes(bytes, DateTime::UNIX_EPOCH, Duration::from_secs(7));
        assert_eq!(read, Some(kept));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        for bytes in [&b""[..], b"\n", b"{}", b"{}\n{}", b"\xff\n"] {
            let read = Kept::from_bytes(bytes.to_vec(), DateTime::UNIX_EPOCH, Duration::ZERO);
            assert_eq!(read, None, "{bytes:?}");
        }
    }

    #[test]
    fn it_is_fresh_before_its_end() {
        let kept = kept();
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        assert!(kept.is_fresh(at(6)) && !kept.is_fresh(at(7)));
        assert_eq!(kept.fresh_for(at(6)), Duration::from_secs(1));
        assert_eq!(kept.fresh_for(at(8)), Duration::ZERO);
    }
}
