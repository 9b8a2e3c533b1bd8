//! What the replicas keep in common.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use redis::{AsyncCommands, ExistenceCheck, Script, SetExpiry, SetOptions};
use sha2::{Digest, Sha256};
use tracing::debug;
use uuid::Uuid;

use super::{kept::Kept, question::Key};
use crate::redis::Redis;

/// Larger answers are not kept in Redis.
const LARGEST: usize = 4 << 20;

/// A claim outlives the patience of those who wait for what it promises.
const AND_MORE: Duration = Duration::from_secs(1);

pub(super) struct Shared {
    redis: Arc<Redis>,
    /// What all names begin with: others may share the server.
    space: String,
    /// For how long it is kept when it is no longer fresh.
    stale: Duration,
    lease: Duration,
}

/// Whether this replica is the one to make an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is, until it releases the claim.
    Ours(Uuid),
    /// Another is making it.
    Taken,
    /// Nobody can tell.
    Unknown,
}

impl Shared {
    /// For answers out of these databases.
    pub(super) fn new(
        redis: Arc<Redis>,
        databases: &str,
        stale: Duration,
        patience: Duration,
    ) -> Self {
        let lease = patience + AND_MORE;
        Self {
            redis,
            space: format!("openride:{}", hex::encode(Sha256::digest(databases))),
            stale,
            lease,
        }
    }

    /// What is kept, fresh or not.
    pub(super) async fn get(&self, key: &Key, now: DateTime<Utc>) -> Option<Kept> {
        let name = self.answer(key);
        let asked = self.redis.ask(async |connection| {
            redis::pipe()
                .get(&name)
                .pttl(&name)
                .query_async::<(Option<Vec<u8>>, i64)>(connection)
                .await
        });
        let (bytes, left) = asked.await.ok()?;
        // by the clock of Redis, which all replicas have in common
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        Kept::from_bytes(bytes?, now, left.saturating_sub(self.stale))
    }

    /// Keeps an answer, if that is possible.
    pub(super) async fn put(&self, key: &Key, kept: &Kept, now: DateTime<Utc>) {
        let fresh_for = kept.fresh_for(now);
        if fresh_for.is_zero() || kept.body.len() > LARGEST {
            return;
        }
        let Ok(bytes) = kept.to_bytes() else { return };
        let left = fresh_for + self.stale;
        let options = SetOptions::default().with_expiration(SetExpiry::PX(milliseconds(left)));
        let stored = self.redis.ask(async |connection| {
            let () = connection
                .set_options(self.answer(key), bytes, options)
                .await?;
            Ok(())
        });
        if stored.await.is_err() {
            debug!("an answer was not kept in redis");
        }
    }

    /// Asks to be the only one that makes an answer.
    pub(super) async fn claim(&self, key: &Key) -> Claim {
        let token = Uuid::new_v4();
        let options = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::PX(milliseconds(self.lease)));
        let asked = self.redis.ask(async |connection| {
            connection
                .set_options::<_, _, Option<String>>(self.claim_on(key), token.as_bytes(), options)
                .await
        });
        match asked.await {
            Ok(Some(_)) => Claim::Ours(token),
            Ok(None) => Claim::Taken,
            Err(_) => Claim::Unknown,
        }
    }

    /// Lets go of a claim, unless it has gone to another meanwhile.
    pub(super) async fn release(&self, key: &Key, claim: Claim) {
        let Claim::Ours(token) = claim else { return };
        let script = Script::new(
            "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
        );
        let released = self.redis.ask(async |connection| {
            script
                .key(self.claim_on(key))
                .arg(token.as_bytes())
                .invoke_async::<i64>(connection)
                .await
        });
        if released.await.is_err() {
            debug!("a claim was not released in redis; it ends by itself");
        }
    }
}

impl Shared {
    fn answer(&self, key: &Key) -> String {
        format!("{}:answer:{key}", self.space)
    }

    fn claim_on(&self, key: &Key) -> String {
        format!("{}:claim:{key}", self.space)
    }
}

fn milliseconds(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
