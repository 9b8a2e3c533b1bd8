//! What topics carry.

use std::collections::BTreeSet;

use metadata_store::topics;
use shared_schema::{Domain, Subscriptions, TopicsConfig};

use crate::database::Database;

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_carries_what_anybody_who_reads_it_says() {
    let database = Database::new().await;
    let carried = async || topics::carried(&database.pool).await.unwrap();
    assert!(carried().await.is_empty());
    let usual = Subscriptions::default();
    for _ in 0..2 {
        topics::announce(&database.pool, &usual).await.unwrap();
    }
    let all = carried().await;
    assert_eq!(all.len(), 6);
    assert_eq!(all["openride.events.trip"], BTreeSet::from([Domain::Trip]));

    // two names change places: events of both are in each, and a new one is known beside them
    let mut config = TopicsConfig::default();
    std::mem::swap(&mut config.booking, &mut config.trip);
    config.user = "accounts".to_owned();
    let other = Subscriptions::new(&config).unwrap();
    topics::announce(&database.pool, &other).await.unwrap();
    let all = carried().await;
    let both = BTreeSet::from([Domain::Booking, Domain::Trip]);
    assert_eq!(all["openride.events.trip"], both);
    assert_eq!(all["accounts"], BTreeSet::from([Domain::User]));
    assert_eq!(all.len(), 7);
}
