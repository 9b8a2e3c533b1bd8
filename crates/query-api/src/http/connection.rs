use std::{
    any::Any,
    cell::Cell,
    error::Error,
    net::Shutdown,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::Extensions,
    rt::{self, net::TcpStream, task::JoinHandle},
    web::Bytes,
};
use socket2::{SockRef, Socket};
use tokio::time::{Instant, sleep_until};
use tracing::warn;

/// A connection, which all of its requests know. It is ended when for so long its client takes in nothing of an answer, or
/// none of its requests is being answered: the server has no clock for the first, and for the second only until the first
/// request is there.
pub(crate) struct Connection {
    standing: Rc<Standing>,
    watch: JoinHandle<()>,
}

struct Standing {
    socket: Socket,
    answers: Cell<usize>,
    idle_since: Cell<Instant>,
}

impl Connection {
    /// Watches one that has begun.
    pub(crate) fn begin(connection: &dyn Any, extensions: &mut Extensions, timeout: Duration) {
        let Some(stream) = connection.downcast_ref::<TcpStream>() else {
            return;
        };
        let socket = SockRef::from(stream);
        // of an answer in pieces, none waits until the client has acknowledged the one before
        if let Err(error) = socket.set_tcp_nodelay(true) {
            warn!(%error, "a connection holds pieces of answers back");
        }
        let limited = socket.set_tcp_user_timeout(Some(timeout));
        match limited.and_then(|()| socket.try_clone()) {
            Ok(socket) => {
                extensions.insert(Self::watched(socket, timeout));
            }
            Err(error) => warn!(%error, "a connection has no time limit"),
        }
    }

    fn watched(socket: Socket, timeout: Duration) -> Self {
        let standing = Rc::new(Standing {
            socket,
            answers: Cell::new(0),
            idle_since: Cell::new(Instant::now()),
        });
        let watch = rt::spawn(end_when_idle(Rc::downgrade(&standing), timeout));
        Self { standing, watch }
    }

    /// One of its requests is being answered, as long as this is kept.
    pub(super) fn answering(&self) -> Answering {
        let answers = &self.standing.answers;
        answers.set(answers.get() + 1);
        Answering(Rc::clone(&self.standing))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

async fn end_when_idle(standing: Weak<Standing>, timeout: Duration) {
    let mut look = Instant::now() + timeout;
    loop {
        sleep_until(look).await;
        let Some(standing) = standing.upgrade() else {
            return;
        };
        let now = Instant::now();
        look = match standing.answers.get() {
            0 => standing.idle_since.get() + timeout,
            _ => now + timeout,
        };
        if look <= now {
            // it fails where the client has ended it
            let _ = standing.socket.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// A request is being answered.
pub(super) struct Answering(Rc<Standing>);

impl Drop for Answering {
    fn drop(&mut self) {
        let Standing {
            answers,
            idle_since,
            ..
        } = &*self.0;
        answers.set(answers.get().saturating_sub(1));
        idle_since.set(Instant::now());
    }
}

/// What is sent to a client, and until it is, that it is being answered.
pub(super) struct Sent {
    pub(super) body: BoxBody,
    pub(super) _answering: Option<Answering>,
}

impl MessageBody for Sent {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.get_mut().body.as_pin_mut().poll_next(context)
    }
}
