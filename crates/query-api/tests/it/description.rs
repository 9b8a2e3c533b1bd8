//! What the API says of itself is true, and can be read without a network.

use chrono::DateTime;
use reqwest::Method;
use serde_json::Value;

use crate::api::Api;

#[tokio::test(flavor = "multi_thread")]
async fn every_described_path_is_answered_and_its_example_has_the_fields_of_the_answer() {
    let api = Api::start(DateTime::from_timestamp(1_781_518_830, 0).unwrap()).await;
    let description = api.json("/openapi.json").await;
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 19);
    let made = done(
        &api,
        Method::POST,
        "/v1/keys",
        &paths["/v1/keys"]["post"],
        "201",
    )
    .await;
    let key = made["id"].as_str().unwrap();
    let rotate = format!("/v1/keys/{key}/rotate");
    let operation = &paths["/v1/keys/{id}/rotate"]["post"];
    done(&api, Method::POST, &rotate, operation, "200").await;
    for (path, operations) in paths.iter().filter(|(_, does)| does["get"].is_object()) {
        let path = &asked(path, key);
        let answer = api.json(path).await;
        answer_is_described(path, &operations["get"], "200", &answer);
        for parameter in operations["get"]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert!(
                parameter["description"].as_str().unwrap().len() > 10,
                "{path} {parameter}"
            );
            bounds_are_kept(&api, path, parameter).await;
        }
    }
}

/// Does what an operation's example of a body asks for.
async fn done(api: &Api, method: Method, path: &str, operation: &Value, status: &str) -> Value {
    let body = &operation["requestBody"]["content"]["application/json"]["example"];
    let answer = api.send_body(method, path, &[], body.to_string()).await;
    assert_eq!(answer.status.to_string(), status, "{path}: {}", answer.text);
    answer_is_described(path, operation, status, &answer.json());
    answer.json()
}

/// The example has the fields of the answer, and every problem is described.
fn answer_is_described(path: &str, operation: &Value, status: &str, answer: &Value) {
    let example = &operation["responses"][status]["content"]["application/json"]["example"];
    let fields =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(fields(example), fields(answer), "{path}");
    for status in ["400", "401", "403", "422", "429", "500", "503"] {
        let problem = &operation["responses"][status]["content"]["application/problem+json"];
        assert_eq!(
            problem["schema"]["$ref"], "#/components/schemas/Problem",
            "{path} {status}"
        );
    }
}

/// A request that is answered with everything that an example shows.
fn asked(path: &str, key: &str) -> String {
    match path {
        "/v1/analytics/trends" => {
            format!("{path}?metric=bookings_created&compare=previous_period")
        }
        _ => path
            .replace("{metric}", "conversion_rate")
            .replace("{id}", key),
    }
}

/// What is described as the least and the greatest of a parameter is allowed, and nothing beyond.
async fn bounds_are_kept(api: &Api, path: &str, parameter: &Value) {
    let bound = |name: &str| parameter["schema"][name].as_i64();
    let (Some(least), Some(greatest)) = (bound("minimum"), bound("maximum")) else {
        return;
    };
    let name = parameter["name"].as_str().unwrap();
    for (value, status) in [
        (least - 1, 422),
        (least, 200),
        (greatest, 200),
        (greatest + 1, 422),
    ] {
        let answer = api.get(&format!("{path}?{name}={value}")).await;
        assert_eq!(answer.status, status, "{path}?{name}={value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_served_from_this_machine() {
    let api = Api::start(DateTime::from_timestamp(1_781_518_830, 0).unwrap()).await;
    let answer = api.get("/docs").await;
    assert_eq!((answer.status, answer.header("location")), (308, "/docs/"));
    let page = api.get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(
        !page.text.contains("https://") && !page.text.contains("http://"),
        "{}",
        page.text
    );
    assert_eq!(api.get("/docs/swagger-ui-bundle.js").await.status, 200);
    let script = api.get("/docs/swagger-initializer.js").await;
    assert!(script.text.contains("/openapi.json"), "{}", script.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_type_of_every_described_problem_is_a_page_that_explains_it() {
    let api = Api::start(DateTime::from_timestamp(1_781_518_830, 0).unwrap()).await;
    let description = api.json("/openapi.json").await;
    let responses = &description["paths"]["/v1/metrics/users"]["get"]["responses"];
    let list = api.get("/docs/errors").await;
    assert_eq!(list.status, 200);
    let mut explained = 0;
    for (status, codes) in [
        ("400", 3),
        ("401", 1),
        ("403", 2),
        ("422", 8),
        ("429", 1),
        ("500", 1),
        ("503", 4),
    ] {
        let text = responses[status]["description"].as_str().unwrap();
        let names: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
        assert_eq!(names.len(), codes, "{text}");
        for name in names {
            let page = api.get(&format!("/docs/errors/{name}")).await;
            assert_eq!(page.status, 200, "{name}");
            assert!(page.text.contains(status), "{name}: {}", page.text);
            assert!(list.text.contains(&format!("/docs/errors/{name}\"")));
            explained += 1;
        }
    }
    assert_eq!(explained, 20);
    let nothing = api.get("/docs/errors/no_such_code").await;
    assert_eq!(nothing.status, 404);
    assert_eq!(nothing.json()["type"], "/docs/errors/not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_at_the_root() {
    let api = Api::start(DateTime::from_timestamp(1_781_518_830, 0).unwrap()).await;
    for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
}
