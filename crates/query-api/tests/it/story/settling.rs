//! Facts that wait for their regions get them, as the ingestor settles them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use query_api::Config;
use serde_json::json;
use shared_schema::{Domain, Region};
use uuid::Uuid;

use super::{Own, Row, Story, insert, object, write};
use crate::api::Api;

const WAITING: [&str; 5] = [
    "waiting_user",
    "waiting_booking",
    "waiting_payment",
    "waiting_trip",
    "waiting_route",
];

impl Story {
    /// Gives every waiting fact its region. The domain rows are left as they are: settlements tell their regions.
    pub(crate) async fn settle(&self, api: &Api) {
        let all = |_: usize| true;
        self.settle_those(api, all, self.end).await;
        for table in WAITING {
            api.execute(&format!("TRUNCATE TABLE {table}")).await;
        }
    }

    /// Gives those waiting facts their region whose offset is wanted.
    pub(crate) async fn settle_those(
        &self,
        api: &Api,
        is_wanted: impl Fn(usize) -> bool,
        settled_at: DateTime<Utc>,
    ) {
        let (regions, methods) = (self.regions(), self.methods());
        let facts = self.facts.iter().enumerate();
        let waiting: Vec<(&Row, Region)> = facts
            .filter(|(offset, _)| is_wanted(*offset))
            .map(|(_, row)| row)
            .filter(|row| !matches!(row.own, Own::Known(_)))
            .map(|row| (row, regions.of(&row.own)))
            .collect();
        for domain in Domain::ALL {
            let rows =
                waiting
                    .iter()
                    .filter(|(row, _)| row.domain == domain)
                    .map(|(row, region)| {
                        let mut columns = row.with("settle", Some(*region));
                        if let Some(method) = row.payment.and_then(|payment| methods.get(&payment))
                        {
                            columns.insert("payment_method".to_owned(), json!(method));
                        }
                        columns
                    });
            insert(api, domain, rows).await;
        }
        let settlements = waiting.iter().map(|(row, region)| {
            let method = row.payment.and_then(|payment| methods.get(&payment)).copied().unwrap_or_default();
            let mut settled = object(json!({
                "batch": Uuid::from_u128(2), "state": region.state, "city": region.city, "payment_method": method,
                "settled_at": settled_at.to_rfc3339(),
            }));
            for column in ["kafka_topic", "kafka_partition", "kafka_offset"] {
                settled.insert(column.to_owned(), row.columns[column].clone());
            }
            settled
        });
        write(api, "settlements", settlements).await;
    }

    /// Removes from the waiting facts those that have been settled, and writes their regions to the domain's rows.
    pub(crate) async fn finish_settling(&self, api: &Api) {
        for table in WAITING {
            api.execute(&format!(
                "ALTER TABLE {table} DELETE WHERE kafka_offset IN (SELECT kafka_offset FROM settlements) \
                 SETTINGS mutations_sync = 1"
            ))
            .await;
        }
        for domain in Domain::ALL {
            let region = |column: &str| {
                let known = format!(
                    "(SELECT groupArray(kafka_offset), groupArray({column}) FROM settlements)"
                );
                format!(
                    "{column} = transform(kafka_offset, {known}.1, {known}.2, toString({column}))"
                )
            };
            api.execute(&format!(
                "ALTER TABLE {} UPDATE {}, {}, region_settled = true \
                 WHERE NOT region_settled AND kafka_offset IN (SELECT kafka_offset FROM settlements) \
                 SETTINGS mutations_sync = 1, allow_nondeterministic_mutations = 1",
                domain.events_table(),
                region("state"),
                region("city"),
            ))
            .await;
        }
    }

    /// An API over the story, all of whose facts have their regions.
    pub(crate) async fn settled_in(&self, config: &Config) -> Api {
        let api = Api::over(config, self.end);
        self.ingest(&api).await;
        self.settle(&api).await;
        self.finish_settling(&api).await;
        api
    }

    fn methods(&self) -> HashMap<Uuid, &str> {
        let told = self
            .facts
            .iter()
            .filter_map(|row| Some((row.payment?, row.columns.get("payment_method")?.as_str()?)));
        told.collect()
    }

    pub(super) fn regions(&self) -> Regions {
        let mut regions = Regions::default();
        for row in &self.facts {
            let id = |column: &str| {
                row.columns
                    .get(column)
                    .and_then(|id| id.as_str()?.parse::<Uuid>().ok())
            };
            match (row.columns["event_type"].as_str().unwrap(), &row.own) {
                ("user.registered", Own::Known(region)) => {
                    regions.users.extend([(id("user_id").unwrap(), *region)]);
                }
                ("route.created", Own::Known(region)) => {
                    regions.routes.extend([(id("route_id").unwrap(), *region)]);
                }
                ("booking.created", Own::Known(pickup)) => {
                    regions.pickups.insert(id("booking_id").unwrap(), *pickup);
                }
                _ => {}
            }
            if let (Some(booking), Some(route)) = (id("booking_id"), id("route_id")) {
                let by_another = row.columns["event_type"] != "booking.created";
                let named = (by_another, row.at(), route);
                let known = regions.rides.entry(booking).or_insert(named);
                *known = named.min(*known);
            }
        }
        regions
    }
}

#[derive(Default)]
pub(super) struct Regions {
    users: HashMap<Uuid, Region>,
    routes: HashMap<Uuid, Region>,
    pickups: HashMap<Uuid, Region>,
    /// By booking: whether the route is named by another event than its creation, and the earliest that does.
    rides: HashMap<Uuid, (bool, DateTime<Utc>, Uuid)>,
}

impl Regions {
    pub(super) fn of(&self, own: &Own) -> Region {
        let known = match own {
            Own::Known(region) => Some(*region),
            Own::User(user) => self.users.get(user).copied(),
            Own::Route(route) => self.routes.get(route).copied(),
            Own::Ride(booking) => self.pickups.get(booking).copied().or_else(|| {
                let (_, _, route) = self.rides.get(booking)?;
                self.routes.get(route).copied()
            }),
        };
        known.unwrap_or(Region::UNKNOWN)
    }
}
