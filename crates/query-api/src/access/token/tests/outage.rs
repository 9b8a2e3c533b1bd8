use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::future::join_all;
use rstest::rstest;
use service_runtime::config::HumanDuration;

use super::{
    by_url, config,
    forge::{FIRST, SECOND, jwk, rs256, set},
    issuer::{Conduct, Issuer, nobody},
    now, verifier,
};
use crate::access::token::{TokenConfig, TokenError, Verifier, fetch::MOST_BYTES};

/// A verifier that waits for keys for this long.
fn patient(url: &str, timeout: HumanDuration) -> Verifier {
    verifier(&TokenConfig {
        jwks_url: Some(url.parse().unwrap()),
        jwks_timeout: timeout,
        ..config()
    })
}

#[tokio::test]
async fn without_keys_nothing_is_known_of_a_token() {
    let verified = by_url(&nobody())
        .verify(&rs256("first", FIRST), now())
        .await;
    assert_eq!(verified, Err(TokenError::KeysUnavailable));
}

#[tokio::test]
async fn keys_that_come_late_are_used_within_a_second() {
    let issuer = Issuer::start(Conduct::Refuse(503, String::new()));
    let verifier = by_url(&issuer.url());
    let token = rs256("first", FIRST);
    for _ in 0..3 {
        let verified = verifier.verify(&token, now()).await;
        assert_eq!(verified, Err(TokenError::KeysUnavailable));
    }
    assert_eq!(issuer.asked(), 1);
    issuer.now_publishes(&[jwk("first", FIRST)]);
    let later = now() + TimeDelta::seconds(1);
    assert!(verifier.verify(&token, later).await.is_ok());
    assert_eq!(issuer.asked(), 2);
}

#[rstest]
#[case(Conduct::Refuse(500, String::new()))]
#[case(Conduct::Send("<html>maintenance</html>".to_owned()))]
#[tokio::test]
async fn the_last_keys_stand_while_there_are_no_new_ones(#[case] conduct: Conduct) {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    let token = rs256("first", FIRST);
    assert!(verifier.verify(&token, now()).await.is_ok());
    issuer.now_does(conduct);
    let later = now() + TimeDelta::seconds(200);
    assert_eq!(
        verifier.verify(&rs256("second", SECOND), later).await,
        Err(TokenError::UnknownKey)
    );
    assert!(verifier.verify(&token, later).await.is_ok());
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn an_outage_of_days_is_asked_about_twice_a_minute() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    let token = rs256("first", FIRST);
    assert!(verifier.verify(&token, now()).await.is_ok());
    issuer.now_does(Conduct::Refuse(500, String::new()));
    let days = TimeDelta::days(3);
    for (seconds, asked) in [(0, 2), (1, 2), (29, 2), (30, 3), (31, 3), (60, 4)] {
        let now = now() + days + TimeDelta::seconds(seconds);
        let verified = verifier.verify(&token, now).await;
        assert!(matches!(verified, Err(TokenError::Expired { .. })));
        verifier.settled().await;
        assert_eq!(issuer.asked(), asked, "after {seconds} s");
    }
}

#[rstest]
#[case(Conduct::Hang)]
#[case(Conduct::HangInBody)]
#[tokio::test]
async fn a_server_that_hangs_is_waited_for_once_and_not_for_long(#[case] conduct: Conduct) {
    let issuer = Issuer::start(conduct);
    let verifier = patient(&issuer.url(), HumanDuration::millis(300));
    let token = rs256("first", FIRST);
    let begun = Instant::now();
    let waiting = (0..20).map(|_| verifier.verify(&token, now()));
    for verified in join_all(waiting).await {
        assert_eq!(verified, Err(TokenError::KeysUnavailable));
    }
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn nobody_waits_for_a_refresh_that_hangs() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = patient(&issuer.url(), HumanDuration::secs(3600));
    let token = rs256("first", FIRST);
    assert!(verifier.verify(&token, now()).await.is_ok());
    issuer.now_does(Conduct::Hang);
    let later = now() + TimeDelta::minutes(11);
    let verified = verifier.verify(&token, later).await;
    assert!(matches!(verified, Err(TokenError::Expired { .. })));
}

/// The first request begins the fetch. It is the others' as well.
#[tokio::test]
async fn a_fetch_outlives_the_request_that_began_it() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    let token = rs256("first", FIRST);
    {
        let begun = verifier.verify(&token, now());
        futures::pin_mut!(begun);
        assert!(futures::poll!(&mut begun).is_pending());
    }
    assert!(verifier.verify(&token, now()).await.is_ok());
    assert_eq!(issuer.asked(), 1);
}

/// Each runtime ends its tasks. Whoever comes after that must not wait for one of them.
#[test]
fn a_fetch_that_ended_with_its_runtime_is_not_waited_for() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let token = rs256("first", FIRST);
    let keeper = runtime();
    let issuer = keeper.block_on(async { Issuer::start(Conduct::Hang) });
    let verifier = patient(&issuer.url(), HumanDuration::secs(3600));
    let first = runtime();
    first.block_on(async {
        let begun = verifier.verify(&token, now());
        futures::pin_mut!(begun);
        assert!(futures::poll!(&mut begun).is_pending());
    });
    drop(first);
    issuer.now_publishes(&[jwk("first", FIRST)]);
    let later = now() + TimeDelta::seconds(1);
    let verified = runtime().block_on(verifier.verify(&token, later));
    assert!(verified.is_ok());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Issuer::publishing(&[jwk("first", FIRST)]);
    let issuer = Issuer::start(Conduct::Redirect(other.url()));
    let verified = by_url(&issuer.url())
        .verify(&rs256("first", FIRST), now())
        .await;
    assert_eq!(verified, Err(TokenError::KeysUnavailable));
    assert_eq!((issuer.asked(), other.asked()), (1, 0));
}

#[rstest]
#[case(MOST_BYTES, true)]
#[case(MOST_BYTES + 1, false)]
#[case(2 * MOST_BYTES, false)]
#[tokio::test]
async fn a_body_is_read_up_to_its_bound(#[case] length: usize, #[case] is_read: bool) {
    let keys = set(&[jwk("first", FIRST)]);
    let body = keys.clone() + &" ".repeat(length - keys.len());
    for conduct in [Conduct::Send(body.clone()), Conduct::Stream(body)] {
        let issuer = Issuer::start(conduct);
        let verified = by_url(&issuer.url())
            .verify(&rs256("first", FIRST), now())
            .await;
        match is_read {
            true => assert!(verified.is_ok(), "{verified:?}"),
            false => assert_eq!(verified, Err(TokenError::KeysUnavailable)),
        }
    }
}

#[rstest]
#[case(201)]
#[case(203)]
#[case(404)]
#[tokio::test]
async fn keys_under_another_status_are_none(#[case] status: u16) {
    let keys = set(&[jwk("first", FIRST)]);
    let issuer = Issuer::start(Conduct::Refuse(status, keys));
    let verified = by_url(&issuer.url())
        .verify(&rs256("first", FIRST), now())
        .await;
    assert_eq!(verified, Err(TokenError::KeysUnavailable));
}
