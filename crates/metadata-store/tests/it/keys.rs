//! Keys are found by what a request shows, and end when they should.

use std::error::Error;

use chrono::{DateTime, Utc};
use futures::future::join_all;
use metadata_store::{
    StoreError,
    audit::Act,
    keys::{self, Fingerprint, Key, NewKey, Presented, SecretInfo},
};
use shared_schema::access::{Place, Role, Scope};
use uuid::Uuid;

use crate::{
    database::{Database, until},
    intents::at,
};

/// Somebody at a request.
pub(crate) fn act() -> Act {
    Act {
        actor: "api_key/of-an-admin".to_owned(),
        request_id: Some("request-7".to_owned()),
    }
}

/// A key for a city, that does not expire.
pub(crate) fn new_key(name: &str) -> NewKey {
    NewKey {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        role: Role::Analyst,
        scope: ikeja(),
        may_read_pii: true,
        expires_at: None,
    }
}

fn ikeja() -> Scope {
    let place = Place {
        state: "Lagos".to_owned(),
        city: Some("Ikeja".to_owned()),
    };
    Scope::within([place]).unwrap()
}

/// What is stored of the how-manieth secret of a test.
pub(crate) fn fingerprint(number: u8) -> Fingerprint {
    Fingerprint {
        hash: [number; 32],
        hint: format!("secret-{number}"),
    }
}

/// What is told of that secret.
pub(crate) fn told(number: u8, from: i64, until: Option<i64>) -> SecretInfo {
    SecretInfo {
        hint: format!("secret-{number}"),
        created_at: at(from),
        expires_at: until.map(at),
    }
}

/// A key with the first secret, created at the midnight.
pub(crate) async fn created(database: &Database, key: NewKey) -> Key {
    keys::create(&database.pool, at(0), &act(), key, &fingerprint(1))
        .await
        .unwrap()
}

/// What a request shows that has this secret.
pub(crate) async fn shown(database: &Database, number: u8) -> Option<Presented> {
    keys::by_hash(&database.pool, &fingerprint(number).hash)
        .await
        .unwrap()
}

/// How a key stands now.
pub(crate) async fn found(database: &Database, id: Uuid) -> Key {
    keys::find(&database.pool, id).await.unwrap().unwrap()
}

/// Lets changes of keys begin, and none of them end before all wait.
pub(crate) async fn at_once<T>(
    database: &Database,
    changes: impl IntoIterator<Item = impl Future<Output = T>>,
) -> Vec<T> {
    let changes: Vec<_> = changes.into_iter().collect();
    let count = i64::try_from(changes.len()).unwrap();
    let operator = database.operator().await;
    let hold = "BEGIN; SELECT FROM api_key FOR UPDATE";
    operator.batch_execute(hold).await.unwrap();
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let letting = async {
        let all_wait = async || database.count(waiting).await == count;
        until("all of them wait", all_wait).await;
        operator.batch_execute("COMMIT").await.unwrap();
    };
    tokio::join!(join_all(changes), letting).0
}

/// What PostgreSQL has against it.
pub(crate) fn refusal(error: &StoreError) -> String {
    assert!(matches!(error, StoreError::Query { .. }), "{error}");
    error.source().unwrap().to_string()
}

/// How many rows there are of anything about keys.
pub(crate) async fn rows(database: &Database) -> [i64; 3] {
    let mut counts = [0; 3];
    for (count, table) in counts
        .iter_mut()
        .zip(["api_key", "api_key_secret", "audit_entry"])
    {
        *count = database.count(table).await;
    }
    counts
}

/// Whether it has the bytes of a hash in it, as numbers or in hexadecimal.
pub(crate) fn tells_the_hash(text: &str, number: u8) -> bool {
    let numbers = format!("{number}, {number}");
    let digits = format!("{number:02x}").repeat(3);
    text.contains(&numbers) || text.to_lowercase().contains(&digits)
}

/// Until when each secret of a key lasts.
pub(crate) fn ends(key: &Key) -> Vec<Option<DateTime<Utc>>> {
    let secrets = key.secrets.iter();
    secrets.map(|secret| secret.expires_at).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_found_and_shown_as_it_was_created() {
    let database = Database::new().await;
    let new = NewKey {
        expires_at: Some(at(100)),
        ..new_key("dashboard")
    };
    let key = created(&database, new.clone()).await;
    let expected = Key {
        id: new.id,
        name: "dashboard".to_owned(),
        role: Role::Analyst,
        scope: ikeja(),
        may_read_pii: true,
        created_at: at(0),
        created_by: act().actor,
        expires_at: Some(at(100)),
        revoked_at: None,
        secrets: vec![told(1, 0, None)],
    };
    assert_eq!(key, expected);
    assert_eq!(found(&database, key.id).await, expected);
    let presented = Presented {
        key: expected,
        secret_expires_at: None,
    };
    assert_eq!(shown(&database, 1).await, Some(presented));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_is_neither_found_nor_shown() {
    let database = Database::new().await;
    created(&database, new_key("dashboard")).await;
    let found = keys::find(&database.pool, Uuid::now_v7()).await.unwrap();
    assert_eq!(found, None);
    assert_eq!(shown(&database, 2).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_roles_and_scopes_are_kept_and_keys_are_listed_oldest_first() {
    let database = Database::new().await;
    assert_eq!(keys::all(&database.pool).await.unwrap(), []);
    let mut expected = Vec::new();
    for (number, role) in (1..).zip(Role::ALL) {
        let new = NewKey {
            role,
            scope: match role {
                Role::Admin => Scope::Everywhere,
                Role::Viewer | Role::Analyst => ikeja(),
            },
            may_read_pii: role == Role::Viewer,
            ..new_key(role.as_str())
        };
        let (now, secret) = (at(-i64::from(number)), fingerprint(number));
        let key = keys::create(&database.pool, now, &act(), new.clone(), &secret).await;
        let key = key.unwrap();
        assert_eq!((key.role, &key.scope), (role, &new.scope));
        assert_eq!(key.may_read_pii, new.may_read_pii);
        expected.insert(0, key);
    }
    assert_eq!(keys::all(&database.pool).await.unwrap(), expected);
    for (number, key) in [3, 2, 1].into_iter().zip(expected) {
        assert_eq!(shown(&database, number).await.unwrap().key, key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_ends_with_the_key_or_the_secret_whichever_is_first() {
    let database = Database::new().await;
    let lasting = created(&database, new_key("dashboard")).await;
    let ending = |key: Option<i64>, secret: Option<i64>, revoked: Option<i64>| Presented {
        key: Key {
            expires_at: key.map(at),
            revoked_at: revoked.map(at),
            ..lasting.clone()
        },
        secret_expires_at: secret.map(at),
    };
    for (key, secret, end) in [
        (None, None, None),
        (Some(50), None, Some(50)),
        (None, Some(50), Some(50)),
        (Some(50), Some(60), Some(50)),
        (Some(60), Some(50), Some(50)),
    ] {
        let presented = ending(key, secret, None);
        assert_eq!(presented.valid_until(), end.map(at));
        let is_valid = [49, 50, 51].map(|now| presented.is_valid_at(at(now)));
        let lasts = end.is_none();
        assert_eq!(is_valid, [true, lasts, lasts], "{key:?} and {secret:?}");
    }
    // nor does one that was revoked, by a clock that is ahead
    let revoked = ending(Some(60), Some(70), Some(50));
    assert_eq!(revoked.valid_until(), Some(at(50)));
    assert!(!revoked.is_valid_at(at(10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_secrets_somebody_has_deleted_is_still_listed() {
    let database = Database::new().await;
    let key = created(&database, new_key("dashboard")).await;
    database.execute("DELETE FROM api_key_secret").await;
    let bare = Key {
        secrets: Vec::new(),
        ..key
    };
    assert_eq!(found(&database, bare.id).await, bare);
    assert_eq!(keys::all(&database.pool).await.unwrap(), [bare]);
    assert_eq!(shown(&database, 1).await, None);
}

#[test]
fn a_fingerprint_does_not_tell_its_hash() {
    let text = format!("{:?}", fingerprint(171));
    assert!(text.contains("secret-171"), "{text}");
    let without_hint = text.replace("secret-171", "");
    assert!(!tells_the_hash(&without_hint, 171), "{text}");
}
