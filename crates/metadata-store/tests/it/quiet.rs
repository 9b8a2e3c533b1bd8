//! A schema is changed while nothing is open, and nothing is opened meanwhile.

use std::time::Duration;

use metadata_store::{
    StoreError,
    batches::{self, Opening},
    quiet, rebuilt, settlings,
};
use tokio::time::timeout;

use crate::{
    database::{Database, PATIENCE, until},
    intents::{at, batch, close, open, opened, settling},
};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_opened_during_the_quiet_and_all_is_after_it() {
    let database = Database::new().await;
    let lanes = database.lanes(1).await;
    let quiet = quiet::take(&database.config, PATIENCE).await.unwrap();
    let before = database.all_lanes().await;
    let (batch, settling) = (batch(&lanes), settling(at(0)));
    assert_eq!(open(&database.pool, &batch).await, Opening::Migrating);
    let is_open = settlings::open(&database.pool, "member", &settling).await;
    assert!(!is_open.unwrap());
    assert_eq!(database.all_lanes().await, before);
    let stored = batches::load(&database.pool, batch.id).await;
    assert!(
        matches!(stored, Err(StoreError::NoSuchBatch(_))),
        "{stored:?}"
    );
    assert_eq!(settlings::current(&database.pool).await.unwrap(), None);

    drop(quiet);
    let opens = async || open(&database.pool, &batch).await == Opening::Opened;
    until("the batch was opened", opens).await;
    let is_open = settlings::open(&database.pool, "member", &settling).await;
    assert!(is_open.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quiet_begins_when_what_was_open_is_over() {
    let database = Database::new().await;
    let lanes = database.lanes(2).await;
    let first = opened(&database.pool, &lanes[..1]).await;
    let settling = settling(at(0));
    assert!(
        settlings::open(&database.pool, "member", &settling)
            .await
            .unwrap()
    );
    let config = database.config.clone();
    let mut taking = tokio::spawn(async move { quiet::take(&config, PATIENCE).await });
    // what would be opened meanwhile has to wait, or the quiet might never begin
    let is_held_up = async || {
        let next = batch(&[database.lane(1).await]);
        let opening = open(&database.pool, &next).await;
        close(&database.pool, next.id).await;
        opening == Opening::Migrating
    };
    until("nothing more is opened", is_held_up).await;

    close(&database.pool, first.id).await;
    let early = timeout(Duration::from_millis(300), &mut taking).await;
    assert!(early.is_err(), "a settling is open");
    let (open, done) = (settlings::State::Open, settlings::State::Done);
    let ended = settlings::advance(&database.pool, settling.id, open, done, at(3)).await;
    assert!(ended.unwrap());
    let quiet = timeout(PATIENCE, taking).await.unwrap().unwrap();
    assert!(quiet.is_ok(), "{:?}", quiet.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_that_ends_tells_what_is_open_and_lets_members_go_on() {
    let database = Database::new().await;
    let lanes = database.lanes(2).await;
    let held = opened(&database.pool, &lanes[..1]).await;
    let settling = settling(at(0));
    assert!(
        settlings::open(&database.pool, "settler", &settling)
            .await
            .unwrap()
    );
    let failure = quiet::take(&database.config, Duration::from_millis(300))
        .await
        .err()
        .unwrap();
    let text = failure.to_string();
    for named in [
        format!("batch {} of member, open for ", held.id),
        format!("settling {} of settler, open for ", settling.id),
        "migrate again".to_owned(),
    ] {
        assert!(text.contains(&named), "no {named:?} in {text:?}");
    }
    let StoreError::StillOpen { under_way, .. } = failure else {
        panic!("{text}")
    };
    let kinds: Vec<_> = under_way.iter().map(|open| open.kind.as_str()).collect();
    assert_eq!(kinds, ["settling", "batch"]);
    let next = batch(&lanes[1..]);
    let opens = async || open(&database.pool, &next).await == Opening::Opened;
    until("members open batches again", opens).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_migrations_the_second_waits_for_the_first() {
    let database = Database::new().await;
    let first = quiet::take(&database.config, PATIENCE).await.unwrap();
    let limit = Duration::from_millis(200);
    let refused = quiet::take(&database.config, limit).await.err();
    assert!(
        matches!(refused, Some(StoreError::MigrationUnderWay { waited }) if waited == limit),
        "{refused:?}"
    );
    let config = database.config.clone();
    let second = tokio::spawn(async move { quiet::take(&config, PATIENCE).await });
    drop(first);
    let second = timeout(PATIENCE, second).await.unwrap().unwrap();
    assert!(second.is_ok(), "{:?}", second.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_tables_is_quiet() {
    let database = Database::empty().await;
    let quiet = quiet::take(&database.config, Duration::from_secs(1)).await;
    assert!(quiet.is_ok(), "{:?}", quiet.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_that_broke_is_noticed() {
    let database = Database::new().await;
    let mut quiet = quiet::take(&database.config, PATIENCE).await.unwrap();
    let lost = timeout(Duration::from_millis(300), quiet.lost()).await;
    assert!(lost.is_err(), "it has not broken yet");
    database
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await;
    timeout(PATIENCE, quiet.lost()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forgotten_is_put_back_when_the_quiet_is_over() {
    let database = Database::new().await;
    let forgotten = batch(&database.lanes(1).await);
    let quiet = quiet::take(&database.config, PATIENCE).await.unwrap();
    let mut storing = tokio::spawn({
        let (pool, batch) = (database.pool.clone(), forgotten.clone());
        async move { rebuilt::store(&pool, at(1), &batch).await }
    });
    let early = timeout(Duration::from_millis(300), &mut storing).await;
    assert!(early.is_err(), "it was stored during the quiet");
    assert!(database.open_batches().await.is_empty());
    drop(quiet);
    timeout(PATIENCE, storing).await.unwrap().unwrap().unwrap();
    assert_eq!(database.open_batches().await, [forgotten.id]);
}
