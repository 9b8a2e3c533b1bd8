//! A server that publishes keys, or fails to.

use std::{
    convert::Infallible,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{App, HttpResponse, HttpServer, http::StatusCode, web};
use futures::{StreamExt, stream};
use tokio::task::JoinHandle;

/// What the server does when it is asked.
#[derive(Clone, Debug)]
pub(super) enum Conduct {
    /// It sends this.
    Send(String),
    /// It sends this piece after piece, without saying how long it will be.
    Stream(String),
    /// It sends this status and this text.
    Refuse(u16, String),
    /// It sends whoever asks elsewhere.
    Redirect(String),
    /// It says nothing.
    Hang,
    /// It begins to answer.
    HangInBody,
}

/// A running server. It ends with the test.
pub(super) struct Issuer {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    conduct: Arc<Mutex<Conduct>>,
    _running: JoinHandle<std::io::Result<()>>,
}

impl Issuer {
    pub(super) fn start(conduct: Conduct) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let conduct = Arc::new(Mutex::new(conduct));
        let shared = web::Data::new((asked.clone(), conduct.clone()));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .default_service(web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .bind(("127.0.0.1", 0))
        .unwrap();
        Self {
            address: server.addrs()[0],
            asked,
            conduct,
            _running: tokio::spawn(server.run()),
        }
    }

    /// One that publishes these keys.
    pub(super) fn publishing(keys: &[serde_json::Value]) -> Self {
        Self::start(Conduct::Send(super::forge::set(keys)))
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// How often it was asked for anything.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What it does from now on.
    pub(super) fn now_does(&self, conduct: Conduct) {
        *self.conduct.lock().unwrap() = conduct;
    }

    pub(super) fn now_publishes(&self, keys: &[serde_json::Value]) {
        self.now_does(Conduct::Send(super::forge::set(keys)));
    }
}

type Shared = (Arc<AtomicUsize>, Arc<Mutex<Conduct>>);

async fn answer(shared: web::Data<Shared>) -> HttpResponse {
    let (asked, conduct) = shared.get_ref();
    asked.fetch_add(1, Ordering::SeqCst);
    let conduct = conduct.lock().unwrap().clone();
    let bytes = |text: &str| Ok::<_, Infallible>(web::Bytes::copy_from_slice(text.as_bytes()));
    match conduct {
        Conduct::Send(text) => HttpResponse::Ok().body(text),
        Conduct::Stream(text) => {
            let pieces: Vec<_> = text
                .as_bytes()
                .chunks(64 * 1024)
                .map(|piece| Ok::<_, Infallible>(web::Bytes::copy_from_slice(piece)))
                .collect();
            HttpResponse::Ok().streaming(stream::iter(pieces))
        }
        Conduct::Refuse(status, text) => {
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(text)
        }
        Conduct::Redirect(target) => HttpResponse::Found()
            .insert_header(("location", target))
            .finish(),
        Conduct::Hang => std::future::pending().await,
        Conduct::HangInBody => {
            let begun = stream::once(std::future::ready(bytes("{\"keys\":[")));
            HttpResponse::Ok().streaming(begun.chain(stream::pending()))
        }
    }
}

/// A URL at which nobody listens.
pub(super) fn nobody() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}/keys", listener.local_addr().unwrap())
}
