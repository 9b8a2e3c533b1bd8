use std::{
    backtrace::Backtrace,
    fmt::{self, Write},
    io::{self, IsTerminal},
    panic,
};

use tracing::{Event, Subscriber, error};
use tracing_subscriber::{
    Layer,
    field::MakeExt,
    fmt::{
        FmtContext, FormatEvent,
        format::{FormatFields, Writer, debug_fn},
    },
    registry::LookupSpan,
};

use super::{LogFormat, trace_context};

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

/// JSON escapes control characters by itself. Beside the innermost span, a line has all that it is in: the id of a request
/// is a field of the outermost.
fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> tracing_subscriber::fmt::MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        // it is the last of the list
        .with_current_span(false)
        .with_span_list(true)
        .map_event_format(Traced)
        .with_writer(writer)
}

/// JSON lines that end with the ids of the trace in which they were logged.
struct Traced<F>(F);

impl<S, N, F> FormatEvent<S, N> for Traced<F>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(ids) = trace_context::current() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        let (trace, span) = (ids.trace_id(), ids.span_id());
        match line.trim_end().strip_suffix('}') {
            Some(open) => writeln!(
                writer,
                r#"{open},"trace_id":"{trace}","span_id":"{span}"}}"#
            ),
            None => writer.write_str(&line),
        }
    }
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
mod tests;
