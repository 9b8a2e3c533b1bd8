//! What clients may do: hold connections, be slow, and send bodies.

use std::time::{Duration, Instant};

use devstack::{Flow, Server};
use reqwest::Method;
use serde_json::json;
use service_runtime::config::HumanDuration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    api::{Api, JSON, PATIENCE, databases, now, without_events},
    wire::through_wire,
};

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
    // more than the system takes in for who reads nothing; it waits for the connection of that request to end
    let pages = 32;
    let page = "GET /docs/swagger-ui-bundle.js HTTP/1.1\nhost: localhost\n\n";
    let mut stalled = raw(&api, &page.repeat(pages)).await;
    stalled.readable().await.unwrap();
    let began = Instant::now();
    let other = timeout(PATIENCE, api.get("/health/live")).await;
    assert_eq!(other.expect("there is room").status, 200);
    let waited = began.elapsed();
    assert!(waited > Duration::from_secs(1), "{waited:?}");
    let mut read = Vec::new();
    // whether it is reset or just ends
    let _ = stalled.read_to_end(&mut read).await;
    let whole = pages * whole;
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

/// Sends this, the rest after an answer, and nothing more: what the API sends before it ends the connection.
async fn ended(api: &Api, asked: &[&str]) -> String {
    let mut stream = raw(api, asked[0]).await;
    let mut answer = vec![0; 64 * 1024];
    let read = stream.read(&mut answer).await.unwrap();
    answer.truncate(read);
    for asked in &asked[1..] {
        stream.write_all(asked.as_bytes()).await.unwrap();
    }
    let rest = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // whether it is reset or just ends
    assert!(rest.is_ok(), "{asked:?}");
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_whose_client_asks_for_nothing_is_ended() {
    let mut config = without_events().await;
    config.http.client_timeout = HumanDuration::secs(1);
    let api = Api::over(&config, now());
    let live = "GET /health/live HTTP/1.1\nhost: localhost\n\n";
    let chunked = "GET /health/live HTTP/1.1\nhost: localhost\ntransfer-encoding: chunked\n\n";
    let late = "POST /v1/keys HTTP/1.1\nhost: localhost\ntransfer-encoding: chunked\ncontent-type: application/json\n\n";
    for (asked, status) in [
        // half of a second head
        (&[live, "G"][..], 200),
        // a body that nobody waits for, and one that somebody does
        (&[chunked][..], 200),
        (&[late][..], 408),
    ] {
        let answer = ended(&api, asked).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_not_read_for_ever() {
    let mut config = without_events().await;
    config.http.client_timeout = HumanDuration::secs(1);
    let api = Api::over(&config, now());
    let head = "GET /health/live HTTP/1.1\nhost: localhost\ntransfer-encoding: chunked\n\n";
    let (mut read, mut write) = raw(&api, head).await.into_split();
    let send = async {
        while write.write_all(b"4\r\nmore\r\n").await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let mut answer = Vec::new();
    let ended = timeout(PATIENCE, async {
        tokio::join!(send, read.read_to_end(&mut answer))
    });
    let _ = ended.await.expect("the connection is ended");
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_while_its_requests_are_answered() {
    let mut config = databases().await;
    config.http.client_timeout = HumanDuration::millis(500);
    let wire = through_wire(&mut config, Server::ClickHouse).await;
    let api = Api::over(&config, now());
    wire.set(Flow::Slow(Duration::from_secs(2)));
    let ask = "GET /v1/metrics/drivers HTTP/1.1\nhost: localhost\n\n";
    let mut stream = raw(&api, ask).await;
    let mut answer = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut answer))
        .await
        .expect("it is answered")
        .unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
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
