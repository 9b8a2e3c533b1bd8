//! `/analytics/cohort`
//!
//! ```text
//! user_profiles ─▶ (person, cohort) ─┬─▶ size of each cohort
//!                                    │ JOIN
//! user_days ─▶ (person, unit) ───────┴─▶ distinct persons of (cohort, unit) ─▶ cells, where the unit is over
//! ```
//!
#![doc = include_str!("../definitions/cohort.md")]

mod opened;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use chrono_tz::Tz;
use clickhouse::Row;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};
use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder, Schema,
        schema::{SchemaType, Type},
    },
};

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
    source::unit_of,
    time::{Buckets, DateRange, Granularity, Kept, Span, TooManyPoints, TooOld, local_date},
};

/// The calendar unit of cohorts and periods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CohortType {
    /// Local days.
    Daily,
    /// ISO weeks.
    #[default]
    Weekly,
    /// Calendar months.
    Monthly,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    cohort_type: CohortType,
    /// The units in which users registered.
    cohorts: Buckets,
    /// Those, and the periods after the last.
    units: Buckets,
    periods: usize,
    /// Its range are the cohorts' units.
    selection: Selection,
}

/// Cohorts and how long they stayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CohortAnalysis {
    /// The unit of cohorts and periods.
    pub cohort_type: CohortType,
    /// One row for each unit that the range touches, also those that have not begun.
    pub cohorts: Vec<Cohort>,
    /// The share of users retained in each period over all cohorts for which it is over, in percent.
    #[schema(schema_with = averages)]
    pub average_retention_by_period: Periods<Option<Hundredths>>,
    /// The rule that was applied.
    pub rule: Rule,
}

/// The users who registered in one calendar unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Cohort {
    /// The unit: `2024-01-31`, `2024-W05` or `2024-01`.
    #[schema(example = "2024-W05")]
    pub cohort_period: String,
    /// When it begins, RFC 3339 on the local clock.
    #[schema(example = "2024-01-29T00:00:00+01:00")]
    pub start: String,
    /// How many users registered in it.
    pub cohort_size: u64,
    /// The share of them that was active in each period, in percent; `null` says why in `null_reasons`.
    #[schema(schema_with = shares)]
    pub retention_by_period: Periods<Option<Hundredths>>,
    /// How many of them were active in each period; `null` where it is not over.
    #[schema(schema_with = counts)]
    pub retained_by_period: Periods<Option<u64>>,
    /// Why a share is `null`.
    #[schema(example = json!({"period_2": "period_not_over"}))]
    pub null_reasons: BTreeMap<String, NullReason>,
    /// What opens `cohort_size` and, by its name, the number of each period in `retained_by_period`, with `include_cells`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cells: Option<Cells>,
}

/// Why there is no share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CohortNullReason)]
#[serde(rename_all = "snake_case")]
pub enum NullReason {
    /// The period is not over, or not everything of it has arrived (`complete_through`).
    PeriodNotOver,
    /// Nobody registered in the unit.
    EmptyCohort,
}

/// What is known of each period, the first being `period_0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Periods<T>(pub Vec<T>);

impl<T: Serialize> Serialize for Periods<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (number, value) in self.0.iter().enumerate() {
            map.serialize_entry(&period(number), value)?;
        }
        map.end()
    }
}

fn averages() -> Schema {
    let said = "The share of users retained in each period over all cohorts for which it is over, in percent.";
    by_period(
        said,
        Type::Number,
        &[json!(61.2), json!(43.75), json!(null)],
    )
}

fn shares() -> Schema {
    let said = "The share of them that was active in each period, in percent; `null` says why in `null_reasons`.";
    by_period(
        said,
        Type::Number,
        &[json!(61.2), json!(43.75), json!(null)],
    )
}

fn counts() -> Schema {
    let said = "How many of them were active in each period; `null` where it is not over.";
    by_period(said, Type::Integer, &[json!(98), json!(70), json!(null)])
}

fn by_period(said: &str, kind: Type, example: &[Value]) -> Schema {
    let value = ObjectBuilder::new().schema_type(SchemaType::Array(vec![kind, Type::Null]));
    let example = example.iter().enumerate();
    let example: Map<String, Value> = example
        .map(|(number, value)| (period(number), value.clone()))
        .collect();
    ObjectBuilder::new()
        .description(Some(said))
        .additional_properties(Some(Schema::Object(value.build())))
        .examples([Value::Object(example)])
        .into()
}

fn period(number: usize) -> String {
    format!("period_{number}")
}

/// A cohort (unit 0), or those of it who were active in a unit.
#[derive(Clone, Copy, Debug, Default, Row, Deserialize)]
struct CohortRow {
    cohort: u64,
    unit: u64,
    users: i64,
}

impl CohortType {
    const fn granularity(self) -> Granularity {
        match self {
            Self::Daily => Granularity::Daily,
            Self::Weekly => Granularity::Weekly,
            Self::Monthly => Granularity::Monthly,
        }
    }

    /// The name of the unit that begins at an instant.
    fn name(self, zone: Tz, start: DateTime<Utc>) -> String {
        let date = local_date(zone, start);
        match self {
            Self::Daily => date.to_string(),
            Self::Weekly => {
                let week = date.iso_week();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Self::Monthly => format!("{:04}-{:02}", date.year(), date.month()),
        }
    }
}

impl Question {
    /// So many periods of the cohorts of every unit that the range touches.
    ///
    /// # Errors
    /// When that are more than [`MAX_POINTS`](crate::time::MAX_POINTS) cells.
    pub fn new(
        cohort_type: CohortType,
        periods: usize,
        selection: Selection,
    ) -> Result<Self, TooManyPoints> {
        let range = selection.range;
        let (zone, granularity) = (range.zone(), cohort_type.granularity());
        let cohorts = Buckets::of(&range, granularity)?;
        if cohorts.len().saturating_mul(periods) > crate::time::MAX_POINTS {
            return Err(TooManyPoints);
        }
        let units = cohorts
            .clone()
            .followed_by(periods.saturating_sub(1), zone, granularity)?;
        let Span { from, until } = cohorts.span();
        let range = DateRange::between(from, until, zone).unwrap_or(range);
        Ok(Self {
            cohort_type,
            cohorts,
            units,
            periods,
            selection: Selection { range, ..selection },
        })
    }

    /// The cohorts' units, which are whole.
    #[must_use]
    pub fn range(&self) -> DateRange {
        self.selection.range
    }

    /// How many numbers there are.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.cohorts.len().saturating_mul(self.periods + 1)
    }

    /// Checks that the events of the units are still stored, for numbers that are to be opened.
    ///
    /// # Errors
    /// When the first begins before them.
    pub fn check_kept(&self) -> Result<(), TooOld> {
        let Selection { range, now, .. } = &self.selection;
        let unit = self.cohort_type.granularity();
        Kept::Events.check_units_since(range.start(), unit, range.zone(), *now)
    }

    /// Counts the facts that no number holds yet, if a region is asked of.
    #[must_use]
    pub fn unsettled_facts(&self) -> Option<Query> {
        let Span { from, until } = self.units.span();
        let count = || unsettled(&JOINING_AND_RIDING, from, until);
        self.selection.region.is_regional().then(count)
    }

    fn query(&self, complete_through: Option<DateTime<Utc>>) -> Query {
        let mut parameters = Parameters::default();
        let people = self.people(&mut parameters);
        let mut parts = vec![format!(
            "SELECT cohort, toUInt64(0) AS unit, toInt64(count()) AS users\nFROM\n(\n{people}\n)\nGROUP BY cohort"
        )];
        if let Some(over) = complete_through.and_then(|at| self.units.over_at(at)) {
            let Span { from, until } = over.span();
            let rows = units::rows(
                Kind::Riding,
                &self.selection.grid_between(from, until),
                &over,
                &self.selection.region,
                &mut parameters,
            );
            parts.push(format!(
                "SELECT cohort, {unit} AS unit, {users} AS users\n\
                 FROM\n\
                 {rides}\n\
                 GROUP BY cohort, unit",
                rides = of_people(&rows, &people),
                unit = unit_of("at", &over, &mut parameters),
                users = units::distinct(&self.selection.region),
            ));
        }
        let rows = parts.join("\nUNION ALL\n");
        parameters.into_query(format!(
            "SELECT cohort, unit, users\nFROM\n(\n{rows}\n)\n{DROP_FIRST}"
        ))
    }

    /// `person` and `cohort` of everyone who registered in the range.
    fn people(&self, parameters: &mut Parameters) -> String {
        let cohort = unit_of(REGISTERED, &self.cohorts, parameters);
        registered_within(
            self.cohorts.span(),
            &format!("user_id AS person, {cohort} AS cohort"),
            &self.selection.region,
            self.selection.pin(),
            parameters,
        )
    }

    fn assemble(
        &self,
        rows: Vec<CohortRow>,
        complete_through: Option<DateTime<Utc>>,
    ) -> CohortAnalysis {
        let mut sizes = vec![0; self.cohorts.len()];
        let mut retained = BTreeMap::<(usize, usize), u64>::new();
        for row in rows {
            let Some(cohort) = self.cohorts.position(row.cohort) else {
                continue;
            };
            match row.unit {
                0 => {
                    if let Some(size) = sizes.get_mut(cohort) {
                        *size = count(row.users);
                    }
                }
                unit => {
                    let unit = self.units.position(unit);
                    if let Some(period) = unit.and_then(|unit| unit.checked_sub(cohort)) {
                        retained.insert((cohort, period), count(row.users));
                    }
                }
            }
        }
        let ends: Vec<DateTime<Utc>> = self.units.iter().map(|unit| unit.until).collect();
        let is_over = |unit: usize| {
            ends.get(unit)
                .zip(complete_through)
                .is_some_and(|(end, at)| *end <= at)
        };
        let mut pooled = vec![(0, 0); self.periods];
        let mut cohorts = Vec::new();
        for (number, (unit, size)) in self.cohorts.iter().zip(sizes).enumerate() {
            let retained: Vec<Option<u64>> = (0..self.periods)
                .map(|period| {
                    let retained = retained.get(&(number, period)).copied().unwrap_or_default();
                    is_over(number + period).then_some(retained)
                })
                .collect();
            for (pooled, period) in pooled.iter_mut().zip(&retained) {
                if let Some(retained) = period {
                    pooled.0 += retained;
                    pooled.1 += size;
                }
            }
            cohorts.push(self.cohort(number, unit, size, retained));
        }
        let average = |(retained, eligible): (u64, u64)| Hundredths::percent(retained, eligible);
        CohortAnalysis {
            cohort_type: self.cohort_type,
            cohorts,
            average_retention_by_period: Periods(pooled.into_iter().map(average).collect()),
            rule: rule(),
        }
    }

    fn cohort(&self, number: usize, unit: Span, size: u64, retained: Vec<Option<u64>>) -> Cohort {
        let (zone, start) = (self.selection.range.zone(), unit.from);
        let reasons = retained
            .iter()
            .enumerate()
            .filter_map(|(number, retained)| {
                let reason = match (retained, size) {
                    (None, _) => NullReason::PeriodNotOver,
                    (Some(_), 0) => NullReason::EmptyCohort,
                    _ => return None,
                };
                Some((period(number), reason))
            });
        let shares = retained
            .iter()
            .map(|period| period.and_then(|retained| Hundredths::percent(retained, size)));
        Cohort {
            cohort_period: self.cohort_type.name(zone, start),
            start: start
                .with_timezone(&zone)
                .to_rfc3339_opts(SecondsFormat::Secs, false),
            cohort_size: size,
            retention_by_period: Periods(shares.collect()),
            null_reasons: reasons.collect(),
            cells: self.cells(number, unit, &retained),
            retained_by_period: Periods(retained),
        }
    }
}

/// Asks for the cohorts. Periods that are over by `complete_through`, which was read before, are told.
///
/// # Errors
/// When the statement is not answered.
pub async fn ask<A: Ask>(
    store: &A,
    question: &Question,
    complete_through: Option<DateTime<Utc>>,
) -> Result<CohortAnalysis, A::Error> {
    let query = question.query(complete_through);
    let rows = store.rows("cohort", &query).await?;
    Ok(question.assemble(rows, complete_through))
}

/// The rule of this analysis.
fn rule() -> Rule {
    Rule::new(
        "registration-cohorts/1",
        "/v1/definitions/cohort",
        include_str!("../definitions/cohort.md"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{everywhere, in_lagos_off_grid, shown};

    fn query(cohort_type: CohortType, asked: &Selection) -> Query {
        let question = Question::new(cohort_type, 3, asked.clone()).unwrap();
        question.query(Some(asked.now))
    }

    #[test]
    fn sizes_and_those_who_stayed_are_counted_at_once() {
        let january = query(CohortType::Weekly, &everywhere(false));
        insta::assert_snapshot!("weekly", shown(&january));
        let in_lagos = query(CohortType::Monthly, &in_lagos_off_grid());
        insta::assert_snapshot!("monthly_in_lagos", shown(&in_lagos));
    }

    #[test]
    fn without_anything_complete_only_sizes_are_counted() {
        let asked = everywhere(false);
        let question = Question::new(CohortType::Daily, 2, asked.clone()).unwrap();
        assert!(!question.query(None).sql.contains("user_days"));
        let row = |unit, users| CohortRow {
            cohort: u64::try_from(asked.range.start().timestamp()).unwrap(),
            unit,
            users,
        };
        let answer = question.assemble(vec![row(0, 3)], None);
        let json = serde_json::to_value(&answer.cohorts[0]).unwrap();
        assert_eq!(json["cohort_size"], 3);
        assert_eq!(
            json["retention_by_period"],
            json!({"period_0": null, "period_1": null})
        );
        assert_eq!(
            json["null_reasons"],
            json!({"period_0": "period_not_over", "period_1": "period_not_over"})
        );
    }

    #[test]
    fn more_cells_than_points_are_refused() {
        let asked = everywhere(false);
        let cells = |periods| Question::new(CohortType::Daily, periods, asked.clone());
        assert!(cells(322).is_ok());
        assert_eq!(cells(323).unwrap_err(), TooManyPoints);
    }
}
