//! Every table and its recomputation: one file per table, or for a few that are alike.

mod activity;
mod bookings;
mod once;
mod payments;
mod progress;
mod realtime;
mod repeats;
mod routes;
mod settled;
mod sources;
mod trips;
mod users;

use analytics::ledger::recounted_since;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use event_store::Params;
use shared_schema::Domain;

use crate::{
    Verifier, VerifyError,
    comparison::{Comparison, Extra},
};

/// Days for which events are kept for certain.
const EVENTS_KEPT: TimeDelta = TimeDelta::days(90);
/// Days for which locations are kept for certain.
const LOCATIONS_KEPT: TimeDelta = TimeDelta::days(30);

/// A day of events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day {
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
    /// Whether the locations of the day are still kept.
    pub(crate) with_locations: bool,
}

impl Day {
    fn params(&self) -> Params {
        Params::new()
            .with("from", self.from)
            .with("until", self.until)
    }

    /// A comparison of this day.
    pub(crate) fn comparison(&self, table: &str, expected: String, found: String) -> Comparison {
        Comparison {
            subject: format!("{table} of {}", self.from.format("%Y-%m-%d")),
            expected,
            found,
            extra: Extra::Wrong,
            params: self.params(),
        }
    }
}

/// A table with its comparisons, one a day for most.
pub(crate) struct Check {
    pub(crate) table: &'static str,
    pub(crate) comparisons: Vec<Comparison>,
}

/// The comparison of a table for a day.
type OfDay = fn(&Day) -> Comparison;

/// The tables in the order in which one is made of another.
const DAILY: [(&str, OfDay); 18] = [
    ("typed events", once::typed_events),
    ("region_sources", sources::telling),
    ("regions of users", |day| once::regions(day, Domain::User)),
    ("regions of bookings", |day| {
        once::regions(day, Domain::Booking)
    }),
    ("regions of payments", |day| {
        once::regions(day, Domain::Payment)
    }),
    ("regions of trips", |day| once::regions(day, Domain::Trip)),
    ("regions of routes", |day| once::regions(day, Domain::Route)),
    ("settlements", settled::as_told),
    ("agg_users", users::slots),
    ("agg_bookings", bookings::slots),
    ("agg_payments", payments::slots),
    ("agg_trips", trips::slots),
    ("agg_driver_earnings", trips::drivers),
    ("agg_popular_routes", routes::slots),
    ("users", users::people),
    ("booking_seats", bookings::seats),
    ("route_profiles", routes::profiles),
    ("user_days", activity::slots),
];

/// Everything that is compared.
pub(crate) async fn all(verifier: &Verifier) -> Result<Vec<Check>, VerifyError> {
    let now = verifier.clock.now();
    let days = days(verifier, now).await?;
    let daily = |table, of_day: OfDay| Check {
        table,
        comparisons: days.iter().map(of_day).collect(),
    };
    let mut checks: Vec<Check> = DAILY
        .into_iter()
        .map(|(table, of_day)| daily(table, of_day))
        .collect();
    let mut repeats = daily("duplicates", repeats::none_accepted);
    let recounted = repeats::of_accepted(recounted_since(now));
    repeats.comparisons.push(recounted);
    checks.push(repeats);
    checks.push(Check {
        table: "agg_realtime",
        comparisons: vec![realtime::seconds(now)],
    });
    checks.push(Check {
        table: "trip_progress",
        comparisons: vec![progress::trips(now)],
    });
    Ok(checks)
}

/// What has a row for every quarter of an hour in which something happened.
const SLOTS: [&str; 6] = [
    "agg_users",
    "agg_bookings",
    "agg_payments",
    "agg_trips",
    "driver_earning_slots",
    "route_booking_slots",
];

/// The days of which anything is stored, as far back as events are kept: where all events of a day are gone, its
/// aggregates tell that there were some.
async fn days(verifier: &Verifier, now: DateTime<Utc>) -> Result<Vec<Day>, VerifyError> {
    let since = now - EVENTS_KEPT;
    let first = since.duration_trunc(TimeDelta::days(1)).unwrap_or(since) + TimeDelta::days(1);
    let events = Domain::ALL.iter().map(|domain| domain.events_table());
    let events = events
        .chain(["events_raw"])
        .map(|table| (table, "event_timestamp"));
    let slots = SLOTS.map(|table| (table, "slot"));
    let dated = events.chain(slots).chain([("user_days", "day")]);
    let days = dated.map(|(table, time)| {
        format!(
            "SELECT DISTINCT toDate({time}) AS day FROM {table} WHERE {time} >= toDate({{first:DateTime64(3, 'UTC')}})"
        )
    });
    let days = days.collect::<Vec<_>>().join(" UNION ALL ");
    let sql = format!(
        "SELECT DISTINCT toInt64(toUnixTimestamp(toDateTime(day, 'UTC'))) AS start FROM ({days}) ORDER BY start"
    );
    let query = verifier
        .store
        .query(&sql)
        .params(&Params::new().with("first", first))
        .named("days of which anything is stored");
    let starts: Vec<i64> = query.fetch_all().await?;
    let days = starts.into_iter().filter_map(|start| {
        let from = DateTime::from_timestamp(start, 0)?;
        let with_locations = from >= now - LOCATIONS_KEPT;
        Some(Day {
            from,
            until: from + TimeDelta::days(1),
            with_locations,
        })
    });
    Ok(days.collect())
}
