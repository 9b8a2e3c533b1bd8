//! Every parameter that the description names is read strictly, at every path that takes it.

use chrono::Duration;
use serde_json::{Value, json};
use shared_schema::Domain;
use uuid::Uuid;

use crate::{
    api::{Api, databases, now},
    books,
    story::{Story, event, write},
};

/// What is refused, and how.
const REFUSED: [(&str, &str, &str); 46] = [
    ("start_date", "soon", UNREADABLE),
    ("start_date", "", UNREADABLE),
    (
        "start_date",
        "9999-12-31&end_date=2024-01-01",
        "start_after_end",
    ),
    ("end_date", "2024-02-30", UNREADABLE),
    ("end_date", "2024-01-01T25:00", UNREADABLE),
    ("tz", "Mars/Olympus", UNREADABLE),
    ("tz", "", UNREADABLE),
    ("state", "Bavaria", "unknown_region"),
    ("state", "", "unknown_region"),
    ("city", "Munich", "unknown_region"),
    ("city", "%00", "unknown_region"),
    ("include_time_series", "1", UNREADABLE),
    ("include_bytes", "yes", UNREADABLE),
    ("include_cells", "1", UNREADABLE),
    ("cell", "", UNREADABLE),
    ("cell", "1", UNREADABLE),
    ("cell", "eyJhbGciOiJIUzI1NiJ9.e30.", UNREADABLE),
    ("granularity", "yearly", UNREADABLE),
    ("limit", "0", OUT_OF_RANGE),
    ("limit", "-1", OUT_OF_RANGE),
    ("limit", "1001", OUT_OF_RANGE),
    ("limit", "99999999999999999999999", OUT_OF_RANGE),
    ("limit", "1.5", UNREADABLE),
    ("reason", "no_such_reason", "unknown_reason"),
    ("topic", "no.such.topic", "unknown_topic"),
    ("cursor", "1", UNREADABLE),
    ("steps", "", UNREADABLE),
    ("steps", "no.such.event", UNREADABLE),
    ("steps", "route.created", OUT_OF_RANGE),
    (
        "steps",
        "user.registered,driver.location.updated",
        OUT_OF_RANGE,
    ),
    (
        "steps",
        "trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started",
        OUT_OF_RANGE,
    ),
    ("order", "random", UNREADABLE),
    ("window", "soon", UNREADABLE),
    ("window", "1ms", OUT_OF_RANGE),
    ("window", "1500ms", OUT_OF_RANGE),
    ("window", "91d", OUT_OF_RANGE),
    ("window", "99999999999999999999d", UNREADABLE),
    ("breakdown", "phone", UNREADABLE),
    ("cohort_type", "hourly", UNREADABLE),
    ("periods", "0", OUT_OF_RANGE),
    ("periods", "53", OUT_OF_RANGE),
    ("user_type", "admin", UNREADABLE),
    ("mode", "off", UNREADABLE),
    ("metric", "no_such_metric", UNREADABLE),
    ("metric", "", UNREADABLE),
    ("compare", "next_period", UNREADABLE),
];

const UNREADABLE: &str = "unreadable_parameter";
const OUT_OF_RANGE: &str = "parameter_out_of_range";

#[tokio::test(flavor = "multi_thread")]
async fn every_parameter_of_every_path_is_refused_out_of_range_with_what_is_allowed() {
    let api = Api::start(now()).await;
    let description = api.json("/openapi.json").await;
    let refused = async |path: &str, parameter: &str, code: &str| {
        let status = &description["components"]["examples"][code]["value"]["status"];
        is_refused(&api, path, parameter, code, status).await;
    };
    let paths = description["paths"].as_object().unwrap();
    for (path, operations) in paths.iter().filter(|(_, does)| does["get"].is_object()) {
        let path = &path.replace("{metric}", "bookings");
        refused(&format!("{path}?no_such=1"), "no_such", "unknown_parameter").await;
        let trends = path.ends_with("/trends");
        for name in names(&operations["get"]) {
            let values = REFUSED.iter().filter(|(known, _, _)| *known == name);
            assert!(
                values.clone().count() > 0,
                "{path}: nothing is known of {name}"
            );
            for (name, value, code) in values {
                let needed = match trends && *name != "metric" {
                    true => "metric=dau&",
                    false => "",
                };
                refused(&format!("{path}?{needed}{name}={value}"), name, code).await;
            }
            let twice = format!("{path}?{name}=1&{name}=1");
            refused(&twice, name, "repeated_parameter").await;
        }
    }
}

fn names(operation: &Value) -> Vec<&str> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect()
}

/// The answer names the parameter, what is wrong with it, and what is allowed.
pub(crate) async fn is_refused(api: &Api, path: &str, parameter: &str, code: &str, status: &Value) {
    let answer = api.get(path).await;
    assert_eq!(*status, answer.status, "{path}: {}", answer.text);
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{path}"
    );
    let problem = answer.json();
    assert_eq!(
        (&problem["code"], &problem["parameter"], &problem["status"]),
        (&json!(code), &json!(parameter), status),
        "{path}"
    );
    assert_eq!(problem["type"], format!("/docs/errors/{code}"), "{path}");
    assert_eq!(
        problem["request_id"],
        answer.header("x-request-id"),
        "{path}"
    );
    assert!(
        problem["detail"].as_str().unwrap().starts_with(parameter),
        "{path}"
    );
    assert!(problem["hint"].as_str().unwrap().len() > 10, "{path}");
}

/// What is asked with a parameter, so that it is allowed, and counts.
fn needed<'n>(path: &str, parameter: &str, cell: &'n str) -> &'n str {
    match (path, parameter) {
        ("/v1/analytics/trends", _) => "metric=dau",
        ("/v1/events", _) => cell,
        ("/v1/pipeline/dead-letters", "tz") => "reason=missing_field",
        // has no range, and so no clock that days are counted on
        ("/v1/metrics/realtime", _) | (_, "tz") => "state=Lagos",
        (_, "granularity") => "include_time_series=true",
        _ => "tz=Africa/Lagos",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_left_out_is_its_documented_default() {
    let story = Story::of(38, 4, 1_500);
    let api = story.settled_in(&databases().await).await;
    api.durable_up_to(&Domain::ALL, story.len()).await;
    // more of each list than it shows
    let at = story.end - Duration::hours(1);
    let each = |kind, id: &'static str| {
        (0..101).map(move |number| event(kind, at, json!({id: Uuid::from_u128(number)})))
    };
    write(&api, "in_trip", each("trip.completed", "driver_id")).await;
    write(&api, "in_booking", each("booking.confirmed", "route_id")).await;
    books::store(&api, "dead_letters", 0..101, story.end).await;
    let description = api.json("/openapi.json").await;
    let opened = "/v1/metrics/bookings?include_cells=true";
    let opened = api.json(opened).await["cells"]["bookings_created"].clone();
    let cell = format!("cell={}", opened.as_str().unwrap());
    let mut defaults = 0;
    for (path, does) in description["paths"].as_object().unwrap() {
        let parameters = does["get"]["parameters"].as_array().into_iter().flatten();
        for parameter in parameters {
            let schema = &parameter["schema"];
            let parts = schema["allOf"].as_array().into_iter().flatten();
            let Some(default) = parts.chain([schema]).find_map(|part| part.get("default")) else {
                continue;
            };
            let name = parameter["name"].as_str().unwrap();
            let value = default.as_str().map_or(default.to_string(), str::to_owned);
            let needed = needed(path, name, &cell);
            let without = api.json(&format!("{path}?{needed}")).await;
            let with = api.json(&format!("{path}?{needed}&{name}={value}")).await;
            assert_eq!(without, with, "{path} {name}={value}");
            if name == "limit" {
                // there is more, which a greater default would show
                let lists = ["drivers", "routes", "dead_letters", "events"];
                let list = lists.iter().find_map(|list| without[*list].as_array());
                assert_eq!(Some(list.unwrap().len() as u64), default.as_u64(), "{path}");
            }
            defaults += 1;
        }
    }
    assert!(defaults > 25, "{defaults}");
}
