//! What can be told of waiting facts now.

use super::{WAITING, Waiting};
use shared_schema::Domain;

/// When a fact came: a topic's own timestamps may be those of its producers, or of another cluster.
const ARRIVED: &str = "greatest(f.kafka_timestamp, f.decided_at)";

/// What decides a fact's region.
pub(super) enum Asks {
    /// The ride's pick-up, else the origin of its route, which the fact names or not.
    Ride { names_route: bool },
    /// The origin of the route.
    Route,
    /// The registration.
    User,
}

/// Stores what can be told now, in one part, with a row of no place as its witness.
pub(in crate::settle) fn decide(database: &str, fence: &str) -> String {
    format!(
        "INSERT INTO {database}.settlements \
             (batch, kafka_topic, kafka_partition, kafka_offset, state, city, payment_method, settled_at) \
         SELECT {{batch:UUID}}, *, {{settled_at:DateTime64(3, 'UTC')}} FROM ( \
             {} UNION ALL SELECT '' AS kafka_topic, 0 AS kafka_partition, 0 AS kafka_offset, '', '', '' \
         ) WHERE {fence}",
        outcomes(database)
    )
}

/// Whether anything can be told now.
pub(in crate::settle) fn has_answers(database: &str) -> String {
    format!(
        "SELECT count() > 0 FROM (SELECT 1 FROM ({}) LIMIT 1)",
        outcomes(database)
    )
}

/// The outcomes of all domains.
fn outcomes(database: &str) -> String {
    let outcomes = WAITING.iter().map(|waiting| waiting.outcomes(database));
    outcomes.collect::<Vec<_>>().join(" UNION ALL ")
}

impl Waiting {
    /// The outcomes that can be told now: place, region, method. A fact whose source is missing waits until
    /// everything that arrived `patience` before has been read (`{expired:DateTime64}`), and is `unknown` then.
    fn outcomes(&self, database: &str) -> String {
        match self.asks {
            Asks::User => self.by_source(database, "user", "user_id"),
            Asks::Route => self.by_source(database, "route", "route_id"),
            Asks::Ride { names_route } => self.by_ride(database, names_route),
        }
    }

    fn by_source(&self, database: &str, kind: &str, id: &str) -> String {
        let facts = self.taken(database);
        let source = source(database, kind, &format!("SELECT {id} FROM {facts}"));
        format!(
            "SELECT f.kafka_topic, f.kafka_partition, f.kafka_offset, \
                 if(s.known, s.state, 'unknown') AS state, if(s.known, s.city, 'unknown') AS city, '' AS payment_method \
             FROM {facts} AS f LEFT JOIN {source} AS s ON s.id = f.{id} \
             WHERE s.known OR {ARRIVED} < {{expired:DateTime64(3, 'UTC')}}"
        )
    }

    fn by_ride(&self, database: &str, names_route: bool) -> String {
        let facts = self.taken(database);
        let ride = source(database, "ride", &format!("SELECT booking_id FROM {facts}"));
        let route_id = if names_route {
            "f.route_id"
        } else {
            "r.route_id"
        };
        let routes = if names_route {
            format!("SELECT route_id FROM {facts}")
        } else {
            format!("SELECT route_id FROM {ride}")
        };
        let route = source(database, "route", &routes);
        let (method_join, method) = match self.domain {
            Domain::Payment => {
                let payment = source(
                    database,
                    "payment",
                    &format!("SELECT payment_id FROM {facts}"),
                );
                (
                    format!("LEFT JOIN {payment} AS p ON p.id = f.payment_id"),
                    "p.payment_method",
                )
            }
            _ => (String::new(), "''"),
        };
        format!(
            "SELECT f.kafka_topic, f.kafka_partition, f.kafka_offset, \
                 multiIf(r.state != '', r.state, o.known, o.state, 'unknown') AS state, \
                 multiIf(r.state != '', r.city, o.known, o.city, 'unknown') AS city, {method} AS payment_method \
             FROM {facts} AS f LEFT JOIN {ride} AS r ON r.id = f.booking_id \
             LEFT JOIN {route} AS o ON o.id = {route_id} {method_join} \
             WHERE r.state != '' OR (r.known AND o.known) OR {ARRIVED} < {{expired:DateTime64(3, 'UTC')}}"
        )
    }
}

/// What is known of some ids; of several events that tell it, the earliest counts.
fn source(database: &str, kind: &str, ids: &str) -> String {
    format!(
        "(SELECT id, argMin(route_id, kafka_offset) AS route_id, argMin(toString(state), kafka_offset) AS state, \
             argMin(toString(city), kafka_offset) AS city, argMin(toString(payment_method), kafka_offset) AS payment_method, \
             true AS known \
         FROM {database}.region_sources WHERE kind = '{kind}' AND id IN ({ids}) GROUP BY id)"
    )
}
