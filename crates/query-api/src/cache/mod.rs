//! Answers that are kept, so that a question that many ask costs one.
//!
//! ```text
//! request ─▶ Question { key, lifetime }
//!              ├─▶ near: this replica's memory ── fresh, and no late event since? ─▶ hit
//!              ▼ otherwise, one of those that ask the same
//!            Redis: what other replicas made ─────────────────────────────────────▶ hit
//!              ▼ otherwise, one of the replicas
//!            ClickHouse ─▶ Kept ─▶ near and Redis ────────────────────────────────▶ miss
//! ```
//!
//! Where Redis is slow or gone, each replica keeps and makes its own. Where ClickHouse is gone, what was kept is shown for
//! a while longer, and said to be stale.

mod config;
mod kept;
mod late;
mod question;
mod response;
mod shared;

use std::{cell::Cell, sync::Arc, time::Duration};

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use event_store::{At, Operation, StoreError};
use opentelemetry::{KeyValue, metrics::Counter};
use service_runtime::{clock::Clock, telemetry};
use tokio::time::{Instant, sleep, timeout_at};

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
use crate::{config::Config, error::ApiError, redis::Redis};

/// How often a replica looks whether another has made the answer that both want.
const LOOK: Duration = Duration::from_millis(25);

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
    /// How long an answer may take where it is waited for, too, that another replica makes.
    deadline: Duration,
    requests: Counter<u64>,
}

impl Cache {
    pub(crate) fn new(
        config: &Config,
        redis: Arc<Redis>,
        pool: metadata_store::Pool,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let deadline = config.http.query_deadline.get();
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
            deadline,
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
        make: impl AsyncFnOnce() -> Result<Made, ApiError>,
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
        make: impl AsyncFnOnce() -> Result<Made, ApiError>,
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
        make: impl AsyncFnOnce() -> Result<Made, ApiError>,
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
        make: impl AsyncFnOnce() -> Result<Made, ApiError>,
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
        // boxed, as all that makes answers is: together they would be too large for the stack of a thread
        let making = Box::pin(self.fetched_or_made(question, &source, make));
        let landed = Box::pin(self.flights.try_get_with(flight, making)).await;
        match landed {
            Ok(kept) => Ok((kept, source.get())),
            Err(error) if error.is_outage() => match self.last_known(question, found).await {
                Some(kept) => Ok((kept, Source::Stale)),
                None => Err(ApiError::Shared(error)),
            },
            Err(error) => Err(ApiError::Shared(error)),
        }
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
    async fn fetched_or_made(
        &self,
        question: &Question,
        source: &Cell<Source>,
        make: impl AsyncFnOnce() -> Result<Made, ApiError>,
    ) -> Result<Arc<Kept>, ApiError> {
        let began = Instant::now();
        // what took longer than it is fresh is kept by nobody; and half of the time is for making it here
        let patience = question.lifetime.fresh_for.min(self.deadline / 2);
        let mut made_by = None;
        let lease = loop {
            if let Some(kept) = self.fetched(question).await {
                source.set(Source::Hit);
                return Ok(kept);
            }
            match self.shared.lease(&question.key).await {
                Ok(lease) => break lease,
                Err(Taken) => made_by = Some(began + self.deadline),
            }
            if began.elapsed() >= patience {
                break None;
            }
            sleep(LOOK).await;
        };
        source.set(Source::Miss);
        let making = Box::pin(self.made(question, make));
        let made = match made_by {
            None => making.await,
            Some(made_by) => match timeout_at(made_by, making).await {
                Ok(made) => made,
                Err(_) => return self.fetched_late(question, source).await,
            },
        };
        let kept = made.map(Arc::new);
        if let Ok(kept) = &kept {
            self.keep(question, kept).await;
        }
        drop(lease);
        kept
    }

    /// What the replica that was waited for has made after all, when there is no time left.
    async fn fetched_late(
        &self,
        question: &Question,
        source: &Cell<Source>,
    ) -> Result<Arc<Kept>, ApiError> {
        let kept = self.fetched(question).await.ok_or(StoreError::TimedOut {
            at: At {
                operation: Operation::Select,
                subject: "an answer that another replica makes".to_owned(),
            },
            after: self.deadline,
        })?;
        source.set(Source::Hit);
        Ok(kept)
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
        let known = match found {
            Some(kept) => Some(kept),
            None => self.shared.get(&question.key, now).await.map(Arc::new),
        };
        let stale = self.config.stale.get();
        known.filter(|kept| question.lifetime.outlives_an_outage && kept.is_known_still(now, stale))
    }

    async fn made(
        &self,
        question: &Question,
        make: impl AsyncFnOnce() -> Result<Made, ApiError>,
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
