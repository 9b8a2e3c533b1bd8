//! Counts are opened down to exactly as many events as they show, whatever happens afterwards.

use chrono::Duration;
use reqwest::Method;
use serde_json::Value;
use service_runtime::config::HumanDuration;
use shared_schema::access::{Role, Scope};

use crate::{
    api::{Answer, Api, databases, now},
    callers::{guarded, key, with},
    drill::{Effort, answers_are_those_without_cells, lists_stay_as_long_as_their_counts},
};

/// What shows counts that can be opened; twice, where all places are told apart.
const PATHS: [&str; 23] = [
    "metrics/bookings?",
    "metrics/bookings?include_time_series=true&granularity=weekly",
    "metrics/payments?",
    "metrics/payments?include_time_series=true&granularity=monthly",
    "metrics/trips?",
    "metrics/trips?include_time_series=true&granularity=weekly",
    "metrics/users?",
    "metrics/users?include_time_series=true&granularity=weekly",
    "metrics/drivers?limit=20",
    "metrics/routes?limit=5",
    "analytics/geographic?metric=bookings",
    "analytics/geographic?metric=bookings",
    "analytics/trends?metric=bookings_confirmed&granularity=weekly",
    "analytics/trends?metric=payments_refunded&granularity=monthly",
    "analytics/geographic?metric=users",
    "analytics/geographic?metric=users",
    "analytics/trends?metric=dau&granularity=weekly",
    "analytics/trends?metric=wau&granularity=daily&compare=previous_period",
    "analytics/trends?metric=mau&granularity=monthly",
    "analytics/trends?metric=active_users&granularity=weekly",
    "analytics/trends?metric=new_registrations&granularity=weekly",
    "analytics/trends?metric=active_drivers&granularity=weekly",
    "analytics/trends?metric=trips_started&granularity=monthly&compare=previous_period",
];

const EFFORT: Effort = Effort {
    questions: 2,
    counts: 6,
    events: 500,
};

#[tokio::test(flavor = "multi_thread")]
async fn every_count_is_the_length_of_its_list_whatever_comes_after() {
    lists_stay_as_long_as_their_counts(&PATHS, EFFORT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_can_be_opened_is_the_one_that_cannot() {
    answers_are_those_without_cells(&PATHS, EFFORT).await;
}

const DAY: &str = "/v1/metrics/bookings?start_date=2026-06-14&end_date=2026-06-14";

/// What opens the created bookings of a day.
async fn cell_of_a_day(api: &Api) -> String {
    let answer = api.json(&format!("{DAY}&include_cells=true")).await;
    answer["cells"]["bookings_created"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn refusal(answer: &Answer) -> (u16, String, String) {
    let problem = answer.json();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("code"), text("parameter"))
}

fn refused(status: u16, code: &str, parameter: &str) -> (u16, String, String) {
    (status, code.to_owned(), parameter.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_was_changed_or_has_expired_opens_nothing() {
    let api = Api::start(now()).await;
    let cell = cell_of_a_day(&api).await;
    let path = format!("/v1/events?cell={cell}");
    assert_eq!(api.json(&path).await["events"], Value::Array(Vec::new()));
    let changed = api.get(&format!("/v1/events?cell=a{cell}")).await;
    assert_eq!(
        refusal(&changed),
        refused(400, "unreadable_parameter", "cell")
    );
    let none = api.get("/v1/events").await;
    assert_eq!(refusal(&none), refused(422, "missing_parameter", "cell"));
    api.clock.set(now() + Duration::hours(24));
    let expired = api.get(&path).await;
    assert_eq!(refusal(&expired), refused(410, "cell_expired", "cell"));
    assert_eq!(api.get("/docs/errors/cell_expired").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_of_events_that_may_be_gone_are_not_opened() {
    let mut config = databases().await;
    config.cells.lifetime = HumanDuration::secs(365 * 24 * 60 * 60);
    let api = Api::over(&config, now());
    let cell = cell_of_a_day(&api).await;
    let old = "/v1/metrics/bookings?start_date=2026-03-01&end_date=2026-04-01";
    assert_eq!(api.get(old).await.status, 200);
    let answer = api.get(&format!("{old}&include_cells=true")).await;
    assert_eq!(
        refusal(&answer),
        refused(422, "beyond_retention", "start_date")
    );
    let hint = answer.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("2026-03-18T00:00:00.000+01:00"), "{hint}");

    let compared = "/v1/analytics/trends?metric=trips_started&granularity=monthly&compare=previous_period\
                    &start_date=2026-05-01&end_date=2026-06-14&include_cells=true";
    let answer = api.get(compared).await;
    assert_eq!(
        refusal(&answer),
        refused(422, "parameter_out_of_range", "compare")
    );

    // positions are kept for a shorter time, and with them who was active
    let users =
        "/v1/metrics/users?start_date=2026-05-01&end_date=2026-06-14&include_time_series=true";
    let answer = api.json(&format!("{users}&include_cells=true")).await;
    let names =
        |cells: &Value| -> Vec<String> { cells.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&answer["cells"]), ["dau", "new_registrations", "wau"]);
    let points = answer["time_series"].as_array().unwrap();
    assert_eq!(names(&points[15]["cells"]), ["new_registrations"]);
    assert_eq!(
        names(&points[16]["cells"]),
        ["active_users", "new_registrations"]
    );
    let places = "/v1/analytics/geographic?metric=users&start_date=2026-05-01&end_date=2026-06-14";
    assert_eq!(api.get(places).await.status, 200);
    let refusal_of_places = api.get(&format!("{places}&include_cells=true")).await;
    assert_eq!(
        refusal(&refusal_of_places),
        refused(422, "beyond_retention", "start_date")
    );
    let hint = refusal_of_places.json()["hint"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(hint.contains("2026-05-17T00:00:00.000+01:00"), "{hint}");
    api.clock.set(now() + Duration::days(31));
    let dau = answer["cells"]["dau"].as_str().unwrap();
    let gone = api.get(&format!("/v1/events?cell={dau}")).await;
    assert_eq!(refusal(&gone), refused(422, "beyond_retention", "cell"));

    api.clock.set(now() + Duration::days(90));
    let answer = api.get(&format!("/v1/events?cell={cell}")).await;
    assert_eq!(refusal(&answer), refused(422, "beyond_retention", "cell"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_with_cells_has_a_thousand_points_at_most() {
    let api = Api::start(now()).await;
    let path = "include_time_series=true&granularity=hourly&start_date=2026-05-01T00:00&end_date=2026-06-11T15:59:59";
    for (path, status) in [
        (format!("/v1/metrics/trips?{path}"), 200),
        (
            format!("/v1/metrics/trips?{path}").replace("-11T15", "-11T16"),
            422,
        ),
        (
            format!(
                "/v1/analytics/trends?metric=dau&{}",
                path.replace("include_time_series=true&", "")
            ),
            200,
        ),
        (
            format!(
                "/v1/analytics/trends?metric=dau&{}",
                path.replace("include_time_series=true&", "")
            )
            .replace("-11T15", "-11T16"),
            422,
        ),
    ] {
        let answer = api.get(&format!("{path}&include_cells=true")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert_eq!(api.get(&path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_analysts_open_counts() {
    let api = Api::over(&guarded().await, now());
    let analyst = key(&api, Role::Analyst, Scope::Everywhere, false).await;
    let viewer = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let path = "/v1/metrics/bookings?include_cells=true";
    let answer = with(&api, &analyst, Method::GET, path).await;
    let cell = answer.json()["cells"]["bookings_created"]
        .as_str()
        .unwrap()
        .to_owned();
    let events = format!("/v1/events?cell={cell}");
    assert_eq!(with(&api, &analyst, Method::GET, &events).await.status, 200);
    for path in [path, &events] {
        let answer = with(&api, &viewer, Method::GET, path).await;
        assert_eq!(refusal(&answer), refused(403, "forbidden", ""), "{path}");
    }
    let plain = "/v1/metrics/bookings?include_cells=false";
    assert_eq!(with(&api, &viewer, Method::GET, plain).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_nothing_is_opened_and_the_setting_is_named() {
    let mut config = databases().await;
    let cell = cell_of_a_day(&Api::over(&config, now())).await;
    config.cells.secret = "another secret, and as long as that".into();
    let other = Api::over(&config, now())
        .get(&format!("/v1/events?cell={cell}"))
        .await;
    assert_eq!(
        refusal(&other),
        refused(400, "unreadable_parameter", "cell")
    );
    config.cells.secret = "".into();
    let api = Api::over(&config, now());
    for (path, parameter) in [
        (format!("{DAY}&include_cells=true"), "include_cells"),
        (format!("/v1/events?cell={cell}"), "cell"),
    ] {
        let answer = api.get(&path).await;
        assert_eq!(
            refusal(&answer),
            refused(422, "cells_not_configured", parameter)
        );
        let hint = answer.json()["hint"].as_str().unwrap().to_owned();
        assert!(hint.contains("OPENRIDE_CELLS_SECRET"), "{hint}");
    }
    assert_eq!(api.get(DAY).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_cells_is_kept_nowhere() {
    let mut config = databases().await;
    config.cache.enabled = true;
    let api = Api::over(&config, now());
    for path in [DAY.to_owned(), format!("{DAY}&include_cells=false")] {
        assert_ne!(api.get(&path).await.header("cache-control"), "no-store");
    }
    for _ in 0..2 {
        let answer = api.get(&format!("{DAY}&include_cells=true")).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-cache"), "bypass");
        assert!(answer.json()["cells"].is_object());
    }
    assert_eq!(api.json(DAY).await.get("cells"), None);
}
