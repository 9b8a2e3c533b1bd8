use std::time::{Duration, Instant};

use devstack::{PrivateStack, Server, StackConfig};
use event_store::{
    Config, InsertSelect, Store, StoreError,
    fence::{
        Fence, boot_id, fence_off, query_id, recoverers_life, settlers_life, settling_query_id,
    },
    migrations::{Rendering, apply_steps, embedded},
};
use tokio::{task::JoinHandle, time::sleep};
use uuid::Uuid;

use crate::support::{self, count, execute, numbers, wait_for_query};

/// A table with a view on it, and the fence as the migrations make it.
async fn prepare(store: &Store) {
    let steps = embedded().unwrap();
    let rendering = Rendering::single(store.database());
    apply_steps(store, &rendering, &steps[..1]).await.unwrap();
    for statement in [
        "CREATE TABLE in_numbers (n UInt64) ENGINE = Null",
        "CREATE TABLE numbers (n UInt64) ENGINE = MergeTree ORDER BY n",
        "CREATE MATERIALIZED VIEW to_numbers TO numbers AS SELECT n FROM in_numbers",
    ] {
        execute(store, statement).await;
    }
}

/// What an attempt sends; `column` may take its time.
fn attempt(store: &Store, fence: Fence, batch: Uuid, column: &str, rows: u64) -> InsertSelect {
    let (input, body) = numbers(rows);
    let predicate = Fence::predicate(store.database());
    let sql = format!("INSERT INTO in_numbers SELECT {column} AS n FROM {input} WHERE {predicate}");
    let id = query_id(batch, "in_numbers", fence.attempt);
    InsertSelect::new(sql, id, body).params(fence.params())
}

async fn new_attempt(store: &Store) -> (Fence, Uuid) {
    let fence = Fence {
        life: boot_id(store).await.unwrap(),
        attempt: Uuid::new_v4(),
    };
    (fence, Uuid::now_v7())
}

async fn insert(store: &Store, fence: Fence, batch: Uuid) -> Result<(), StoreError> {
    store
        .insert_select(attempt(store, fence, batch, "n", 10))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_let_through_until_it_is_fenced_off_and_others_go_on() {
    let store = support::store().await;
    prepare(&store).await;
    let (fence, batch) = new_attempt(&store).await;
    insert(&store, fence, batch).await.unwrap();
    assert_eq!(count(&store, "numbers").await, 10);

    let kept = count(&store, "ingest_fence").await;
    // as often as a batch is tried while a disk is full
    for _ in 0..3 {
        fence_off(&store, batch, fence.attempt).await.unwrap();
    }
    assert_eq!(count(&store, "ingest_fence").await, kept + 1);
    let error = insert(&store, fence, batch).await.unwrap_err();
    assert_eq!(error.server_code(), Some(395));
    assert!(error.is_fenced() && !error.is_retryable());
    assert_eq!(count(&store, "numbers").await, 10);

    let next = Fence {
        attempt: Uuid::new_v4(),
        ..fence
    };
    insert(&store, next, batch).await.unwrap();
    assert_eq!(count(&store, "numbers").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_insert_is_killed_and_leaves_nothing() {
    let store = support::store().await;
    prepare(&store).await;
    let (fence, batch) = new_attempt(&store).await;
    // 60 s of work, in steps that a kill can come between
    let slow = attempt(&store, fence, batch, "n + sleepEachRow(0.02)", 3_000)
        .setting("max_block_size", 10)
        .setting("function_sleep_max_microseconds_per_block", 0);
    let id = slow.query_id.clone();
    let sender = store.clone();
    let insert: JoinHandle<_> = tokio::spawn(async move { sender.insert_select(slow).await });
    wait_for_query(&store, &id, true).await;

    let began = Instant::now();
    fence_off(&store, batch, fence.attempt).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(30));
    wait_for_query(&store, &id, false).await;
    let error = insert.await.unwrap().unwrap_err();
    assert_eq!(error.server_code(), Some(394), "{error}");
    assert_eq!(count(&store, "numbers").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn fencing_off_one_batch_leaves_the_inserts_of_another_alone() {
    let store = support::store().await;
    prepare(&store).await;
    let (fence, batch) = new_attempt(&store).await;
    let slow = attempt(&store, fence, batch, "n + sleepEachRow(0.1)", 10);
    let id = slow.query_id.clone();
    let sender = store.clone();
    let insert = tokio::spawn(async move { sender.insert_select(slow).await });
    wait_for_query(&store, &id, true).await;
    let others = (Uuid::now_v7(), Uuid::new_v4());
    fence_off(&store, others.0, others.1).await.unwrap();
    insert.await.unwrap().unwrap();
    assert_eq!(count(&store, "numbers").await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settler_ends_those_before_it_and_no_batch() {
    let store = support::store().await;
    prepare(&store).await;
    let (of_a_batch, batch) = new_attempt(&store).await;
    let settler = async || Fence {
        life: settlers_life(&store).await.unwrap(),
        attempt: Uuid::new_v4(),
    };
    let first = settler().await;
    insert(&store, first, batch).await.unwrap();
    let mut moving = attempt(&store, first, batch, "n + sleepEachRow(0.02)", 3_000)
        .setting("max_block_size", 10)
        .setting("function_sleep_max_microseconds_per_block", 0);
    moving.query_id = settling_query_id(batch, "waiting_trip", first.attempt);
    let (id, sender) = (moving.query_id.clone(), store.clone());
    let moving = tokio::spawn(async move { sender.insert_select(moving).await });
    wait_for_query(&store, &id, true).await;

    let second = settler().await;
    let killed = moving.await.unwrap().unwrap_err();
    assert_eq!(killed.server_code(), Some(394), "{killed}");
    let refused = insert(&store, first, batch).await.unwrap_err();
    assert!(refused.is_fenced(), "{refused}");
    for goes_on in [second, of_a_batch] {
        insert(&store, goes_on, batch).await.unwrap();
    }
    assert_eq!(count(&store, "numbers").await, 30);
    assert_eq!(boot_id(&store).await.unwrap(), of_a_batch.life);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recoverer_ends_those_of_its_batch_before_it_and_nobody_else() {
    let store = support::store().await;
    prepare(&store).await;
    let (of_a_batch, other) = new_attempt(&store).await;
    // as attempts are numbered again
    let (batch, attempt_2) = (Uuid::now_v7(), Uuid::new_v5(&Uuid::nil(), b"attempt 2"));
    let recoverer = async |of: Uuid| Fence {
        life: recoverers_life(&store, of).await.unwrap(),
        attempt: attempt_2,
    };
    let first = recoverer(batch).await;
    let of_other = recoverer(other).await;
    let settler = Fence {
        life: settlers_life(&store).await.unwrap(),
        attempt: Uuid::new_v4(),
    };
    insert(&store, first, batch).await.unwrap();
    let slow = attempt(&store, first, batch, "n + sleepEachRow(0.02)", 3_000)
        .setting("max_block_size", 10)
        .setting("function_sleep_max_microseconds_per_block", 0);
    let (id, sender) = (slow.query_id.clone(), store.clone());
    let slow = tokio::spawn(async move { sender.insert_select(slow).await });
    wait_for_query(&store, &id, true).await;

    let second = recoverer(batch).await;
    let killed = slow.await.unwrap().unwrap_err();
    assert_eq!(killed.server_code(), Some(394), "{killed}");
    let refused = insert(&store, first, batch).await.unwrap_err();
    assert!(refused.is_fenced(), "{refused}");
    insert(&store, second, batch).await.unwrap();
    for goes_on in [of_a_batch, of_other, settler] {
        insert(&store, goes_on, other).await.unwrap();
    }
    assert_eq!(count(&store, "numbers").await, 50);
    assert_eq!(boot_id(&store).await.unwrap(), of_a_batch.life);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_recoverers_that_begin_at_once_one_at_most_can_write() {
    let store = support::store().await;
    prepare(&store).await;
    let batch = Uuid::now_v7();
    let race: Vec<JoinHandle<_>> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { recoverers_life(&store, batch).await.unwrap() })
        })
        .collect();
    let mut written = 0;
    for racer in race {
        let fence = Fence {
            life: racer.await.unwrap(),
            attempt: Uuid::new_v4(),
        };
        written += u32::from(insert(&store, fence, batch).await.is_ok());
    }
    assert!(written <= 1, "{written} have written");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_insert_that_races_with_its_fence_writes_before_it_or_never() {
    let store = support::store().await;
    prepare(&store).await;
    let (boot, mut written, mut ended) = (boot_id(&store).await.unwrap(), 0, 0);
    for round in 0..100_u64 {
        let fence = Fence {
            life: boot,
            attempt: Uuid::new_v4(),
        };
        let batch = Uuid::now_v7();
        let racer = attempt(&store, fence, batch, "n", 10);
        let sender = store.clone();
        let insert = tokio::spawn(async move { sender.insert_select(racer).await });
        // from before the insert is sent to after it has ended, however fast the machine is
        match round % 10 {
            9 => {
                while !insert.is_finished() {
                    sleep(Duration::from_millis(1)).await;
                }
            }
            _ => sleep(Duration::from_micros(round * 150)).await,
        }
        fence_off(&store, batch, fence.attempt).await.unwrap();
        let seen = count(&store, "numbers").await;
        let outcome = insert.await.unwrap();
        assert_eq!(
            count(&store, "numbers").await,
            seen,
            "round {round}: {outcome:?}"
        );
        assert!(outcome.is_err() || seen == written + 10, "round {round}");
        written = seen;
        ended += u32::from(outcome.is_err());
    }
    println!("{ended} inserts were ended by their fence");
    assert!(written > 0, "no insert was ever faster than its fence");
    assert!(ended > 0, "no fence was ever faster than its insert");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_find_the_table_empty_at_once_get_a_boot_id_that_works() {
    let store = support::store().await;
    prepare(&store).await;
    let race: Vec<JoinHandle<_>> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { boot_id(&store).await.unwrap() })
        })
        .collect();
    for racer in race {
        let fence = Fence {
            life: racer.await.unwrap(),
            attempt: Uuid::new_v4(),
        };
        insert(&store, fence, Uuid::now_v7()).await.unwrap();
    }
    assert_eq!(
        boot_id(&store).await.unwrap(),
        boot_id(&store).await.unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_from_before_a_restart_of_the_server_is_refused() {
    let stack = PrivateStack::start(StackConfig::only(&[Server::ClickHouse])).unwrap();
    let config = Config {
        url: stack.endpoints().clickhouse_http.parse().unwrap(),
        ..support::config()
    };
    let store = support::store_of(&config).await;
    prepare(&store).await;
    let (fence, batch) = new_attempt(&store).await;
    insert(&store, fence, batch).await.unwrap();

    stack.kill(Server::ClickHouse).unwrap();
    stack.restart(Server::ClickHouse).unwrap();
    assert!(insert(&store, fence, batch).await.unwrap_err().is_fenced());
    let (after, batch) = new_attempt(&store).await;
    assert_ne!(after.life, fence.life);
    assert!(insert(&store, fence, batch).await.unwrap_err().is_fenced());
    insert(&store, after, batch).await.unwrap();
}
