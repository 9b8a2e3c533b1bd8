//! The SQL of a settling.

mod left_over;
mod outcomes;
mod sources;
mod waiting;

pub(super) use outcomes::{decide, has_answers};
pub(super) use waiting::{WAITING, Waiting};

use crate::{
    places::{PLACE, write_regions},
    write::{Phase, UNMARKED},
};
use event_store::Params;
use metadata_store::settlings::{Facts, Settling};

/// By what the domains' rows are ordered.
const KEY: &str = "event_type, event_timestamp, event_id";

/// What a settling gives its facts, in the order of their `SELECT`.
const GIVEN: &str = "batch, phase, mark, state, city, region_settled";

/// The values by which statements know a settling.
pub(super) fn params(settling: &Settling) -> Params {
    of_facts(&settling.facts)
        .with("batch", settling.id)
        .with("settled_at", settling.settled_at)
}

/// The values by which they know the facts that it takes.
pub(super) fn of_facts(facts: &Facts) -> Params {
    let params = Params::new()
        .with("slice", facts.slice.number)
        .with("slices", facts.slice.of)
        // no bucket has the number 0
        .with("left_over", facts.left_over.unwrap_or_default());
    WAITING.iter().fold(params, |params, waiting| {
        let name = format!("buckets_{}", waiting.domain.as_str());
        params.with(&name, waiting.buckets(facts))
    })
}

impl Waiting {
    /// Those of its buckets that a settling takes.
    pub(super) fn buckets<'a>(&self, facts: &'a Facts) -> &'a [u64] {
        let table = self.table();
        let taken = facts.taken.iter().find(|(of, _)| *of == table);
        taken.map_or(&[], |(_, buckets)| buckets.as_slice())
    }

    fn taken(&self, database: &str) -> String {
        format!(
            "(SELECT * FROM {database}.{} WHERE {} AND cityHash64({PLACE}) % {{slices:UInt64}} = {{slice:UInt64}})",
            self.table(),
            self.in_taken_buckets(),
        )
    }

    fn in_taken_buckets(&self) -> String {
        format!(
            "bucket IN {{buckets_{}:Array(UInt64)}}",
            self.domain.as_str()
        )
    }

    /// The rows for the domain's input table: the facts that this settling settled, with their regions, and a
    /// sentinel for each month that they can fall into.
    pub(super) fn source(&self, database: &str, fence: &str) -> String {
        let facts: Vec<String> = self
            .columns()
            .map(|name| match name {
                // what a refund does not say, its payment does
                "payment_method" => {
                    "coalesce(f.payment_method, nullIf(s.payment_method, '')) AS payment_method"
                        .to_owned()
                }
                name => format!("f.{name} AS {name}"),
            })
            .collect();
        let constants = format!(
            "{{batch:UUID}} AS batch, {} AS phase",
            Phase::Settle.expression()
        );
        let settled = format!(
            "SELECT {constants}, {UNMARKED} AS mark, s.state AS state, s.city AS city, true AS region_settled, {} \
             FROM {} AS f INNER JOIN {} AS s \
             ON s.kafka_topic = f.kafka_topic AND s.kafka_partition = f.kafka_partition AND s.kafka_offset = f.kafka_offset",
            facts.join(", "),
            self.taken(database),
            settlements(database),
        );
        format!(
            "SELECT * FROM ({settled} UNION ALL {}) WHERE {fence}",
            self.sentinels(database, &constants)
        )
    }

    /// [`source`](Self::source) with every column that the input table has, as an insert into it would fill them: what a
    /// view's own `SELECT` can be made of.
    pub(super) fn input(&self, database: &str, fence: &str) -> String {
        format!(
            "SELECT source.*, blank.* EXCEPT (one, {GIVEN}, {}) FROM ({}) AS source CROSS JOIN {} AS blank",
            self.column_list(),
            self.source(database, fence),
            self.blank(database),
        )
    }

    /// One row of the input table that says nothing.
    fn blank(&self, database: &str) -> String {
        format!(
            "(SELECT * FROM {database}.{} RIGHT JOIN (SELECT 1 AS one) AS nothing ON false)",
            self.domain.input_table()
        )
    }

    /// Rows of nothing but a mark and a month.
    fn sentinels(&self, database: &str, constants: &str) -> String {
        let columns = self.columns().map(|name| match name {
            "event_timestamp" => "first AS event_timestamp".to_owned(),
            "decided_at" => "{settled_at:DateTime64(3, 'UTC')} AS decided_at".to_owned(),
            name => format!("blank.{name} AS {name}"),
        });
        format!(
            "SELECT {constants}, {{mark:UUID}} AS mark, '' AS state, '' AS city, false AS region_settled, {} \
             FROM (SELECT arrayJoin({{months:Array(DateTime64(3, 'UTC'))}}) AS first) AS month \
             CROSS JOIN {} AS blank",
            columns.collect::<Vec<_>>().join(", "),
            self.blank(database),
        )
    }

    /// The insert of [`source`](Self::source) into the input table.
    pub(super) fn insert(&self, database: &str, fence: &str) -> String {
        let columns = self.column_list();
        format!(
            "INSERT INTO {database}.{} ({GIVEN}, {columns}) {}",
            self.domain.input_table(),
            self.source(database, fence)
        )
    }

    /// Months of the settled facts, as a view may round their times.
    pub(super) fn months(&self, database: &str) -> String {
        format!(
            "SELECT DISTINCT toUInt32(toYYYYMM(arrayJoin([event_timestamp, event_timestamp + INTERVAL 999 MILLISECOND]))) AS month \
             FROM {} WHERE ({PLACE}) IN (SELECT {PLACE} FROM {})",
            self.taken(database),
            settlements(database)
        )
    }

    /// Writes the regions into the domain's own rows. May be repeated.
    pub(super) fn update_rows(&self, database: &str) -> String {
        let in_their_time = "event_timestamp >= {first:DateTime64(3, 'UTC')} AND event_timestamp <= {last:DateTime64(3, 'UTC')}";
        // one late fact makes that time long: the key spares the rows between
        let by_key = format!("({KEY}) IN (SELECT {KEY} FROM {})", self.taken(database));
        let condition = format!("{in_their_time} AND {by_key}");
        write_regions(database, self.domain, &settlements(database), &condition)
    }

    /// First and last time of the settled facts.
    pub(super) fn span(&self, database: &str) -> String {
        format!(
            "SELECT toUnixTimestamp64Milli(min(event_timestamp)) AS first, toUnixTimestamp64Milli(max(event_timestamp)) AS last, \
                 count() AS facts \
             FROM {} WHERE ({PLACE}) IN (SELECT {PLACE} FROM {})",
            self.taken(database),
            settlements(database)
        )
    }
}

fn settlements(database: &str) -> String {
    format!(
        "(SELECT * FROM {database}.settlements WHERE batch = {{batch:UUID}} AND kafka_topic != '')"
    )
}
