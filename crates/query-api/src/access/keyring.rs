use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metadata_store::{
    Pool, StoreError,
    keys::{self, Key, Presented},
};
use moka::future::Cache;
use tokio::{sync::Semaphore, time::timeout};
use tracing::warn;
use uuid::Uuid;

use super::AuthConfig;

/// How long PostgreSQL is waited for.
const DEADLINE: Duration = Duration::from_secs(1);
/// How long what is known of a key is relied on while PostgreSQL is away: nobody can revoke it there meanwhile, but it may
/// have been revoked through another replica since this one looked.
pub(super) const RELIED_ON: Duration = Duration::from_secs(600);
/// Keys of which nothing is known that are looked up at the same time: whoever sends keys that do not exist must not have
/// all connections, nor the turn of a key that was found in the last ten minutes. One that was not, also because the process
/// has just begun, waits among them.
const AT_ONCE: usize = 2;
/// Hashes that are remembered, also those of keys that do not exist.
const MOST: u64 = 10_000;

type Hash = [u8; 32];
/// What a key is; nothing where there is none.
type Found = Arc<Option<Presented>>;

/// PostgreSQL did not say what a key is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyringError {
    /// It did not answer in time.
    #[error("the key was not found within {DEADLINE:?}")]
    TimedOut,
    /// It failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KeyringError {
    /// Whether PostgreSQL was away.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Store(error) => error.is_outage(),
        }
    }
}

/// The keys of late.
pub(crate) struct Keyring {
    pool: Pool,
    /// What was asked a few seconds ago at the most.
    recent: Cache<Hash, Found>,
    /// What was known last of keys that exist.
    last: Cache<Hash, Found>,
    asking: Semaphore,
    /// How many keys were changed here.
    changes: AtomicU64,
}

impl Keyring {
    pub(super) fn new(config: &AuthConfig, pool: Pool) -> Self {
        let cache = |kept| {
            Cache::builder()
                .max_capacity(MOST)
                .time_to_live(kept)
                .support_invalidation_closures()
                .build()
        };
        Self {
            pool,
            recent: cache(config.recheck.get()),
            last: cache(RELIED_ON),
            asking: Semaphore::new(AT_ONCE),
            changes: AtomicU64::new(0),
        }
    }

    /// The key with a secret of this hash, whether it is over or not.
    pub(super) async fn find(&self, hash: &Hash) -> Result<Found, Arc<KeyringError>> {
        loop {
            let changes = self.changes.load(Ordering::SeqCst);
            let found = self.recent.try_get_with(*hash, self.asked(hash)).await;
            if self.changes.load(Ordering::SeqCst) == changes {
                return found;
            }
            // it may be the key that was changed, and have been read before
            self.recent.invalidate(hash).await;
            self.last.invalidate(hash).await;
        }
    }

    /// The key of an id as it is now, without its secrets' ends.
    pub(super) async fn find_anew(&self, id: Uuid) -> Result<Option<Key>, StoreError> {
        keys::find(&self.pool, id).await
    }

    async fn asked(&self, hash: &Hash) -> Result<Found, KeyringError> {
        let answered = timeout(DEADLINE, async {
            let _turn = match self.last.contains_key(hash) {
                true => None,
                // it is never closed
                false => self.asking.acquire().await.ok(),
            };
            keys::by_hash(&self.pool, hash).await
        });
        let error = match answered.await {
            Ok(Ok(found)) => {
                let found = Arc::new(found);
                if found.is_some() {
                    self.last.insert(*hash, Arc::clone(&found)).await;
                }
                return Ok(found);
            }
            Ok(Err(error)) => error.into(),
            Err(_) => KeyringError::TimedOut,
        };
        match self.last.get(hash).await {
            Some(found) if error.is_outage() => {
                warn!(%error, "a key cannot be looked up; what was known of it stands");
                Ok(found)
            }
            _ => Err(error),
        }
    }

    /// Forgets what it knows of a key, since that was changed here.
    pub(super) fn forget(&self, id: Uuid) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        for known in [&self.recent, &self.last] {
            let is_of_it = move |_: &Hash, found: &Found| {
                let found = found.as_ref().as_ref();
                found.is_some_and(|found| found.key.id == id)
            };
            // fails only for caches that were not made for it
            let _ = known.invalidate_entries_if(is_of_it);
        }
    }
}
