//! A way to a server that loses replies, tears requests and holds both back.

use crate::platform::{PATIENCE, Platform};
use ingestor::Config;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What happens to the request that a proxy was told to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The server does it; its reply is lost with the connection.
    LoseReply,
    /// The server does it; its reply does not come before the proxy is healed.
    HoldReply,
    /// The connection breaks after so many bytes.
    Tear(usize),
    /// So many bytes arrive, and the others not before the proxy is healed.
    Hold(usize),
}

struct Plan {
    words: String,
    after: usize,
    fault: Fault,
}

/// How far a planned fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Waiting,
    Struck,
    Healed,
    /// The server has done, or refused, what was held back.
    Over,
}

/// A proxy before a server.
pub struct Proxy {
    address: String,
    plan: Arc<Mutex<Option<Plan>>>,
    stage: watch::Sender<Stage>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Before the server at `host:port`.
    pub async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let plan: Arc<Mutex<Option<Plan>>> = Arc::default();
        let stage = watch::Sender::new(Stage::Waiting);
        let (server, plans, stages) = (server.to_owned(), plan.clone(), stage.clone());
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, plan, stage) = (server.clone(), plans.clone(), stages.clone());
                tokio::spawn(async move {
                    Connection {
                        server,
                        plan,
                        stage,
                    }
                    .carry(client)
                    .await
                });
            }
        });
        Self {
            address,
            plan,
            stage,
            accepting,
        }
    }

    /// Before the ClickHouse of the platform, with the settings of a member that goes through it.
    pub async fn before_clickhouse(platform: &Platform) -> (Self, Config) {
        let mut config = platform.config.clone();
        let url = &config.clickhouse.url;
        let proxy = Self::before(&format!(
            "{}:{}",
            url.host_str().unwrap(),
            url.port().unwrap()
        ))
        .await;
        config.clickhouse.url = format!("http://{}", proxy.address).parse().unwrap();
        (proxy, config)
    }

    /// Before the PostgreSQL of the platform, with the settings of a member that goes through it.
    pub async fn before_postgres(platform: &Platform) -> (Self, Config) {
        let mut config = platform.config.clone();
        let url: url::Url = config.postgres.url.expose().parse().unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let proxy = Self::before(&server).await;
        config.postgres.url = url.as_str().replace(&server, &proxy.address).into();
        (proxy, config)
    }

    /// The request that contains the words, once `after` such requests went through, suffers the fault.
    pub fn plan(&self, words: &str, after: usize, fault: Fault) {
        self.stage.send_replace(Stage::Waiting);
        *self.plan.lock().unwrap() = Some(Plan {
            words: words.to_owned(),
            after,
            fault,
        });
    }

    /// Waits until the fault has happened.
    pub async fn struck(&self) {
        self.reach(Stage::Struck).await;
    }

    /// Lets through what is held back.
    pub fn heal(&self) {
        self.stage.send_replace(Stage::Healed);
    }

    /// Waits until the server has answered what was held back, or closed the connection.
    pub async fn over(&self) {
        self.reach(Stage::Over).await;
    }

    async fn reach(&self, stage: Stage) {
        let mut stages = self.stage.subscribe();
        let reached = stages.wait_for(|now| *now >= stage);
        assert!(
            tokio::time::timeout(PATIENCE, reached).await.is_ok(),
            "the proxy never came to {stage:?}"
        );
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Connection {
    server: String,
    plan: Arc<Mutex<Option<Plan>>>,
    stage: watch::Sender<Stage>,
}

impl Connection {
    async fn carry(&self, mut client: TcpStream) {
        // a server that is down closes the client's connection
        let Ok(mut server) = TcpStream::connect(&self.server).await else {
            return;
        };
        let (mut request, mut reply) = (vec![0; 256 * 1024], vec![0; 256 * 1024]);
        loop {
            tokio::select! {
                read = client.read(&mut request) => {
                    let bytes = &request[..read.unwrap_or(0)];
                    if let Some(fault) = self.strike(bytes) {
                        return self.suffer(fault, bytes, client, server).await;
                    }
                    if bytes.is_empty() || server.write_all(bytes).await.is_err() { return }
                }
                read = server.read(&mut reply) => {
                    let bytes = &reply[..read.unwrap_or(0)];
                    if bytes.is_empty() || client.write_all(bytes).await.is_err() { return }
                }
            }
        }
    }

    /// The fault, if these bytes begin the request that is waited for.
    fn strike(&self, bytes: &[u8]) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let waiting = plan.as_mut()?;
        let words = waiting.words.as_bytes();
        if !bytes.windows(words.len()).any(|window| window == words) {
            return None;
        }
        if waiting.after > 0 {
            waiting.after -= 1;
            return None;
        }
        plan.take().map(|plan| plan.fault)
    }

    async fn suffer(&self, fault: Fault, first: &[u8], client: TcpStream, server: TcpStream) {
        match fault {
            Fault::LoseReply | Fault::HoldReply => {
                self.withhold(fault, first, client, server).await
            }
            Fault::Tear(limit) | Fault::Hold(limit) => {
                self.cut(fault, limit, first, client, server).await
            }
        }
    }

    /// The request goes through, its reply does not.
    async fn withhold(
        &self,
        fault: Fault,
        first: &[u8],
        mut client: TcpStream,
        mut server: TcpStream,
    ) {
        if server.write_all(first).await.is_err() {
            return;
        }
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let mut reply = vec![0; 256 * 1024];
        let answered = async {
            let read = from_server.read(&mut reply).await.unwrap_or(0);
            &reply[..read]
        };
        // what is left of the request goes on until the server answers, even if the client is gone
        let rest = async {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
            std::future::pending::<()>().await;
        };
        let reply = tokio::select! { reply = answered => reply, () = rest => &[] };
        self.stage.send_replace(Stage::Struck);
        if fault == Fault::HoldReply {
            self.healed().await;
            let _ = to_client.write_all(reply).await;
        }
        self.stage.send_replace(Stage::Over);
    }

    /// The request arrives in part; the rest comes late or never.
    async fn cut(
        &self,
        fault: Fault,
        limit: usize,
        first: &[u8],
        mut client: TcpStream,
        mut server: TcpStream,
    ) {
        let mut held = first.to_vec();
        while held.len() < limit {
            let mut more = vec![0; 64 * 1024];
            match client.read(&mut more).await {
                Ok(0) | Err(_) => panic!("the request ends after {} bytes", held.len()),
                Ok(read) => held.extend_from_slice(&more[..read]),
            }
        }
        let early = limit;
        if early > 0 {
            server.write_all(&held[..early]).await.unwrap();
        }
        self.stage.send_replace(Stage::Struck);
        if matches!(fault, Fault::Tear(_)) {
            return;
        }
        self.healed().await;
        if early == 0 {
            // nothing of it has arrived, so that it may arrive at a server that was restarted meanwhile
            let Ok(fresh) = TcpStream::connect(&self.server).await else {
                return;
            };
            server = fresh;
        }
        if server.write_all(&held[early..]).await.is_ok() {
            self.go_on(client, server).await;
        }
        self.stage.send_replace(Stage::Over);
    }

    /// The rest of the request, from a client that may be dead, halted or waiting, and the reply.
    async fn go_on(&self, mut client: TcpStream, mut server: TcpStream) {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let rest = async {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
            std::future::pending::<()>().await;
        };
        let reply = async {
            let mut bytes = vec![0; 256 * 1024];
            while let Ok(read @ 1..) = from_server.read(&mut bytes).await {
                self.stage.send_replace(Stage::Over);
                // nobody may be there to read it
                let _ = to_client.write_all(&bytes[..read]).await;
            }
        };
        tokio::select! { () = rest => {}, () = reply => {} }
    }

    async fn healed(&self) {
        let _ = self
            .stage
            .subscribe()
            .wait_for(|now| *now >= Stage::Healed)
            .await;
    }
}
