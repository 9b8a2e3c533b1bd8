//! Every parameter that the description names is read strictly, at every path that takes it.

use serde_json::Value;

use crate::api::{Api, now};

/// What is refused, with the status.
const REFUSED: [(&str, &str, u16); 46] = [
    ("start_date", "soon", 400),
    ("start_date", "", 400),
    ("start_date", "9999-12-31&end_date=2024-01-01", 422),
    ("end_date", "2024-02-30", 400),
    ("end_date", "2024-01-01T25:00", 400),
    ("tz", "Mars/Olympus", 400),
    ("tz", "", 400),
    ("state", "Bavaria", 422),
    ("state", "", 422),
    ("city", "Munich", 422),
    ("city", "%00", 422),
    ("include_time_series", "1", 400),
    ("include_bytes", "yes", 400),
    ("include_cells", "1", 400),
    ("cell", "", 400),
    ("cell", "1", 400),
    ("cell", "eyJhbGciOiJIUzI1NiJ9.e30.", 400),
    ("granularity", "yearly", 400),
    ("limit", "0", 422),
    ("limit", "-1", 422),
    ("limit", "1001", 422),
    ("limit", "99999999999999999999999", 422),
    ("limit", "1.5", 400),
    ("reason", "no_such_reason", 422),
    ("topic", "no.such.topic", 422),
    ("cursor", "1", 400),
    ("steps", "", 400),
    ("steps", "no.such.event", 400),
    ("steps", "route.created", 422),
    ("steps", "user.registered,driver.location.updated", 422),
    (
        "steps",
        "trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started,trip.started",
        422,
    ),
    ("order", "random", 400),
    ("window", "soon", 400),
    ("window", "1ms", 422),
    ("window", "1500ms", 422),
    ("window", "91d", 422),
    ("window", "99999999999999999999d", 400),
    ("breakdown", "phone", 400),
    ("cohort_type", "hourly", 400),
    ("periods", "0", 422),
    ("periods", "53", 422),
    ("user_type", "admin", 400),
    ("mode", "off", 400),
    ("metric", "no_such_metric", 400),
    ("metric", "", 400),
    ("compare", "next_period", 400),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_parameter_of_every_path_is_refused_out_of_range_with_what_is_allowed() {
    let api = Api::start(now()).await;
    let description = api.json("/openapi.json").await;
    let paths = description["paths"].as_object().unwrap();
    for (path, operations) in paths.iter().filter(|(_, does)| does["get"].is_object()) {
        let path = &path.replace("{metric}", "bookings");
        refused(&api, &format!("{path}?no_such=1"), "no_such", 400).await;
        let trends = path.ends_with("/trends");
        for name in names(&operations["get"]) {
            let values = REFUSED.iter().filter(|(known, _, _)| *known == name);
            assert!(
                values.clone().count() > 0,
                "{path}: nothing is known of {name}"
            );
            for (name, value, status) in values {
                let needed = match trends && *name != "metric" {
                    true => "metric=dau&",
                    false => "",
                };
                refused(
                    &api,
                    &format!("{path}?{needed}{name}={value}"),
                    name,
                    *status,
                )
                .await;
            }
            refused(&api, &format!("{path}?{name}=1&{name}=1"), name, 400).await;
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

async fn refused(api: &Api, path: &str, parameter: &str, status: u16) {
    let answer = api.get(path).await;
    assert_eq!(answer.status, status, "{path}: {}", answer.text);
    let problem = answer.json();
    assert_eq!(problem["parameter"], parameter, "{path}");
    assert!(problem["hint"].as_str().unwrap().len() > 10, "{path}");
    let code = problem["code"].as_str().unwrap();
    assert_eq!(problem["type"], format!("/docs/errors/{code}"), "{path}");
}
