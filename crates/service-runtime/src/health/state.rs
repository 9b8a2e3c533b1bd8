use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde::Serialize;
use tokio::sync::Mutex;

use super::{
    Heartbeat,
    check::{Check, CheckReport, CheckResult},
};

/// How long a dependency may take to answer a check, unless the check says otherwise.
const CHECK_DEADLINE: Duration = Duration::from_secs(1);

/// For how long the answers of dependencies are shown. Anybody who can reach the port may look; the dependencies are asked
/// once in this time, however many do.
const SHOWN: Duration = Duration::from_millis(500);

/// What a process knows of its own health. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct HealthState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    service: &'static str,
    version: &'static str,
    started: Instant,
    draining: AtomicBool,
    checks: Vec<Check>,
    /// When all checks were last answered, and how. Held by the one who asks.
    last: Mutex<Option<(Instant, Vec<CheckReport>)>>,
    loops: Vec<Loop>,
}

#[derive(Debug)]
struct Loop {
    name: String,
    heartbeat: Heartbeat,
    max_age: Duration,
}

/// Gathers the checks and loops of a [`HealthState`].
#[derive(Debug)]
pub struct HealthStateBuilder(Inner);

/// The body of `/health/ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether requests or work may be sent here.
    pub ready: bool,
    /// Whether the process is on its way out.
    pub draining: bool,
    /// The dependencies, in the order in which they were named.
    pub checks: Vec<CheckReport>,
}

/// The body of `/health/live`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Liveness {
    /// Whether every loop has shown itself in time.
    pub live: bool,
    /// The loops of this process.
    pub loops: Vec<LoopReport>,
}

/// One loop of a process.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoopReport {
    /// The loop.
    pub name: String,
    /// Seconds since its last sign of life.
    pub age_seconds: f64,
    /// Seconds that it may be silent.
    pub max_age_seconds: f64,
}

impl HealthState {
    /// Begins the health of a service.
    pub fn builder(service: &'static str, version: &'static str) -> HealthStateBuilder {
        HealthStateBuilder(Inner {
            service,
            version,
            started: Instant::now(),
            draining: AtomicBool::new(false),
            checks: Vec::new(),
            last: Mutex::default(),
            loops: Vec::new(),
        })
    }

    /// Says that the process is on its way out: it stays live, but is no longer ready.
    pub fn start_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Asks all dependencies at once, unless that was done a moment ago.
    pub async fn readiness(&self) -> Readiness {
        let checks = self.checks().await;
        let draining = self.0.draining.load(Ordering::Relaxed);
        Readiness {
            ready: !draining && checks.iter().all(CheckReport::lets),
            draining,
            checks,
        }
    }

    async fn checks(&self) -> Vec<CheckReport> {
        let mut last = self.0.last.lock().await;
        if let Some((at, reports)) = last.as_ref()
            && at.elapsed() < SHOWN
        {
            return reports.clone();
        }
        let reports = join_all(self.0.checks.iter().map(Check::run)).await;
        *last = Some((Instant::now(), reports.clone()));
        reports
    }

    /// Looks at the loops of this process.
    pub fn liveness(&self) -> Liveness {
        let mut live = true;
        let loops = self.0.loops.iter().map(|watched| {
            let age = watched.heartbeat.age();
            live &= age <= watched.max_age;
            LoopReport {
                name: watched.name.clone(),
                age_seconds: age.as_secs_f64(),
                max_age_seconds: watched.max_age.as_secs_f64(),
            }
        });
        let loops = loops.collect();
        Liveness { live, loops }
    }

    pub(super) fn service(&self) -> (&'static str, &'static str) {
        (self.0.service, self.0.version)
    }

    pub(super) fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }
}

impl HealthStateBuilder {
    /// Adds a dependency that has a second to answer.
    #[must_use]
    pub fn check<F, Fut>(self, name: impl Into<String>, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CheckResult> + Send + 'static,
    {
        self.check_within(CHECK_DEADLINE, name, ask)
    }

    /// Adds a dependency that has so long to answer.
    #[must_use]
    pub fn check_within<F, Fut>(
        mut self,
        deadline: Duration,
        name: impl Into<String>,
        ask: F,
    ) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CheckResult> + Send + 'static,
    {
        self.0.checks.push(Check::new(name.into(), deadline, ask));
        self
    }

    /// Adds a dependency that the process works without, somehow: it is asked and shown, and does not decide whether the
    /// process is ready.
    #[must_use]
    pub fn optional<F, Fut>(mut self, name: impl Into<String>, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CheckResult> + Send + 'static,
    {
        let check = Check::new(name.into(), CHECK_DEADLINE, ask);
        self.0.checks.push(check.optional());
        self
    }

    /// Watches a loop: when its heartbeat is older than this, the process is no longer live.
    #[must_use]
    pub fn watch(
        mut self,
        name: impl Into<String>,
        heartbeat: &Heartbeat,
        max_age: Duration,
    ) -> Self {
        self.0.loops.push(Loop {
            name: name.into(),
            heartbeat: heartbeat.clone(),
            max_age,
        });
        self
    }

    /// The finished state.
    pub fn build(self) -> HealthState {
        HealthState(Arc::new(self.0))
    }
}
