//! What the API says of itself is true, and can be read without a network.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use shared_schema::access::{Role, Scope};

use crate::{
    api::{Api, JSON, now, without_events},
    callers::{guarded, key, with},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_described_path_is_answered_and_its_example_has_the_fields_of_the_answer() {
    let api = Api::start(now()).await;
    let description = api.json("/openapi.json").await;
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 20);
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
        let path = &asked(&api, path, key).await;
        let answer = api.json(path).await;
        answer_is_described(path, &operations["get"], "200", &answer);
        for parameter in operations["get"]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            bounds_are_kept(&api, path, parameter).await;
        }
    }
}

/// Does what an operation's example of a body asks for.
async fn done(api: &Api, method: Method, path: &str, operation: &Value, status: &str) -> Value {
    let body = &operation["requestBody"]["content"]["application/json"]["example"];
    let answer = api.send_body(method, path, &[JSON], body.to_string()).await;
    assert_eq!(answer.status.to_string(), status, "{path}: {}", answer.text);
    answer_is_described(path, operation, status, &answer.json());
    answer.json()
}

/// The example has the fields of the answer.
fn answer_is_described(path: &str, operation: &Value, status: &str, answer: &Value) {
    let example = &operation["responses"][status]["content"]["application/json"]["example"];
    let fields =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(fields(example), fields(answer), "{path}");
}

/// A request that is answered with everything that an example shows.
async fn asked(api: &Api, path: &str, key: &str) -> String {
    match path {
        "/v1/events" => {
            let answer = api.json("/v1/metrics/bookings?include_cells=true").await;
            let cell = answer["cells"]["bookings_created"].as_str().unwrap();
            format!("{path}?cell={cell}")
        }
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
        let given = if path.contains('?') { '&' } else { '?' };
        let answer = api.get(&format!("{path}{given}{name}={value}")).await;
        assert_eq!(answer.status, status, "{path}{given}{name}={value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_served_from_this_machine() {
    let api = Api::over(&without_events().await, now());
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
    let api = Api::over(&without_events().await, now());
    let description = api.json("/openapi.json").await;
    let examples = &description["components"]["examples"];
    let mut described = BTreeSet::new();
    for (_, operation) in operations(&description) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let problem = &response["content"]["application/problem+json"];
            let codes = response["x-codes"].as_array();
            assert_eq!(problem.is_object(), codes.is_some(), "{response}");
            for code in codes.into_iter().flatten() {
                let code = code.as_str().unwrap();
                assert!(problem["examples"][code]["$ref"].is_string(), "{code}");
                assert_eq!(examples[code]["value"]["status"].to_string(), *status);
                described.insert(code);
            }
        }
    }
    let list = api.get("/docs/errors").await;
    assert_eq!(list.status, 200);
    for (code, example) in examples.as_object().unwrap() {
        let problem = &example["value"];
        let page = api.get(problem["type"].as_str().unwrap()).await;
        assert_eq!(page.status, 200, "{code}");
        let status = problem["status"].to_string();
        assert!(page.text.contains(&status), "{code}: {}", page.text);
        assert!(list.text.contains(&format!("/docs/errors/{code}\"")));
    }
    // of a path, and of no operation
    described.extend(["method_not_allowed", "preflight_refused"]);
    let explained: BTreeSet<&str> = examples
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(described, explained);
    let nothing = api.get("/docs/errors/no_such_code").await;
    assert_eq!(nothing.status, 404);
    assert_eq!(nothing.json()["type"], "/docs/errors/not_found");
}

#[test]
fn every_operation_says_all_that_a_client_needs() {
    let description = serde_json::to_value(query_api::openapi()).unwrap();
    let mut ids = BTreeSet::new();
    for (path, operation) in operations(&description) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} twice");
        for text in ["summary", "description"] {
            assert!(
                operation[text].as_str().is_some_and(|said| said.len() > 5),
                "{id}: {text}"
            );
        }
        let role = operation["x-role"].as_str().unwrap();
        let needs = format!("Needs a key or token of the role `{role}`");
        assert!(
            operation["description"].as_str().unwrap().contains(&needs),
            "{id}"
        );
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let said = parameter["description"].as_str().unwrap();
            assert!(said.len() > 10, "{path} {parameter}");
            let shown = [&parameter["example"], &parameter["schema"]["default"]];
            assert!(
                shown.iter().any(|value| !value.is_null()),
                "{id}: {parameter}"
            );
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                response["headers"]["X-Request-Id"].is_object(),
                "{id} {status}"
            );
            let contents = response["content"].as_object().into_iter().flatten();
            assert!(
                status == "304" || contents.clone().count() == 1,
                "{id} {status}"
            );
            for (_, content) in contents {
                let examples = [&content["example"], &content["examples"]];
                assert!(content["schema"].is_object(), "{id} {status}");
                assert!(
                    examples.iter().any(|value| !value.is_null()),
                    "{id} {status}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_that_an_operation_names_is_the_least_that_may() {
    let api = Api::over(&guarded().await, now());
    let mut keys = Vec::new();
    for role in Role::ALL {
        keys.push((role, key(&api, role, Scope::Everywhere, false).await));
    }
    let description = api.json("/openapi.json").await;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let least = operation["x-role"].as_str().unwrap();
            let method: Method = method.to_uppercase().parse().unwrap();
            for (role, key) in &keys {
                let answer = with(&api, key, method.clone(), path).await;
                if *role >= Role::parse(least).unwrap() {
                    let status = answer.status;
                    let is_let_in = status < 500 && ![401, 403].contains(&status);
                    assert!(is_let_in, "{role} {method} {path}: {status}");
                    continue;
                }
                let problem = answer.json();
                let told = (answer.status, problem["code"].as_str());
                assert_eq!(told, (403, Some("forbidden")), "{role} {method} {path}");
                assert!(
                    problem["hint"].as_str().unwrap().contains(least),
                    "{problem}"
                );
            }
        }
    }
}

/// Every operation of a description, with its path.
fn operations(description: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let paths = description["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().values();
        methods.map(move |operation| (path.as_str(), operation))
    })
}
