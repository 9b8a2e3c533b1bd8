//! `/metrics/users`

use super::AnswerKey;
use super::distinct::{Distinct, Standing};
use super::exact::{Hundredths, percent};
use super::question::Question;
use super::rows::{Number, UserKind};
use super::series::{Point, Series};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Users by activity and by how far they got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct UserMetrics {
    pub dau: u64,
    pub wau: u64,
    pub mau: u64,
    pub new_registrations: u64,
    pub total_users: u64,
    pub kyc_completion_rate: Option<Hundredths>,
    pub driver_activation_rate: Option<Hundredths>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_series: Option<Vec<Point<UserPoint>>>,
}

/// Users of one bucket of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserPoint {
    /// Distinct users active in the bucket.
    pub active_users: u64,
    /// Registrations in the bucket.
    pub new_registrations: u64,
    /// Users registered up to the end of the bucket, since ever.
    pub total_users: u64,
}

#[derive(Debug, Default)]
struct Tally {
    active: Distinct<Number>,
    registrations: u64,
}

impl AnswerKey {
    /// The user metrics.
    #[must_use]
    pub fn users(&self, question: &Question) -> UserMetrics {
        let range = question.range;
        let active_in_last = |days| {
            let start_ms = range.last_days_start(days);
            self.active_users(&question.region, |at| {
                start_ms <= at.at_ms && at.at_ms < range.end_ms
            })
        };
        let registered: HashSet<Number> = self
            .joined(question)
            .into_iter()
            .filter(|(_, joined)| range.contains(joined.at_ms))
            .map(|(user, _)| user)
            .collect();
        let share_of_registered = |wanted: HashSet<Number>| {
            percent(
                registered.intersection(&wanted).count() as u64,
                registered.len() as u64,
            )
        };
        UserMetrics {
            dau: active_in_last(1),
            wau: active_in_last(7),
            mau: active_in_last(30),
            new_registrations: self
                .registrations(question)
                .filter(|(at_ms, _)| range.contains(*at_ms))
                .count() as u64,
            total_users: self.registered_before(question, range.end_ms),
            kyc_completion_rate: share_of_registered(self.verified(question.now_ms)),
            driver_activation_rate: share_of_registered(self.upgraded(question.now_ms)),
            time_series: self.user_series(question),
        }
    }

    /// When and who, of the registrations in the question's region.
    fn registrations<'a>(&'a self, question: &'a Question) -> impl Iterator<Item = (i64, Number)> {
        self.users.iter().filter_map(|row| {
            let counts = matches!(row.kind, UserKind::Registered(_))
                && question.region.admits(self.user_region(row.user));
            counts.then_some((row.stamp.at_ms, row.user))
        })
    }

    fn registered_before(&self, question: &Question, end_ms: i64) -> u64 {
        let users: HashSet<Number> = self
            .registrations(question)
            .filter(|(at_ms, _)| *at_ms < end_ms)
            .map(|(_, user)| user)
            .collect();
        users.len() as u64
    }

    /// Users whose latest decision by event time, up to now, is VERIFIED.
    fn verified(&self, now_ms: i64) -> HashSet<Number> {
        let mut latest = HashMap::<Number, (i64, bool)>::new();
        for row in self.users.iter().filter(|row| row.stamp.at_ms <= now_ms) {
            if let UserKind::Kyc { verified } = row.kind {
                let decision = (row.stamp.at_ms, verified);
                let known = latest.entry(row.user).or_insert(decision);
                *known = decision.max(*known);
            }
        }
        latest
            .into_iter()
            .filter(|(_, (_, verified))| *verified)
            .map(|(user, _)| user)
            .collect()
    }

    fn upgraded(&self, now_ms: i64) -> HashSet<Number> {
        let upgrades = self
            .users
            .iter()
            .filter(|row| row.kind == UserKind::Upgraded && row.stamp.at_ms <= now_ms);
        upgrades.map(|row| row.user).collect()
    }

    fn user_series(&self, question: &Question) -> Option<Vec<Point<UserPoint>>> {
        let mut series = Series::<Tally>::of(question)?;
        self.for_each_activity(&question.region, |standing, stamp, user| {
            if question.range.contains(stamp.at_ms)
                && let Some(tally) = series.at(stamp.at_ms, standing)
            {
                tally.active.add(standing, user);
            }
        });
        for (at_ms, _) in self
            .registrations(question)
            .filter(|(at_ms, _)| question.range.contains(*at_ms))
        {
            if let Some(tally) = series.at(at_ms, Standing::Inside) {
                tally.registrations += 1;
            }
        }
        let mut registered_ms: Vec<i64> = self.first_registrations(question);
        registered_ms.sort_unstable();
        Some(series.points(question, |end_ms, tally| UserPoint {
            active_users: tally.active.count(),
            new_registrations: tally.registrations,
            total_users: registered_ms.partition_point(|at_ms| *at_ms < end_ms) as u64,
        }))
    }

    fn first_registrations(&self, question: &Question) -> Vec<i64> {
        let mut first = HashMap::<Number, i64>::new();
        for (at_ms, user) in self.registrations(question) {
            let known = first.entry(user).or_insert(at_ms);
            *known = at_ms.min(*known);
        }
        first.into_values().collect()
    }
}
