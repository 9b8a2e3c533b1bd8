//! Which hours of events a batch adds to, for those who keep answers about them.

use crate::{Pool, StoreError};
use chrono::{DateTime, Utc};
use diesel::sql_types::{Double, Jsonb, Nullable, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use shared_schema::Domain;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    time::Duration,
};

/// Hours since 1970, by domain: pairs of the first and the last of some that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched(BTreeMap<Domain, Vec<(i64, i64)>>);

impl Touched {
    /// The hours of each domain.
    pub fn new<'h>(domains: impl IntoIterator<Item = (Domain, &'h BTreeSet<i64>)>) -> Self {
        let domains = domains.into_iter();
        Self(
            domains
                .map(|(domain, hours)| (domain, joined(hours)))
                .collect(),
        )
    }

    /// All stretches of hours.
    pub fn stretches(&self) -> impl Iterator<Item = (Domain, RangeInclusive<i64>)> {
        self.0.iter().flat_map(|(domain, stretches)| {
            stretches
                .iter()
                .map(|(first, last)| (*domain, *first..=*last))
        })
    }
}

/// Hours that follow each other become one pair.
fn joined(hours: &BTreeSet<i64>) -> Vec<(i64, i64)> {
    let mut stretches: Vec<(i64, i64)> = Vec::new();
    for hour in hours {
        match stretches.last_mut() {
            Some((_, last)) if *last + 1 == *hour => *last = *hour,
            _ => stretches.push((*hour, *hour)),
        }
    }
    stretches
}

/// What batches touched of late.
#[derive(Debug, Clone, PartialEq)]
pub struct Lately {
    /// What PostgreSQL's clock says.
    pub now: DateTime<Utc>,
    /// When each batch was known to be stored, and what it touched; `None` is anything.
    pub batches: Vec<(DateTime<Utc>, Option<Touched>)>,
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    stored_by: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    touched: Option<serde_json::Value>,
}

/// What the batches touched that were stored within the last `reach`, by PostgreSQL's clock.
///
/// What an ingestor of an older version has closed counts by that one's clock, and may have touched anything.
///
/// A closing shows once it is committed, and is dated when it began: whoever asks again and again reaches back some time
/// further than to the last answer.
pub async fn touched(pool: &Pool, reach: Duration) -> Result<Lately, StoreError> {
    let operation = "ask what batches touched";
    let mut connection = pool.get(operation).await?;
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT now.now, coalesce(b.stored_by, b.closed_at) AS stored_by, b.touched FROM (SELECT now() AS now) AS now \
         LEFT JOIN ingest_batch b ON b.stored_by > now.now - make_interval(secs => $1) \
             OR (b.state = 'done' AND b.stored_by IS NULL AND b.closed_at > now.now - make_interval(secs => $1))",
    )
    .bind::<Double, _>(reach.as_secs_f64())
    .load(&mut connection)
    .await
    .map_err(|source| StoreError::Query { operation, source })?;
    // the left side has one row, so there always is one
    let now = rows
        .as_slice()
        .first()
        .map_or_else(DateTime::default, |row| row.now);
    let batches = rows.into_iter().filter_map(|row| {
        let touched = row.touched.map(serde_json::from_value).transpose();
        // what cannot be read may be anything
        Some((row.stored_by?, touched.unwrap_or_default()))
    });
    Ok(Lately {
        now,
        batches: batches.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_that_follow_each_other_are_stored_as_one_stretch() {
        let hours = BTreeSet::from([7, 8, 9, 11, 20, 21]);
        let touched = Touched::new([(Domain::Trip, &hours)]);
        assert_eq!(
            serde_json::to_string(&touched).unwrap(),
            r#"{"trip":[[7,9],[11,11],[20,21]]}"#
        );
        let again: Vec<_> = touched.stretches().collect();
        assert_eq!(again.len(), 3);
        assert_eq!(again[0], (Domain::Trip, 7..=9));
    }
}
