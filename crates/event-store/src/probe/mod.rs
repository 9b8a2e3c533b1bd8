//! Does one insert make one part per target and month on this server? Asked at start-up, by doing it.

mod error;
mod scratch;

use std::collections::BTreeMap;

pub use self::error::{Deviation, Parts, ProbeError};
use self::scratch::Scratch;
use crate::{
    error::StoreError,
    insert_settings::{PINNED, Pinned},
    params::Params,
    store::Store,
};

/// Inserts a block over several months through views into tables of its own, counts the parts, and drops
/// the tables.
///
/// # Errors
/// If there is not exactly one part per table and month; the error names the setting that is off.
pub async fn probe(store: &Store) -> Result<(), ProbeError> {
    probe_with(store, &[]).await
}

/// The same with other values for some of the pinned settings, to see what they do.
///
/// # Errors
/// As [`probe`].
pub async fn probe_with(store: &Store, overrides: &[(&str, &str)]) -> Result<(), ProbeError> {
    let settings: Vec<(&str, &str)> = PINNED
        .iter()
        .map(|pinned| {
            let other = overrides.iter().find(|(name, _)| *name == pinned.name);
            (pinned.name, other.map_or(pinned.value, |&(_, value)| value))
        })
        .collect();
    let scratch = Scratch::new(store);
    let parts = scratch.run(&settings).await;
    // also after a failure, whose cause matters more than what the clean-up says
    let cleaned = scratch.drop_tables().await;
    let parts = parts?;
    cleaned?;
    if parts == Scratch::expected() {
        return Ok(());
    }
    let settings = deviations(store, &settings).await?;
    Err(ProbeError::Parts { parts, settings })
}

/// Asks a query that is sent with the same settings what it sees.
async fn deviations(
    store: &Store,
    settings: &[(&str, &str)],
) -> Result<Vec<Deviation>, StoreError> {
    let names: Vec<&str> = PINNED.iter().map(|pinned| pinned.name).collect();
    let sql = "SELECT name, value FROM system.settings WHERE name IN {names:Array(String)}";
    let mut query = store.query(sql).named("settings of inserts");
    for (name, value) in settings {
        query = query.setting(name, value);
    }
    let query = query.params(&Params::new().with("names", names.as_slice()));
    let effective: BTreeMap<String, String> = query
        .fetch_all::<(String, String)>()
        .await?
        .into_iter()
        .collect();
    let deviation = |pinned: &Pinned| {
        let value = effective.get(pinned.name)?;
        (value != pinned.value).then(|| Deviation {
            name: pinned.name,
            pinned: pinned.value,
            effective: value.clone(),
            reason: pinned.reason,
        })
    };
    Ok(PINNED.iter().filter_map(deviation).collect())
}
