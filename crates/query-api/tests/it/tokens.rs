//! Tokens whose keys their issuer publishes, as requests send them.

#[path = "../../src/access/token/tests/forge.rs"]
#[expect(dead_code, reason = "it makes more than is sent here")]
mod forge;
#[path = "../../src/access/token/tests/issuer.rs"]
#[expect(dead_code, reason = "it fails in more ways than here")]
mod issuer;

use chrono::TimeDelta;
use query_api::TokenConfig;
use reqwest::Method;
use serde_json::{Value, json};

use self::{
    forge::{FIRST, FIRST_PUBLIC, SECOND, claims, claims_but, hmac, jwk, part, rs256, rsa},
    issuer::{Conduct, Issuer},
};
use crate::{
    api::{Answer, Api, now},
    callers::{SECRET, guarded_without_events},
};

/// An API that accepts the tokens of an issuer.
async fn trusting(issuer: &Issuer) -> Api {
    let mut config = guarded_without_events().await;
    config.tokens = TokenConfig {
        issuer: forge::ISSUER.to_owned(),
        audience: forge::AUDIENCE.to_owned(),
        jwks_url: Some(issuer.url().parse().unwrap()),
        ..TokenConfig::default()
    };
    Api::over(&config, now())
}

async fn bearing(api: &Api, token: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    api.ask(Method::GET, path, &headers).await
}

/// What comes of a question with this token.
async fn status(api: &Api, token: &str) -> u16 {
    bearing(api, token, "/v1/definitions").await.status
}

fn header(algorithm: &str) -> Value {
    json!({"alg": algorithm, "kid": "first"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_published_key_lets_in_as_its_claims_say() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let api = trusting(&issuer).await;
    let token = rs256("first", FIRST);
    assert_eq!(status(&api, &token).await, 200);
    // it is one of an analyst in Ikeja
    for (path, code) in [
        ("/v1/keys", "forbidden"),
        ("/v1/pipeline/dead-letters", "out_of_scope"),
        ("/v1/metrics/bookings?state=Kano", "out_of_scope"),
    ] {
        let answer = bearing(&api, &token, path).await;
        assert_eq!(answer.problem(), (403, code.to_owned()), "{path}");
    }
    let admin = claims_but("role", Some("admin".into()));
    let admin = rsa(&header("RS256"), &admin, FIRST);
    assert_eq!(bearing(&api, &admin, "/v1/keys").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_issuer_did_not_sign_for_this_is_refused() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let api = trusting(&issuer).await;
    let good = rs256("first", FIRST);
    let but = |name, value: Value| rsa(&header("RS256"), &claims_but(name, Some(value)), FIRST);
    let unsigned = format!("{}.{}.", part(&header("none")), part(&claims()));
    let parts: Vec<_> = good.split('.').collect();
    let admin = part(&claims_but("role", Some("admin".into())));
    let changed = format!("{}.{admin}.{}", parts[0], parts[2]);
    // the public key, which everybody has, as a secret
    let confused = |algorithm| hmac(&header(algorithm), &claims(), FIRST_PUBLIC.as_bytes());
    for (token, why) in [
        (rs256("second", SECOND), "the token's kid"),
        (rs256("first", SECOND), "the token's signature"),
        (changed, "the token's signature"),
        (confused("RS256"), "the token's signature"),
        (confused("HS256"), "the token's header must be"),
        (
            hmac(&header("HS256"), &claims(), SECRET.as_bytes()),
            "the token's header must be",
        ),
        (unsigned, "the token's header must be"),
        (
            rsa(&json!({"alg": "RS256"}), &claims(), FIRST),
            "the token's header must name",
        ),
        (
            but("iss", "https://id.example/".into()),
            "the token's claim iss",
        ),
        (but("aud", "another".into()), "the token's claim aud"),
        (
            but("exp", (now().timestamp() - 60).into()),
            "the token expired at",
        ),
        (
            but("nbf", (now().timestamp() + 60).into()),
            "the token is not valid before",
        ),
    ] {
        let answer = bearing(&api, &token, "/v1/definitions").await;
        let problem = answer.json();
        assert_eq!(
            answer.problem(),
            (401, "unauthenticated".to_owned()),
            "{why}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(why), "{detail}, not {why}");
        let scheme = answer.header("www-authenticate");
        assert!(scheme.starts_with("Bearer"), "{scheme}");
    }
    assert_eq!(status(&api, &good).await, 200);
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_rotated_lets_in_no_more_and_the_new_one_does() {
    let issuer = Issuer::publishing(&[jwk("first", FIRST)]);
    let api = trusting(&issuer).await;
    let (old, new) = (rs256("first", FIRST), rs256("second", SECOND));
    assert_eq!(status(&api, &old).await, 200);
    issuer.now_publishes(&[jwk("second", SECOND)]);
    assert_eq!(status(&api, &old).await, 200);
    assert_eq!(status(&api, &new).await, 401);
    // so often unknown keys are looked for
    api.clock.advance(TimeDelta::seconds(30));
    assert_eq!(status(&api, &new).await, 200);
    assert_eq!(status(&api, &old).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_issuer_is_away_nobody_new_is_refused_for_good_and_known_keys_let_in() {
    let issuer = Issuer::start(Conduct::Refuse(500, String::new()));
    let api = trusting(&issuer).await;
    let token = rs256("first", FIRST);
    let answer = bearing(&api, &token, "/v1/definitions").await;
    assert_eq!(answer.problem(), (503, "access_unavailable".to_owned()));
    issuer.now_publishes(&[jwk("first", FIRST)]);
    api.clock.advance(TimeDelta::seconds(1));
    assert_eq!(status(&api, &token).await, 200);
    issuer.now_does(Conduct::Refuse(500, String::new()));
    api.clock.advance(TimeDelta::seconds(60));
    assert_eq!(status(&api, &token).await, 200);
}
