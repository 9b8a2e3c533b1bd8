//! A way to a server that can be interrupted, in one direction or both, as a partition of the network does: nothing
//! is closed, and what was held back arrives when it is over.

use crate::platform::Platform;
use ingestor::Config;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Both,
    Neither,
    OnlyToServer,
    OnlyToClient,
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    ToServer,
    ToClient,
}

impl Flow {
    fn carries(self, direction: Direction) -> bool {
        match direction {
            Direction::ToServer => matches!(self, Self::Both | Self::OnlyToServer),
            Direction::ToClient => matches!(self, Self::Both | Self::OnlyToClient),
        }
    }
}

/// The way.
pub struct Wire {
    address: String,
    flow: watch::Sender<Flow>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// To the server at `host:port`.
    pub async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let flow = watch::Sender::new(Flow::Both);
        let flows = flow.subscribe();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, server.clone(), flows.clone()));
            }
        });
        Self {
            address,
            flow,
            accepting,
        }
    }

    /// To the ClickHouse of the platform, with the settings of a member that is reached by it only.
    pub async fn to_clickhouse(platform: &Platform) -> (Self, Config) {
        let mut config = platform.config.clone();
        let url = config.clickhouse.url.clone();
        let wire = Self::to(authority(&url)).await;
        config.clickhouse.url = format!("http://{}", wire.address).parse().unwrap();
        (wire, config)
    }

    /// The same to PostgreSQL.
    pub async fn to_postgres(platform: &Platform) -> (Self, Config) {
        let mut config = platform.config.clone();
        let url: url::Url = config.postgres.url.expose().parse().unwrap();
        let server = authority(&url);
        let wire = Self::to(server.clone()).await;
        config.postgres.url = url.as_str().replace(&server, &wire.address).into();
        (wire, config)
    }

    pub fn set(&self, flow: Flow) {
        self.flow.send_replace(flow);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn authority(url: &url::Url) -> String {
    format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())
}

async fn connect(client: TcpStream, server: String, flow: watch::Receiver<Flow>) {
    // a server that is down closes the client's connection
    let Ok(server) = TcpStream::connect(&server).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        carry(from_client, to_server, Direction::ToServer, flow.clone()),
        carry(from_server, to_client, Direction::ToClient, flow),
    );
}

/// Carries bytes, and their end, while the flow allows it.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    direction: Direction,
    mut flow: watch::Receiver<Flow>,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).await.unwrap_or(0);
        if flow.wait_for(|now| now.carries(direction)).await.is_err() {
            return;
        }
        if read == 0 {
            let _ = to.shutdown().await;
            return;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
