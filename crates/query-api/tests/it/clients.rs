//! What clients may do: hold connections, be slow, and send bodies.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use service_runtime::config::HumanDuration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::api::{Api, JSON, PATIENCE, now, without_events};

async fn raw(api: &Api, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(api.address()).await.unwrap();
    let head = head.replace('\n', "\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_is_ended_and_makes_room_for_another() {
    let mut config = without_events().await;
    config.http.max_connections = 1;
    config.http.workers = 2;
    config.http.client_timeout = HumanDuration::secs(2);
    let api = Api::over(&config, now());
    let whole = api.get("/docs/swagger-ui-bundle.js").await.text.len();
    // waits for the connection of that request to end, and then reads nothing
    let page = "GET /docs/swagger-ui-bundle.js HTTP/1.1\nhost: localhost\n\n";
    let mut stalled = raw(&api, page).await;
    stalled.readable().await.unwrap();
    let began = Instant::now();
    let other = timeout(PATIENCE, api.get("/health/live")).await;
    assert_eq!(other.expect("there is room").status, 200);
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(1), "{waited:?}");
    let mut read = Vec::new();
    // whether it is reset or just ends
    let _ = stalled.read_to_end(&mut read).await;
    assert!(read.len() < whole, "{} of {whole}", read.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let mut config = without_events().await;
    config.http.client_timeout = HumanDuration::secs(1);
    let api = Api::over(&config, now());
    let head = "POST /v1/keys HTTP/1.1\nhost: localhost\ncontent-type: application/json\ncontent-length: 100\n\n{";
    let mut stream = raw(&api, head).await;
    let mut answer = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.expect("it is answered").unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("\"body_timed_out\""), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_json_that_is_said_to_be_and_can_be_decoded() {
    let api = Api::over(&without_events().await, now());
    let body = json!({"name": "a", "role": "viewer"}).to_string();
    let send = async |headers: &[(&str, &str)]| {
        api.send_body(Method::POST, "/v1/keys", headers, body.clone())
            .await
    };
    let foreign = (415, "unsupported_media_type".to_owned());
    assert_eq!(send(&[]).await.problem(), foreign);
    for other in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let answer = send(&[("content-type", other)]).await;
        assert_eq!(answer.problem(), foreign);
    }
    let packed = [JSON, ("content-encoding", "gzip")];
    let broken = (400, "unreadable_body".to_owned());
    assert_eq!(send(&packed).await.problem(), broken);
    let keys = api.json("/v1/keys").await;
    assert_eq!(keys["keys"], json!([]));
    let said = [("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(send(&said).await.status, 201);
}
