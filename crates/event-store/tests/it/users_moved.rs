//! The step to days of users keeps what was stored.

use event_store::{
    Store,
    migrations::{Rendering, apply, apply_steps},
};

use crate::support::{config, execute, forget_step, steps_until};

/// The last step that keeps a row per user and quarter of an hour.
const BEFORE: u32 = 11;
/// The step that moves them, and the one that drops the old table.
const MOVED: u32 = 12;

const EVENTS: &str = "
    INSERT INTO in_user (event_id, event_type, event_timestamp, decided_at, batch, phase, user_id, role, kyc_status, state, city, region_settled)
    SELECT generateUUIDv4(), event.1, now64(3) - toIntervalSecond(event.2), now64(3) - toIntervalSecond(event.3), toUUID('00000000-0000-0000-0000-000000000001'),
        'ingest', toUUID(concat('00000000-0000-0000-0000-00000000000', event.4)), event.5, event.6, 'Lagos', 'Ikeja', true
    FROM (SELECT arrayJoin([
        ('user.registered', 90000, 90000, 'a', 'RIDER', NULL),
        ('user.registered', 80000, 80000, 'a', 'DRIVER', NULL),
        ('user.kyc_verified', 70000, 70000, 'a', NULL, 'REJECTED'),
        ('user.kyc_verified', 60000, 60000, 'a', NULL, 'VERIFIED'),
        ('user.registered', 95000, 95000, 'b', 'DRIVER', NULL),
        ('user.kyc_verified', 50000, 50000, 'b', NULL, 'VERIFIED'),
        ('user.kyc_verified', 100, 1000, 'b', NULL, 'REJECTED'),
        ('user.registered', 99000, 99000, 'c', 'RIDER', NULL),
        ('user.kyc_verified', 98000, 98000, 'c', NULL, 'VERIFIED'),
        ('user.upgraded_to_driver', 1, 1, 'd', NULL, NULL)]) AS event)";

/// As the readers of a version see it.
async fn seen(store: &Store, sql: &str) -> Vec<String> {
    store.query(sql).fetch_all().await.unwrap()
}

const ACTIVITY: &str = "SELECT DISTINCT toString((scope, toString(state), toString(city), slot, user_id)) AS row FROM user_activity ORDER BY row";
const PROFILES_BEFORE: &str = "SELECT toString((user_id, registered_at, home.role, home.state, home.city, kyc_status, upgraded_at)) AS row FROM user_profiles ORDER BY row";
const PROFILES: &str = "SELECT toString((user_id, registered_at, role, state, city,
        arrayMax(arrayPushBack(kyc_ahead, kyc_latest)).status, upgraded_at)) AS row
    FROM user_profiles ORDER BY row";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_of_users_is_known_after_the_step_however_often_it_runs() {
    let store = Store::connect(&config()).unwrap();
    let rendering = Rendering::single(store.database());
    apply_steps(&store, &rendering, &steps_until(BEFORE))
        .await
        .unwrap();
    execute(&store, EVENTS).await;
    // The events of one user have expired.
    execute(&store, "ALTER TABLE user_events DELETE WHERE user_id = toUUID('00000000-0000-0000-0000-00000000000c') SETTINGS mutations_sync = 2").await;
    let (activity, profiles) = (
        seen(&store, ACTIVITY).await,
        seen(&store, PROFILES_BEFORE).await,
    );
    assert_eq!((profiles.len(), activity.is_empty()), (4, false));

    for _ in 0..2 {
        apply_steps(&store, &rendering, &steps_until(MOVED))
            .await
            .unwrap();
        assert_eq!(seen(&store, ACTIVITY).await, activity);
        assert_eq!(seen(&store, PROFILES).await, profiles);
        forget_step(&store, MOVED).await;
    }
    apply(&store, &rendering).await.unwrap();
    assert_eq!(seen(&store, ACTIVITY).await, activity);
    assert_eq!(seen(&store, PROFILES).await, profiles);
}
