//! The API as a role that owns nothing, with the rights that README.md gives it.

use devstack::ServicesRole;
use reqwest::Method;
use shared_schema::access::{Role, Scope};

use crate::{
    api::{Api, now},
    callers::{guarded, key, with},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_services_role_adds_to_the_audit_and_cannot_undo_its_protection() {
    let mut config = guarded().await;
    let owner = config.postgres.url.expose().to_owned();
    let role = ServicesRole::make(&owner).await;
    config.postgres.url = role.url().into();
    let api = Api::over(&config, now());
    let admin = key(&api, Role::Admin, Scope::Everywhere, false).await;
    for path in ["/v1/keys", "/v1/pipeline/ledger"] {
        let answer = with(&api, &admin, Method::GET, path).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let services = devstack::postgres_client(role.url()).await;
    for refused in [
        "UPDATE audit_entry SET actor = 'nobody'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_entry_is_append_only ON audit_entry",
        "DROP TABLE audit_entry",
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('1')",
        "UPDATE __diesel_schema_migrations SET version = '1'",
        "DELETE FROM __diesel_schema_migrations",
    ] {
        let error = services.batch_execute(refused).await.unwrap_err();
        let code = error.code().map(|code| code.code().to_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{refused}: {error:?}");
    }
    // as a later migration does
    let migrate = devstack::postgres_client(&owner).await;
    let table = "CREATE TABLE later (id int)";
    migrate.batch_execute(table).await.unwrap();
    let change = "INSERT INTO later VALUES (1); DELETE FROM later";
    services.batch_execute(change).await.unwrap();
    role.end().await;
}
