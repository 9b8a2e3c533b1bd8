use actix_web::{HttpRequest, HttpResponse, web::Data};
use analytics::{
    Ask,
    ledger::{self, Account, Lane, Stretch},
};
use chrono::{DateTime, Utc};
use metadata_store::lanes::{Lane as StoredLane, Standing};
use serde::Serialize;
use tokio::try_join;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{access::Caller, ask::Asker, error::ApiError, parameters::Given, services::Services};

/// The accounts of all partitions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ledger {
    /// By topic and partition.
    partitions: Vec<PartitionAccount>,
    /// Whether all are.
    balanced: bool,
}

/// The account of a partition, and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PartitionAccount {
    #[serde(flatten)]
    account: Account,
    /// Kafka's end of the partition when the ingestor last asked.
    #[schema(required)]
    end_offset: Option<i64>,
    /// Everything that arrived in this partition before is durable.
    #[schema(required)]
    complete_through: Option<DateTime<Utc>>,
    /// The batch that holds the next offsets and is being written. Its rows do not count yet.
    #[schema(required)]
    open_batch: Option<Uuid>,
    /// Why the partition is not read on, if it is not.
    #[schema(required)]
    stopped_reason: Option<String>,
    /// When an operator retired the partition, gone from Kafka or given up by force: nothing waits for it.
    #[schema(required)]
    retired_at: Option<DateTime<Utc>>,
}

/// Whether every offset has exactly one verdict
///
/// For every partition, next − first = accepted + duplicate + dead-lettered + gaps, counted over the stored rows at the
/// moment of the request; the latest 50,000 offsets are told apart, too. Rows expire; what was decided more than 13
/// days ago is therefore told by the ledger of the time (`recounted_from` is the first offset that was counted).
#[utoipa::path(
    get,
    path = "/v1/pipeline/ledger",
    tag = "pipeline",
    operation_id = "get_ledger",
    extensions(("x-role" = json!("viewer"))),
    responses((status = 200, description = "The ledger", body = Ledger, example = json!({
        "partitions": [{
            "topic": "openride.events.booking",
            "partition": 0,
            "first_offset": 0,
            "next_offset": 1250,
            "accepted": 1240,
            "duplicate": 4,
            "dead_lettered": 5,
            "gaps": [{"first_offset": 800, "last_offset": 800, "cause": "control"}],
            "gap_offsets": {"control": 1},
            "balanced": true,
            "missing": 0,
            "repeated": 0,
            "forgotten": 0,
            "recounted_from": 0,
            "end_offset": 1250,
            "complete_through": "2024-02-01T08:30:00.125Z",
            "open_batch": null,
            "stopped_reason": null,
            "retired_at": null
        }],
        "balanced": true
    })))
)]
pub(crate) async fn ledger(
    services: Data<Services>,
    request: HttpRequest,
    caller: Caller,
) -> Result<HttpResponse, ApiError> {
    Given::read(request.query_string(), &[])?;
    let now = services.clock.now();
    let store = services.clickhouse.whole(&caller);
    // Before the lanes: what is in the ledger is known of by then. These before the rows: what is before the next
    // offset is stored by now.
    let recent = store.rows("ledger: recent", &ledger::recent(now)).await?;
    let standings = services.lanes.standings().await?;
    let lanes = standings.iter().filter_map(lane).collect();
    let mut partitions = Vec::with_capacity(standings.len());
    for stretches in ledger::portions(lanes, recent) {
        for account in accounts(&store, stretches).await? {
            let mut lanes = standings.iter().map(|standing| &standing.lane);
            let stored = lanes.find(|lane| {
                lane.topic == account.topic
                    && i64::from(lane.partition) == signed(account.partition)
            });
            partitions.push(PartitionAccount::of(account, stored));
        }
    }
    let balanced = partitions
        .iter()
        .all(|partition| partition.account.balanced);
    Ok(HttpResponse::Ok().json(Ledger {
        partitions,
        balanced,
    }))
}

async fn accounts(store: &Asker, stretches: Vec<Stretch>) -> Result<Vec<Account>, ApiError> {
    let (vouched, gaps) = (ledger::vouched(&stretches), ledger::gaps(&stretches));
    let (counted, latest) = (ledger::counted(&stretches), ledger::latest(&stretches));
    let (vouched, counted, latest, gaps) = try_join!(
        store.rows("ledger: vouched", &vouched),
        store.rows("ledger: counted", &counted),
        store.rows("ledger: latest", &latest),
        store.rows("ledger: gaps", &gaps),
    )?;
    let recounted = ledger::with_latest(counted, latest);
    Ok(ledger::assemble(stretches, vouched, recounted, gaps))
}

/// Kafka's numbers are signed, but never negative.
fn lane(standing: &Standing) -> Option<Lane> {
    let stored = &standing.lane;
    Some(Lane {
        topic: stored.topic.clone(),
        partition: u64::try_from(stored.partition).ok()?,
        first_offset: u64::try_from(stored.first_offset).ok()?,
        next_offset: u64::try_from(stored.next_offset).ok()?,
        known_until: standing
            .known_until
            .and_then(|offset| u64::try_from(offset).ok()),
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl PartitionAccount {
    /// Nothing is known of a lane that only the ledger in ClickHouse tells of.
    fn of(account: Account, lane: Option<&StoredLane>) -> Self {
        Self {
            account,
            end_offset: lane.and_then(|lane| lane.end_offset),
            complete_through: lane.and_then(|lane| lane.complete_through),
            open_batch: lane.and_then(|lane| lane.open_batch),
            stopped_reason: lane.and_then(|lane| lane.stopped_reason.clone()),
            retired_at: lane.and_then(|lane| lane.retired_at),
        }
    }
}
