use std::{error::Error, fmt, io, time::Duration};

use crate::server_code;

/// What was asked of ClickHouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Making the client.
    Connect,
    /// Reading.
    Select,
    /// A statement without rows in either direction.
    Execute,
    /// An insert with a body.
    Insert,
}

impl Operation {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Select => "select",
            Self::Execute => "execute",
            Self::Insert => "insert",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The operation and its subject: a name given by the caller, or the query id, by which
/// `system.query_log` finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// What was asked.
    pub operation: Operation,
    /// Of what.
    pub subject: String,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.operation, self.subject)
    }
}

/// The source of an error of the libraries underneath.
pub type Source = Box<dyn Error + Send + Sync>;

/// Why ClickHouse did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The server raised an exception.
    #[error("{at}: the server refused it: {message}")]
    Server {
        /// What was asked.
        at: At,
        /// The exception's code, listed in `system.errors`.
        code: u32,
        /// The exception's text, cut to a readable length.
        message: String,
    },
    /// No connection could be made, so nothing was sent.
    #[error("{at}: the server cannot be reached")]
    Unreachable {
        /// What was asked.
        at: At,
        /// Why.
        source: Source,
    },
    /// The connection broke before the whole answer was there.
    #[error("{at}: the connection broke before the answer was complete")]
    Lost {
        /// What was asked.
        at: At,
        /// Why.
        source: Source,
    },
    /// The answer took too long.
    #[error("{at}: no answer within {after:?}")]
    TimedOut {
        /// What was asked.
        at: At,
        /// How long it was waited for.
        after: Duration,
    },
    /// Something on the way, such as a proxy, answered instead of the server.
    #[error("{at}: HTTP status {status} without an exception of the server: {body}")]
    Status {
        /// What was asked.
        at: At,
        /// The HTTP status.
        status: u16,
        /// The answer's text, cut to a readable length.
        body: String,
    },
    /// The answer is not what the caller's types say.
    #[error("{at}: the answer does not fit")]
    Answer {
        /// What was asked.
        at: At,
        /// Why.
        source: Source,
    },
    /// The request could not be made from what the caller gave.
    #[error("{at}: the request cannot be made")]
    Request {
        /// What was asked.
        at: At,
        /// Why.
        source: Source,
    },
}

impl StoreError {
    /// Whether the same request may succeed later without anybody changing it, the schema or the
    /// settings. For an insert this does not mean "send it again": each of its targets may or may not have its part.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Server { code, .. } => server_code::passes_because(*code).is_some(),
            Self::Unreachable { .. } | Self::Lost { .. } | Self::TimedOut { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            Self::Answer { .. } | Self::Request { .. } => false,
        }
    }

    /// Whether the statement needed more memory than [it was given](crate::Query::memory). Where memory of all ran out,
    /// the same statement may succeed later.
    pub fn is_over_its_memory(&self) -> bool {
        match self {
            Self::Server { code, message, .. } => {
                *code == server_code::MEMORY_LIMIT_EXCEEDED && server_code::is_of_one_query(message)
            }
            _ => false,
        }
    }

    /// Whether the statement took too long: here, or by the server's own account.
    pub fn is_out_of_time(&self) -> bool {
        matches!(self, Self::TimedOut { .. })
            || self.server_code() == Some(server_code::TIMEOUT_EXCEEDED)
    }

    /// What went wrong, in one word, for traces and metrics.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Server { .. } => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::Lost { .. } => "lost",
            Self::TimedOut { .. } => "timed_out",
            Self::Status { .. } => "status",
            Self::Answer { .. } => "answer",
            Self::Request { .. } => "request",
        }
    }

    /// The exception's code, if the server raised one.
    pub fn server_code(&self) -> Option<u32> {
        match self {
            Self::Server { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether an insert was refused by its [`Fence`](crate::fence::Fence): it wrote nothing, and never will.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Server { code: server_code::THROW_IF, message, .. }
            if message.contains(crate::fence::REFUSAL))
    }

    /// An error of the select library.
    pub(crate) fn of_client(at: At, after: Duration, error: clickhouse::error::Error) -> Self {
        use clickhouse::error::Error as E;
        match error {
            E::BadResponse(text) => Self::of_text(at, None, text.trim()),
            E::Network(source) if is_refused(source.as_ref()) => Self::Unreachable { at, source },
            E::Network(source) => Self::Lost { at, source },
            E::TimedOut => Self::TimedOut { at, after },
            error @ E::InvalidParams(_) => Self::Request {
                at,
                source: error.into(),
            },
            error => Self::Answer {
                at,
                source: error.into(),
            },
        }
    }

    /// An answer that is not a success: an exception's text, or whatever else a proxy wrote.
    pub(crate) fn of_text(at: At, status: Option<u16>, text: &str) -> Self {
        let message: String = text.chars().take(MESSAGE_LIMIT).collect();
        match (
            server_code::in_text(text),
            status.or_else(|| leading_number(text)),
        ) {
            (Some(code), _) => Self::Server { at, code, message },
            (None, Some(status)) => Self::Status {
                at,
                status,
                body: message,
            },
            (None, None) => Self::Answer {
                at,
                source: message.into(),
            },
        }
    }
}

/// Characters of a server's message that are kept: it may repeat a statement of any length.
const MESSAGE_LIMIT: usize = 2_000;

/// `502` in `502 Bad Gateway`, which is how the select library reports an answer without a body.
fn leading_number(text: &str) -> Option<u16> {
    text.split(' ').next()?.parse().ok()
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
