use std::collections::BTreeSet;

use clickhouse::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service_runtime::config::{Problem, Secret, Settings};
use shared_schema::access::Place;
use uuid::Uuid;

use crate::{
    error::StoreError,
    query::Query,
    store::{PING, Store},
};

/// The user that ClickHouse shows the rows of some regions only.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScopedUser {
    /// Its name. It may read the databases `scoped_*` and nothing else.
    pub user: String,
    /// Its password; empty for none.
    pub password: Secret,
}

impl Default for ScopedUser {
    fn default() -> Self {
        Self {
            user: "scoped".to_owned(),
            password: Secret::default(),
        }
    }
}

impl Settings for ScopedUser {
    fn validate(&self) -> Result<(), Vec<Problem>> {
        let nobody = self.user.is_empty();
        Problem::none_of(nobody.then(|| Problem::new("user", "it must not be empty")))
    }
}

/// What a caller sees who may see some regions only.
///
/// Its statements run as a user who may read nothing but views, one for each table that metrics and analyses read,
/// under the same name: they show the facts whose region is settled and named in the **id of the query**, which is the
/// one thing about a query that its text cannot change. Without such an id they show nothing.
#[derive(Clone, Debug)]
pub struct ScopedStore {
    store: Store,
    client: Client,
    sight: Sight,
}

/// What the views read from a query's id (`migrations/clickhouse/0021_scoped`).
#[derive(Clone, Debug, Serialize)]
struct Sight {
    /// States of which everything is shown.
    states: Vec<String>,
    /// Cities with their states.
    cities: Vec<(String, String)>,
    /// Tells queries apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
}

impl ScopedStore {
    /// What lies in these places, of the database that `store` reads.
    #[must_use]
    pub fn new(store: &Store, user: &ScopedUser, places: &BTreeSet<Place>) -> Self {
        let store = store.with_database(&format!("scoped_{}", store.database()));
        let client = store
            .client()
            .clone()
            .with_user(&user.user)
            .with_password(user.password.expose());
        Self {
            client,
            store,
            sight: Sight::of(places),
        }
    }

    /// A statement to be given parameters and run, as [`Store::query`] makes it.
    pub fn query(&self, sql: &str) -> Query {
        self.store.query_by(&self.client, sql, self.sight.fresh())
    }

    /// Asks ClickHouse whether the user is there and may read the views.
    ///
    /// # Errors
    /// If it is not, or ClickHouse does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let nothing = "SELECT count() FROM booking_events WHERE false";
        let query = self.query(nothing).named("ping by the scoped user");
        query.deadline(PING).fetch_one::<u64>().await.map(|_| ())
    }
}

impl Sight {
    fn of(places: &BTreeSet<Place>) -> Self {
        let (mut states, mut cities) = (Vec::new(), Vec::new());
        for place in places {
            match &place.city {
                None => states.push(place.state.clone()),
                Some(city) => cities.push((place.state.clone(), city.clone())),
            }
        }
        Self {
            states,
            cities,
            id: None,
        }
    }

    /// The id of a query that sees this.
    fn fresh(&self) -> String {
        let sight = Self {
            id: Some(Uuid::now_v7()),
            ..self.clone()
        };
        // what cannot be written shows nothing
        serde_json::to_string(&sight).unwrap_or_default()
    }
}
