use std::time::Duration;

use event_store::{
    Params, Store,
    migrations::{
        Migration, MigrationError, Rendering, State, Statement, apply, apply_steps, embedded,
        status,
    },
};
use tokio::time::timeout;

use crate::support;

/// A client of a database that does not exist.
fn nowhere() -> (Store, Rendering) {
    let store = Store::connect(&support::config()).unwrap();
    let rendering = Rendering::single(store.database());
    (store, rendering)
}

fn step(version: u32, statements: &[&str]) -> Migration {
    let statement = |(index, template): (usize, &&str)| Statement {
        file: format!("{:02}_statement.sql", index + 1),
        template: (*template).to_owned(),
    };
    let statements = statements.iter().enumerate().map(statement).collect();
    Migration::new(version, "step", statements)
}

const A: &str = "CREATE TABLE IF NOT EXISTS {{database}}.a{{local}} (n UInt8) ENGINE = Memory";
const B: &str = "CREATE TABLE IF NOT EXISTS {{database}}.b{{local}} (n UInt8) ENGINE = Memory";

/// Everything that the database holds, as the server would create it.
async fn schema(store: &Store) -> Vec<(String, String)> {
    let sql = "SELECT name, create_table_query FROM system.tables
        WHERE database = currentDatabase() ORDER BY name";
    store.query(sql).fetch_all().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_schema_is_made_from_nothing_and_a_second_run_changes_nothing() {
    let (store, rendering) = nowhere();
    let pending = status(&store, &rendering).await.unwrap();
    assert!(pending.iter().all(|step| step.state == State::Pending));

    let report = apply(&store, &rendering).await.unwrap();
    let names: Vec<_> = embedded().unwrap().iter().map(Migration::name).collect();
    assert_eq!(report.applied, names);
    let made = schema(&store).await;

    let report = apply(&store, &rendering).await.unwrap();
    assert_eq!((report.applied.len(), report.already), (0, names.len()));
    assert_eq!(schema(&store).await, made);
    let applied = status(&store, &rendering).await.unwrap();
    assert!(
        applied
            .iter()
            .all(|step| matches!(step.state, State::Applied(_)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migrator_that_is_killed_anywhere_is_taken_up_by_the_next() {
    let (store, rendering) = nowhere();
    let mut killed = 0;
    for milliseconds in [3, 10, 30, 60, 100, 150, 200, 300] {
        let run = apply(&store, &rendering);
        if timeout(Duration::from_millis(milliseconds), run)
            .await
            .is_err()
        {
            killed += 1;
        }
    }
    assert!(killed > 0, "each run was faster than its kill");
    apply(&store, &rendering).await.unwrap();

    let (whole, rendering) = nowhere();
    apply(&whole, &rendering).await.unwrap();
    let names = |schema: Vec<(String, String)>| {
        schema.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(names(schema(&store).await), names(schema(&whole).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_statement_is_named_and_the_steps_before_it_stay_done() {
    let (store, rendering) = nowhere();
    let broken = [
        step(1, &[A]),
        step(
            2,
            &[
                B,
                "CREATE TABLE {{database}}.c (n Nonsense) ENGINE = Memory",
            ],
        ),
    ];
    let error = apply_steps(&store, &rendering, &broken).await.unwrap_err();
    assert_eq!(error.to_string(), "0002_step/02_statement.sql failed");

    let mended = [step(1, &[A]), step(2, &[B])];
    let report = apply_steps(&store, &rendering, &mended).await.unwrap();
    assert_eq!(
        (report.applied, report.already),
        (vec!["0002_step".to_owned()], 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_was_changed_after_it_had_been_run_is_refused_before_anything_is_done() {
    let (store, rendering) = nowhere();
    apply_steps(&store, &rendering, &[step(1, &[A])])
        .await
        .unwrap();
    let before = schema(&store).await;
    let changed = [step(1, &[B]), step(2, &[B])];
    let error = apply_steps(&store, &rendering, &changed).await.unwrap_err();
    assert!(matches!(error, MigrationError::Changed { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("step 0001_step was changed after it had been run"),
        "{text}"
    );
    assert!(text.contains(&changed[0].checksum), "{text}");
    assert_eq!(schema(&store).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_left_alone_and_reported() {
    let (store, rendering) = nowhere();
    apply_steps(&store, &rendering, &[step(1, &[A]), step(2, &[B])])
        .await
        .unwrap();
    let report = apply_steps(&store, &rendering, &[step(1, &[A])])
        .await
        .unwrap();
    assert_eq!(report.unknown, ["0002_step"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn local_tables_carry_their_suffix() {
    let (store, rendering) = nowhere();
    let rendering = Rendering {
        local: "_local".to_owned(),
        ..rendering
    };
    apply_steps(&store, &rendering, &[step(1, &[A])])
        .await
        .unwrap();
    let names: Vec<_> = schema(&store)
        .await
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["a_local", "schema_migrations", "schema_shape"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_no_identifier_never_reaches_a_statement() {
    let (store, _) = nowhere();
    let rendering = Rendering::single("rides; DROP DATABASE system");
    let error = apply(&store, &rendering).await.unwrap_err();
    assert!(matches!(error, MigrationError::Database(_)), "{error}");
    let missing = store.execute("SELECT 1", &Params::new()).await.unwrap_err();
    assert_eq!(
        missing.server_code(),
        Some(81),
        "the database was made: {missing}"
    );
}
