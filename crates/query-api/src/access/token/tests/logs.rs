use std::{
    io,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt};

use super::{
    by_url,
    forge::{FIRST, SECOND, jwk, rs256},
    issuer::{Conduct, Issuer, nobody},
    now,
};

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn count(&self, piece: &str) -> usize {
        self.text().matches(piece).count()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// For this thread, as long as the guard is there.
fn listen() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(lines.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
    (lines, tracing::subscriber::set_default(subscriber))
}

const FAILS: &str = "the keys of tokens cannot be fetched";
const WORKS: &str = "the keys of tokens can be fetched again";

#[tokio::test]
async fn a_series_of_failures_is_one_line_and_its_end_another() {
    let (lines, _guard) = listen();
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&format!("{}?code=hidden-key#hidden-key", issuer.url()));
    let (good, unknown) = (rs256("first", FIRST), rs256("unknown", SECOND));
    let at = |minutes| now() + TimeDelta::minutes(minutes);
    assert!(verifier.verify(&good, at(0)).await.is_ok());
    assert_eq!((lines.count(FAILS), lines.count(WORKS)), (0, 0));
    for series in 1..=2 {
        issuer.now_does(Conduct::Refuse(500, "hidden-body".to_owned()));
        for minute in 1..=3 {
            let at = at(series * 10 + minute);
            assert!(verifier.verify(&unknown, at).await.is_err());
        }
        issuer.now_publishes(&[jwk("first", FIRST)]);
        for minute in 4..=5 {
            let at = at(series * 10 + minute);
            assert!(verifier.verify(&unknown, at).await.is_err());
        }
    }
    let text = lines.text();
    assert_eq!((lines.count(FAILS), lines.count(WORKS)), (2, 2), "{text}");
    assert!(text.contains("500"), "{text}");
    assert!(text.contains("/keys"), "{text}");
    for secret in ["hidden-key", "hidden-body", "code="] {
        assert!(!text.contains(secret), "{text}");
    }
    for token in [good, unknown] {
        for part in token.split('.') {
            assert!(!text.contains(part), "{text}");
        }
    }
    assert!(!text.contains("unknown"), "{text}");
}

#[tokio::test]
async fn a_failure_tells_its_cause_without_the_query() {
    let (lines, _guard) = listen();
    let verifier = by_url(&format!("{}?code=hidden-key", nobody()));
    let verified = verifier.verify(&rs256("first", FIRST), now()).await;
    assert!(verified.is_err());
    let text = lines.text();
    assert!(text.contains("refused"), "{text}");
    assert!(!text.contains("hidden-key"), "{text}");
}

#[tokio::test]
async fn a_set_without_fit_keys_is_told_once() {
    let (lines, _guard) = listen();
    let issuer = Issuer::publishing(&[]);
    let verifier = by_url(&issuer.url());
    for minutes in 0..3 {
        let now = now() + TimeDelta::minutes(minutes);
        let verified = verifier.verify(&rs256("first", FIRST), now).await;
        assert!(verified.is_err());
    }
    assert_eq!(issuer.asked(), 3);
    assert_eq!(lines.count("no published key is fit for tokens"), 1);
}

#[tokio::test]
async fn a_verifier_shows_neither_its_url_nor_its_keys() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&format!("{}?code=hidden-key", issuer.url()));
    assert!(verifier.verify(&rs256("first", FIRST), now()).await.is_ok());
    let shown = format!("{verifier:?}");
    assert!(shown.contains("RS256"), "{shown}");
    assert!(!shown.contains("hidden-key"), "{shown}");
}
