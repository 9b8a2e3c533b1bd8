use crate::{
    query::{Parameters, Query},
    region::{RegionFilter, Unknown},
    selection::Selection,
    source::{Column, Family},
};
use shared_schema::Domain;

const STATE: Column = Column {
    name: "state",
    of_slot: "state",
    of_events: "state",
};
const CITY: Column = Column {
    name: "city",
    of_slot: "city",
    of_events: "city",
};

const BOOKINGS: Family = Family {
    slots: "agg_bookings",
    domain: Domain::Booking,
    event_types: "'booking.created'",
    keys: &[STATE, CITY],
    measures: &[Column {
        name: "amount",
        of_slot: "created",
        of_events: "count()",
    }],
};

const REVENUE: Family = Family {
    slots: "agg_payments",
    domain: Domain::Payment,
    event_types: "'payment.success'",
    keys: &[
        STATE,
        CITY,
        Column {
            name: "money",
            of_slot: "currency",
            of_events: "currency",
        },
    ],
    measures: &[Column {
        name: "amount",
        of_slot: "revenue",
        of_events: "sum(toDecimal128(ifNull(amount, 0), 2))",
    }],
};

/// Bookings of each region; the rows are [`RegionRow`](super::RegionRow)s.
pub(super) fn bookings(selection: &Selection) -> Query {
    of(&BOOKINGS, "''", "toInt128(sum(amount))", selection)
}

/// Revenue of each region and currency; the rows are [`RegionRow`](super::RegionRow)s.
pub(super) fn revenue(selection: &Selection) -> Query {
    of(&REVENUE, "toString(money)", "sum(amount)", selection)
}

/// Rows that are added are of the total, unless only one region is asked of: they have no state. Those that are taken
/// away from it are of the known regions.
fn of(family: &Family, currency: &str, value: &str, selection: &Selection) -> Query {
    let (region, of_total) = match &selection.region {
        RegionFilter::Everywhere | RegionFilter::Remainder(_) => {
            (RegionFilter::Remainder(Unknown::State), "sign = 1")
        }
        region => (region.clone(), "false"),
    };
    let mut parameters = Parameters::default();
    let selection = Selection {
        region,
        ..selection.clone()
    };
    let rows = family.rows(&selection, &mut parameters);
    parameters.into_query(format!(
        "SELECT of_state AS state, of_city AS city, of_currency AS currency, total AS value\n\
         FROM\n\
         (\n\
         SELECT if({of_total}, '', toString(state)) AS of_state, if({of_total}, '', toString(city)) AS of_city, \
         {currency} AS of_currency, {value} AS total\n\
         FROM\n\
         (\n\
         {rows}\n\
         )\n\
         GROUP BY of_state, of_city, of_currency\n\
         )"
    ))
}
