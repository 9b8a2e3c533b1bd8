//! The rows that a metric adds up: slots of an aggregate, and at a bound off the grid the stored events.
//!
//! ```text
//!            head (events)   core (slots of 15 minutes)   tail (events)
//! start ├──────────────────┼────────────────────────────┼───────────────┤ end
//!                                    │ UNION ALL
//!                                    ▼
//!           at (second), sign (1, or -1 to take away), keys, measures
//! ```
//!
//! At a pin ([`Pin`]) all of it is events, those that were durable and settled then.

use crate::{
    pin::Pin,
    query::{Parameters, Query},
    region::RegionFilter,
    selection::Selection,
    time::{Buckets, Grid, Span},
};
use shared_schema::{Domain, EventType};

/// An aggregate, and how its columns follow from the events.
pub(crate) struct Family {
    /// The reader view of the aggregate.
    pub(crate) slots: &'static str,
    /// The events that it was made of.
    pub(crate) domain: Domain,
    /// The event types that count, as an SQL list.
    pub(crate) event_types: &'static str,
    /// Columns that rows are told apart by.
    pub(crate) keys: &'static [Column],
    /// Columns that are added up.
    pub(crate) measures: &'static [Column],
}

/// A column of the rows.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Its expression over the aggregate's columns.
    pub(crate) of_slot: &'static str,
    /// Its expression over the events: of a key over one event, of a measure over a group of them.
    pub(crate) of_events: &'static str,
}

impl Family {
    /// The statement that adds the rows of a selection up: one row for each unit of its series, and one (unit 0)
    /// for all of them together.
    pub(crate) fn totals(&self, selection: &Selection, measures: &str) -> Query {
        let mut parameters = Parameters::default();
        let rows = self.rows(selection, &mut parameters);
        let sql = grouped(measures, &rows, selection.series.as_ref(), &mut parameters);
        parameters.into_query(sql)
    }

    /// The rows of a selection, as a subquery without its parentheses.
    pub(crate) fn rows(&self, selection: &Selection, parameters: &mut Parameters) -> String {
        let (grid, region) = (selection.grid(), &selection.region);
        let slots = grid
            .has_slots()
            .then(|| self.of_slots(grid.core, region, parameters));
        let mut parts: Vec<String> = slots.into_iter().collect();
        for slice in slices(&grid) {
            parts.push(self.of_events(slice, region, parameters));
        }
        parts.join("\nUNION ALL\n")
    }

    fn of_slots(&self, core: Span, region: &RegionFilter, parameters: &mut Parameters) -> String {
        let columns = self.keys.iter().chain(self.measures);
        let columns: String = columns
            .map(|column| named(column.of_slot, column.name))
            .collect();
        format!(
            "SELECT toUInt64(toUnixTimestamp(slot)) AS at, {sign} AS sign{columns}\n\
             FROM {table}\n\
             WHERE {slots} AND {regions}",
            sign = region.stored_sign(),
            table = self.slots,
            slots = slots_within(core, parameters),
            regions = region.stored(parameters),
        )
    }

    fn of_events(
        &self,
        slice: Slice<'_>,
        region: &RegionFilter,
        parameters: &mut Parameters,
    ) -> String {
        let keys: String = self
            .keys
            .iter()
            .map(|key| named(key.of_events, key.name))
            .collect();
        let measures: String = self
            .measures
            .iter()
            .map(|measure| named(measure.of_events, measure.name))
            .collect();
        let by: String = self
            .keys
            .iter()
            .map(|key| format!(", {}", key.name))
            .collect();
        format!(
            "SELECT toUInt64(toUnixTimestamp(event_timestamp)) AS at, {sign} AS sign{keys}{measures}\n\
             FROM {facts}\n\
             WHERE event_type IN ({types}) AND {regions}\n\
             GROUP BY at, sign{by}",
            sign = region.fact_sign(),
            facts = facts(self.domain, slice, region, parameters),
            types = self.event_types,
            regions = region.facts(parameters),
        )
    }
}

/// The condition on `slot` for a span on the grid.
pub(crate) fn slots_within(core: Span, parameters: &mut Parameters) -> String {
    let from = parameters.time("core_from", core.from);
    let until = parameters.time("core_until", core.until);
    format!("slot >= toDateTime({from}) AND slot < toDateTime({until})")
}

/// A stretch of events with the names of the parameters that bound it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice<'p> {
    span: Span,
    from: &'static str,
    until: &'static str,
    /// Only events of this type.
    event_type: Option<EventType>,
    /// Only what was durable and settled then.
    pin: Option<&'p Pin>,
}

impl<'p> Slice<'p> {
    pub(crate) fn head(span: Span) -> Self {
        Self {
            span,
            from: "head_from",
            until: "head_until",
            event_type: None,
            pin: None,
        }
    }

    pub(crate) fn tail(span: Span) -> Self {
        Self {
            span,
            from: "tail_from",
            until: "tail_until",
            event_type: None,
            pin: None,
        }
    }

    /// Its events of one type.
    pub(crate) fn of_type(self, event_type: EventType) -> Self {
        Self {
            event_type: Some(event_type),
            ..self
        }
    }

    /// Its events as they were at a pin, if there is one.
    pub(crate) fn at(self, pin: Option<&'p Pin>) -> Self {
        Self { pin, ..self }
    }

    /// The condition on an event of a domain that it lies in the slice.
    pub(crate) fn condition(self, domain: Domain, parameters: &mut Parameters) -> String {
        let from = parameters.time(self.from, self.span.from);
        let until = parameters.time(self.until, self.span.until);
        let event_type = self.event_type.map_or_else(String::new, |event_type| {
            format!("event_type = '{event_type}' AND ")
        });
        let durable = self.pin.map_or_else(String::new, |pin| {
            format!(" AND {}", pin.durable(domain, parameters))
        });
        format!("{event_type}event_timestamp >= {from} AND event_timestamp < {until}{durable}")
    }
}

/// The slices of a grid.
pub(crate) fn slices<'p>(grid: &Grid<'p>) -> impl Iterator<Item = Slice<'p>> {
    let (head, tail) = (grid.head.map(Slice::head), grid.tail.map(Slice::tail));
    let pin = grid.pin;
    head.into_iter().chain(tail).map(move |slice| slice.at(pin))
}

/// The events of a slice. Where the region matters, `state` and `city` are the settled ones, whether or not the
/// update that writes them to the events has come by.
pub(crate) fn facts(
    domain: Domain,
    slice: Slice<'_>,
    region: &RegionFilter,
    parameters: &mut Parameters,
) -> String {
    match region.is_regional() {
        false => {
            let condition = slice.condition(domain, parameters);
            format!(
                "(SELECT {} FROM {} WHERE {condition})",
                columns(domain),
                domain.events_table()
            )
        }
        true => settled_facts(domain, slice, parameters),
    }
}

/// The stored columns, and those that the table computes of them.
const fn columns(domain: Domain) -> &'static str {
    match domain {
        Domain::Trip => "*, distance_m",
        _ => "*",
    }
}

/// The events of a slice with their settled regions.
pub(crate) fn settled_facts(
    domain: Domain,
    slice: Slice<'_>,
    parameters: &mut Parameters,
) -> String {
    // Where the update has come by, the event says it itself. Both readings are of one moment ([`crate::SETTINGS`]).
    with_settlements(domain, "NOT region_settled", slice, parameters)
}

/// The payments of a slice with their settled regions, and in `settled_method` the methods that settling found.
pub(crate) fn settled_payments(slice: Slice<'_>, parameters: &mut Parameters) -> String {
    with_settlements(Domain::Payment, "true", slice, parameters)
}

/// Where an event stands in Kafka, which is what settlements know it by.
const PLACE: &str = "kafka_topic, kafka_partition, kafka_offset";

fn with_settlements(
    domain: Domain,
    looked_up: &str,
    slice: Slice<'_>,
    parameters: &mut Parameters,
) -> String {
    let (columns, events) = (columns(domain), domain.events_table());
    let condition = slice.condition(domain, parameters);
    let found = format!(
        "SELECT {PLACE},
            state AS settled_state, city AS settled_city, payment_method AS settled_method"
    );
    let wanted = format!(
        "({PLACE}) IN
            (SELECT {PLACE} FROM {events} WHERE {condition} AND {looked_up})"
    );
    let (known, settlements) = match slice.pin {
        None => (
            "region_settled",
            format!(
                "{found}
        FROM settlements
        WHERE {wanted}"
            ),
        ),
        // what was settled later was not settled then, whatever the update has written to the event since
        Some(pin) => (
            "region_settled AND NOT settled_later",
            format!(
                "{found}, false AS settled_later
        FROM settlements
        WHERE settled_at <= {settled} AND {wanted}
        UNION ALL
        SELECT {PLACE}, '', '', '', true
        FROM settlements
        WHERE settled_at > {settled} AND ({PLACE}) IN
            (SELECT {PLACE} FROM {events} WHERE {condition} AND region_settled)",
                settled = pin.settled(parameters),
            ),
        ),
    };
    format!(
        "(
    SELECT * EXCEPT (state, city), if({known}, state, settled_state) AS state, if({known}, city, settled_city) AS city
    FROM (SELECT {columns} FROM {events} WHERE {condition}) AS event
    LEFT ANY JOIN
    (
        {settlements}
    ) AS settlement USING ({PLACE})
)"
    )
}

/// Groups rows by the unit of the time series that they lie in, and all of them together (unit 0).
fn grouped(
    measures: &str,
    rows: &str,
    series: Option<&Buckets>,
    parameters: &mut Parameters,
) -> String {
    match series {
        None => format!("SELECT toUInt64(0) AS unit, {measures}\nFROM\n(\n{rows}\n)"),
        Some(buckets) => format!(
            "SELECT unit, {measures}\n\
             FROM (SELECT *, {unit} AS unit FROM\n\
             (\n\
             {rows}\n\
             ))\n\
             GROUP BY GROUPING SETS ((), (unit))",
            unit = unit_of("at", buckets, parameters),
        ),
    }
}

/// Where the unit begins that a second lies in, in seconds since 1970.
pub(crate) fn unit_of(second: &str, buckets: &Buckets, parameters: &mut Parameters) -> String {
    match buckets.steps() {
        Some((first, width)) => {
            let first = parameters.number("first_unit", first);
            let width = parameters.number("unit_width", width);
            format!("toUInt64({first} + intDiv({second} - {first}, {width}) * {width})")
        }
        None => {
            let units = parameters.numbers("units", buckets.seconds());
            format!("toUInt64(roundDown({second}, {units}))")
        }
    }
}

fn named(expression: &str, name: &str) -> String {
    match expression == name {
        true => format!(", {name}"),
        false => format!(", {expression} AS {name}"),
    }
}
