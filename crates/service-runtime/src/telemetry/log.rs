use std::{
    backtrace::Backtrace,
    fmt::{self, Write},
    io::{self, IsTerminal},
    panic,
};

use tracing::{Subscriber, error};
use tracing_subscriber::{
    Layer,
    field::MakeExt,
    fmt::format::{FormatFields, debug_fn},
    registry::LookupSpan,
};

use super::LogFormat;

/// The layer that writes log lines to standard error.
pub(super) fn layer<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let terminal = io::stderr().is_terminal();
    match format {
        LogFormat::Json => json(io::stderr).boxed(),
        LogFormat::Auto if !terminal => json(io::stderr).boxed(),
        LogFormat::Text | LogFormat::Auto => text(io::stderr, terminal).boxed(),
    }
}

/// JSON escapes control characters by itself.
fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> tracing_subscriber::fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer)
}

fn text<S, W>(writer: W, colours: bool) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> tracing_subscriber::fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .fmt_fields(escaped_fields())
        .with_ansi(colours)
        .with_writer(writer)
}

/// Fields as `name=value`, with control characters escaped: a value from outside must neither end a
/// line nor drive a terminal.
fn escaped_fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(|writer, field, value| {
        match field.name() {
            "message" => {}
            name => write!(writer, "{name}=")?,
        }
        write!(Escaping(writer), "{value:?}")
    })
    .delimited(" ")
}

struct Escaping<'w, W>(&'w mut W);

impl<W: Write> Write for Escaping<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(char::is_control) {
            match part.chars().next_back().filter(|c| c.is_control()) {
                None => self.0.write_str(part)?,
                Some(control) => {
                    self.0
                        .write_str(part.strip_suffix(control).unwrap_or(part))?;
                    write!(self.0, "{}", control.escape_default())?;
                }
            }
        }
        Ok(())
    }
}

/// Panics go through the log as well, so that they are on one line and reach whoever reads it.
pub(crate) fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let payload = panic.payload_as_str().unwrap_or("panic");
        let place = panic.location().map(ToString::to_string);
        let backtrace = Backtrace::capture();
        error!(panic.place = place, panic.backtrace = %backtrace, "panic: {payload}");
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::info;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    const HOSTILE: &str = "a\nINFO forged\r\u{1b}[31m\u{9b}b\u{7f}";

    fn log_hostile_values<L: Layer<tracing_subscriber::Registry> + Send + Sync>(layer: L) {
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::info_span!("request", path = %HOSTILE);
            span.in_scope(|| info!(user = %HOSTILE, quoted = HOSTILE, "{HOSTILE}"));
        });
    }

    #[test]
    fn control_characters_in_fields_spans_and_messages_stay_on_one_text_line() {
        let lines = Lines::default();
        let writer = lines.clone();
        log_hostile_values(text(move || writer.clone(), false));
        let logged = lines.text();
        assert_eq!(logged.matches('\n').count(), 1, "{logged}");
        assert!(!logged.trim_end().contains(char::is_control), "{logged:?}");
        assert!(
            logged.contains(r"user=a\nINFO forged\r\u{1b}[31m\u{9b}b\u{7f}"),
            "{logged}"
        );
    }

    #[test]
    fn a_json_log_line_is_one_object_with_the_values_unchanged() {
        let lines = Lines::default();
        let writer = lines.clone();
        log_hostile_values(json(move || writer.clone()));
        let logged = lines.text();
        assert_eq!(logged.matches('\n').count(), 1, "{logged}");
        let line: serde_json::Value = serde_json::from_str(&logged).unwrap();
        assert_eq!(line["user"], HOSTILE);
        assert_eq!(line["message"], HOSTILE);
        assert_eq!(line["span"]["path"], HOSTILE);
    }
}
