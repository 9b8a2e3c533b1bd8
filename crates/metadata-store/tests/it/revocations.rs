//! A key that was revoked stays so.

use metadata_store::{
    audit,
    keys::{self, Key, NewKey, subject},
};
use uuid::Uuid;

use crate::{
    database::Database,
    intents::at,
    keys::{act, at_once, created, found, new_key, rows, shown},
};

async fn revoke(database: &Database, now: i64, id: Uuid) -> Option<Key> {
    keys::revoke(&database.pool, at(now), &act(), id)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_revoked_once_and_opens_nothing_from_then_on() {
    let database = Database::new().await;
    let key = created(&database, new_key("dashboard")).await;
    assert!(shown(&database, 1).await.unwrap().is_valid_at(at(20)));
    let expected = Key {
        revoked_at: Some(at(10)),
        ..key
    };
    for now in [10, 20] {
        let revoked = revoke(&database, now, expected.id).await;
        assert_eq!(revoked.as_ref(), Some(&expected));
        assert_eq!(found(&database, expected.id).await, expected);
    }
    let presented = shown(&database, 1).await.unwrap();
    assert!(!presented.is_valid_at(at(20)));
    assert_eq!(presented.key, expected);
    assert_eq!(rows(&database).await, [1, 1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_revoke_a_key_at_once_one_does() {
    let database = Database::new().await;
    let id = created(&database, new_key("dashboard")).await.id;
    let revocations = (1..=4).map(|now| revoke(&database, now, id));
    let answers = at_once(&database, revocations).await;
    let stands = found(&database, id).await;
    assert!(stands.revoked_at.is_some());
    for answer in answers {
        assert_eq!(answer.as_ref(), Some(&stands));
    }
    let entries = audit::of_subject(&database.pool, &subject(id), 10).await;
    let actions: Vec<_> = entries.unwrap().into_iter().map(|e| e.action).collect();
    assert_eq!(actions, ["api_key.revoke", "api_key.create"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_has_expired_can_be_revoked_and_one_that_is_unknown_cannot() {
    let database = Database::new().await;
    let new = NewKey {
        expires_at: Some(at(5)),
        ..new_key("dashboard")
    };
    let id = created(&database, new).await.id;
    let before = rows(&database).await;
    assert_eq!(revoke(&database, 10, Uuid::now_v7()).await, None);
    assert_eq!(rows(&database).await, before);
    let revoked = revoke(&database, 10, id).await.unwrap();
    assert_eq!(revoked.revoked_at, Some(at(10)));
}
