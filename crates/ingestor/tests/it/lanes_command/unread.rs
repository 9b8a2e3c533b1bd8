//! Records that were deleted before they were read.

use super::{
    assert_ledger_adds_up, before_deleted_records, command, declare_lost, done, lane, lost_offsets,
    refused,
};
use crate::{
    member::Program,
    platform::Platform,
    postgres::Database,
    proxy::{Fault, Proxy},
};
use metadata_store::batches;
use std::process::{Child, Stdio};

async fn struck(mut command: Child, proxy: &Proxy) {
    proxy.struck().await;
    command.kill().unwrap();
    command.wait().unwrap();
}

/// The member reads on behind the three offsets that were declared lost, and everything adds up.
async fn assert_goes_on(platform: &Platform, topic: &str, member: Program) {
    platform.send_raw(topic, b"key", b"no event");
    platform.flush();
    platform.drained(4).await;
    member.stop();
    assert_eq!(lost_offsets(platform).await, 3);
    assert_eq!(lane(platform, topic).await.stopped_reason, None);
    platform.assert_balanced().await;
    assert_ledger_adds_up(platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_before_it_was_read_is_declared_lost_under_a_running_member() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let member = before_deleted_records(&platform, &topic).await;
    let id = format!("{topic}/0");
    let list = done(&platform, &["list"]).await;
    let line = list.lines().find(|line| line.starts_with(&id)).unwrap();
    assert!(
        line.contains("lost: the log begins at 3")
            && line.contains("`ingestor lanes declare-lost`"),
        "{list}"
    );

    refused(
        &platform,
        &["declare-lost", &id, "--through", "3", "--yes"],
        "must be one of 0 to 2",
    )
    .await;
    refused(
        &platform,
        &["declare-lost", &id, "--through", "2"],
        "add --yes",
    )
    .await;
    assert_eq!(lost_offsets(&platform).await, 0);
    assert_eq!(lane(&platform, &topic).await.next_offset, 0);

    let said = declare_lost(&platform, &topic, 2).await;
    assert!(said.contains("lost: 3 (0 to 2)"), "{said}");
    assert_goes_on(&platform, &topic, member).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_that_dies_half_way_is_finished_by_whoever_takes_the_lane_over() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let member = before_deleted_records(&platform, &topic).await;
    member.stop();

    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    proxy.plan("INSERT+INTO", 0, Fault::Hold(0));
    let id = format!("{topic}/0");
    let (mut command, _directory) =
        command(&config, &["declare-lost", &id, "--through", "2", "--yes"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    struck(command.spawn().unwrap(), &proxy).await;
    assert_eq!(batches::open(&platform.pool).await.unwrap().len(), 1);
    assert_eq!(lane(&platform, &topic).await.next_offset, 0);

    let member = Program::start(&platform.config);
    platform
        .lanes_are("behind the gap", |lanes| {
            lanes
                .iter()
                .any(|lane| lane.topic == topic && lane.next_offset == 3)
        })
        .await;
    let said = declare_lost(&platform, &topic, 2).await;
    assert!(said.contains("declared already"), "{said}");
    platform.send_raw(&topic, b"key", b"no event");
    platform.flush();
    platform.drained(4).await;
    member.stop();
    proxy.heal();
    proxy.over().await;
    assert_eq!(lost_offsets(&platform).await, 3);
    platform.assert_balanced().await;
    assert_ledger_adds_up(&platform).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_that_postgres_forgot_is_recovered_from_the_ledger() {
    let platform = Platform::new(1).await;
    let topic = platform.config.topics.booking.clone();
    let id = format!("{topic}/0");
    let member = before_deleted_records(&platform, &topic).await;
    member.stop();
    let mut database = Database::of(&platform).await;
    database.remember().await;
    declare_lost(&platform, &topic, 2).await;
    database.go_back().await;

    // it is the batch of the declaration that has these offsets now
    let again = ["declare-lost", &id, "--through", "2", "--yes"];
    refused(&platform, &again, "nothing is lost there").await;
    done(&platform, &["resume", &id]).await;
    let member = Program::start(&platform.config);
    assert_goes_on(&platform, &topic, member).await;
}
