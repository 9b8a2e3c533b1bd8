//! Answers that are kept, so that a question that many ask costs one.
//!
//! ```text
//! request ─▶ Question { key, lifetime }
//!              ├─▶ near: this replica's memory ── fresh, and no late event since? ─▶ hit
//!              ▼ otherwise, one of those that ask the same
//!            Redis: what other replicas made ─────────────────────────────────────▶ hit
//!              ▼ otherwise, one of the replicas; another after it has waited for that, and still looks at Redis
//!            ClickHouse ─▶ Kept ─▶ near and Redis ────────────────────────────────▶ miss
//! ```
//!
//! Where Redis is slow or gone, each replica keeps and makes its own. Where a database is gone, or too busy to be asked,
//! what was kept is shown for a while longer, and said to be stale.

mod config;
mod kept;
mod late;
mod question;
mod response;
mod shared;

use std::{cell::Cell, sync::Arc, time::Duration};

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use opentelemetry::{KeyValue, metrics::Counter};
use service_runtime::{clock::Clock, telemetry};
use tokio::time::{Instant, sleep};

pub use self::config::CacheConfig;
use self::{
    kept::Kept,
    late::Late,
    response::Wish,
    shared::{Shared, Taken},
};
pub(crate) use self::{
    kept::Made,
    question::{Keeping, Question, Reach, Sought},
    response::{STALE, Source},
};
use crate::{config::Config, error::ApiError, redis::Redis, turns::Busy};

/// How soon a replica looks again whether another has made the answer that both want.
const LOOK: Duration = Duration::from_millis(25);
/// What has taken so long already may show so many times later: many looks at what takes long would be a load.
const LATER: u32 = 16;

/// Long after everybody who asked at once was answered.
const FORGET_FLIGHTS: Duration = Duration::from_secs(30);

/// Who asks for the same at once, and what they found kept before.
type Flight = (question::Key, Option<kept::Serial>);

/// Answers that are kept.
pub(crate) struct Cache {
    config: CacheConfig,
    /// What this replica made or found last, fresh or not.
    near: moka::future::Cache<question::Key, Arc<Kept>>,
    /// Makes those wait that ask for what is being made.
    flights: moka::future::Cache<Flight, Arc<Kept>>,
    shared: Shared,
    late: Late,
    clock: Arc<dyn Clock>,
    /// How long an answer is waited for that another replica makes, before it is made here too.
    patience: Duration,
    requests: Counter<u64>,
}

impl Cache {
    pub(crate) fn new(
        config: &Config,
        redis: Arc<Redis>,
        pool: metadata_store::Pool,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let patience = config.http.query_deadline.get() / 2;
        let config = &config.cache;
        let stale = config.stale.get();
        // what landed is, as a rule, in near as well
        let (memory, landed) = (config.memory.as_u64(), config.memory.as_u64() / 4);
        Self {
            near: moka::future::Cache::builder()
                .weigher(|_, kept: &Arc<Kept>| kept.weight())
                .max_capacity(memory)
                .time_to_live(config.longest() + stale)
                .build(),
            flights: moka::future::Cache::builder()
                .weigher(|_, kept: &Arc<Kept>| kept.weight())
                .max_capacity(landed)
                .time_to_live(FORGET_FLIGHTS)
                .build(),
            shared: Shared::new(redis, stale),
            late: Late::new(pool, config.longest()),
            requests: requests(),
            config: config.clone(),
            clock,
            patience,
        }
    }

    /// For how long answers are kept.
    pub(crate) fn config(&self) -> &CacheConfig {
        &self.config
    }

    /// Answers with what is kept, or with what `make` makes.
    pub(crate) async fn answer(
        &self,
        request: &HttpRequest,
        question: &Question,
        make: impl AsyncFn() -> Result<Made, ApiError>,
    ) -> Result<HttpResponse, ApiError> {
        let wish = Wish::of(request);
        let (kept, source) = match wish {
            _ if !self.config.enabled => self.unkept(make).await?,
            Wish::Unkept => self.unkept(make).await?,
            Wish::Anew => {
                let kept = Arc::new(self.made(question, make).await?);
                self.keep(question, &kept).await;
                (kept, Source::Bypass)
            }
            Wish::Any => self.found_or_made(question, make).await?,
        };
        Ok(self.shown(request, &kept, source))
    }

    /// Answers with what `make` makes, for this request alone.
    pub(crate) async fn answer_unkept(
        &self,
        request: &HttpRequest,
        make: impl AsyncFn() -> Result<Made, ApiError>,
    ) -> Result<HttpResponse, ApiError> {
        let (kept, source) = self.unkept(make).await?;
        Ok(self.shown(request, &kept, source))
    }

    fn shown(&self, request: &HttpRequest, kept: &Kept, source: Source) -> HttpResponse {
        self.requests.add(1, &[result(source)]);
        request.extensions_mut().insert(source);
        response::of(request, kept, source, self.clock.now())
    }

    /// An answer for this request alone.
    async fn unkept(
        &self,
        make: impl AsyncFn() -> Result<Made, ApiError>,
    ) -> Result<(Arc<Kept>, Source), ApiError> {
        let kept = Kept::new(
            Box::pin(make()).await?,
            None,
            self.clock.now(),
            Duration::ZERO,
        );
        Ok((Arc::new(kept), Source::Unkept))
    }

    async fn found_or_made(
        &self,
        question: &Question,
        make: impl AsyncFn() -> Result<Made, ApiError>,
    ) -> Result<(Arc<Kept>, Source), ApiError> {
        let found = self.near.get(&question.key).await;
        if let Some(kept) = &found
            && self.is_usable(question, kept).await
        {
            return Ok((Arc::clone(kept), Source::Hit));
        }
        // unless this request is the one that fetches or makes it
        let source = Cell::new(Source::Coalesced);
        let flight = (question.key, found.as_ref().map(|kept| kept.serial));
        if let Some(landed) = self.flights.get(&flight).await
            && !self.is_usable(question, &landed).await
        {
            // what it brought was forgotten near, and is old by now
            self.flights.invalidate(&flight).await;
        }
        let mut landed = self.landed(question, flight, &source, &make).await;
        if source.get() == Source::Coalesced && landed.as_ref().is_err_and(is_of_another) {
            // not together again: who makes it for all may be the same caller
            let own = Box::pin(self.fetched_or_made(question, &source, &make));
            landed = own.await.map_err(Arc::new);
        }
        match landed {
            Ok(kept) => Ok((kept, source.get())),
            Err(error) if error.is_outage() => match self.last_known(question, found).await {
                Some(kept) => Ok((kept, Source::Stale)),
                None => Err(ApiError::Shared(error)),
            },
            Err(error) => Err(ApiError::Shared(error)),
        }
    }

    /// What one of those brings that ask for the same.
    async fn landed(
        &self,
        question: &Question,
        flight: Flight,
        source: &Cell<Source>,
        make: impl AsyncFn() -> Result<Made, ApiError>,
    ) -> Result<Arc<Kept>, Arc<ApiError>> {
        // boxed, as all that makes answers is: together they would be too large for the stack of a thread
        let making = Box::pin(self.fetched_or_made(question, source, make));
        Box::pin(self.flights.try_get_with(flight, making)).await
    }

    /// Whether what is kept may still be shown: it is fresh, and no late event has changed it. Nothing is fresh for longer
    /// than when it was made: then the clock was set back.
    async fn is_usable(&self, question: &Question, kept: &Kept) -> bool {
        let now = self.clock.now();
        kept.is_fresh(now)
            && kept.fresh_for(now) <= question.lifetime.fresh_for
            && match &question.lifetime.watched {
                Some(watched) => !self.late.has_touched(watched, kept.asked_at).await,
                None => true,
            }
    }

    /// What another replica keeps or is making, or what this one makes.
    ///
    /// Another is waited for as long as what it makes can be fresh, and half as long as a statement may take at the most.
    /// After that this one makes it too, and takes what the other makes if that is there first. So no answer takes longer by
    /// more than that because another replica was asked the same.
    async fn fetched_or_made(
        &self,
        question: &Question,
        source: &Cell<Source>,
        make: impl AsyncFn() -> Result<Made, ApiError>,
    ) -> Result<Arc<Kept>, ApiError> {
        let began = Instant::now();
        // what took longer than it is fresh is kept by nobody
        let patience = question.lifetime.fresh_for.min(self.patience);
        let lease = loop {
            if let Some(kept) = self.fetched(question).await {
                source.set(Source::Hit);
                return Ok(kept);
            }
            match self.shared.lease(&question.key).await {
                Ok(lease) => break lease,
                Err(Taken) if began.elapsed() < patience => wait(began).await,
                Err(Taken) => break None,
            }
        };
        source.set(Source::Miss);
        let making = Box::pin(self.made(question, make));
        let kept = tokio::select! {
            made = making => Arc::new(made?),
            kept = self.fetched_later(question, began), if lease.is_none() => {
                source.set(Source::Hit);
                return Ok(kept);
            }
        };
        self.keep(question, &kept).await;
        drop(lease);
        Ok(kept)
    }

    /// What Redis keeps once another replica has made it.
    async fn fetched_later(&self, question: &Question, began: Instant) -> Arc<Kept> {
        loop {
            wait(began).await;
            if let Some(kept) = self.fetched(question).await {
                return kept;
            }
        }
    }

    /// What Redis keeps, if it may be shown.
    async fn fetched(&self, question: &Question) -> Option<Arc<Kept>> {
        let kept = self.shared.get(&question.key, self.clock.now()).await?;
        if !self.is_usable(question, &kept).await {
            return None;
        }
        let kept = Arc::new(kept);
        self.near.insert(question.key, Arc::clone(&kept)).await;
        Some(kept)
    }

    /// What was kept last, if it is not too old.
    async fn last_known(&self, question: &Question, found: Option<Arc<Kept>>) -> Option<Arc<Kept>> {
        let now = self.clock.now();
        let shared = self.shared.get(&question.key, now).await.map(Arc::new);
        let known = found.into_iter().chain(shared);
        let last = known.max_by_key(|kept| kept.fresh_until);
        let stale = self.config.stale.get();
        last.filter(|kept| question.lifetime.outlives_an_outage && kept.is_known_still(now, stale))
    }

    async fn made(
        &self,
        question: &Question,
        make: impl AsyncFn() -> Result<Made, ApiError>,
    ) -> Result<Kept, ApiError> {
        // before the numbers are asked for, so that a batch that is stored meanwhile counts as later
        let asked_at = match question.lifetime.watched {
            Some(_) => self.late.now().await,
            None => None,
        };
        let began = self.clock.now();
        let made = Box::pin(make()).await?;
        let fresh_for =
            match made.is_settled && (asked_at.is_some() || question.lifetime.watched.is_none()) {
                true => question.lifetime.fresh_for,
                // what is certain to change soon, and what cannot be told to have changed
                false => question.lifetime.fresh_for.min(self.config.filling.get()),
            };
        Ok(Kept::new(made, asked_at, began, fresh_for))
    }

    async fn keep(&self, question: &Question, kept: &Arc<Kept>) {
        self.near.insert(question.key, Arc::clone(kept)).await;
        self.shared.put(&question.key, kept, self.clock.now()).await;
    }
}

/// Until the next look at what was begun to be waited for then.
async fn wait(began: Instant) {
    sleep(LOOK.max(began.elapsed() / LATER)).await;
}

/// Whether it was the caller's who was to make it for all that there was no turn; those who waited have their own.
fn is_of_another(error: &Arc<ApiError>) -> bool {
    matches!(**error, ApiError::Busy(Busy::Caller))
}

/// Shows every result from the start, so that none is missing as long as it has not come about.
fn requests() -> Counter<u64> {
    let requests = telemetry::meter()
        .u64_counter("openride_cache_requests")
        .with_description("Requests for answers that may be kept, by where the answer came from.")
        .build();
    for source in Source::ALL {
        requests.add(0, &[result(source)]);
    }
    requests
}

fn result(source: Source) -> KeyValue {
    KeyValue::new("result", source.as_str())
}
