//! The step to users and routes per region keeps what was stored, and knows where it belongs.

use event_store::{
    Store,
    migrations::{Rendering, apply, apply_steps, embedded},
};

use crate::support::{config, cut_short, execute, forget_step, steps_until};

/// The last step before it, and the step.
const BEFORE: u32 = 19;
const MOVED: u32 = 20;

const USERS: &str = "
    INSERT INTO in_user (event_id, event_type, event_timestamp, decided_at, batch, phase, user_id, role, kyc_status, state, city, region_settled)
    SELECT generateUUIDv4(), event.1, now64(3) - toIntervalSecond(event.2), now64(3) - toIntervalSecond(event.2), toUUID('00000000-0000-0000-0000-000000000001'),
        'ingest', toUUID(concat('00000000-0000-0000-0000-00000000000', event.3)), event.4, event.5, event.6, event.6, event.6 != ''
    FROM (SELECT arrayJoin([
        ('user.registered', 90000, 'a', 'RIDER', NULL, 'Lagos'),
        ('user.registered', 80000, 'a', 'DRIVER', NULL, 'Kano'),
        ('user.kyc_verified', 70000, 'a', NULL, 'REJECTED', ''),
        ('user.kyc_verified', 60000, 'a', NULL, 'VERIFIED', ''),
        ('user.registered', 95000, 'b', 'DRIVER', NULL, 'unknown'),
        ('user.upgraded_to_driver', 50000, 'b', NULL, NULL, ''),
        ('user.kyc_verified', 1, 'c', NULL, 'VERIFIED', '')]) AS event)";
const ROUTES: &str = "
    INSERT INTO in_route (event_id, event_type, event_timestamp, decided_at, batch, phase, route_id, route_name, seats_total, state, city, region_settled, kafka_topic, kafka_offset)
    SELECT generateUUIDv4(), event.1, now64(3) - toIntervalSecond(event.2), now64(3), toUUID('00000000-0000-0000-0000-000000000001'),
        'ingest', toUUID(concat('00000000-0000-0000-0000-00000000000', event.3)), event.4, event.5, event.6, event.6, event.6 != '', 'route', event.7
    FROM (SELECT arrayJoin([
        ('route.created', 90000, 'a', 'north', 4, 'Lagos', 9),
        ('route.created', 80000, 'a', 'again', 5, 'Kano', 1),
        ('route.updated', 70000, 'a', 'south', NULL, '', 2),
        ('route.updated', 70000, 'b', 'never created', NULL, '', 3)]) AS event)";

async fn seen(store: &Store, sql: &str) -> Vec<String> {
    store.query(sql).fetch_all().await.unwrap()
}

const PROFILES: &str = "SELECT toString((user_id, registered_at, role, state, city, kyc_latest, kyc_ahead, upgraded_at)) AS row
    FROM user_profiles ORDER BY row";
const HOMES: &str = "SELECT toString((state, city, user_id, registered_at, role, kyc_latest, kyc_ahead, upgraded_at)) AS row
    FROM user_profiles WHERE registered_at IS NOT NULL ORDER BY row";
const REGIONAL: &str = "SELECT toString((toString(state), toString(city), user_id, min(registered_at), min(home).role, max(kyc_latest),
        groupUniqArrayArray(kyc_ahead), min(upgraded_at))) AS row
    FROM users WHERE scope = 'region' GROUP BY state, city, user_id ORDER BY row";
const NAMES_BEFORE: &str = "SELECT toString((route_id, argMaxMerge(name), argMaxMerge(profile))) AS row FROM route_profiles GROUP BY route_id ORDER BY row";
const NAMES: &str = "SELECT toString((route_id, argMaxMerge(name), argMaxMerge(profile))) AS row FROM route_profiles WHERE scope = 'total' GROUP BY route_id ORDER BY row";
const REGIONAL_NAMES: &str = "SELECT concat(toString(state), ' ', argMaxMerge(name), ' ', toString(argMaxMerge(profile).seats_total)) AS row
    FROM route_profiles WHERE scope = 'region' GROUP BY state, city, route_id ORDER BY row";

#[tokio::test(flavor = "multi_thread")]
async fn users_and_routes_are_known_in_their_regions_after_the_step_however_often_it_runs() {
    let store = Store::connect(&config()).unwrap();
    let rendering = Rendering::single(store.database());
    apply_steps(&store, &rendering, &steps_until(BEFORE))
        .await
        .unwrap();
    execute(&store, USERS).await;
    execute(&store, ROUTES).await;
    let (profiles, homes) = (seen(&store, PROFILES).await, seen(&store, HOMES).await);
    let names = seen(&store, NAMES_BEFORE).await;
    assert_eq!((profiles.len(), homes.len(), names.len()), (3, 2, 2));

    let steps = embedded().unwrap();
    let moving = steps.iter().find(|known| known.version == MOVED).unwrap();
    for statements in 0..moving.statements.len() {
        cut_short(&store, moving, statements).await;
        // whoever reads meanwhile counts nobody twice
        assert_eq!(seen(&store, PROFILES).await, profiles, "{statements}");
    }
    for _ in 0..2 {
        apply_steps(&store, &rendering, &steps_until(MOVED))
            .await
            .unwrap();
        assert_eq!(seen(&store, PROFILES).await, profiles);
        assert_eq!(seen(&store, REGIONAL).await, homes);
        assert_eq!(seen(&store, NAMES).await, names);
        // of two creations the earlier tells the region, as it does to a settling; what it is called is known of all
        assert_eq!(seen(&store, REGIONAL_NAMES).await, ["Lagos south 5"]);
        forget_step(&store, MOVED).await;
    }
    apply(&store, &rendering).await.unwrap();

    // what is settled then comes to it; a name that was not kept while it waited is none
    for (second, name) in [(10, "west"), (5, "")] {
        let settled = format!(
            "INSERT INTO in_route (event_id, event_type, event_timestamp, decided_at, batch, phase, route_id, route_name, state, city, region_settled)
             SELECT generateUUIDv4(), 'route.updated', now64(3) - toIntervalSecond({second}), now64(3), toUUID('00000000-0000-0000-0000-000000000002'),
                'settle', toUUID('00000000-0000-0000-0000-00000000000a'), '{name}', 'Lagos', 'Lagos', true"
        );
        execute(&store, &settled).await;
    }
    assert_eq!(seen(&store, REGIONAL_NAMES).await, ["Lagos west 5"]);
    assert_eq!(seen(&store, NAMES).await, names);
}
