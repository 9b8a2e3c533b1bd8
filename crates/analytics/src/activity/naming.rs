//! Which events name users.

use crate::{
    query::Parameters,
    region::RegionFilter,
    source::{Slice, facts, settled_facts},
};
use shared_schema::Domain;

/// What makes a user active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any event that names the user.
    Any,
    /// A booking or trip event that names the user as rider or driver, cancellations excepted.
    Riding,
}

/// Events that name users.
struct Naming {
    domain: Domain,
    /// The users that one names, as `user_id`, `rider_id` or `driver_id`.
    people: &'static str,
    condition: &'static str,
}

const fn naming(domain: Domain, people: &'static str, condition: &'static str) -> Naming {
    Naming {
        domain,
        people,
        condition,
    }
}

const RIDER_AND_DRIVER: &str = "arrayJoin([rider_id, driver_id])";

const ANY: [Naming; 6] = [
    naming(Domain::User, "user_id", "true"),
    naming(Domain::Booking, RIDER_AND_DRIVER, "true"),
    naming(Domain::Payment, "rider_id", "true"),
    naming(Domain::Trip, RIDER_AND_DRIVER, "true"),
    naming(Domain::Route, "driver_id", "true"),
    naming(Domain::Location, "driver_id", "true"),
];

const RIDING: [Naming; 2] = [
    naming(
        Domain::Booking,
        RIDER_AND_DRIVER,
        "event_type != 'booking.cancelled'",
    ),
    naming(
        Domain::Trip,
        RIDER_AND_DRIVER,
        "event_type != 'trip.cancelled'",
    ),
];

/// Whose events tell who registered, and who rode.
pub(crate) const JOINING_AND_RIDING: [Domain; 3] = [Domain::User, Domain::Booking, Domain::Trip];

impl Kind {
    /// The bits of a day of a user.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Any => "slots",
            Self::Riding => "rode",
        }
    }

    const fn events(self) -> &'static [Naming] {
        match self {
            Self::Any => &ANY,
            Self::Riding => &RIDING,
        }
    }
}

/// What is read of the events that name users.
pub(crate) struct Reading<'r> {
    pub(crate) kind: Kind,
    /// Where they lie.
    pub(crate) region: &'r RegionFilter,
    /// What is read beside the `person`.
    pub(crate) columns: &'r str,
    /// Whether those show regions.
    pub(crate) with_regions: bool,
    /// A further condition, with ` AND` before it.
    pub(crate) further: &'r str,
}

impl Reading<'_> {
    /// One statement per kind of event: the columns, and the `person`.
    pub(crate) fn of_events(&self, slice: Slice, parameters: &mut Parameters) -> Vec<String> {
        let of = |naming: &Naming| {
            let facts = match self.with_regions {
                true => settled_facts(naming.domain, slice, parameters),
                false => facts(naming.domain, slice, self.region, parameters),
            };
            format!(
                "SELECT {columns}, {people} AS person\nFROM {facts}\nWHERE {condition} AND {regions}{further}",
                columns = self.columns,
                people = naming.people,
                condition = naming.condition,
                regions = self.region.facts(parameters),
                further = self.further,
            )
        };
        self.kind.events().iter().map(of).collect()
    }
}

/// One statement per kind of event: `at` (second), `sign`, `person`.
pub(super) fn of_events(
    kind: Kind,
    slice: Slice,
    region: &RegionFilter,
    parameters: &mut Parameters,
) -> Vec<String> {
    let columns = format!(
        "toUInt64(toUnixTimestamp(event_timestamp)) AS at, {} AS sign",
        region.fact_sign()
    );
    let reading = Reading {
        kind,
        region,
        columns: &columns,
        with_regions: false,
        further: "",
    };
    reading.of_events(slice, parameters)
}
