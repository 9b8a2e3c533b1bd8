//! Whoever sees some regions only is told of these, and of nothing else.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration};
use metadata_store::keys;
use reqwest::Method;
use serde_json::{Value, json};
use shared_schema::access::{Role, Scope};

use crate::{
    api::{Answer, Api},
    callers::{LAGOS, asked, guarded, key, scope},
    story::{Story, range},
};

/// Every metric and analysis that is asked over a range.
pub(crate) const PATHS: [&str; 18] = [
    "metrics/users?",
    "metrics/users?include_time_series=true&granularity=hourly&",
    "metrics/bookings?include_time_series=true&",
    "metrics/payments?include_time_series=true&granularity=weekly&",
    "metrics/trips?",
    "metrics/drivers?",
    "metrics/routes?",
    "analytics/funnel?",
    "analytics/funnel?order=unordered&breakdown=city&",
    "analytics/funnel?order=strict&breakdown=payment_method&",
    "analytics/cohort?cohort_type=daily&periods=4&",
    "analytics/retention?",
    "analytics/retention?mode=on_or_after&user_type=driver&",
    "analytics/geographic?metric=bookings&",
    "analytics/geographic?metric=revenue&",
    "analytics/geographic?metric=users&",
    "analytics/trends?metric=conversion_rate&granularity=daily&",
    "analytics/trends?metric=wau&granularity=daily&",
];

const NOW: &str = "/v1/metrics/realtime?";

/// Everything that a caller of some regions may ask: of now, over a range on the grid, and over one off it.
pub(crate) fn questions(story: &Story) -> Vec<String> {
    let odd = story.start + Duration::milliseconds(30 * 3_600_000 + 123_457);
    let ranges = [story.on_grid(), odd].map(|start| range(start, story.end));
    let over = |range: &String| PATHS.map(|path| format!("/v1/{path}{range}"));
    let of_ranges = ranges.iter().flat_map(over);
    std::iter::once(NOW.to_owned()).chain(of_ranges).collect()
}

/// What it says beside the facts that wait, of which who sees some regions only is told nothing.
pub(crate) fn numbers(answer: &Answer) -> Value {
    let mut json = answer.json();
    json.as_object_mut().unwrap().remove("unsettled");
    json
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_some_regions_is_told_what_a_filter_by_them_tells() {
    let story = Story::of(31, 4, 1_500);
    let api = story.settled_in(&guarded().await).await;
    let all = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    for (places, filter) in [
        (LAGOS, "state=Lagos"),
        (
            r#"[{"state": "Lagos", "city": "Ikeja"}]"#,
            "state=Lagos&city=Ikeja",
        ),
    ] {
        let some = key(&api, Role::Viewer, scope(places), false).await;
        let mut told = 0;
        for (place, question) in questions(&story).into_iter().enumerate() {
            let own = asked(&api, &some, &question).await;
            let filtered = format!("{question}&{filter}").replace("?&", "?");
            let expected = asked(&api, &all, &filtered).await;
            let (own, mut expected) = (numbers(&own), numbers(&expected));
            forget_routes_from_elsewhere(&own, &mut expected);
            assert_eq!(own, expected, "{question} {filter}");
            told += own.to_string().len();
            // asking for what it sees anyway changes nothing, which one range shows
            if place <= PATHS.len() {
                let narrowed = asked(&api, &some, &filtered).await;
                assert_eq!(own, numbers(&narrowed), "{filtered}");
            }
        }
        assert!(told > 20_000, "they tell of nothing: {told}");
    }
}

/// A route may begin in another region than that in which its riders get on; then the caller is not told what it is called.
fn forget_routes_from_elsewhere(own: &Value, expected: &mut Value) {
    let Some(routes) = expected.get_mut("routes").and_then(Value::as_array_mut) else {
        return;
    };
    let mut known = 0;
    for (route, own) in routes.iter_mut().zip(own["routes"].as_array().unwrap()) {
        match own["route_name"].is_null() {
            true => {
                for hidden in [
                    "route_name",
                    "origin_city",
                    "destination_city",
                    "driver_id",
                    "seats_total",
                    "avg_occupancy",
                ] {
                    route[hidden] = Value::Null;
                }
            }
            false => known += 1,
        }
    }
    assert!(known > 0 || routes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_callers_region_is_refused() {
    let api = Api::over(
        &guarded().await,
        DateTime::UNIX_EPOCH + Duration::days(20_000),
    );
    let lagos = key(&api, Role::Admin, scope(LAGOS), true).await;
    for path in [
        "/v1/metrics/bookings?state=Kano",
        "/v1/metrics/realtime?state=Kano",
        "/v1/metrics/users?state=unknown",
        "/v1/analytics/funnel?city=Ibadan",
        "/v1/pipeline/ledger",
        "/v1/pipeline/dead-letters",
    ] {
        let answer = api.ask(Method::GET, path, &[("x-api-key", &lagos)]).await;
        assert_eq!(answer.problem(), (403, "out_of_scope".to_owned()), "{path}");
    }
    for path in [
        "/v1/metrics/bookings?state=Lagos",
        "/v1/metrics/bookings?city=Ikeja",
        "/v1/metrics/bookings?city=unknown",
        "/v1/definitions",
    ] {
        asked(&api, &lagos, path).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_some_regions_makes_keys_for_no_others_and_sees_no_others() {
    let api = Api::over(
        &guarded().await,
        DateTime::UNIX_EPOCH + Duration::days(20_000),
    );
    let lagos = key(&api, Role::Admin, scope(LAGOS), false).await;
    let foreign = key(&api, Role::Admin, scope(r#"[{"state": "Kano"}]"#), false).await;
    let headers = [
        ("x-api-key", lagos.as_str()),
        ("content-type", "application/json"),
    ];
    for (regions, status) in [
        (json!(null), 422),
        (json!([{"state": "Kano"}]), 422),
        (json!([{"state": "Lagos"}, {"state": "Kano"}]), 422),
        (json!([{"state": "Lagos", "city": "Ikeja"}]), 201),
        (json!([{"state": "Lagos"}]), 201),
    ] {
        let body = json!({"name": "a", "role": "viewer", "regions": regions}).to_string();
        let answer = api
            .send_body(Method::POST, "/v1/keys", &headers, body)
            .await;
        assert_eq!(answer.status, status, "{regions}: {}", answer.text);
    }
    let shown = asked(&api, &lagos, "/v1/keys").await.json();
    let scopes: BTreeSet<String> = shown["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["regions"].to_string())
        .collect();
    assert!(
        scopes.iter().all(|regions| regions.contains("Lagos")),
        "{scopes:?}"
    );
    let theirs = asked(&api, &foreign, "/v1/keys").await.json();
    let id = theirs["keys"][0]["id"].as_str().unwrap();
    let path = format!("/v1/keys/{id}");
    let of = |method| api.ask(method, &path, &headers);
    assert_eq!(of(Method::GET).await.status, 404);
    assert_eq!(of(Method::DELETE).await.status, 404);
    assert!(
        keys::find(&api.pool, id.parse().unwrap())
            .await
            .unwrap()
            .unwrap()
            .revoked_at
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_one_scope_is_shown_to_no_other() {
    let story = Story::of(35, 3, 600);
    let mut config = guarded().await;
    config.cache.enabled = true;
    let api = story.settled_in(&config).await;
    let path = format!("/v1/metrics/bookings?{}", range(story.start, story.end));
    let mut answers = BTreeSet::new();
    let two = r#"[{"state": "Lagos"}, {"state": "FCT"}]"#;
    for places in ["null", LAGOS, r#"[{"state": "FCT"}]"#, two] {
        let (first, second) = (
            key(&api, Role::Viewer, scope(places), false).await,
            key(&api, Role::Viewer, scope(places), false).await,
        );
        let made = asked(&api, &first, &path).await;
        assert_eq!(made.header("x-cache"), "miss", "{places}");
        let kept = asked(&api, &second, &path).await;
        assert_eq!(
            (kept.header("x-cache"), &kept.text),
            ("hit", &made.text),
            "{places}"
        );
        answers.insert(made.text);
    }
    assert_eq!(answers.len(), 4, "{answers:#?}");

    // how long an answer about the past lasts tells nothing of what happens elsewhere
    let past = range(story.start, story.end - Duration::hours(2));
    let path = format!("/v1/metrics/bookings?{past}");
    let mut told = BTreeSet::new();
    for waits in [false, true] {
        if waits {
            story.again_in(&api, None).await;
        }
        let key = key(&api, Role::Viewer, scope(LAGOS), false).await;
        let headers = [("x-api-key", key.as_str()), ("cache-control", "no-cache")];
        let answer = api.ask(Method::GET, &path, &headers).await;
        told.insert(answer.header("cache-control").to_owned());
    }
    assert_eq!(told, BTreeSet::from(["private, max-age=10".to_owned()]));
}
