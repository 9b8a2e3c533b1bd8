use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use moka::future::Cache;
use opentelemetry::metrics::Counter;
use redis::Script;
use service_runtime::telemetry;
use sha2::{Digest, Sha256};

use super::Caller;
use crate::redis::Redis;

const WINDOW: Duration = Duration::from_secs(60);
/// Callers that a replica counts by itself at the same time.
const MOST: u64 = 10_000;

/// Counts a request in the window of its caller, which begins with the first; answers the count and the milliseconds to the
/// end of the window.
const COUNT: &str = "
    local count = redis.call('INCR', KEYS[1])
    local left = redis.call('PTTL', KEYS[1])
    if left < 0 then
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        left = tonumber(ARGV[1])
    end
    return {count, left}";

/// Counts the requests of each caller in windows of a minute: in Redis for all replicas, and while that is away, by itself.
pub(super) struct Limiter {
    redis: Arc<Redis>,
    per_minute: u32,
    count: Script,
    refusals: Counter<u64>,
    near: Cache<String, Arc<Window>>,
}

/// A minute of a caller, as this replica counts it.
struct Window {
    began: Instant,
    count: AtomicU32,
}

/// What a caller may still ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    limit: u32,
    remaining: u32,
    pub(super) reset_seconds: u32,
    /// Whether this request is one too many.
    pub(super) is_over: bool,
}

impl Limiter {
    pub(super) fn new(redis: Arc<Redis>, per_minute: u32) -> Self {
        Self {
            redis,
            per_minute,
            count: Script::new(COUNT),
            refusals: refusals(),
            near: Cache::builder()
                .max_capacity(MOST)
                .time_to_live(WINDOW)
                .build(),
        }
    }

    /// Counts a request.
    pub(super) async fn take(&self, caller: &Caller) -> Allowance {
        // the names of callers by tokens are theirs to choose
        let caller = hex::encode(Sha256::digest(&caller.name));
        let name = self.redis.name("requests", caller);
        let counted = self.redis.ask(async |connection| {
            self.count
                .key(&name)
                .arg(WINDOW.as_millis().to_string())
                .invoke_async::<(u32, u64)>(connection)
                .await
        });
        let allowance = match counted.await {
            Ok((count, left)) => self.allowance(count, Duration::from_millis(left)),
            Err(_) => self.counted_near(name).await,
        };
        if allowance.is_over {
            self.refusals.add(1, &[]);
        }
        allowance
    }

    async fn counted_near(&self, name: String) -> Allowance {
        let window = self.near.get_with(name, async {
            Arc::new(Window {
                began: Instant::now(),
                count: AtomicU32::new(0),
            })
        });
        let window = window.await;
        let before = window.count.fetch_add(1, Ordering::Relaxed);
        self.allowance(
            before.saturating_add(1),
            WINDOW.saturating_sub(window.began.elapsed()),
        )
    }

    fn allowance(&self, count: u32, left: Duration) -> Allowance {
        Allowance {
            limit: self.per_minute,
            remaining: self.per_minute.saturating_sub(count),
            reset_seconds: u32::try_from(left.as_millis().div_ceil(1000))
                .unwrap_or(u32::MAX)
                .max(1),
            is_over: count > self.per_minute,
        }
    }
}

/// Shown from the start, so that it is not missing until the first.
fn refusals() -> Counter<u64> {
    let refusals = telemetry::meter()
        .u64_counter("openride_rate_limit_refusals")
        .with_description("Requests that were refused because their caller had made as many in this minute as it may.")
        .build();
    refusals.add(0, &[]);
    refusals
}

impl Allowance {
    /// Says it in the headers of an answer.
    pub(super) fn show(self, headers: &mut HeaderMap) {
        for (name, value) in [
            ("ratelimit-limit", self.limit),
            ("ratelimit-remaining", self.remaining),
            ("ratelimit-reset", self.reset_seconds),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}
