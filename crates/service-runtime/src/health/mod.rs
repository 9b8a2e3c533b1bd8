//! `/health`, `/health/live`, `/health/ready` and `/metrics`.
//!
//! *Live* says whether this process does its own work: its loops beat a [`Heartbeat`], and a beat that
//! stays out means that a restart helps. Dependencies never decide it, or an outage of a database would
//! restart every service. *Ready* asks the dependencies, each with a deadline. `/health` tells a person
//! both; it answers 200 as long as the process answers at all.

mod admin;
mod check;
mod endpoints;
mod heartbeat;
mod state;

pub use self::{
    admin::{AdminConfig, AdminError, AdminServer, bind, serve},
    check::{CheckReport, CheckResult, CheckStatus},
    endpoints::configure,
    heartbeat::Heartbeat,
    state::{HealthState, HealthStateBuilder, Liveness, LoopReport, Readiness},
};
