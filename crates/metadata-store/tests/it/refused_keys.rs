//! What is no key is refused when it is written, and told when somebody else has written it.

use metadata_store::{
    StoreError,
    audit::Act,
    keys::{self, Fingerprint, NewKey},
};
use shared_schema::access::Scope;

use crate::{
    database::Database,
    intents::at,
    keys::{act, created, fingerprint, new_key, refusal, rows, tells_the_hash},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_id_or_a_hash_that_there_is_already_is_refused() {
    let database = Database::new().await;
    let first = created(&database, new_key("dashboard")).await;
    let before = rows(&database).await;
    let same_id = NewKey {
        id: first.id,
        ..new_key("other")
    };
    for (new, number, constraint) in [
        (same_id, 2, "api_key_pkey"),
        (new_key("other"), 1, "api_key_secret_pkey"),
    ] {
        let secret = fingerprint(number);
        let error = keys::create(&database.pool, at(1), &act(), new, &secret).await;
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), "cannot create a key in PostgreSQL");
        assert!(refusal(&error).contains(constraint), "{error:?}");
        assert!(!tells_the_hash(&format!("{error:?}"), number), "{error:?}");
    }
    assert_eq!(rows(&database).await, before);
    assert_eq!(keys::all(&database.pool).await.unwrap(), [first]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_empty_or_too_long_is_refused_by_the_database() {
    let database = Database::new().await;
    let longest = created(&database, new_key(&"é".repeat(100))).await;
    assert_eq!(longest.name.chars().count(), 100);
    let before = rows(&database).await;
    let nowhere = NewKey {
        scope: Scope::Within([].into()),
        ..new_key("key")
    };
    let hint = |hint: &str| Fingerprint {
        hint: hint.to_owned(),
        ..fingerprint(2)
    };
    let by = |actor: &str| Act {
        actor: actor.to_owned(),
        ..act()
    };
    let whole_text = "k".repeat(43);
    for (act, new, secret) in [
        (act(), new_key(&"é".repeat(101)), fingerprint(2)),
        (act(), new_key(""), fingerprint(2)),
        (act(), new_key("nul\0"), fingerprint(2)),
        (act(), nowhere, fingerprint(2)),
        (act(), new_key("key"), hint("")),
        (act(), new_key("key"), hint(&whole_text)),
        (by(""), new_key("key"), fingerprint(2)),
        (by(&"a".repeat(301)), new_key("key"), fingerprint(2)),
    ] {
        let error = keys::create(&database.pool, at(1), &act, new, &secret).await;
        refusal(&error.unwrap_err());
    }
    assert_eq!(rows(&database).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_or_regions_that_are_none_are_told() {
    let database = Database::new().await;
    let key = created(&database, new_key("dashboard")).await;
    for (change, expected) in [
        (
            r#"regions = '[{"state": "Atlantis"}]'"#,
            "cannot read regions of a key stored in PostgreSQL: there is no such place as Atlantis",
        ),
        (
            r#"regions = '["Lagos"]'"#,
            "cannot read regions of a key stored in PostgreSQL: invalid type: string \"Lagos\", expected struct Place",
        ),
        // which is not everywhere
        (
            "regions = 'null'",
            "cannot read regions of a key stored in PostgreSQL: invalid type: null, expected a sequence",
        ),
        (
            "role = 'owner'",
            "cannot read role of a key stored in PostgreSQL: owner",
        ),
    ] {
        database
            .execute(&format!(
                "ALTER TABLE api_key DROP CONSTRAINT IF EXISTS api_key_role_check; \
                 ALTER TABLE api_key DROP CONSTRAINT IF EXISTS api_key_regions_check; \
                 UPDATE api_key SET {change}"
            ))
            .await;
        let errors = [
            keys::all(&database.pool).await.unwrap_err(),
            keys::find(&database.pool, key.id).await.unwrap_err(),
            keys::by_hash(&database.pool, &[1; 32]).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_a_role_or_regions_that_are_none() {
    let database = Database::new().await;
    created(&database, new_key("dashboard")).await;
    for change in [
        "role = 'owner'",
        "regions = 'null'",
        "regions = '[]'",
        "regions = '{}'",
        "name = ''",
    ] {
        let change = format!("UPDATE api_key SET {change}");
        let error = database.operator().await.batch_execute(&change).await;
        let error = error.unwrap_err();
        let refusal = error.as_db_error().unwrap().message();
        assert!(refusal.contains("violates check constraint"), "{refusal}");
    }
}
