//! What the person at the terminal sees while things take their time.

use std::{
    io::{IsTerminal as _, Write as _},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Result;

/// Receives what is going on.
pub trait Progress: Send + Sync {
    /// Something worth a line.
    fn note(&self, text: &str);

    /// Runs work that takes long, showing that it does.
    ///
    /// # Errors
    /// Those of the work.
    fn while_busy(&self, text: &str, work: &mut (dyn FnMut() -> Result<()> + Send)) -> Result<()>;
}

/// Shows nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn note(&self, _text: &str) {}

    fn while_busy(&self, _text: &str, work: &mut (dyn FnMut() -> Result<()> + Send)) -> Result<()> {
        work()
    }
}

/// Writes to standard error: a spinner on a terminal, a line now and then elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Terminal;

impl Progress for Terminal {
    fn note(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "  {text}");
    }

    fn while_busy(&self, text: &str, work: &mut (dyn FnMut() -> Result<()> + Send)) -> Result<()> {
        let began = Instant::now();
        let result = if std::io::stderr().is_terminal() {
            with_spinner(text, work)
        } else {
            with_lines(text, work)
        };
        if result.is_ok() {
            self.note(&format!(
                "{text}: done in {:.1} s",
                began.elapsed().as_secs_f64()
            ));
        }
        result
    }
}

fn with_spinner(text: &str, work: &mut (dyn FnMut() -> Result<()> + Send)) -> Result<()> {
    let style = ProgressStyle::with_template("  {spinner} {msg} ({elapsed})")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let spinner = ProgressBar::new_spinner()
        .with_style(style)
        .with_message(text.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(120));
    let result = work();
    spinner.finish_and_clear();
    result
}

fn with_lines(text: &str, work: &mut (dyn FnMut() -> Result<()> + Send)) -> Result<()> {
    let (finished, signal) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut seconds = 0;
            while signal.recv_timeout(Duration::from_secs(5))
                == Err(mpsc::RecvTimeoutError::Timeout)
            {
                seconds += 5;
                Terminal.note(&format!("{text} … {seconds} s"));
            }
        });
        let result = work();
        drop(finished);
        result
    })
}
