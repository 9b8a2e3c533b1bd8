//! What is wrong with a request is named, with what is allowed.

use reqwest::Method;
use serde_json::json;

use crate::{
    api::{Api, now, without_events},
    every_parameter::is_refused,
};

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_do_not_fit_together_are_named_with_what_is_allowed() {
    let api = Api::over(&without_events().await, now());
    for (path, status, code, parameter) in [
        ("users?limit=5", 400, "unknown_parameter", "limit"),
        (
            "drivers?include_time_series=true",
            400,
            "unknown_parameter",
            "include_time_series",
        ),
        ("realtime?tz=UTC", 400, "unknown_parameter", "tz"),
        (
            "trips?granularity=hourly",
            422,
            "missing_parameter",
            "include_time_series",
        ),
        (
            "trips?start_date=1926-02-01&end_date=2026-01-01&include_time_series=true&granularity=hourly",
            422,
            "too_many_points",
            "granularity",
        ),
        ("trips?state=Lagos&city=Kano", 422, "unknown_region", "city"),
        (
            "trips?city=%27%20OR%201%3D1--",
            422,
            "unknown_region",
            "city",
        ),
        (
            "bookings?start_date=2026-01-01T00:01&end_date=2026-06-01",
            422,
            "beyond_retention",
            "start_date",
        ),
        (
            "bookings?start_date=2025-01-01&end_date=2026-01-01T10:00:00",
            422,
            "beyond_retention",
            "end_date",
        ),
        (
            "users?start_date=2026-01-01&end_date=2026-05-01T10:00:00",
            422,
            "beyond_retention",
            "end_date",
        ),
        (
            "users?start_date=2026-04-10T10:01&end_date=2026-04-10T10:05",
            422,
            "beyond_retention",
            "end_date",
        ),
    ] {
        let path = format!("/v1/metrics/{path}");
        is_refused(&api, &path, parameter, code, &json!(status)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_bounds_that_can_be_served_are_served() {
    let api = Api::start(now()).await;
    let problem = api
        .get("/v1/metrics/bookings?start_date=2026-01-01T00:01&end_date=2026-06-01")
        .await
        .json();
    let hint = problem["hint"].as_str().unwrap();
    assert_eq!(
        hint,
        "The nearest that can be served are 2026-01-01T00:00:00.000+01:00 and 2026-01-01T00:15:00.000+01:00."
    );
    for start in [
        "2026-01-01T00:00:00.000%2B01:00",
        "2026-01-01T00:15:00.000%2B01:00",
    ] {
        api.json(&format!(
            "/v1/metrics/bookings?start_date={start}&end_date=2026-06-01"
        ))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn years_far_away_are_answered_or_refused() {
    let api = Api::start(now()).await;
    let ranges = [
        ("0001-01-01", "9999-12-31"),
        ("0000-01-01", "0000-01-01"),
        ("9999-12-31", "9999-12-31"),
    ];
    for (place, (start, end)) in ranges.into_iter().enumerate() {
        for metric in [
            "users", "bookings", "payments", "trips", "drivers", "routes",
        ] {
            let answer = api
                .json(&format!(
                    "/v1/metrics/{metric}?start_date={start}&end_date={end}"
                ))
                .await;
            assert_eq!(answer["date_range"]["tz"], "Africa/Lagos");
        }
        for (analysis, status) in [
            ("cohort?cohort_type=monthly&periods=1", [422, 200, 200]),
            ("retention?mode=on", [200; 3]),
            ("geographic?metric=users", [200; 3]),
            ("geographic?metric=revenue", [200; 3]),
            ("trends?metric=mau&granularity=monthly", [422, 200, 200]),
            (
                "trends?metric=active_users&granularity=monthly",
                [422, 200, 200],
            ),
            ("funnel?steps=trip.started", [422, 422, 200]),
        ] {
            let path = format!("/v1/analytics/{analysis}&start_date={start}&end_date={end}");
            let answer = api.get(&path).await;
            assert_eq!(answer.status, status[place], "{path}: {}", answer.text);
        }
    }
    let path = "/v1/metrics/users?start_date=1500-01-01&end_date=2026-01-01&include_time_series=true&granularity=monthly";
    let answer = api.json(path).await;
    assert_eq!(
        answer["time_series"].as_array().unwrap().len(),
        526 * 12 + 1
    );
    assert_eq!(answer["mau"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_null_or_zero() {
    let api = Api::start(now()).await;
    let users = api.json("/v1/metrics/users").await;
    assert_eq!(
        (&users["dau"], &users["kyc_completion_rate"]),
        (&json!(0), &json!(null))
    );
    let payments = api.json("/v1/metrics/payments").await;
    assert_eq!(
        (
            &payments["total_revenue"],
            &payments["p95_processing_time_ms"]
        ),
        (&json!("0.00"), &json!(null))
    );
    assert_eq!(payments["by_method"], json!([]));
    let drivers = api.json("/v1/metrics/drivers").await;
    assert_eq!(
        (
            &drivers["drivers"],
            &drivers["earnings_distribution"]["p50"]
        ),
        (&json!([]), &json!(null))
    );
    assert_eq!(drivers["complete_through"], json!(null));
    let range = &drivers["date_range"];
    assert_eq!(range["start_date"], "2026-05-17T00:00:00.000+01:00");
    assert_eq!(range["end_date"], "2026-06-15T23:59:59.999+01:00");
    let realtime = api.json("/v1/metrics/realtime").await;
    assert_eq!(
        (&realtime["system_health"], &realtime["timestamp"]),
        (&json!("critical"), &json!("2026-06-15T10:20:30Z"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_one_id() {
    let api = Api::over(&without_events().await, now());
    let answer = api.send(Method::GET, "/v1/nothing", Some("my-id.1")).await;
    assert_eq!(
        (answer.status, answer.header("x-request-id")),
        (404, "my-id.1")
    );
    assert_eq!(
        (&answer.json()["code"], &answer.json()["request_id"]),
        (&json!("not_found"), &json!("my-id.1"))
    );
    let answer = api.send(Method::GET, "/v1/definitions", Some("a b")).await;
    assert_eq!(answer.header("x-request-id").len(), 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_told_what_is_allowed() {
    let api = Api::over(&without_events().await, now());
    for path in [
        "/v1/definitions",
        "/health",
        "/health/ready",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/docs/",
        "/docs/errors",
    ] {
        let answer = api.send(Method::POST, path, None).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "GET, HEAD"),
            "{path}"
        );
        let problem = answer.json();
        assert_eq!(
            (&problem["code"], &problem["request_id"]),
            (
                &json!("method_not_allowed"),
                &json!(answer.header("x-request-id"))
            ),
            "{path}"
        );
        let (got, head) = (
            api.get(path).await,
            api.send(Method::HEAD, path, None).await,
        );
        assert_eq!(
            (head.status, head.text.as_str()),
            (got.status, ""),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_problem_like_any_other() {
    let api = Api::over(&without_events().await, now());
    for path in ["/nothing", "/docs/nothing", "/docs/errors/nothing"] {
        let answer = api.get(path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, "application/problem+json"),
            "{path}"
        );
        assert_eq!(answer.json()["code"], "not_found", "{path}");
    }
}
