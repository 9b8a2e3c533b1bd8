use std::{sync::Arc, time::Duration};

use metadata_store::{
    Pool, StoreError,
    keys::{self, Presented},
};
use moka::future::Cache;
use tokio::time::timeout;
use tracing::warn;

use super::AuthConfig;

/// How long PostgreSQL is waited for.
const DEADLINE: Duration = Duration::from_secs(1);
/// How long what is known of a key is relied on while PostgreSQL is away: nobody can revoke it there meanwhile.
const RELIED_ON: Duration = Duration::from_secs(600);
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

/// The keys of late.
pub(crate) struct Keyring {
    pool: Pool,
    /// What was asked a few seconds ago at the most.
    recent: Cache<Hash, Found>,
    /// What was known last of keys that exist.
    last: Cache<Hash, Found>,
}

impl Keyring {
    pub(super) fn new(config: &AuthConfig, pool: Pool) -> Self {
        let cache = |kept| {
            Cache::builder()
                .max_capacity(MOST)
                .time_to_live(kept)
                .build()
        };
        Self {
            pool,
            recent: cache(config.recheck.get()),
            last: cache(RELIED_ON),
        }
    }

    /// The key with a secret of this hash, whether it is over or not.
    pub(super) async fn find(&self, hash: &Hash) -> Result<Found, Arc<KeyringError>> {
        self.recent.try_get_with(*hash, self.asked(hash)).await
    }

    async fn asked(&self, hash: &Hash) -> Result<Found, KeyringError> {
        let answered = timeout(DEADLINE, keys::by_hash(&self.pool, hash)).await;
        let error = match answered {
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
            Some(found) => {
                warn!(%error, "a key cannot be looked up; what was known of it stands");
                Ok(found)
            }
            None => Err(error),
        }
    }

    /// Forgets what it knows, since a key was changed here.
    pub(crate) fn forget(&self) {
        self.recent.invalidate_all();
        self.last.invalidate_all();
    }
}
