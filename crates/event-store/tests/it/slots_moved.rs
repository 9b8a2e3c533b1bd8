//! The steps to drivers as values, and to regions before slots, keep what was stored.

use event_store::{
    Store,
    migrations::{Rendering, apply, apply_steps, embedded},
};

use crate::support::{config, cut_short, execute, forget_step, steps_until};

/// The last step before them.
const BEFORE: u32 = 16;
/// The step that writes the drivers out, and the one that sorts the rows anew.
const MOVED: [u32; 2] = [17, 18];

/// More months than one block may have by default, slots with so many drivers that their number takes one, two and three
/// bytes, regions, and a row of a batch's mark.
const TRIPS: &str = "
    INSERT INTO agg_trips_state (mark, marked_at, scope, slot, state, city, started, driver_earnings, drivers)
    SELECT toUUID('00000000-0000-0000-0000-000000000000'), 0, scope, toDateTime('2012-01-01 00:00:00', 'UTC') + INTERVAL month MONTH AS slot,
        state, city, count(), 1.5, uniqExactState(reinterpretAsUUID(toUInt128(driver + 1)))
    FROM
    (
        SELECT number AS month, arrayJoin(['total', 'region'])::Enum8('total' = 0, 'region' = 1) AS scope,
            if(scope = 'region', 'Lagos', '') AS state, if(scope = 'region', 'Ikeja', '') AS city,
            arrayJoin(range(multiIf(number = 0, 20000, number = 1, 16384, number = 2, 128, number = 3, 127, 1 + number % 3))) AS driver
        FROM numbers(150)
    )
    GROUP BY scope, month, state, city
    SETTINGS max_partitions_per_insert_block = 0";
const OTHERS: [&str; 5] = [
    "INSERT INTO agg_trips_state (scope, slot, started) SELECT 'total', '2011-06-01 00:00:00', 5",
    "INSERT INTO agg_trips_state (mark, marked_at, slot, started) SELECT toUUID('00000000-0000-0000-0000-000000000001'), now(), now(), 1",
    "INSERT INTO agg_bookings_state (scope, slot, state, city, created, confirmed_value) SELECT 'region', now() - INTERVAL number MONTH, 'Lagos', 'Ikeja', 1, 2.5
        FROM numbers(150) SETTINGS max_partitions_per_insert_block = 0",
    "INSERT INTO agg_payments_state (scope, slot, state, city, payment_method, currency, succeeded, processing_quantiles)
        SELECT 'region', now() - INTERVAL number MONTH, 'Lagos', 'Ikeja', 'card', 'NGN', 1, quantilesExactInclusiveState(0.5, 0.95)(toUInt32(number))
        FROM numbers(150) GROUP BY number SETTINGS max_partitions_per_insert_block = 0",
    "INSERT INTO agg_driver_earnings_state (scope, slot, driver_id, state, city, trips, earnings)
        SELECT 'region', now() - INTERVAL number MONTH, generateUUIDv4(), 'Lagos', 'Ikeja', 1, 3.5
        FROM numbers(150) SETTINGS max_partitions_per_insert_block = 0",
];

/// As the readers of a version see it.
async fn seen(store: &Store, who: &str) -> Vec<Vec<String>> {
    let rows = [
        format!("SELECT toString((scope, slot, toString(state), toString(city), sum(started), sum(driver_earnings), {who})) AS row
                 FROM agg_trips GROUP BY scope, slot, state, city ORDER BY row"),
        "SELECT toString(tuple(* EXCEPT (drivers, driver_ids))) AS row FROM (SELECT * FROM agg_trips_state WHERE mark != toUUID('00000000-0000-0000-0000-000000000000')) ORDER BY row".to_owned(),
        "SELECT toString(tuple(*)) AS row FROM agg_bookings ORDER BY row".to_owned(),
        "SELECT toString(tuple(* EXCEPT processing_quantiles)) || toString(finalizeAggregation(processing_quantiles)) AS row FROM agg_payments ORDER BY row".to_owned(),
        "SELECT toString(tuple(*)) AS row FROM driver_earning_slots ORDER BY row".to_owned(),
    ];
    let mut seen = Vec::new();
    for sql in &rows {
        seen.push(store.query(sql).fetch_all().await.unwrap());
    }
    seen
}

const STATES: &str = "uniqExactMerge(drivers)";
const VALUES: &str = "uniqExactArray(driver_ids)";
/// All that were written, and nothing else.
const DRIVERS: &str =
    "SELECT toUInt64(count()) FROM (SELECT DISTINCT arrayJoin(driver_ids) AS driver FROM agg_trips)
    WHERE driver IN (SELECT reinterpretAsUUID(toUInt128(number + 1)) FROM numbers(20000))";
const SORTED: &str = "SELECT toUInt64(count()) FROM system.tables WHERE database = currentDatabase() AND sorting_key LIKE 'mark, scope, state, city, slot%'
    AND name IN ('agg_bookings_state', 'agg_driver_earnings_state', 'agg_payments_state', 'agg_trips_state')";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_slots_is_there_after_the_steps_however_often_they_run() {
    let store = Store::connect(&config()).unwrap();
    let rendering = Rendering::single(store.database());
    let steps = embedded().unwrap();
    apply_steps(&store, &rendering, &steps_until(BEFORE))
        .await
        .unwrap();
    for insert in std::iter::once(TRIPS).chain(OTHERS) {
        execute(&store, insert).await;
    }
    let before = seen(&store, STATES).await;
    assert_eq!(
        before.iter().map(Vec::len).collect::<Vec<_>>(),
        [301, 1, 150, 150, 150]
    );

    for step in MOVED {
        let moving = steps.iter().find(|known| known.version == step).unwrap();
        for statements in 0..moving.statements.len() {
            cut_short(&store, moving, statements).await;
        }
        for _ in 0..2 {
            apply_steps(&store, &rendering, &steps_until(step))
                .await
                .unwrap();
            assert_eq!(seen(&store, VALUES).await, before);
            let known: u64 = store.query(DRIVERS).fetch_one().await.unwrap();
            assert_eq!(known, 20_000);
            forget_step(&store, step).await;
        }
        apply_steps(&store, &rendering, &steps_until(step))
            .await
            .unwrap();
    }
    apply(&store, &rendering).await.unwrap();
    assert_eq!(seen(&store, VALUES).await, before);
    let sorted: u64 = store.query(SORTED).fetch_one().await.unwrap();
    assert_eq!(sorted, 4);

    // and what comes then is written there
    execute(
        &store,
        "INSERT INTO in_trip (event_id, event_type, event_timestamp, decided_at, phase, driver_id, region_settled)
         SELECT generateUUIDv4(), 'trip.started', '2011-01-01 00:00:00', now64(3), 'ingest', reinterpretAsUUID(toUInt128(7)), false",
    )
    .await;
    let new = "SELECT toString((sum(started), groupUniqArrayArray(driver_ids) = [reinterpretAsUUID(toUInt128(7))])) FROM agg_trips WHERE slot < '2011-06-01'";
    let new: String = store.query(new).fetch_one().await.unwrap();
    assert_eq!(new, "(1,1)");
}
