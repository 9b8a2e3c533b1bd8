//! Ctrl-C, SIGTERM and a closed terminal, as a request to stop.

use std::{io, thread};

use tokio::signal::unix::{SignalKind, signal};

use crate::interrupt::Interrupt;

/// Exit code of a process that a second Ctrl-C ended.
const IMPATIENT: i32 = 130;

/// Raises the interrupt at the first signal. The second one ends this process at once; its children
/// are killed with it.
///
/// # Errors
/// When the signals cannot be listened to.
pub(crate) fn raise_on_signal(interrupt: Interrupt) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let (mut int, mut term, mut hangup) = {
        let _entered = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        )
    };
    thread::Builder::new()
        .name("devstack-signals".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = int.recv() => {}
                        _ = term.recv() => {}
                        _ = hangup.recv() => {}
                    }
                    if interrupt.is_raised() {
                        std::process::exit(IMPATIENT);
                    }
                    interrupt.raise();
                }
            });
        })?;
    Ok(())
}
