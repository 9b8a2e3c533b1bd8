//! What was done is told once, by whom, and stays told.

use metadata_store::{
    audit::{self, Act, Entry},
    keys::{self, NewKey, Rotation, subject},
};
use serde_json::{Value, json};
use shared_schema::access::Scope;

use crate::{
    database::Database,
    intents::at,
    keys::{act, created, fingerprint, new_key, refusal, tells_the_hash},
};

async fn latest(database: &Database, limit: u32) -> Vec<Entry> {
    audit::latest(&database.pool, limit).await.unwrap()
}

fn told(entries: &[Entry]) -> Vec<(&str, &Value)> {
    let entries = entries.iter();
    entries
        .map(|entry| (entry.action.as_str(), &entry.detail))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_key_is_told_newest_first() {
    let database = Database::new().await;
    let new = NewKey {
        expires_at: Some(at(500)),
        ..new_key("dashboard")
    };
    let id = created(&database, new).await.id;
    let secret = fingerprint(2);
    let rotation = keys::rotate(&database.pool, at(1), &act(), id, &secret, at(60)).await;
    assert!(matches!(rotation.unwrap(), Rotation::Rotated(_)));
    let process = Act {
        actor: "query-api".to_owned(),
        request_id: None,
    };
    keys::revoke(&database.pool, at(2), &process, id)
        .await
        .unwrap();

    let entries = latest(&database, 10).await;
    let detail = json!({
        "name": "dashboard",
        "role": "analyst",
        "regions": [{ "state": "Lagos", "city": "Ikeja" }],
        "may_read_pii": true,
        "expires_at": "2026-06-15T00:08:20Z",
    });
    let rotated = json!({ "old_until": "2026-06-15T00:01:00Z" });
    let expected = [
        ("api_key.revoke", &json!({})),
        ("api_key.rotate", &rotated),
        ("api_key.create", &detail),
    ];
    assert_eq!(told(&entries), expected);
    let by: Vec<_> = entries
        .iter()
        .map(|entry| Act {
            actor: entry.actor.clone(),
            request_id: entry.request_id.clone(),
        })
        .collect();
    assert_eq!(by, [process, act(), act()]);
    for pair in entries.windows(2) {
        assert!(pair[0].id > pair[1].id && pair[0].at >= pair[1].at);
    }
    for entry in &entries {
        assert_eq!(entry.subject, subject(id));
        let text = format!("{entry:?}");
        assert!(!text.contains("secret"), "{text}");
        assert!(!tells_the_hash(&text, 1) && !tells_the_hash(&text, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_everywhere_that_never_expires_says_so() {
    let database = Database::new().await;
    let new = NewKey {
        scope: Scope::Everywhere,
        ..new_key("dashboard")
    };
    created(&database, new).await;
    let detail = &latest(&database, 1).await[0].detail;
    assert_eq!(detail.get("regions"), Some(&Value::Null));
    assert_eq!(detail.get("expires_at"), Some(&Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_entries_are_told_as_are_asked_for_of_one_subject_or_all() {
    let database = Database::new().await;
    let mut subjects = Vec::new();
    for number in 1..=3 {
        let (new, secret) = (new_key("key"), fingerprint(number));
        subjects.push(subject(new.id));
        keys::create(&database.pool, at(0), &act(), new, &secret)
            .await
            .unwrap();
    }
    let all = latest(&database, 10).await;
    let of_all: Vec<_> = all.iter().map(|entry| entry.subject.clone()).collect();
    subjects.reverse();
    assert_eq!(of_all, subjects);
    assert_eq!(latest(&database, 2).await, all[..2]);
    assert_eq!(latest(&database, 0).await, []);
    assert_eq!(latest(&database, u32::MAX).await, all);
    let of = async |subject: &str, limit| {
        audit::of_subject(&database.pool, subject, limit)
            .await
            .unwrap()
    };
    assert_eq!(of(&subjects[1], 10).await, all[1..2]);
    assert_eq!(of(&subjects[1], 0).await, []);
    assert_eq!(of("api_key/other", 10).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_cannot_be_changed_or_deleted() {
    let database = Database::new().await;
    created(&database, new_key("dashboard")).await;
    let before = latest(&database, 10).await;
    for (statement, name) in [
        ("UPDATE audit_entry SET actor = 'somebody else'", "UPDATE"),
        ("DELETE FROM audit_entry", "DELETE"),
        ("DELETE FROM audit_entry WHERE false", "DELETE"),
        ("TRUNCATE audit_entry", "TRUNCATE"),
        (
            "INSERT INTO audit_entry (id, actor, action, subject, detail) OVERRIDING SYSTEM VALUE \
             SELECT id, 'somebody else', action, subject, detail FROM audit_entry \
             ON CONFLICT (id) DO UPDATE SET actor = excluded.actor",
            "UPDATE",
        ),
    ] {
        let operator = database.operator().await;
        let error = operator.batch_execute(statement).await.unwrap_err();
        assert_eq!(
            error.as_db_error().unwrap().message(),
            format!("audit_entry is append-only: {name} is refused")
        );
    }
    assert_eq!(latest(&database, 10).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_cannot_be_told_is_not_made() {
    let database = Database::new().await;
    let key = created(&database, new_key("dashboard")).await;
    let before = latest(&database, 10).await;
    let untold = Act {
        request_id: Some(String::new()),
        ..act()
    };
    let (new, secret) = (new_key("other"), fingerprint(2));
    let pool = &database.pool;
    let errors = [
        keys::create(pool, at(1), &untold, new, &secret)
            .await
            .unwrap_err(),
        keys::rotate(pool, at(1), &untold, key.id, &secret, at(9))
            .await
            .unwrap_err(),
        keys::revoke(pool, at(1), &untold, key.id)
            .await
            .unwrap_err(),
    ];
    for error in errors {
        let refusal = refusal(&error);
        assert!(
            refusal.contains("audit_entry_request_id_check"),
            "{refusal}"
        );
    }
    assert_eq!(keys::all(pool).await.unwrap(), [key]);
    assert_eq!(latest(&database, 10).await, before);
}
