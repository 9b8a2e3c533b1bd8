//! What is promised about a batch before it is written.

use super::{CODEC, Judged};
use metadata_store::batches::{Batch, Touched};
use serde::{Deserialize, Serialize};
use shared_schema::AgeLimits;
use std::time::Duration;

impl Judged {
    /// The intent of this batch, opened by `owner`.
    pub fn intent(&self, owner: &str) -> Batch {
        Batch {
            id: self.id,
            owner: owner.to_owned(),
            codec: CODEC,
            decided_at: self.decided_at,
            dedup_window: self.dedup_window,
            age_limits: self.stored_limits(),
            touched: Some(self.touched()),
            ranges: self.ranges.clone(),
        }
    }

    /// The hours of events that the batch adds to.
    fn touched(&self) -> Touched {
        let inserts = self.inserts.iter();
        Touched::new(inserts.map(|insert| (insert.domain, &insert.hours)))
    }

    /// The age limits that applied, as they are stored.
    pub fn stored_limits(&self) -> serde_json::Value {
        serde_json::json!(StoredLimits::from(self.limits))
    }
}

/// The age limits as they are stored with a batch, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLimits {
    clock_skew: u64,
    max_ahead: u64,
    max_age: u64,
    max_location_age: u64,
}

impl From<AgeLimits> for StoredLimits {
    fn from(limits: AgeLimits) -> Self {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self {
            clock_skew: ms(limits.clock_skew),
            max_ahead: ms(limits.max_ahead),
            max_age: ms(limits.max_age),
            max_location_age: ms(limits.max_location_age),
        }
    }
}

impl From<StoredLimits> for AgeLimits {
    fn from(stored: StoredLimits) -> Self {
        Self {
            clock_skew: Duration::from_millis(stored.clock_skew),
            max_ahead: Duration::from_millis(stored.max_ahead),
            max_age: Duration::from_millis(stored.max_age),
            max_location_age: Duration::from_millis(stored.max_location_age),
        }
    }
}
