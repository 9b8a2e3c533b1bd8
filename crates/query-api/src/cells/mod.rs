//! Counts that are opened down to their events.
//!
//! ```text
//! include_cells=true ─▶ Pinned: lanes (PostgreSQL) and last settling (ClickHouse) as they are ─▶ metric ─▶ Cells
//!                                                                     Signer ─ seal ─────────────────────────┘
//! /v1/events?cell=… ─▶ Signer ─ open: signature, scope, age ─▶ Cell ─▶ events, page by page
//! ```

mod config;
mod token;

use std::sync::Arc;

use analytics::{
    Ask,
    cells::{Cell, Opening, Pin, settled_through},
};
use chrono::{DateTime, Utc};
use metadata_store::lanes;
use shared_schema::access::Role;

pub use self::config::CellsConfig;
pub(crate) use self::token::CellError;
use self::token::{Signer, digest};
use crate::{access::Caller, error::ApiError, parameters::not_configured, services::Services};

/// Makes tokens of cells and opens them, where that is configured.
#[derive(Clone)]
pub(crate) struct Opener {
    signer: Option<Arc<Signer>>,
}

/// What is durable and settled, for an answer whose counts can be opened.
pub(crate) struct Pinned {
    /// For the selection.
    pub(crate) opening: Arc<Opening>,
    /// Everything that arrived at the broker before this is durable.
    pub(crate) complete_through: Option<DateTime<Utc>>,
}

impl Opener {
    pub(crate) fn new(config: &CellsConfig) -> Self {
        let signer = Signer::new(config).map(Arc::new);
        Self { signer }
    }

    /// The cell of a token, if it is one for the caller.
    ///
    /// # Errors
    /// When it opens nothing for the caller now, or nothing can be opened here.
    pub(crate) fn open(
        &self,
        token: &str,
        caller: &Caller,
        now: DateTime<Utc>,
    ) -> Result<Cell, ApiError> {
        let signer = self.signer.as_ref().ok_or_else(|| not_configured("cell"))?;
        Ok(signer.open(token, &digest(&caller.scope)?, now)?)
    }
}

/// What is durable and settled now, for an answer to a caller.
///
/// # Errors
/// When the caller may open nothing, nothing can be opened here, or a database does not answer.
pub(crate) async fn pinned(
    services: &Services,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<Pinned, ApiError> {
    if caller.role < Role::Analyst {
        return Err(ApiError::Forbidden {
            has: caller.role,
            needs: Role::Analyst,
        });
    }
    let signer = services.opener.signer.clone();
    let signer = signer.ok_or_else(|| not_configured("include_cells"))?;
    let lanes = services.lanes.all().await?;
    // after the lanes: what a topic carries is announced before the first event of it is durable
    let carried = services.lanes.carried().await?;
    let settled: i64 = services
        .clickhouse
        .whole(caller)
        .row("cells: last settling", &settled_through())
        .await?;
    // after the last settling was read: one that began since is later than that. What is being settled is in some of the
    // rows, and not in others.
    let under_way = services.lanes.settling_since().await?;
    let settled = match under_way {
        Some(since) => settled.min(since.timestamp_millis() - 1),
        None => settled,
    };
    let next = lanes
        .iter()
        .map(|lane| (lane.topic.as_str(), lane.partition, lane.next_offset));
    let scope = digest(&caller.scope)?;
    let seal = move |cell: &Cell| signer.seal(cell, &scope, now);
    let pin = Pin::new(next, carried, settled, now);
    Ok(Pinned {
        opening: Arc::new(Opening::new(pin, seal)),
        complete_through: lanes::complete_through(&lanes),
    })
}
