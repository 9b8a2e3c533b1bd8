//! One connection to PostgreSQL, which can be given up whatever the server does.

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncPgConnection;
use std::ops::{Deref, DerefMut};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::NoTls;
use tracing::debug;

/// A connection and the task that carries its bytes.
pub(crate) struct Session {
    connection: AsyncPgConnection,
    wire: JoinHandle<()>,
}

impl Session {
    pub(crate) async fn connect(url: &str) -> ConnectionResult<Self> {
        let (client, wire) = tokio_postgres::connect(url, NoTls)
            .await
            .map_err(|error| ConnectionError::BadConnection(error.to_string()))?;
        let wire = tokio::spawn(async move {
            if let Err(error) = wire.await {
                debug!(reason = %error, "a connection to PostgreSQL broke");
            }
        });
        let connection = AsyncPgConnection::try_from(client).await?;
        Ok(Self { connection, wire })
    }

    /// Without its wire, whatever waits for the session's server fails at once.
    pub(crate) fn wire(&self) -> AbortHandle {
        self.wire.abort_handle()
    }

    /// Waits until the connection is gone.
    pub(crate) async fn ended(&mut self) {
        // aborted or panicked, it is gone as well
        let _ = (&mut self.wire).await;
    }
}

impl Deref for Session {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.connection
    }
}
