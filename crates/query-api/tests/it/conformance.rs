//! Whatever is asked, the answer is one that the description has, and never an error of ours.

use std::{path::Path, process::Output};

use query_api::Config;
use serde_json::json;
use shared_schema::{
    Domain,
    access::{Role, Scope},
};
use tokio::process::Command;

use crate::{
    api::Api,
    books::books,
    callers::{LAGOS, SECRET, asked, claims, guarded, key, scope, token},
    python,
    story::Story,
};

/// All that is tried: requests that are made up for an operation, beside those that each of its parameters calls for.
const ALL: &[&str] = &["--max-examples", "10"];

/// What is tried of who sees some regions only, to whom the same parameters mean the same.
const SOME: &[&str] = &["--max-examples", "5", "--phases", "examples,fuzzing"];

/// Who tries the operations for which its role is the least, and how much.
struct Trial<'t> {
    role: Role,
    /// The header that says who it is.
    credentials: String,
    /// A count that it can open, and where the second page of its list begins.
    count: &'t Count,
    effort: &'t [&'t str],
}

struct Count {
    cell: String,
    cursor: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_one_that_the_description_has() {
    let story = Story::of(31, 3, 300);
    let api = story.settled_in(&config().await).await;
    books(&api, story.end).await;
    api.durable_up_to(&[Domain::Payment], story.len()).await;

    let of_key = async |role, scope| key(&api, role, scope, false).await;
    let viewer = of_key(Role::Viewer, Scope::Everywhere).await;
    let analyst = of_key(Role::Analyst, Scope::Everywhere).await;
    let viewer_in_lagos = of_key(Role::Viewer, scope(LAGOS)).await;
    let analyst_in_lagos = of_key(Role::Analyst, scope(LAGOS)).await;
    let mut admin = claims("admin");
    admin["exp"] = json!(story.end.timestamp() + 3600);
    admin["pii"] = json!(true);
    // no key, which it would find and revoke
    let admin = format!("Authorization: Bearer {}", token(&admin));
    let counts = (
        count(&api, &analyst).await,
        count(&api, &analyst_in_lagos).await,
    );
    let (everywhere, in_lagos) = (&counts.0, &counts.1);
    let directory = tempfile::tempdir().unwrap();
    let tries = async |role, credentials, count, effort| {
        let trial = Trial {
            role,
            credentials,
            count,
            effort,
        };
        trial.run(&api, directory.path()).await
    };
    let with = |key| format!("X-API-Key: {key}");
    let of_regions = async {
        [
            tries(Role::Viewer, with(viewer_in_lagos), in_lagos, SOME).await,
            tries(Role::Analyst, with(analyst_in_lagos), in_lagos, SOME).await,
        ]
    };
    let (viewer, analyst, of_regions) = tokio::join!(
        tries(Role::Viewer, with(viewer), everywhere, ALL),
        tries(Role::Analyst, with(analyst), everywhere, ALL),
        of_regions
    );
    // when the others are done, whose keys it finds and revokes
    let admin = tries(Role::Admin, admin, everywhere, ALL).await;
    let tried = [viewer, analyst, admin].into_iter().chain(of_regions);
    let tried: Vec<Output> = tried.collect();
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

/// A count of more than one event, for an analyst.
async fn count(api: &Api, analyst: &str) -> Count {
    let opened = "/v1/metrics/payments?include_cells=true";
    let opened = asked(api, analyst, opened).await.json();
    let cell = opened["cells"]["payments_success"].as_str().unwrap();
    let list = format!("/v1/events?limit=1&cell={cell}");
    let list = asked(api, analyst, &list).await.json();
    Count {
        cell: cell.to_owned(),
        cursor: list["next_cursor"].as_str().unwrap().to_owned(),
    }
}

impl Trial<'_> {
    async fn run(&self, api: &Api, directory: &Path) -> Output {
        Command::new(python::tools().await)
            .current_dir(directory)
            .args(["-m", "schemathesis.cli", "--config-file"])
            .arg(python::file("schemathesis.toml"))
            .args(["run", "--no-color"])
            .args(self.effort)
            .args(["--include-by", &format!("/x-role == {}", self.role)])
            .args(["--header", &self.credentials])
            .arg(format!("http://{}/openapi.json", api.address()))
            .env("SCHEMATHESIS_HOOKS", python::file("formats.py"))
            .env("CELL", &self.count.cell)
            .env("CURSOR", &self.count.cursor)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .kill_on_drop(true)
            .output()
            .await
            .unwrap()
    }
}
