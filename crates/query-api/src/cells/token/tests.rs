use std::collections::{BTreeMap, BTreeSet};

use analytics::{
    RegionFilter,
    cells::{Pin, What},
};
use proptest::prelude::*;
use service_runtime::config::Secret;
use shared_schema::{EventType, access::Place};

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn signer(secret: &str) -> Signer {
    let config = CellsConfig {
        secret: Secret::from(secret),
        ..CellsConfig::default()
    };
    Signer::new(&config).unwrap()
}

fn cell() -> Cell {
    let lanes = [("openride.events.booking", 3, 1_234_567)];
    Cell {
        what: What::Events(EventType::BookingCreated),
        from: at(1_704_063_600),
        until: at(1_706_742_000),
        zone: chrono_tz::Africa::Lagos,
        region: RegionFilter::Within {
            state: Some("Lagos".to_owned()),
            city: None,
        },
        only: None,
        pin: Pin::new(lanes, BTreeMap::new(), 1_706_745_600_123, at(1_706_745_601)),
    }
}

fn everywhere() -> String {
    digest(&Scope::Everywhere).unwrap()
}

fn token() -> String {
    signer(SECRET).seal(&cell(), &everywhere(), at(0)).unwrap()
}

#[test]
fn a_token_opens_the_cell_that_it_was_made_of_for_a_day() {
    let opened = |second| signer(SECRET).open(&token(), &everywhere(), at(second));
    assert_eq!(opened(0), Ok(cell()));
    assert_eq!(opened(86_399), Ok(cell()));
    assert_eq!(opened(86_400), Err(CellError::Expired));
}

#[test]
fn a_caller_of_another_scope_opens_nothing() {
    let kano = Place {
        state: "Kano".to_owned(),
        city: None,
    };
    let kano = digest(&Scope::Within(BTreeSet::from([kano]))).unwrap();
    // nor hears that it was there
    for second in [0, 86_400] {
        let opened = signer(SECRET).open(&token(), &kano, at(second));
        assert_eq!(opened, Err(CellError::Foreign));
    }
}

#[test]
fn nothing_is_opened_that_another_secret_signed_or_nobody() {
    let foreign = signer(&SECRET.replace('0', "1"));
    let theirs = foreign.seal(&cell(), &everywhere(), at(0)).unwrap();
    let unsigned = token().rsplit_once('.').unwrap().0.to_owned() + ".";
    let (_, rest) = unsigned.split_once('.').unwrap();
    // {"typ":"JWT","alg":"none"}
    let none = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.{rest}");
    for text in [&theirs, &unsigned, &none, "", "a.b.c", "..", "1"] {
        let opened = signer(SECRET).open(text, &everywhere(), at(0));
        assert_eq!(opened, Err(CellError::NotOne), "{text}");
    }
}

fn signed(claims: Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
}

#[test]
fn what_is_signed_but_no_cell_is_none() {
    let good = serde_json::json!({
        "v": VERSION, "exp": 10, "scope": everywhere(), "cell": serde_json::to_value(cell()).unwrap()
    });
    let opened = |claims| signer(SECRET).open(&signed(claims), &everywhere(), at(0));
    assert_eq!(opened(good.clone()), Ok(cell()));
    let mut other_version = good.clone();
    other_version["v"] = (VERSION + 1).into();
    // what a version before has sealed is not what this one reads, and its answer can be had again
    let mut older = good.clone();
    older["v"] = (VERSION - 1).into();
    older["cell"] = "of before".into();
    assert_eq!(opened(older), Err(CellError::Expired));
    let mut access = good.clone();
    access["sub"] = "somebody".into();
    for claims in [other_version, access, serde_json::json!({"exp": 10})] {
        assert_eq!(opened(claims.clone()), Err(CellError::NotOne), "{claims}");
    }
}

#[test]
fn a_token_too_long_is_not_looked_at() {
    let of_partitions = |partitions: i32| {
        let lanes =
            (0..partitions).map(|partition| ("openride.events.booking", partition, 99_999_999));
        Cell {
            pin: Pin::new(lanes, BTreeMap::new(), 0, at(0)),
            ..cell()
        }
    };
    let wide = of_partitions(1_000);
    let token = signer(SECRET).seal(&wide, &everywhere(), at(0)).unwrap();
    assert!(token.len() <= MOST_BYTES, "{}", token.len());
    assert_eq!(signer(SECRET).open(&token, &everywhere(), at(0)), Ok(wide));
    let wider = of_partitions(9_999);
    assert_eq!(signer(SECRET).seal(&wider, &everywhere(), at(0)), None);
    let claims = serde_json::json!({"v": VERSION, "exp": 10, "scope": everywhere(), "cell": wider});
    let opened = signer(SECRET).open(&signed(claims), &everywhere(), at(0));
    assert_eq!(opened, Err(CellError::NotOne));
}

#[test]
fn without_a_secret_there_is_no_signer() {
    assert!(Signer::new(&CellsConfig::default()).is_none());
}

proptest! {
    #[test]
    fn one_character_changed_and_it_opens_nothing(place: prop::sample::Index, other in "[A-Za-z0-9_.-]") {
        let token = token();
        let place = place.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(place..=place, &other);
        prop_assume!(changed != token);
        let opened = signer(SECRET).open(&changed, &everywhere(), at(0));
        prop_assert_eq!(opened, Err(CellError::NotOne));
    }

    #[test]
    fn any_text_is_read_without_panic(text in ".{0,200}") {
        let opened = signer(SECRET).open(&text, &everywhere(), at(0));
        prop_assert_eq!(opened, Err(CellError::NotOne));
    }
}
