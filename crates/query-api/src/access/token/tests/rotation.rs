use chrono::TimeDelta;

use super::{
    by_url,
    forge::{FIRST, SECOND, jwk, rs256},
    issuer::Issuer,
    now,
};
use crate::access::token::{Keys, TokenError, Verifier};

impl Verifier {
    /// Waits for what is fetched in the background.
    pub(super) async fn settled(&self) {
        if let Keys::Published(published) = &self.keys {
            published.settled().await;
        }
    }
}

#[tokio::test]
async fn keys_are_fetched_once_for_many_tokens() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    assert_eq!(issuer.asked(), 0);
    for seconds in 0..100 {
        let now = now() + TimeDelta::seconds(seconds);
        assert!(verifier.verify(&rs256("first", FIRST), now).await.is_ok());
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_new_key_is_fetched_when_it_is_first_named() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    let (old, new) = (rs256("first", FIRST), rs256("second", SECOND));
    assert!(verifier.verify(&old, now()).await.is_ok());
    issuer.now_publishes(&[jwk("second", SECOND)]);
    let soon = now() + TimeDelta::seconds(29);
    assert_eq!(
        verifier.verify(&new, soon).await,
        Err(TokenError::UnknownKey)
    );
    assert!(verifier.verify(&old, soon).await.is_ok());
    let later = now() + TimeDelta::seconds(30);
    assert!(verifier.verify(&new, later).await.is_ok());
    assert_eq!(
        verifier.verify(&old, later).await,
        Err(TokenError::UnknownKey)
    );
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn old_keys_are_fetched_again_in_the_background() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    let token = rs256("first", FIRST);
    let after = |seconds| now() + TimeDelta::seconds(seconds);
    assert!(verifier.verify(&token, now()).await.is_ok());
    issuer.now_publishes(&[jwk("second", SECOND)]);
    assert!(
        verifier
            .verify(&token, after(599))
            .await
            .is_err_and(is_expired)
    );
    assert_eq!(issuer.asked(), 1);
    // the key is still known to whoever comes first
    assert!(
        verifier
            .verify(&token, after(600))
            .await
            .is_err_and(is_expired)
    );
    verifier.settled().await;
    assert_eq!(issuer.asked(), 2);
    assert_eq!(
        verifier.verify(&token, after(601)).await,
        Err(TokenError::UnknownKey)
    );
}

/// The key was there, and the signature good.
fn is_expired(error: TokenError) -> bool {
    matches!(error, TokenError::Expired { .. })
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_old_keys() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    assert!(verifier.verify(&rs256("first", FIRST), now()).await.is_ok());
    issuer.now_publishes(&[jwk("second", SECOND)]);
    let before = now() - TimeDelta::days(1);
    let new = rs256("second", SECOND);
    assert!(verifier.verify(&new, before).await.is_ok());
}

#[tokio::test]
async fn a_set_that_has_become_empty_is_believed() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let verifier = by_url(&issuer.url());
    let token = rs256("first", FIRST);
    assert!(verifier.verify(&token, now()).await.is_ok());
    issuer.now_publishes(&[]);
    let later = now() + TimeDelta::seconds(30);
    assert_eq!(
        verifier.verify(&rs256("other", FIRST), later).await,
        Err(TokenError::UnknownKey)
    );
    assert_eq!(
        verifier.verify(&token, later).await,
        Err(TokenError::UnknownKey)
    );
}
