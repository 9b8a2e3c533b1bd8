//! `/analytics/retention`

use super::super::AnswerKey;
use super::super::calendar;
use super::super::exact::{Hundredths, percent};
use super::super::question::Question;
use super::rode;
use crate::event::Role;
use chrono::Days;
use serde::Serialize;
use std::collections::BTreeMap;

/// Which users, by their role at registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserType {
    /// Everyone.
    All,
    /// Riders.
    Rider,
    /// Drivers.
    Driver,
}

/// What makes a user retained on day N.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A ride on that day.
    On,
    /// A ride on that day or later.
    OnOrAfter,
}

/// How many users stayed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names are the contract's")]
pub struct RetentionMetrics {
    pub total_users: u64,
    pub d1_retention_rate: Option<Hundredths>,
    pub d1_retained_users: u64,
    pub d1_eligible_users: u64,
    pub d7_retention_rate: Option<Hundredths>,
    pub d7_retained_users: u64,
    pub d7_eligible_users: u64,
    pub d30_retention_rate: Option<Hundredths>,
    pub d30_retained_users: u64,
    pub d30_eligible_users: u64,
    pub null_reasons: BTreeMap<&'static str, &'static str>,
}

impl AnswerKey {
    /// The retention of the users who registered in the question's range.
    #[must_use]
    pub fn retention(&self, question: &Question, users: UserType, mode: Mode) -> RetentionMetrics {
        let zone = question.range.zone;
        let rides = self.rides(question);
        let mut joined = self.joined(question);
        joined.retain(|_, joined| {
            let counts = match users {
                UserType::All => true,
                UserType::Rider => joined.role == Role::Rider,
                UserType::Driver => joined.role == Role::Driver,
            };
            counts && question.range.contains(joined.at_ms)
        });
        let day = |number: u64| {
            let (mut retained, mut eligible) = (0, 0);
            for (user, joined) in &joined {
                let date = calendar::local_date(zone, joined.at_ms) + Days::new(number);
                let start = calendar::day_start(zone, date);
                let end = calendar::day_start(zone, date + Days::new(1));
                let Some(complete) = question.complete_ms.filter(|complete| end <= *complete)
                else {
                    continue;
                };
                let until = match mode {
                    Mode::On => end,
                    Mode::OnOrAfter => complete,
                };
                eligible += 1;
                retained += u64::from(rode(rides.get(user), |at| (start..until).contains(&at)));
            }
            (percent(retained, eligible), retained, eligible)
        };
        let (d1, d7, d30) = (day(1), day(7), day(30));
        let rates = [
            ("d1_retention_rate", d1),
            ("d7_retention_rate", d7),
            ("d30_retention_rate", d30),
        ];
        let nulls = rates.into_iter().filter(|(_, day)| day.0.is_none());
        let reason = match joined.is_empty() {
            true => "no_users",
            false => "nobody_eligible",
        };
        RetentionMetrics {
            total_users: joined.len() as u64,
            d1_retention_rate: d1.0,
            d1_retained_users: d1.1,
            d1_eligible_users: d1.2,
            d7_retention_rate: d7.0,
            d7_retained_users: d7.1,
            d7_eligible_users: d7.2,
            d30_retention_rate: d30.0,
            d30_retained_users: d30.1,
            d30_eligible_users: d30.2,
            null_reasons: nulls.map(|(name, _)| (name, reason)).collect(),
        }
    }
}
