//! A way to a server that can be interrupted, in one direction or both, as a partition of the network does: nothing
//! is closed, and what was held back arrives when it is over. Or it is slow.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::sleep,
};
use url::Url;

/// What gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Everything.
    Both,
    /// Nothing.
    Neither,
    /// What the client sends.
    OnlyToServer,
    /// What the server sends.
    OnlyToClient,
    /// Everything, and what the client sends so much later.
    Slow(Duration),
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    ToServer,
    ToClient,
}

impl Flow {
    fn carries(self, direction: Direction) -> bool {
        match direction {
            Direction::ToServer => !matches!(self, Self::Neither | Self::OnlyToClient),
            Direction::ToClient => !matches!(self, Self::Neither | Self::OnlyToServer),
        }
    }

    fn delay(self, direction: Direction) -> Duration {
        match (self, direction) {
            (Self::Slow(delay), Direction::ToServer) => delay,
            _ => Duration::ZERO,
        }
    }
}

/// The way, until it is dropped.
pub struct Wire {
    flow: watch::Sender<Flow>,
    accepting: JoinHandle<()>,
}

/// Why there is no way.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The URL names no host and port.
    #[error("the URL names no host and port: {0}")]
    Nowhere(String),
    /// No port of this machine can be listened on.
    #[error(transparent)]
    Listen(#[from] std::io::Error),
}

impl Wire {
    /// To the server of this URL; the other URL leads there by this way.
    ///
    /// # Errors
    /// When the URL names no host and port, or no port is free.
    pub async fn to(url: &str) -> Result<(Self, String), WireError> {
        let nowhere = || WireError::Nowhere(url.to_owned());
        let mut through: Url = url.parse().map_err(|_| nowhere())?;
        let (host, port) = through.host_str().zip(through.port()).ok_or_else(nowhere)?;
        let server = format!("{host}:{port}");
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let own = listener.local_addr()?.port();
        through.set_host(Some("127.0.0.1")).map_err(|_| nowhere())?;
        through.set_port(Some(own)).map_err(|()| nowhere())?;
        let flow = watch::Sender::new(Flow::Both);
        let flows = flow.subscribe();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connect(client, server.clone(), flows.clone()));
            }
        });
        Ok((Self { flow, accepting }, through.into()))
    }

    /// Lets this through from now on.
    pub fn set(&self, flow: Flow) {
        self.flow.send_replace(flow);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
    }
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
        let delay = flow.borrow().delay(direction);
        sleep(delay).await;
        if flow.wait_for(|now| now.carries(direction)).await.is_err() {
            return;
        }
        if read == 0 {
            let _ = to.shutdown().await;
            return;
        }
        if to
            .write_all(bytes.get(..read).unwrap_or_default())
            .await
            .is_err()
        {
            return;
        }
    }
}
