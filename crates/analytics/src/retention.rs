//! `/analytics/retention`
//!
//! ```text
//! user_profiles ─▶ (person, joined: local day) ─┬─▶ users of each day
//!                                               │ JOIN
//! user_days ─▶ (person, local day) ─────────────┴─▶ distinct persons of (joined, N) ─▶ Σ over the days that are eligible
//! ```
//!
#![doc = include_str!("../definitions/retention.md")]

mod opened;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    activity::{JOINING_AND_RIDING, Kind, units},
    ask::Ask,
    cells::Cells,
    count,
    number::Hundredths,
    people::{DROP_FIRST, REGISTERED, of_people, registered_within},
    query::{Parameters, Query},
    rule::Rule,
    selection::{Selection, unsettled},
    time::{
        Buckets, DateRange, Granularity, LocalDays, Span, TooManyPoints, clamped, day_start,
        local_date,
    },
};

/// The days that are looked at.
const DAYS: [u16; 3] = [1, 7, 30];

/// Which users, by their role at registration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum UserType {
    /// Everyone.
    #[default]
    All,
    /// Who registered as RIDER.
    Rider,
    /// Who registered as DRIVER.
    Driver,
}

/// What makes a user retained on day N.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Activity on day N.
    #[default]
    On,
    /// Activity on day N or later.
    OnOrAfter,
}

impl UserType {
    /// A further condition on registered users.
    pub(crate) const fn condition(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Rider => " AND role = 'RIDER'",
            Self::Driver => " AND role = 'DRIVER'",
        }
    }
}

impl Mode {
    /// That who `joined` on a day was active so many days later, on the day `number`.
    pub(crate) fn retained(self, days: &str) -> String {
        match self {
            Self::On => format!("number = joined + {days}"),
            Self::OnOrAfter => format!("number >= joined + {days}"),
        }
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    selection: Selection,
    user_type: UserType,
    mode: Mode,
}

/// How many users stayed for a day, a week and a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Retention {
    /// Which users.
    pub user_type: UserType,
    /// What makes one retained.
    pub mode: Mode,
    /// How many of them registered in the range.
    pub total_users: u64,
    /// Retained over eligible on day 1, in percent; `null` says why in `null_reasons`.
    #[schema(required)]
    pub d1_retention_rate: Option<Hundredths>,
    /// Of the eligible users, those who were retained on day 1.
    pub d1_retained_users: u64,
    /// Users whose day 1 is over.
    pub d1_eligible_users: u64,
    /// Retained over eligible on day 7, in percent.
    #[schema(required)]
    pub d7_retention_rate: Option<Hundredths>,
    /// Of the eligible users, those who were retained on day 7.
    pub d7_retained_users: u64,
    /// Users whose day 7 is over.
    pub d7_eligible_users: u64,
    /// Retained over eligible on day 30, in percent.
    #[schema(required)]
    pub d30_retention_rate: Option<Hundredths>,
    /// Of the eligible users, those who were retained on day 30.
    pub d30_retained_users: u64,
    /// Users whose day 30 is over.
    pub d30_eligible_users: u64,
    /// Why a rate is `null`.
    #[schema(example = json!({"d30_retention_rate": "nobody_eligible"}))]
    pub null_reasons: BTreeMap<&'static str, NullReason>,
    /// What opens the numbers of users, with `include_cells`; of a day for which somebody can be eligible.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
    /// The rule that was applied.
    pub rule: Rule,
}

/// Why there is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RetentionNullReason)]
#[serde(rename_all = "snake_case")]
pub enum NullReason {
    /// Nobody registered in the range.
    NoUsers,
    /// Of nobody the day is over, or not everything of it has arrived (`complete_through`).
    NobodyEligible,
}

/// Those who registered on a day (N is 0), or those of them who were retained on day N.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
struct RetentionRow {
    joined: u64,
    day: u16,
    users: i64,
}

/// Retained and eligible users.
#[derive(Clone, Copy, Debug, Default)]
struct Day {
    retained: u64,
    eligible: u64,
}

impl Question {
    /// The retention of the users of a kind who registered in the range, and in the region.
    ///
    /// # Errors
    /// When there are more days since than a statement can tell apart: some thirty years.
    pub fn new(
        selection: Selection,
        user_type: UserType,
        mode: Mode,
    ) -> Result<Self, TooManyPoints> {
        let now = selection.now;
        let question = Self {
            selection,
            user_type,
            mode,
        };
        question
            .active(Some(now))
            .map_or(Ok(()), |active| {
                Buckets::pieces(&active, Granularity::Daily).map(drop)
            })
            .map(|()| question)
    }

    /// Counts the facts that no number holds yet, if a region is asked of.
    #[must_use]
    pub fn unsettled_facts(&self) -> Option<Query> {
        let until = self.selection.range.end().max(self.selection.now);
        let count = || unsettled(&JOINING_AND_RIDING, self.selection.range.start(), until);
        self.selection.region.is_regional().then(count)
    }

    fn query(&self, complete_through: Option<DateTime<Utc>>, days: &LocalDays) -> Query {
        let mut parameters = Parameters::default();
        let people = self.people(days, &mut parameters);
        let mut parts = vec![format!(
            "SELECT joined, toUInt16(0) AS day, toInt64(count()) AS users\nFROM\n(\n{people}\n)\nGROUP BY joined"
        )];
        let active = self.active(complete_through);
        let by_day = active.and_then(|active| {
            let local_days = Buckets::pieces(&active, Granularity::Daily).ok()?;
            let grid = self.selection.grid_between(active.start(), active.end());
            Some((grid, local_days))
        });
        if let Some((grid, local_days)) = by_day {
            let number = days.number("at", &mut parameters);
            let rows = units::rows(
                Kind::Riding,
                &grid,
                &local_days,
                &self.selection.region,
                &mut parameters,
            );
            let rows = format!("SELECT sign, person, {number} AS number FROM\n(\n{rows}\n)");
            let looked_at = DAYS.map(|day| day.to_string()).join(", ");
            let retained = self.mode.retained("n");
            parts.push(format!(
                "SELECT joined, toUInt16(arrayJoin(arrayFilter(n -> {retained}, [{looked_at}]))) AS day, {users} AS users\n\
                 FROM\n\
                 {rides}\n\
                 GROUP BY joined, day",
                rides = of_people(&rows, &people),
                users = units::distinct(&self.selection.region),
            ));
        }
        let rows = parts.join("\nUNION ALL\n");
        parameters.into_query(format!(
            "SELECT joined, day, users\nFROM\n(\n{rows}\n)\n{DROP_FIRST}"
        ))
    }

    /// When the activity was that matters, from the first day 0 on.
    fn active(&self, complete_through: Option<DateTime<Utc>>) -> Option<DateRange> {
        let zone = self.selection.range.zone();
        let from = day_start(
            zone,
            local_date(zone, clamped(self.selection.range.start())),
        );
        let last = DAYS.into_iter().max().unwrap_or_default();
        let complete = complete_through?.min(self.selection.now);
        let until = match self.mode {
            // no clock was ever moved by more than a day
            Mode::On => {
                complete.min(self.selection.range.end() + TimeDelta::days((last + 2).into()))
            }
            Mode::OnOrAfter => complete,
        };
        DateRange::between(from, until, zone).ok()
    }

    /// `person` and `joined` of everyone who registered in the range.
    fn people(&self, days: &LocalDays, parameters: &mut Parameters) -> String {
        let joined = days.number(REGISTERED, parameters);
        let people = registered_within(
            self.selection.range.span(),
            &format!("user_id AS person, toUInt64({joined}) AS joined"),
            &self.selection.region,
            self.selection.pin(),
            parameters,
        );
        people + self.user_type.condition()
    }

    /// The days from the first registration to what is complete.
    fn days(&self, complete_through: Option<DateTime<Utc>>) -> LocalDays {
        let Span { from, until } = self.selection.range.span();
        let until = complete_through.map_or(until, |at| until.max(at + TimeDelta::milliseconds(1)));
        LocalDays::of(Span { from, until }, self.selection.range.zone())
    }

    fn assemble(
        &self,
        rows: Vec<RetentionRow>,
        days: &LocalDays,
        complete_through: Option<DateTime<Utc>>,
    ) -> Retention {
        let today = complete_through
            .map(|at| days.number_of(at.timestamp()))
            .and_then(|day| u64::try_from(day).ok());
        let is_over = |day: u64| today.is_some_and(|today| day < today);
        let mut total_users = 0;
        let mut looked_at: BTreeMap<u16, Day> = DAYS.map(|day| (day, Day::default())).into();
        for row in rows {
            let users = count(row.users);
            if row.day == 0 {
                total_users += users;
            }
            for (number, day) in &mut looked_at {
                if is_over(row.joined + u64::from(*number)) {
                    match row.day {
                        0 => day.eligible += users,
                        n if n == *number => day.retained += users,
                        _ => {}
                    }
                }
            }
        }
        let [d1, d7, d30] = DAYS.map(|day| looked_at.get(&day).copied().unwrap_or_default());
        let rate = |day: Day| Hundredths::percent(day.retained, day.eligible);
        let reason = match total_users {
            0 => NullReason::NoUsers,
            _ => NullReason::NobodyEligible,
        };
        let rates = [
            ("d1_retention_rate", d1),
            ("d7_retention_rate", d7),
            ("d30_retention_rate", d30),
        ];
        let unknown = rates.into_iter().filter(|(_, day)| day.eligible == 0);
        Retention {
            user_type: self.user_type,
            mode: self.mode,
            total_users,
            d1_retention_rate: rate(d1),
            d1_retained_users: d1.retained,
            d1_eligible_users: d1.eligible,
            d7_retention_rate: rate(d7),
            d7_retained_users: d7.retained,
            d7_eligible_users: d7.eligible,
            d30_retention_rate: rate(d30),
            d30_retained_users: d30.retained,
            d30_eligible_users: d30.eligible,
            null_reasons: unknown.map(|(name, _)| (name, reason)).collect(),
            cells: self.cells(days, today, complete_through),
            rule: rule(),
        }
    }
}

/// Asks for the retention of users whose day is over by `complete_through`, which was read before.
///
/// # Errors
/// When the statement is not answered.
pub async fn ask<A: Ask>(
    store: &A,
    question: &Question,
    complete_through: Option<DateTime<Utc>>,
) -> Result<Retention, A::Error> {
    let days = question.days(complete_through);
    let query = question.query(complete_through, &days);
    let rows = store.rows("retention", &query).await?;
    Ok(question.assemble(rows, &days, complete_through))
}

/// The rule of this analysis.
fn rule() -> Rule {
    Rule::new(
        "day-n-retention/1",
        "/v1/definitions/retention",
        include_str!("../definitions/retention.md"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, shown};

    #[test]
    fn those_who_registered_and_those_who_stayed_are_counted_by_day() {
        for (name, asked, mode) in [
            ("on", everywhere(false), Mode::On),
            ("on_or_after_in_lagos", in_lagos_off_grid(), Mode::OnOrAfter),
        ] {
            let through = Some(asked.now);
            let question = Question::new(asked, UserType::Rider, mode).unwrap();
            let query = question.query(through, &question.days(through));
            insta::assert_snapshot!(name, shown(&query));
        }
    }

    #[test]
    fn a_rate_of_nobody_says_why() {
        let asked = everywhere(false);
        let (user_type, mode) = (UserType::All, Mode::On);
        let question = Question::new(asked, user_type, mode).unwrap();
        let days = question.days(None);
        let reason = |rows| {
            let answer = question.assemble(rows, &days, None);
            answer.null_reasons.get("d1_retention_rate").copied()
        };
        assert_eq!(reason(Vec::new()), Some(NullReason::NoUsers));
        let joined = RetentionRow {
            joined: 20_000,
            day: 0,
            users: 1,
        };
        assert_eq!(reason(vec![joined]), Some(NullReason::NobodyEligible));
    }
}
