//! Waiting for a process that was just started to answer.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    error::{Result, StackError},
    interrupt::Interrupt,
    process::{POLL, Process},
};

/// Asks until the answer is yes. Fails when the process ends, the time is up or somebody interrupts.
pub(crate) fn wait_until_ready(
    process: &mut Process,
    patience: Duration,
    interrupt: &Interrupt,
    probe: impl Fn() -> Result<(), String>,
) -> Result<()> {
    let began = Instant::now();
    loop {
        if interrupt.is_raised() {
            return Err(StackError::Interrupted);
        }
        if let Some(status) = process.ended() {
            return Err(StackError::EndedEarly {
                name: process.name().to_owned(),
                status,
                log_tail: process.log_tail(),
            });
        }
        match probe() {
            Ok(()) => return Ok(()),
            Err(last) if began.elapsed() > patience => {
                return Err(StackError::NotReady {
                    name: process.name().to_owned(),
                    waited: patience,
                    last,
                    log_tail: process.log_tail(),
                });
            }
            Err(_) => thread::sleep(POLL),
        }
    }
}

/// Waits for a process that does one thing and ends; fails unless it ends well.
pub(crate) fn wait_until_done(process: &mut Process, interrupt: &Interrupt) -> Result<()> {
    loop {
        if interrupt.is_raised() {
            return Err(StackError::Interrupted);
        }
        match process.ended() {
            Some(status) if status.success() => return Ok(()),
            Some(status) => {
                return Err(StackError::EndedEarly {
                    name: process.name().to_owned(),
                    status,
                    log_tail: process.log_tail(),
                });
            }
            None => thread::sleep(POLL),
        }
    }
}
