//! A key that is rotated has a new secret at once, and the old ones for a while.

use std::{collections::HashSet, slice::from_ref};

use chrono::{DateTime, Utc};
use metadata_store::{
    audit,
    keys::{self, Key, NewKey, Rotation},
};
use uuid::Uuid;

use crate::{
    database::Database,
    intents::at,
    keys::{act, at_once, created, ends, fingerprint, found, new_key, refusal, rows, shown, told},
};

async fn rotate(
    database: &Database,
    now: i64,
    id: Uuid,
    number: u8,
    old_until: DateTime<Utc>,
) -> Rotation {
    let secret = fingerprint(number);
    keys::rotate(&database.pool, at(now), &act(), id, &secret, old_until)
        .await
        .unwrap()
}

async fn rotated(database: &Database, now: i64, id: Uuid, number: u8, old_until: i64) -> Key {
    match rotate(database, now, id, number, at(old_until)).await {
        Rotation::Rotated(key) => key,
        other => panic!("it is not rotated: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_secret_lasts_until_a_time_and_the_new_one_as_long_as_the_key() {
    let database = Database::new().await;
    let new = NewKey {
        expires_at: Some(at(500)),
        ..new_key("dashboard")
    };
    let before = created(&database, new).await;
    let key = rotated(&database, 10, before.id, 2, 100).await;
    let expected = Key {
        secrets: vec![told(1, 0, Some(100)), told(2, 10, None)],
        ..before
    };
    assert_eq!(key, expected);
    assert_eq!(found(&database, key.id).await, expected);
    let all = keys::all(&database.pool).await.unwrap();
    assert_eq!(all.as_slice(), from_ref(&expected));
    for (number, secret_end, end) in [(1, Some(at(100)), at(100)), (2, None, at(500))] {
        let presented = shown(&database, number).await.unwrap();
        assert_eq!(presented.key, expected);
        assert_eq!(presented.secret_expires_at, secret_end);
        assert_eq!(presented.valid_until(), Some(end));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_rotation_shortens_what_is_left_of_old_secrets_and_never_prolongs_it() {
    let database = Database::new().await;
    let id = created(&database, new_key("dashboard")).await.id;
    rotated(&database, 10, id, 2, 100).await;
    let later = rotated(&database, 20, id, 3, 200).await;
    assert_eq!(ends(&later), [Some(at(100)), Some(at(200)), None]);
    // a secret that leaked ends now
    let now = rotated(&database, 30, id, 4, 30).await;
    assert_eq!(ends(&now), [Some(at(30)), Some(at(30)), Some(at(30)), None]);
    for (number, is_valid) in [(1, false), (2, false), (3, false), (4, true)] {
        let presented = shown(&database, number).await.unwrap();
        assert_eq!(presented.is_valid_at(at(30)), is_valid, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_keeps_its_secrets() {
    let database = Database::new().await;
    let id = created(&database, new_key("dashboard")).await.id;
    let secret = fingerprint(9);
    let other = keys::create(&database.pool, at(1), &act(), new_key("other"), &secret).await;
    let other = other.unwrap();
    rotated(&database, 10, id, 2, 100).await;
    assert_eq!(found(&database, other.id).await, other);
    assert_eq!(shown(&database, 9).await.unwrap().key, other);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_rotate_a_key_at_once_one_secret_is_left_without_an_end() {
    let database = Database::new().await;
    let id = created(&database, new_key("dashboard")).await.id;
    let rotations = [2, 3, 4, 5].map(|number| rotated(&database, 10, id, number, 100));
    for key in at_once(&database, rotations).await {
        // each sees those before it, and its own as the last
        assert_eq!(key.secrets.last().unwrap().expires_at, None);
    }
    let key = found(&database, id).await;
    let lasting = ends(&key).iter().filter(|end| end.is_none()).count();
    assert_eq!(lasting, 1);
    let hints: HashSet<_> = key.secrets.iter().map(|secret| &secret.hint).collect();
    assert_eq!(hints.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_a_second_secret_without_an_end() {
    let database = Database::new().await;
    created(&database, new_key("dashboard")).await;
    let second = "INSERT INTO api_key_secret (hash, key_id, hint, created_at) \
                  SELECT sha256('x'), id, 'x', now() FROM api_key";
    let error = database.operator().await.batch_execute(second).await;
    let error = error.unwrap_err();
    let refusal = error.as_db_error().unwrap().message();
    assert!(
        refusal.contains("api_key_secret_one_without_end"),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_over_or_unknown_is_not_rotated_and_it_is_said_why() {
    let database = Database::new().await;
    let new = NewKey {
        expires_at: Some(at(50)),
        ..new_key("dashboard")
    };
    let key = created(&database, new).await;
    let before = rows(&database).await;
    let unknown = rotate(&database, 10, Uuid::now_v7(), 2, at(100)).await;
    assert_eq!(unknown, Rotation::Unknown);
    for now in [50, 51] {
        let expired = rotate(&database, now, key.id, 2, at(100)).await;
        assert_eq!(expired, Rotation::Expired(at(50)));
    }
    assert_eq!(found(&database, key.id).await, key);
    assert_eq!(rows(&database).await, before);

    let revoked = keys::revoke(&database.pool, at(40), &act(), key.id).await;
    let revoked = revoked.unwrap().unwrap();
    let before = rows(&database).await;
    for now in [45, 55] {
        let refused = rotate(&database, now, key.id, 2, at(100)).await;
        assert_eq!(refused, Rotation::Revoked(at(40)));
    }
    assert_eq!(found(&database, key.id).await, revoked);
    assert_eq!(rows(&database).await, before);
    assert_eq!(shown(&database, 2).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_to_a_hash_that_there_is_already_changes_nothing() {
    let database = Database::new().await;
    let key = created(&database, new_key("dashboard")).await;
    let before = audit::latest(&database.pool, 10).await.unwrap();
    let secret = fingerprint(1);
    let error = keys::rotate(&database.pool, at(1), &act(), key.id, &secret, at(2)).await;
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "cannot rotate a key in PostgreSQL");
    assert!(refusal(&error).contains("api_key_secret_pkey"), "{error:?}");
    assert_eq!(found(&database, key.id).await, key);
    let after = audit::latest(&database.pool, 10).await.unwrap();
    assert_eq!(after, before);
}
