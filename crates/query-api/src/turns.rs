//! Whose statement is next: so many run at once, and so many for one caller.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use opentelemetry::metrics::UpDownCounter;
use service_runtime::telemetry;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

/// There was no turn in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Busy {
    /// The caller has as many itself as it may.
    #[error("the caller has as many statements under way as one may")]
    Caller,
    /// All are taken.
    #[error("as many statements are under way as may")]
    All,
}

/// Bounds how many statements run at once, of all callers and of each.
pub(crate) struct Turns {
    all: Semaphore,
    /// Of one caller.
    each: usize,
    /// Those that ask at the moment.
    callers: Mutex<HashMap<String, Arc<Semaphore>>>,
    patience: Duration,
    waiting: UpDownCounter<i64>,
}

impl Turns {
    /// So many, and so many of one caller; each is waited for so long.
    pub(crate) fn new(all: usize, each: usize, patience: Duration) -> Self {
        Self {
            all: Semaphore::new(all),
            each,
            callers: Mutex::default(),
            patience,
            waiting: waiting(),
        }
    }

    /// Those of a caller.
    pub(crate) fn of(self: &Arc<Self>, caller: &str) -> Queue {
        let mut callers = self.callers();
        let own = callers
            .entry(caller.to_owned())
            .or_insert_with(|| Arc::new(Semaphore::new(self.each)));
        Queue {
            turns: Arc::clone(self),
            caller: caller.to_owned(),
            own: Arc::clone(own),
        }
    }

    fn callers(&self) -> MutexGuard<'_, HashMap<String, Arc<Semaphore>>> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shown from the start, so that it is not missing until the first.
fn waiting() -> UpDownCounter<i64> {
    let waiting = telemetry::meter()
        .i64_up_down_counter("openride_statements_waiting")
        .with_description("Statements that wait for their turn to ask ClickHouse.")
        .build();
    waiting.add(0, &[]);
    waiting
}

/// Where the statements of a caller wait.
pub(crate) struct Queue {
    turns: Arc<Turns>,
    caller: String,
    own: Arc<Semaphore>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        let mut callers = self.turns.callers();
        // this one and the one that is kept
        if Arc::strong_count(&self.own) == 2 {
            callers.remove(&self.caller);
        }
    }
}

/// The right to run a statement.
#[derive(Debug)]
pub(crate) struct Turn<'t> {
    _own: SemaphorePermit<'t>,
    _of_all: SemaphorePermit<'t>,
}

impl Queue {
    /// Waits for a turn: first for one of the caller's own, so that none of all is held by who may not have it.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, Busy> {
        let _waiting = Waiting::counted(&self.turns.waiting);
        let by = Instant::now() + self.turns.patience;
        Ok(Turn {
            _own: taken(&self.own, by).await.ok_or(Busy::Caller)?,
            _of_all: taken(&self.turns.all, by).await.ok_or(Busy::All)?,
        })
    }
}

async fn taken(turns: &Semaphore, by: Instant) -> Option<SemaphorePermit<'_>> {
    // it is never closed
    timeout_at(by, turns.acquire()).await.ok()?.ok()
}

/// One that waits, until it has its turn or goes away.
struct Waiting<'c>(&'c UpDownCounter<i64>);

impl<'c> Waiting<'c> {
    fn counted(count: &'c UpDownCounter<i64>) -> Self {
        count.add(1, &[]);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.add(-1, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn one_caller_leaves_turns_to_the_others() {
        let turns = Arc::new(Turns::new(5, 3, PATIENCE));
        let (one, other, third) = (turns.of("one"), turns.of("other"), turns.of("third"));
        let first = one.turn().await.unwrap();
        let _own = (one.turn().await.unwrap(), one.turn().await.unwrap());
        assert_eq!(one.turn().await.unwrap_err(), Busy::Caller);
        // it is told by its name
        assert_eq!(turns.of("one").turn().await.unwrap_err(), Busy::Caller);
        let _others = (other.turn().await.unwrap(), other.turn().await.unwrap());
        assert_eq!(third.turn().await.unwrap_err(), Busy::All);
        drop(first);
        assert!(third.turn().await.is_ok());
        assert!(one.turn().await.is_ok());
    }

    #[tokio::test]
    async fn who_asks_no_more_is_forgotten() {
        let turns = Arc::new(Turns::new(2, 1, PATIENCE));
        let (one, again) = (turns.of("one"), turns.of("one"));
        drop(one);
        let own = again.turn().await.unwrap();
        assert_eq!(turns.of("one").turn().await.unwrap_err(), Busy::Caller);
        assert_eq!(turns.callers().len(), 1);
        drop(own);
        drop(again);
        assert!(turns.callers().is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_takes_the_turn_of_none() {
        let turns = Arc::new(Turns::new(2, 1, PATIENCE));
        let (one, other) = (turns.of("one"), turns.of("other"));
        let _own = one.turn().await.unwrap();
        let wait = one.turn();
        let (waited, turn) = tokio::join!(wait, other.turn());
        assert_eq!(waited.unwrap_err(), Busy::Caller);
        assert!(turn.is_ok());
    }

    #[tokio::test]
    async fn a_turn_that_is_given_back_goes_to_who_waits() {
        let turns = Arc::new(Turns::new(1, 1, Duration::from_secs(60)));
        let (one, other) = (turns.of("one"), turns.of("other"));
        let held = one.turn().await.unwrap();
        let give_back = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        let (turn, ()) = tokio::join!(other.turn(), give_back);
        assert!(turn.is_ok());
    }
}
