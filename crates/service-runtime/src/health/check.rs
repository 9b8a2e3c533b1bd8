use std::{fmt, future::Future, pin::Pin, time::Duration};

use serde::Serialize;
use tokio::time::timeout;

/// The answer of a check: fine, or the reason why not.
///
/// Whoever can reach the port reads the reason, so it is a phrase such as "no connection" without
/// addresses, statements or credentials; details belong into the log.
pub type CheckResult = Result<(), String>;

type BoxedCheck = Box<dyn Fn() -> Pin<Box<dyn Future<Output = CheckResult> + Send>> + Send + Sync>;

/// A named question to a dependency.
pub(super) struct Check {
    name: String,
    deadline: Duration,
    is_optional: bool,
    ask: BoxedCheck,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The dependency.
    pub name: String,
    /// Whether it can be used.
    pub status: CheckStatus,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the process is ready without it.
    #[serde(rename = "optional", skip_serializing_if = "is_no")]
    pub is_optional: bool,
}

const fn is_no(value: &bool) -> bool {
    !*value
}

/// Whether a dependency can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// It can.
    Ok,
    /// It cannot.
    Failed,
}

impl Check {
    pub(super) fn new<F, Fut>(name: String, deadline: Duration, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = CheckResult> + Send + 'static,
    {
        Self {
            name,
            deadline,
            is_optional: false,
            ask: Box::new(move || Box::pin(ask())),
        }
    }

    /// The same, of what the process works without.
    pub(super) fn optional(self) -> Self {
        Self {
            is_optional: true,
            ..self
        }
    }

    pub(super) async fn run(&self) -> CheckReport {
        let late = || {
            Err(format!(
                "no answer within {}",
                humantime::format_duration(self.deadline)
            ))
        };
        let answer = timeout(self.deadline, (self.ask)()).await;
        let reason = answer.unwrap_or_else(|_| late()).err();
        CheckReport {
            name: self.name.clone(),
            status: match reason {
                None => CheckStatus::Ok,
                Some(_) => CheckStatus::Failed,
            },
            reason,
            is_optional: self.is_optional,
        }
    }
}

impl CheckReport {
    /// Whether it lets the process be ready.
    pub(super) fn lets(&self) -> bool {
        self.is_optional || self.status == CheckStatus::Ok
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
