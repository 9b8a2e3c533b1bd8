//! Where ClickHouse's time goes, by its own account: statements by what they write or ask, merges and mutations by table.

use event_store::{Row, Store};
use serde::Deserialize;

/// Lines that are shown.
const LINES: usize = 24;

const ACCOUNT: &str = "
    SELECT what, count() AS times, sum(rows) AS rows, round(sum(cpu) / 1e6, 2) AS seconds FROM (
        SELECT
            multiIf(
                query_kind = 'Insert', concat('insert ', extract(query, 'INSERT INTO [^ ]*\\\\.(\\\\w+)')),
                concat(lower(toString(query_kind)), ' ', substring(replaceRegexpAll(query, '\\\\s+', ' '), 1, 60))
            ) AS what,
            written_rows AS rows,
            ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds'] AS cpu
        FROM system.query_log
        WHERE type != 'QueryStart' AND has(databases, currentDatabase()) AND is_initial_query
        UNION ALL
        SELECT
            concat(lower(toString(event_type)), ' ', table), rows,
            ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds']
        FROM system.part_log
        WHERE database = currentDatabase() AND event_type IN ('MergeParts', 'MutatePart')
    )
    GROUP BY what ORDER BY seconds DESC";

#[derive(Row, Deserialize)]
#[clickhouse(crate = "event_store::clickhouse")]
struct Line {
    what: String,
    times: u64,
    rows: u64,
    seconds: f64,
}

/// Prints the largest sums of a database.
pub(crate) async fn print(store: &Store, label: &str) -> anyhow::Result<()> {
    let flush = "SYSTEM FLUSH LOGS system.query_log, system.part_log";
    store.query(flush).execute().await?;
    let lines: Vec<Line> = store.query(ACCOUNT).fetch_all().await?;
    let sum: f64 = lines.iter().map(|line| line.seconds).sum();
    println!("\n{label}: {sum:.1} CPU seconds by ClickHouse's own account");
    for Line {
        what,
        times,
        rows,
        seconds,
    } in lines.into_iter().take(LINES)
    {
        println!("{seconds:8.2} s {times:6} x {rows:10} rows  {what}");
    }
    Ok(())
}
