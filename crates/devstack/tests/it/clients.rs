//! The smallest client of each server that shows whether its data is there.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use devstack::{Endpoints, postgres_client};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
};

pub(crate) fn clickhouse(endpoints: &Endpoints, statement: &str) -> Result<String, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(20)))
        .proxy(None)
        .build()
        .into();
    agent
        .post(&endpoints.clickhouse_http)
        .send(statement)?
        .body_mut()
        .read_to_string()
}

pub(crate) fn redis(endpoints: &Endpoints, command: &str) -> String {
    let address = endpoints
        .redis_url
        .trim_start_matches("redis://")
        .trim_end_matches("/0");
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(format!("{command}\r\nQUIT\r\n").as_bytes())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

pub(crate) async fn postgres(endpoints: &Endpoints, statements: &str) -> Vec<String> {
    let client = postgres_client(&endpoints.postgres_url).await;
    let messages = client.simple_query(statements).await.unwrap();
    messages
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        })
        .collect()
}

pub(crate) async fn create_topic(endpoints: &Endpoints, topic: &str) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &endpoints.kafka)
        .create()
        .unwrap();
    let topic = NewTopic::new(topic, 3, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
    for outcome in admin.create_topics([&topic], &options).await.unwrap() {
        outcome.unwrap();
    }
}

pub(crate) fn partitions(endpoints: &Endpoints, topic: &str) -> usize {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &endpoints.kafka)
        .create()
        .unwrap();
    let metadata = consumer
        .fetch_metadata(Some(topic), Duration::from_secs(20))
        .unwrap();
    metadata.topics()[0].partitions().len()
}
