//! `/analytics/cohort`

use super::super::AnswerKey;
use super::super::calendar::{self, Granularity};
use super::super::exact::{Hundredths, percent};
use super::super::question::Question;
use super::rode;
use chrono::Datelike;
use serde::Serialize;
use std::collections::BTreeMap;

/// Cohorts and how long they stayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CohortMetrics {
    /// By unit.
    pub cohorts: Vec<CohortRow>,
    /// Retained over eligible, of each period.
    pub average_retention_by_period: BTreeMap<String, Option<Hundredths>>,
}

/// The users who registered in a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct CohortRow {
    pub cohort_period: String,
    pub cohort_size: u64,
    pub retention_by_period: BTreeMap<String, Option<Hundredths>>,
    pub retained_by_period: BTreeMap<String, Option<u64>>,
    pub null_reasons: BTreeMap<String, &'static str>,
}

impl AnswerKey {
    /// The cohorts of the units that the question's range touches.
    #[must_use]
    pub fn cohorts(&self, question: &Question, unit: Granularity, periods: usize) -> CohortMetrics {
        let zone = question.range.zone;
        let (joined, rides) = (self.joined(question), self.rides(question));
        let mut pooled = vec![(0, 0); periods];
        let mut cohorts = Vec::new();
        let mut start = calendar::bucket_start(zone, unit, question.range.start_ms);
        while start < question.range.end_ms {
            let end = calendar::next_bucket(zone, unit, start);
            let members = joined
                .iter()
                .filter(|(_, joined)| (start..end).contains(&joined.at_ms));
            let members: Vec<u32> = members.map(|(user, _)| *user).collect();
            let size = members.len() as u64;
            let mut row = CohortRow {
                cohort_period: name(zone, unit, start),
                cohort_size: size,
                retention_by_period: BTreeMap::new(),
                retained_by_period: BTreeMap::new(),
                null_reasons: BTreeMap::new(),
            };
            let (mut from, mut until) = (start, end);
            for (period, pooled) in pooled.iter_mut().enumerate() {
                let is_over = question
                    .complete_ms
                    .is_some_and(|complete| until <= complete);
                let retained = is_over.then(|| {
                    let stayed =
                        |user: &&u32| rode(rides.get(user), |at| (from..until).contains(&at));
                    members.iter().filter(stayed).count() as u64
                });
                if let Some(retained) = retained {
                    *pooled = (pooled.0 + retained, pooled.1 + size);
                }
                let key = format!("period_{period}");
                let share = retained.and_then(|retained| percent(retained, size));
                if !is_over {
                    row.null_reasons.insert(key.clone(), "period_not_over");
                } else if size == 0 {
                    row.null_reasons.insert(key.clone(), "empty_cohort");
                }
                row.retention_by_period.insert(key.clone(), share);
                row.retained_by_period.insert(key, retained);
                (from, until) = (until, calendar::next_bucket(zone, unit, until));
            }
            cohorts.push(row);
            start = end;
        }
        let averages = pooled.into_iter().enumerate();
        CohortMetrics {
            cohorts,
            average_retention_by_period: averages
                .map(|(period, (retained, eligible))| {
                    (format!("period_{period}"), percent(retained, eligible))
                })
                .collect(),
        }
    }
}

fn name(zone: chrono_tz::Tz, unit: Granularity, start_ms: i64) -> String {
    let date = calendar::local_date(zone, start_ms);
    match unit {
        Granularity::Weekly => {
            format!("{}-W{:02}", date.iso_week().year(), date.iso_week().week())
        }
        Granularity::Monthly => format!("{}-{:02}", date.year(), date.month()),
        Granularity::Hourly | Granularity::Daily => date.to_string(),
    }
}
