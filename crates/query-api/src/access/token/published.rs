use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::DecodingKey;
use tokio::sync::watch;
use tracing::{info, warn};

use super::{
    TokenError,
    fetch::{FetchError, Fetcher},
    keys::KeySet,
};

/// The keys are fetched at most once in this time for keys that they do not have: any sender of tokens can name such.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// The same while there are none at all, and every token has to wait.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(1);

/// The issuer's keys as they are published: fetched when they are first needed, when they are old, and when one is named
/// that is not among them. There is one fetch at a time, in a task of its own, since those who wait for it may go away.
#[derive(Clone)]
pub(crate) struct Published(Arc<Shared>);

struct Shared {
    fetcher: Fetcher,
    refresh: TimeDelta,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The last good set.
    set: Option<Arc<KeySet>>,
    /// When the fetch of that set was begun.
    fetched_at: Option<DateTime<Utc>>,
    /// When the last fetch was begun.
    tried_at: Option<DateTime<Utc>>,
    /// Whether the last fetch failed.
    is_failing: bool,
    /// Closed when the fetch under way ends, however it does.
    under_way: Option<watch::Receiver<()>>,
}

impl Published {
    /// Nothing is fetched before it is needed.
    pub(crate) fn new(fetcher: Fetcher, refresh: TimeDelta) -> Self {
        Self(Arc::new(Shared {
            fetcher,
            refresh,
            state: Mutex::default(),
        }))
    }

    /// The key of this name.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`] when the set has no such key, [`TokenError::KeysUnavailable`] when there is no set.
    pub(crate) async fn key(
        &self,
        kid: &str,
        now: DateTime<Utc>,
    ) -> Result<Arc<DecodingKey>, TokenError> {
        self.renew_if_old(now);
        let known = self.set().and_then(|set| set.find(kid));
        if let Some(key) = known {
            return Ok(key);
        }
        if let Some(mut under_way) = self.fetch(now, PAUSE) {
            // nothing is ever sent; it ends with the fetch
            let _ = under_way.changed().await;
        }
        let set = self.set().ok_or(TokenError::KeysUnavailable)?;
        set.find(kid).ok_or(TokenError::UnknownKey)
    }

    /// Begins to fetch a set that is too old, for later requests.
    fn renew_if_old(&self, now: DateTime<Utc>) {
        let fetched_at = self.0.state().fetched_at;
        if fetched_at.is_some_and(|at| is_over(self.0.refresh, at, now)) {
            self.fetch(now, PAUSE.min(self.0.refresh));
        }
    }

    fn set(&self) -> Option<Arc<KeySet>> {
        self.0.state().set.clone()
    }

    /// The fetch that is under way, or a new one; none if the last was begun less than a pause ago, or than the first
    /// pause where there is no set.
    fn fetch(&self, now: DateTime<Utc>, pause: TimeDelta) -> Option<watch::Receiver<()>> {
        let mut state = self.0.state();
        // a task that was torn down with its runtime has closed its end, too
        let under_way = state.under_way.clone();
        if let Some(under_way) = under_way.filter(|fetch| fetch.has_changed().is_ok()) {
            return Some(under_way);
        }
        let pause = state.set.as_ref().map_or(FIRST_PAUSE, |_| pause);
        if state.tried_at.is_some_and(|at| !is_over(pause, at, now)) {
            return None;
        }
        let (ends, under_way) = watch::channel(());
        state.tried_at = Some(now);
        state.under_way = Some(under_way.clone());
        drop(state);
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let fetched = shared.fetcher.fetch().await;
            shared.settle(fetched, now);
            drop(ends);
        });
        Some(under_way)
    }

    /// Waits for the end of the fetch that is under way, if one is.
    #[cfg(test)]
    pub(crate) async fn settled(&self) {
        let under_way = self.0.state().under_way.clone();
        if let Some(mut under_way) = under_way {
            let _ = under_way.changed().await;
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what was fetched, and says when fetching begins or ceases to fail.
    fn settle(&self, fetched: Result<KeySet, FetchError>, begun_at: DateTime<Utc>) {
        let mut state = self.state();
        let was_failing = state.is_failing;
        state.is_failing = fetched.is_err();
        match fetched {
            Ok(set) => {
                if was_failing {
                    info!(url = %self.fetcher.place(), "the keys of tokens can be fetched again");
                }
                let was_empty = state.set.as_ref().is_some_and(|set| set.is_empty());
                if set.is_empty() && !was_empty {
                    warn!(url = %self.fetcher.place(), "no published key is fit for tokens: all are refused");
                }
                state.set = Some(Arc::new(set));
                state.fetched_at = Some(begun_at);
            }
            Err(error) if !was_failing => {
                let keys_stand = state.set.is_some();
                warn!(url = %self.fetcher.place(), %error, keys_stand, "the keys of tokens cannot be fetched");
            }
            Err(_) => {}
        }
    }
}

/// Whether something is longer ago than that. The clock may have been set back since, and requests do not come in the
/// order of their times, so what is a little ahead is new and what is far ahead is old.
fn is_over(length: TimeDelta, at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now.signed_duration_since(at).abs() >= length
}
