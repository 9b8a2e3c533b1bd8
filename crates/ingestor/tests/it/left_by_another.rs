//! A batch of a living member that somebody else finishes, and not all of it.

use crate::{
    admin_port::with_admin_port,
    log_faults::delete_before_the_end,
    member::Program,
    platform::{PATIENCE, Platform, until},
    postgres_faults::recovery,
    proxy::{Fault, Proxy},
};
use ingestor::recover::Finished;
use metadata_store::{LaneId, batches};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use service_runtime::config::HumanDuration;

/// What the group was told of a topic's only partition.
fn committed(platform: &Platform, topic: &str) -> Option<i64> {
    let consumer: BaseConsumer = platform.config.kafka.reader().create().unwrap();
    let mut asked = TopicPartitionList::new();
    asked.add_partition(topic, 0);
    let told = consumer.committed_offsets(asked, PATIENCE).unwrap();
    match told.elements()[0].offset() {
        Offset::Offset(next) => Some(next),
        _ => None,
    }
}

/// The domains of which the member says that records are durable.
async fn counted(address: &str, domains: [&str; 2]) -> [bool; 2] {
    let url = format!("http://{address}/metrics");
    let text = tokio::task::spawn_blocking(move || {
        let mut answer = ureq::get(&url).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    });
    let text = text.await.unwrap();
    domains.map(|domain| {
        let label = format!("domain=\"{domain}\"");
        let is_of =
            |line: &str| line.starts_with("openride_ingest_records") && line.contains(&label);
        text.lines().any(is_of)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_another_had_to_park_is_not_told_of_as_durable() {
    let mut platform = Platform::new(1).await;
    // both records are in one batch
    platform.config.batch.max_age = HumanDuration::secs(2);
    let address = with_admin_port(&mut platform.config);
    let (booking, trip) = (
        &platform.config.topics.booking,
        &platform.config.topics.trip,
    );
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let member = Program::start(&config);
    platform.owned_by(1).await;
    proxy.plan("query=INSERT+INTO", 0, Fault::Hold(0));
    for topic in [booking, trip] {
        platform.send_raw(topic, b"key", b"no event");
    }
    platform.flush();
    proxy.struck().await;
    let batch = platform.opened().await;
    let stored = batches::load(&platform.pool, batch).await.unwrap();
    assert_eq!(stored.batch.ranges.len(), 2);
    delete_before_the_end(&platform, booking).await;
    let parked = LaneId {
        topic: booking.clone(),
        partition: 0,
    };
    let finished = recovery(&platform).finish(batch, None).await.unwrap();
    let parked = Finished::Written {
        parked: vec![parked],
    };
    assert_eq!(finished, parked);

    proxy.heal();
    let is_told = async || committed(&platform, trip) == Some(1);
    assert!(until(is_told).await, "{}", member.log());
    assert_eq!(committed(&platform, booking), None);
    assert_eq!(counted(&address, ["trip", "booking"]).await, [true, false]);
    // it goes on with the other one
    platform.send_raw(trip, b"key", b"no event");
    platform.flush();
    platform.drained(2).await;
    member.stop();
    platform.assert_balanced().await;
}
