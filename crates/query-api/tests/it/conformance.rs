//! Whatever is asked, the answer is one that the description has, and never an error of ours.

use std::{path::Path, process::Output};

use query_api::Config;
use reqwest::Method;
use serde_json::json;
use shared_schema::access::{Role, Scope};
use tokio::process::Command;

use crate::{
    api::Api,
    books::books,
    callers::{SECRET, claims, guarded, key, token, with},
    python,
    story::Story,
};

/// Requests that are made up for an operation, beside those that each of its parameters calls for.
const EXAMPLES: &str = "10";

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_that_the_description_has() {
    let story = Story::of(31, 3, 300);
    let api = Api::over(&config().await, story.end);
    story.ingest(&api).await;
    story.settle(&api).await;
    books(&api, story.end).await;

    let of_key = async |role| key(&api, role, Scope::Everywhere, false).await;
    let mut admin = claims("admin");
    admin["exp"] = json!(story.end.timestamp() + 3600);
    admin["pii"] = json!(true);
    // no key, which it would find and revoke
    let admin = format!("Authorization: Bearer {}", token(&admin));
    let directory = tempfile::tempdir().unwrap();
    let analyst = of_key(Role::Analyst).await;
    let opened = "/v1/metrics/bookings?include_cells=true";
    let opened = with(&api, &analyst, Method::GET, opened).await.json();
    let cell = opened["cells"]["bookings_created"].as_str().unwrap();
    let tries = async |role, credentials: String| {
        try_all(&api, role, &credentials, cell, directory.path()).await
    };
    let viewer = format!("X-API-Key: {}", of_key(Role::Viewer).await);
    let analyst = format!("X-API-Key: {analyst}");
    let (viewer, analyst) =
        tokio::join!(tries(Role::Viewer, viewer), tries(Role::Analyst, analyst));
    // when the others are done, whose keys it finds and revokes
    let tried = [viewer, analyst, tries(Role::Admin, admin).await];
    for tries in &tried {
        let (told, errors) = (&tries.stdout, &tries.stderr);
        println!(
            "{}",
            String::from_utf8_lossy(&[told.as_slice(), errors].concat())
        );
    }
    assert!(tried.iter().all(|tries| tries.status.success()));
}

/// Answers are kept and requests are counted, as in operation, but as many as are made.
async fn config() -> Config {
    let mut config = guarded().await;
    config.cache.enabled = true;
    config.auth.requests_per_minute = 1_000_000;
    config.http.workers = 2;
    config.cells.secret = SECRET.into();
    config
}

/// Tries all operations for which this role is the least, with the credentials of such a caller.
async fn try_all(api: &Api, role: Role, credentials: &str, cell: &str, directory: &Path) -> Output {
    Command::new(python::tools().await)
        .current_dir(directory)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(python::file("schemathesis.toml"))
        .args(["run", "--no-color", "--max-examples", EXAMPLES])
        .args(["--include-by", &format!("/x-role == {role}")])
        .args(["--header", credentials])
        .arg(format!("http://{}/openapi.json", api.address()))
        .env("SCHEMATHESIS_HOOKS", python::file("formats.py"))
        .env("CELL", cell)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .kill_on_drop(true)
        .output()
        .await
        .unwrap()
}
