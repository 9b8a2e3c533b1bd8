use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use service_runtime::{
    health::{self, AdminError, HealthState, Heartbeat},
    lifecycle,
};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(10);

struct Admin {
    url: String,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), AdminError>>,
}

impl Admin {
    fn start(state: &HealthState) -> Self {
        lifecycle::install_crypto_provider();
        let server = health::bind("127.0.0.1:0".parse().unwrap(), state).unwrap();
        let shutdown = CancellationToken::new();
        Self {
            url: format!("http://{}", server.local_addr()),
            task: tokio::spawn(server.run(shutdown.clone())),
            shutdown,
        }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let answer = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status(), answer.json().await.unwrap())
    }

    async fn stop(self) {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

fn builder() -> health::HealthStateBuilder {
    HealthState::builder("demo", "1.2.3")
}

#[tokio::test]
async fn readiness_lists_every_check_and_fails_with_the_reason_when_one_fails() {
    let up = Arc::new(AtomicBool::new(false));
    let store = Arc::clone(&up);
    let state = builder()
        .check("kafka", || async { Ok(()) })
        .check("clickhouse", move || {
            let up = store.load(Ordering::Relaxed);
            async move {
                if up {
                    Ok(())
                } else {
                    Err("no connection".to_owned())
                }
            }
        })
        .build();
    let admin = Admin::start(&state);
    let (status, body) = admin.get("/health/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let checks = json!([
        { "name": "kafka", "status": "ok" },
        { "name": "clickhouse", "status": "failed", "reason": "no connection" },
    ]);
    assert_eq!(
        body,
        json!({ "ready": false, "draining": false, "checks": checks })
    );
    up.store(true, Ordering::Relaxed);
    // an answer is shown for a moment
    let told = async {
        while admin.get("/health/ready").await.0 != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(1), told)
        .await
        .expect("it is found ready");
    admin.stop().await;
}

#[tokio::test]
async fn dependencies_are_asked_seldom_however_many_look() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let state = builder()
        .check("store", move || {
            count.fetch_add(1, Ordering::Relaxed);
            async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                Ok(())
            }
        })
        .build();
    let admin = Admin::start(&state);
    let begin = Instant::now();
    for path in ["/health", "/health/ready"] {
        let looks = join_all((0..50).map(|_| admin.get(path))).await;
        assert!(looks.iter().all(|(status, _)| *status == StatusCode::OK));
    }
    let most = 1 + begin.elapsed().as_millis() / 500;
    assert!((1..=most).contains(&(asked.load(Ordering::Relaxed) as u128)));
    admin.stop().await;
}

#[tokio::test]
async fn slow_checks_run_side_by_side_and_each_has_its_deadline() {
    let never = || std::future::pending::<Result<(), String>>();
    let deadline = Duration::from_millis(300);
    let mut building = builder();
    for name in ["kafka", "clickhouse", "postgres", "redis"] {
        building = building.check_within(deadline, name, never);
    }
    let admin = Admin::start(&building.build());
    let begin = Instant::now();
    let (status, body) = admin.get("/health/ready").await;
    let took = begin.elapsed();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["checks"][3]["reason"], "no answer within 300ms");
    assert!(took >= deadline && took < deadline * 3, "{took:?}");
    admin.stop().await;
}

#[tokio::test]
async fn a_failing_dependency_does_not_make_the_process_dead() {
    let state = builder()
        .check("kafka", || async { Err("no connection".to_owned()) })
        .build();
    let admin = Admin::start(&state);
    assert_eq!(
        admin.get("/health/live").await,
        (StatusCode::OK, json!({ "live": true, "loops": [] }))
    );
    admin.stop().await;
}

#[tokio::test]
async fn a_loop_that_no_longer_beats_makes_the_process_dead_until_it_beats_again() {
    let heartbeat = Heartbeat::new();
    let state = builder()
        .watch("poll", &heartbeat, Duration::from_millis(200))
        .build();
    let admin = Admin::start(&state);
    heartbeat.beat();
    assert_eq!(admin.get("/health/live").await.0, StatusCode::OK);
    let silent = async {
        while admin.get("/health/live").await.0 == StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, silent).await.expect("it is found dead");
    let (status, body) = admin.get("/health/live").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        (&body["live"], &body["loops"][0]["name"]),
        (&json!(false), &json!("poll"))
    );
    assert!(
        body["loops"][0]["age_seconds"].as_f64().unwrap() > 0.2,
        "{body}"
    );
    heartbeat.clone().beat();
    assert_eq!(admin.get("/health/live").await.0, StatusCode::OK);
    admin.stop().await;
}

#[tokio::test]
async fn a_draining_process_is_live_but_not_ready() {
    let state = builder().build();
    let admin = Admin::start(&state);
    assert_eq!(admin.get("/health/ready").await.0, StatusCode::OK);
    state.start_draining();
    let (status, body) = admin.get("/health/ready").await;
    assert_eq!(
        (status, &body["draining"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(true))
    );
    assert_eq!(admin.get("/health/live").await.0, StatusCode::OK);
    admin.stop().await;
}

#[tokio::test]
async fn what_a_process_works_without_is_shown_and_does_not_decide() {
    let state = builder()
        .optional("redis", || async { Err("no connection".to_owned()) })
        .check("postgres", || async { Ok(()) })
        .build();
    let admin = Admin::start(&state);
    let (status, body) = admin.get("/health/ready").await;
    assert_eq!((status, &body["ready"]), (StatusCode::OK, &json!(true)));
    assert_eq!(
        body["checks"],
        json!([
            {"name": "redis", "status": "failed", "reason": "no connection", "optional": true},
            {"name": "postgres", "status": "ok"},
        ])
    );
    admin.stop().await;
}

#[tokio::test]
async fn the_summary_names_version_and_uptime_and_answers_even_when_something_is_wrong() {
    let state = builder()
        .check("kafka", || async { Err("no connection".to_owned()) })
        .build();
    let admin = Admin::start(&state);
    let (status, body) = admin.get("/health").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&body["service"], &body["version"]),
        (&json!("demo"), &json!("1.2.3"))
    );
    assert_eq!(body["status"], "not_ready");
    assert!(body["uptime_seconds"].as_u64().unwrap() < 60, "{body}");
    admin.stop().await;
}

#[tokio::test]
async fn probes_may_use_head_and_other_methods_are_refused() {
    let admin = Admin::start(&builder().build());
    for path in ["/health", "/health/live", "/health/ready", "/metrics"] {
        let ask = |method: Method| {
            reqwest::Client::new()
                .request(method, format!("{}{path}", admin.url))
                .send()
        };
        assert_eq!(
            ask(Method::HEAD).await.unwrap().status(),
            StatusCode::OK,
            "{path}"
        );
        let refused = ask(Method::POST).await.unwrap();
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(refused.headers()["allow"], "GET, HEAD", "{path}");
    }
    admin.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named_with_the_setting_that_changes_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = health::serve(address, &builder().build(), CancellationToken::new())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains(&address.to_string()), "{error}");
    assert!(error.contains("OPENRIDE_ADMIN_LISTEN"), "{error}");
}
