//! Every offset of every partition has exactly one verdict.

use std::fmt::Display;

use analytics::ledger::{self, Account, Lane, Stretch};
use chrono::{DateTime, Utc};
use clickhouse::Row;
use event_store::Params;
use metadata_store::lanes::Standing;
use serde::Deserialize;
use shared_schema::GapCause;

use crate::{Report, Verifier, VerifyError, Vouched, Wrong};

/// What the accounts of all partitions say.
pub(crate) struct Balance {
    pub(crate) report: Report,
    /// An offset without a verdict, with two, or with one that PostgreSQL knows nothing of.
    pub(crate) wrong: Option<Wrong>,
    /// Whether PostgreSQL knows no partition at all: then there is nothing to say.
    pub(crate) is_empty: bool,
    /// An offset that was given up. That is its verdict, so all else can be compared.
    pub(crate) lost: Option<Wrong>,
}

/// Where the verdicts of a partition do not follow one another.
#[derive(Clone, Debug, Row, Deserialize)]
struct BreakRow {
    /// The first offset of a verdict.
    offset: i64,
    /// The last offset that has a verdict before it.
    reached: i64,
}

pub(crate) async fn check(verifier: &Verifier) -> Result<Balance, VerifyError> {
    let now = verifier.clock.now();
    let portions = portions(verifier, now).await?;
    let forgotten = forgotten(&portions);
    let mut accounts = Vec::new();
    for stretches in portions {
        accounts.extend(accounts_of(verifier, stretches).await?);
    }
    let compared = sum(&accounts, |account| {
        account.next_offset - account.first_offset
    });
    let vouched = Vouched {
        offsets: sum(&accounts, |account| {
            account.recounted_from - account.first_offset
        }),
        before: ledger::recounted_since(now),
    };
    let wrong = match forgotten {
        None => first_wrong(verifier, &accounts).await?,
        forgotten => forgotten,
    };
    Ok(Balance {
        report: Report {
            subject: "offsets".to_owned(),
            compared,
            vouched: Some(vouched),
            ..Report::default()
        },
        wrong,
        is_empty: accounts.is_empty(),
        lost: lost(&accounts),
    })
}

fn lost(accounts: &[Account]) -> Option<Wrong> {
    let cause = GapCause::Lost.as_str();
    let offsets = sum(accounts, |account| {
        account.gap_offsets.get(cause).copied().unwrap_or_default()
    });
    let found = format!("one of {offsets} lost offsets");
    accounts.iter().find_map(|account| {
        let gap = account.gaps.iter().find(|gap| gap.cause == cause)?;
        Some(wrong(account, found.clone(), gap.first_offset))
    })
}

fn sum(accounts: &[Account], offsets: impl Fn(&Account) -> u64) -> u64 {
    accounts.iter().map(offsets).sum()
}

/// The lanes with what is to be counted of them.
async fn portions(
    verifier: &Verifier,
    now: DateTime<Utc>,
) -> Result<Vec<Vec<Stretch>>, VerifyError> {
    // Before the lanes: what is in the ledger is known of by then. These before the rows: what is below the next offset
    // is durable by now.
    let recent = rows(verifier, "what was decided recently", &ledger::recent(now)).await?;
    let lanes = metadata_store::lanes::standings(&verifier.pool).await?;
    let lanes = lanes
        .into_iter()
        .filter_map(|Standing { lane, known_until }| {
            Some(Lane {
                partition: u64::try_from(lane.partition).ok()?,
                first_offset: u64::try_from(lane.first_offset).ok()?,
                next_offset: u64::try_from(lane.next_offset.max(lane.first_offset)).ok()?,
                known_until: known_until.and_then(|offset| u64::try_from(offset).ok()),
                topic: lane.topic,
            })
        });
    Ok(ledger::portions(lanes.collect(), recent))
}

/// What was decided about and PostgreSQL knows nothing of: it has gone back, or is another one.
fn forgotten(portions: &[Vec<Stretch>]) -> Option<Wrong> {
    let mut stretches = portions.iter().flatten();
    let Stretch {
        lane, forgotten, ..
    } = stretches.find(|stretch| stretch.forgotten > 0)?;
    let known = lane.known_until.unwrap_or_default();
    Some(Wrong {
        subject: "offsets".to_owned(),
        key: format!("{}/{}", lane.topic, lane.partition),
        expected: format!("nothing decided about from {known} on, as PostgreSQL tells"),
        found: format!(
            "{forgotten} offsets more in ClickHouse's ledger: PostgreSQL has gone back, or is another one; an ingestor \
             puts them back"
        ),
        place: format!("('{}',{},{known})", lane.topic, lane.partition),
    })
}

async fn accounts_of(
    verifier: &Verifier,
    stretches: Vec<Stretch>,
) -> Result<Vec<Account>, VerifyError> {
    let vouched = rows(verifier, "the ledger", &ledger::vouched(&stretches)).await?;
    let recounted = rows(verifier, "stored rows", &ledger::recounted(&stretches)).await?;
    let gaps = rows(verifier, "gaps", &ledger::gaps(&stretches)).await?;
    Ok(ledger::assemble(stretches, vouched, recounted, gaps))
}

async fn rows<T>(
    verifier: &Verifier,
    name: &str,
    query: &analytics::Query,
) -> Result<Vec<T>, VerifyError>
where
    T: clickhouse::RowOwned + clickhouse::RowRead,
{
    let statement = verifier.store.query(&query.sql).named(name);
    let parameters = query.parameters.iter();
    Ok(parameters
        .fold(statement, |statement, (name, value)| {
            statement.param(name, value)
        })
        .fetch_all()
        .await?)
}

/// Finds the first offset without a verdict, or with two.
async fn first_wrong(
    verifier: &Verifier,
    accounts: &[Account],
) -> Result<Option<Wrong>, VerifyError> {
    for account in accounts {
        let is_uneven = account.missing != 0 || account.repeated != 0;
        // A gap over a verdict may make up for an offset without one. Where there is none, the numbers tell all.
        if !is_uneven && account.gap_offsets.is_empty() {
            continue;
        }
        let (found, offset) = match first_break(verifier, account).await? {
            Some(row) if row.offset <= row.reached => {
                ("an offset with two verdicts".to_owned(), row.offset)
            }
            Some(row) => ("an offset without a verdict".to_owned(), row.reached + 1),
            None if !is_uneven => continue,
            None => (
                format!(
                    "{} offsets too few in the ledger of what can no longer be counted",
                    account.missing
                ),
                i64::try_from(account.first_offset).unwrap_or(i64::MAX),
            ),
        };
        return Ok(Some(wrong(account, found, offset)));
    }
    Ok(None)
}

fn wrong(account: &Account, found: String, offset: impl Display) -> Wrong {
    Wrong {
        subject: "offsets".to_owned(),
        key: format!("{}/{}", account.topic, account.partition),
        expected: format!(
            "one verdict for each of {} to {}",
            account.first_offset, account.next_offset
        ),
        found,
        place: format!("('{}',{},{offset})", account.topic, account.partition),
    }
}

/// The first verdict that does not begin where those before it end. The end of the partition is one too.
async fn first_break(
    verifier: &Verifier,
    account: &Account,
) -> Result<Option<BreakRow>, VerifyError> {
    let part = |table: &str, first: &str, last: &str| {
        format!(
            "SELECT {first} AS first, {last} AS last FROM {table} WHERE kafka_topic = {{topic:String}} \
             AND kafka_partition = {{partition:UInt32}} AND {first} >= {{from:UInt64}} AND {first} < {{until:UInt64}}"
        )
    };
    let verdicts = [
        part("events_raw", "kafka_offset", "kafka_offset"),
        part("duplicates", "kafka_offset", "kafka_offset"),
        part("dead_letters", "kafka_offset", "kafka_offset"),
        part("ingest_gaps", "first_offset", "last_offset"),
        "SELECT {until:UInt64} AS first, {until:UInt64} AS last".to_owned(),
    ]
    .join(" UNION ALL ");
    let sql = format!(
        "SELECT toInt64(first) AS offset, reached FROM
         (
            SELECT first, row_number() OVER (ORDER BY first, last) AS nth,
                max(toInt64(last)) OVER (ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
                if(nth = 1, toInt64({{from:UInt64}}) - 1, before) AS reached
            FROM ({verdicts})
         )
         WHERE offset != reached + 1 ORDER BY first LIMIT 1"
    );
    let params = Params::new()
        .with("topic", &account.topic)
        .with("partition", account.partition)
        .with("from", account.recounted_from)
        .with("until", account.next_offset);
    Ok(verifier
        .store
        .query(&sql)
        .params(&params)
        .named("the first break")
        .fetch_optional()
        .await?)
}
