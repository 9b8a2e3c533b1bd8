//! From the intake to the pipeline, hand to hand: a batch is cut when the next one is asked for, and goes on being
//! gathered until then. None waits in between, where it would only take memory.

use crate::batch::RawBatch;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// The intake's end.
pub(crate) struct Giving {
    batches: mpsc::Sender<RawBatch>,
    asked: Arc<Semaphore>,
}

/// The pipeline's end.
pub(crate) struct Taking {
    batches: mpsc::Receiver<RawBatch>,
    asked: Arc<Semaphore>,
    waiting: bool,
}

/// Both ends.
pub(crate) fn handover() -> (Giving, Taking) {
    let (giving, taking) = mpsc::channel(1);
    let asked = Arc::new(Semaphore::new(0));
    (
        Giving {
            batches: giving,
            asked: asked.clone(),
        },
        Taking {
            batches: taking,
            asked,
            waiting: false,
        },
    )
}

impl Giving {
    /// Cuts a batch and gives it, if one is asked for.
    pub(crate) fn offer(&self, cut: impl FnOnce() -> RawBatch) {
        if let Ok(asked) = self.asked.try_acquire()
            && let Ok(slot) = self.batches.try_reserve()
        {
            asked.forget();
            slot.send(cut());
        }
    }

    /// Gives the last batch, though it is not asked for. Where the one before still lies there, or nobody will ask any
    /// more, it is dropped, and its offsets stay where they are: the process ends, and may not wait for an outage.
    pub(crate) fn finish(&self, last: RawBatch) {
        let _ = self.batches.try_send(last);
    }
}

impl Taking {
    /// Asks for a batch and waits for it; none, when the intake has ended. Waiting may be given up and taken up again.
    pub(crate) async fn next(&mut self) -> Option<RawBatch> {
        if !self.waiting {
            self.asked.add_permits(1);
            self.waiting = true;
        }
        let batch = self.batches.recv().await;
        self.waiting = false;
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_batch_is_cut_when_it_is_asked_for_and_not_before() {
        let (giving, mut taking) = handover();
        giving.offer(|| panic!("nobody asked"));
        let given_up = tokio::time::timeout(std::time::Duration::from_millis(1), taking.next());
        assert!(given_up.await.is_err());
        giving.offer(RawBatch::default);
        giving.offer(|| panic!("one was asked for"));
        assert!(taking.next().await.is_some());
        drop(giving);
        assert!(taking.next().await.is_none());
    }
}
