//! The description is complete enough to make a client from: one is generated, built, installed and used.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use shared_schema::access::{Role, Scope};
use tokio::process::Command;

use crate::{
    api::{Api, now},
    callers::{guarded, key},
    python,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_generated_from_the_description_and_asks_what_the_api_answers() {
    let api = Api::over(&guarded().await, now());
    let key = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let directory = tempfile::tempdir().unwrap();
    let python = installed_client(directory.path(), &api.get("/openapi.json").await.text).await;

    let mut script = Command::new(python);
    script.arg(python::file("use_client.py"));
    let told = run(script.arg(format!("http://{}", api.address())).arg(&key)).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    let headers = [("x-api-key", key.as_str())];
    for (what, path) in [
        (
            "bookings",
            "/v1/metrics/bookings?start_date=2024-01-01&end_date=2024-01-31T23:59:59%2B01:00&tz=Europe/London&state=Lagos&include_time_series=true&granularity=weekly",
        ),
        ("definition", "/v1/definitions/conversion_rate"),
    ] {
        let answer = api.ask(reqwest::Method::GET, path, &headers).await;
        assert_eq!(told[what], answer.json(), "{what}");
    }
}

/// The Python of a virtual environment in which the client of a description is installed, from what was downloaded before.
async fn installed_client(directory: &Path, description: &str) -> PathBuf {
    let tools = python::tools().await;
    let (document, client) = (directory.join("openapi.json"), directory.join("client"));
    fs::write(&document, description).unwrap();
    let mut generate = Command::new(tools);
    generate
        .args([
            "-m",
            "openapi_python_client",
            "generate",
            "--fail-on-warning",
        ])
        .arg("--path")
        .arg(&document)
        .arg("--config")
        .arg(python::file("client.yaml"))
        .arg("--output-path")
        .arg(&client);
    run(&mut generate).await;

    let environment = directory.join("environment");
    let mut make = Command::new(tools);
    make.args(["-m", "venv", "--without-pip"]).arg(&environment);
    run(&mut make).await;
    let python = environment.join("bin/python");
    // what builds the client, and what it depends on, are among the tools
    let mut sites = Command::new(&python);
    sites.args([
        "-c",
        "import site; print(site.getsitepackages()[0], end='')",
    ]);
    let own = PathBuf::from(run(&mut sites).await);
    let shared = tools
        .ancestors()
        .nth(2)
        .unwrap()
        .join(own.strip_prefix(&environment).unwrap());
    fs::write(own.join("tools.pth"), shared.display().to_string()).unwrap();
    let mut install = Command::new("python3");
    install
        .args(["-m", "pip", "--python"])
        .arg(&python)
        .args([
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            "--no-build-isolation",
        ])
        .arg(&client);
    run(&mut install).await;
    python
}

/// What a command writes that must succeed.
async fn run(command: &mut Command) -> String {
    let output = command.kill_on_drop(true).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (written, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{written}\n{errors}",
        output.status
    );
    written
}
