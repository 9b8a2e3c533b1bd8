//! From a server's name to a process that answers.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::PrivateStack;
use crate::{
    error::{Result, StackError},
    process::{POLL, Process},
    ready,
    server::Server,
    servers,
};

/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(150);
/// How long a start that keeps ending early is tried again.
const EARLY_END_PATIENCE: Duration = Duration::from_secs(10);

impl PrivateStack {
    pub(super) fn start_all(&self, chosen: &[Server]) -> Result<()> {
        thread::scope(|scope| {
            let starts: Vec<_> = chosen
                .iter()
                .map(|server| scope.spawn(|| self.start_one(*server)))
                .collect();
            let outcomes = starts.into_iter().map(|start| {
                start
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            // The one that failed tells more than those that were interrupted because of it.
            let failures: Vec<_> = outcomes.filter_map(Result::err).collect();
            first_cause(failures)
        })
    }

    fn start_one(&self, server: Server) -> Result<()> {
        let began = Instant::now();
        let outcome = self.bring_up(server);
        match &outcome {
            Ok(()) => self.config.progress.note(&format!(
                "{server} answers after {:.1} s",
                began.elapsed().as_secs_f64()
            )),
            Err(_) => self.config.interrupt.raise(),
        }
        outcome
    }

    pub(super) fn bring_up(&self, server: Server) -> Result<()> {
        let definition = servers::definition(server);
        let began = Instant::now();
        loop {
            let launch = definition.prepare(&self.site)?;
            let mut process = Process::start(&self.site.helpers.launcher, &launch)?;
            let ready = ready::wait_until_ready(
                &mut process,
                START_PATIENCE,
                &self.config.interrupt,
                || definition.probe(&self.site),
            );
            match ready {
                Ok(()) => {
                    definition.furnish(&self.site)?;
                    *self.slot(server)? = Some(process);
                    return Ok(());
                }
                Err(StackError::EndedEarly { .. })
                    if definition.may_end_early() && began.elapsed() < EARLY_END_PATIENCE => {}
                Err(error) => return Err(error),
            }
            thread::sleep(POLL * 10);
        }
    }
}

fn first_cause(failures: Vec<StackError>) -> Result<()> {
    let mut interrupted = None;
    for failure in failures {
        if matches!(failure, StackError::Interrupted) {
            interrupted = Some(failure);
        } else {
            return Err(failure);
        }
    }
    interrupted.map_or(Ok(()), Err)
}
