//! What can be told of waiting facts now.

use super::{
    WAITING, Waiting,
    sources::{known_rides, rides_of_payments, source},
};
use metadata_store::settlings::Facts;

/// All that arrived within the patience after the fact has been read. A topic's own timestamps may be those of its
/// producers, or of another cluster.
pub(super) const EXPIRED: &str =
    "greatest(f.kafka_timestamp, f.decided_at) < {expired:DateTime64(3, 'UTC')}";
/// The place of a fact.
const OF_FACT: &str = "f.kafka_topic, f.kafka_partition, f.kafka_offset";
/// The region of a ride `r`, else of its route `o`.
const REGION: &str = "multiIf(r.state != '', r.state, o.known, o.state, 'unknown') AS state, \
    multiIf(r.state != '', r.city, o.known, o.city, 'unknown') AS city";
/// No later event will tell it otherwise.
const HAS_REGION: &str = "(r.state != '' OR (r.known AND o.known))";

/// What decides a fact's region.
pub(super) enum Asks {
    /// The ride's pick-up, else the origin of the route, which the fact names.
    Ride,
    /// The same, for a fact that names no route. The payment's other events tell its method, if it does not.
    Payment,
    /// The origin of the route.
    Route,
    /// The registration.
    User,
}

/// Stores what can be told now, in one part, with a row of no place as its witness.
pub(in crate::settle) fn decide(facts: &Facts, database: &str, fence: &str) -> String {
    let none = "SELECT '' AS kafka_topic, 0 AS kafka_partition, 0 AS kafka_offset, '' AS state, '' AS city, '' AS payment_method";
    let mut outcomes = outcomes(facts, database, rides_of_payments);
    outcomes.push(none.to_owned());
    format!(
        "INSERT INTO {database}.settlements \
             (batch, kafka_topic, kafka_partition, kafka_offset, state, city, payment_method, settled_at) \
         SELECT {{batch:UUID}}, *, {{settled_at:DateTime64(3, 'UTC')}} FROM ({}) WHERE {fence}",
        outcomes.join(" UNION ALL ")
    )
}

/// Whether anything can be told now. That does not hang on lost rides: what asks for them has waited long enough.
pub(in crate::settle) fn has_answers(facts: &Facts, database: &str) -> String {
    let outcomes = outcomes(facts, database, known_rides);
    format!(
        "SELECT count() > 0 FROM (SELECT 1 FROM ({}) LIMIT 1)",
        outcomes.join(" UNION ALL ")
    )
}

/// The rides that payments ask for, by the database and the payments.
type Rides = fn(&str, &str) -> String;

/// The outcomes of each domain of which there are facts. To plan those of all of them costs more than to find them.
fn outcomes(facts: &Facts, database: &str, rides: Rides) -> Vec<String> {
    let taken = WAITING
        .iter()
        .filter(|waiting| !waiting.buckets(facts).is_empty());
    taken
        .map(|waiting| waiting.outcomes(database, rides))
        .collect()
}

impl Waiting {
    /// The outcomes that can be told now: place, region, method. A fact that lacks a source waits until everything that
    /// arrived `patience` after it has been read (`{expired:DateTime64}`), and is `unknown` then.
    fn outcomes(&self, database: &str, rides: Rides) -> String {
        let facts = self.taken(database);
        match self.asks {
            Asks::User => by_source(database, &facts, "user", "user_id"),
            Asks::Route => by_source(database, &facts, "route", "route_id"),
            Asks::Ride => by_ride(database, &facts),
            Asks::Payment => by_payment(database, &facts, rides),
        }
    }
}

fn by_source(database: &str, facts: &str, kind: &str, id: &str) -> String {
    let source = source(database, kind, &format!("SELECT {id} FROM {facts}"));
    format!(
        "SELECT {OF_FACT}, if(s.known, s.state, 'unknown') AS state, if(s.known, s.city, 'unknown') AS city, \
             '' AS payment_method \
         FROM {facts} AS f LEFT JOIN {source} AS s ON s.id = f.{id} \
         WHERE s.known OR {EXPIRED}"
    )
}

fn by_ride(database: &str, facts: &str) -> String {
    let ride = known_rides(database, facts);
    let route = source(database, "route", &format!("SELECT route_id FROM {facts}"));
    format!(
        "SELECT {OF_FACT}, {REGION}, '' AS payment_method \
         FROM {facts} AS f LEFT JOIN {ride} AS r ON r.id = f.booking_id \
         LEFT JOIN {route} AS o ON o.id = f.route_id \
         WHERE {HAS_REGION} OR {EXPIRED}"
    )
}

fn by_payment(database: &str, facts: &str, rides: Rides) -> String {
    let ride = rides(database, facts);
    let route = source(database, "route", &format!("SELECT route_id FROM {ride}"));
    let ids = format!("SELECT payment_id FROM {facts}");
    let payment = source(database, "payment", &ids);
    format!(
        "SELECT {OF_FACT}, {REGION}, p.payment_method AS payment_method \
         FROM {facts} AS f LEFT JOIN {ride} AS r ON r.id = f.booking_id \
         LEFT JOIN {route} AS o ON o.id = r.route_id \
         LEFT JOIN {payment} AS p ON p.id = f.payment_id \
         WHERE ({HAS_REGION} AND (f.payment_method IS NOT NULL OR p.known)) OR {EXPIRED}"
    )
}
