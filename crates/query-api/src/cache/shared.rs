//! What the replicas keep in common.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use chrono::{DateTime, Utc};
use redis::{AsyncCommands, ExistenceCheck, Script, SetExpiry, SetOptions};
use tokio::{runtime::Handle, task::JoinHandle, time::sleep};
use tracing::debug;
use uuid::Uuid;

use super::{
    kept::{Kept, milliseconds},
    question::Key,
};
use crate::redis::Redis;

/// Larger answers are not kept in Redis.
const LARGEST: usize = 256 << 10;

/// After so long a lease ends by itself, if whoever has it is gone.
const LEASE: Duration = Duration::from_secs(3);
const RENEWED: Duration = Duration::from_secs(1);

/// Both only where the lease is still whose it was.
static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end",
    )
});
static END: LazyLock<Script> = LazyLock::new(|| {
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end")
});

pub(super) struct Shared {
    redis: Arc<Redis>,
    /// For how long it is kept when it is no longer fresh.
    stale: Duration,
}

/// Another replica is making the answer.
pub(super) struct Taken;

/// The right to make an answer. It goes with whoever has it, also where the client of a request goes away.
pub(super) struct Lease {
    redis: Arc<Redis>,
    name: String,
    token: Uuid,
    renewing: JoinHandle<()>,
}

impl Shared {
    pub(super) fn new(redis: Arc<Redis>, stale: Duration) -> Self {
        Self { redis, stale }
    }

    /// What is kept, fresh or not.
    pub(super) async fn get(&self, key: &Key, now: DateTime<Utc>) -> Option<Kept> {
        let name = self.redis.name("answer", key);
        let asked = self.redis.ask(async |connection| {
            redis::pipe()
                .atomic()
                .get(&name)
                .pttl(&name)
                .query_async::<(Option<Vec<u8>>, i64)>(connection)
                .await
        });
        let (bytes, left) = asked.await.ok()?;
        let left = Duration::from_millis(u64::try_from(left).ok()?);
        Kept::from_bytes(bytes?, now, left)
    }

    /// Keeps an answer, if that is possible.
    pub(super) async fn put(&self, key: &Key, kept: &Kept, now: DateTime<Utc>) {
        let fresh_for = kept.fresh_for(now);
        if fresh_for.is_zero() || kept.body.len() > LARGEST {
            return;
        }
        let left = fresh_for + self.stale;
        let Ok(bytes) = kept.to_bytes(now, left) else {
            return;
        };
        let options = SetOptions::default().with_expiration(SetExpiry::PX(milliseconds(left)));
        let stored = self.redis.ask(async |connection| {
            let name = self.redis.name("answer", key);
            let () = connection.set_options(name, bytes, options).await?;
            Ok(())
        });
        if stored.await.is_err() {
            debug!("an answer was not kept in redis");
        }
    }

    /// Asks to be the only one that makes an answer; there is no lease where nobody can tell.
    pub(super) async fn lease(&self, key: &Key) -> Result<Option<Lease>, Taken> {
        let (name, token) = (self.redis.name("lease", key), Uuid::new_v4());
        let options = SetOptions::default()
            .conditional_set(ExistenceCheck::NX)
            .with_expiration(SetExpiry::PX(milliseconds(LEASE)));
        let redis = Arc::clone(&self.redis);
        // goes on by itself where the client goes away, so that what it gets is given back
        let asked = tokio::spawn(async move {
            let set = redis.ask(async |connection| {
                connection
                    .set_options::<_, _, Option<String>>(&name, token.as_bytes(), options)
                    .await
            });
            match set.await {
                Ok(Some(_)) => Ok(Some(Lease::of(redis, name, token))),
                Ok(None) => Err(Taken),
                Err(_) => Ok(None),
            }
        });
        asked.await.unwrap_or(Ok(None))
    }
}

impl Lease {
    fn of(redis: Arc<Redis>, name: String, token: Uuid) -> Self {
        let renewing = tokio::spawn(renew(Arc::clone(&redis), name.clone(), token));
        Self {
            redis,
            name,
            token,
            renewing,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
        // without a runtime the process ends, and the lease by itself
        if let Ok(runtime) = Handle::try_current() {
            let (redis, name) = (Arc::clone(&self.redis), std::mem::take(&mut self.name));
            runtime.spawn(end(redis, name, self.token));
        }
    }
}

async fn renew(redis: Arc<Redis>, name: String, token: Uuid) {
    loop {
        sleep(RENEWED).await;
        let renewed = redis.ask(async |connection| {
            let mut call = RENEW.key(&name);
            call.arg(token.as_bytes()).arg(milliseconds(LEASE));
            call.invoke_async::<()>(connection).await
        });
        if renewed.await.is_err() {
            debug!("a lease was not renewed in redis");
        }
    }
}

async fn end(redis: Arc<Redis>, name: String, token: Uuid) {
    let ended = redis.ask(async |connection| {
        let mut call = END.key(&name);
        call.arg(token.as_bytes());
        call.invoke_async::<()>(connection).await
    });
    if ended.await.is_err() {
        debug!("a lease was not ended in redis; it ends by itself");
    }
}
