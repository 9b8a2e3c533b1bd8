//! Lists of users by their first registration, and by what they did after it.

use chrono::{DateTime, Utc, serde::ts_milliseconds};
use serde::{Deserialize, Serialize};
use shared_schema::Domain;

use super::{REGISTERED, registered_within};
use crate::{
    activity::{JOINING_AND_RIDING, Kind, Reading},
    cells::{Cell, EVENT, first_events},
    query::Parameters,
    retention::{Mode, UserType},
    source::slices,
    time::{DateRange, Grid, LocalDays, Span},
};

/// Users whose first registration lies in the time of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Which of them.
    #[serde(default)]
    pub(crate) user_type: UserType,
    /// When those rode who are counted; without, all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rode: Option<Rode>,
}

/// When users rode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rode {
    #[serde(with = "ts_milliseconds")]
    pub(crate) from: DateTime<Utc>,
    #[serde(with = "ts_milliseconds")]
    pub(crate) until: DateTime<Utc>,
    /// In that time, on the local day so many days after that of the registration, or from it on; without, at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) day: Option<(u16, Mode)>,
}

impl Joined {
    /// The events that its list reads.
    pub(crate) fn domains(&self) -> Vec<Domain> {
        match self.rode {
            None => vec![Domain::User],
            Some(_) => JOINING_AND_RIDING.to_vec(),
        }
    }
}

/// The user with the first registration, or with the first event of those rides.
pub(crate) fn joined(cell: &Cell, joined: &Joined, parameters: &mut Parameters) -> String {
    let Some(rode) = &joined.rode else {
        let columns = "event_id, 'user.registered' AS event_type, registered_at AS event_timestamp, user_id AS entity, state, \
                       city, kafka_topic, kafka_partition, kafka_offset";
        return people(cell, joined, columns, parameters);
    };
    let rows = rides(cell, rode, parameters);
    let (numbered, columns, matched) = match rode.day {
        None => (rows, "user_id AS person".to_owned(), String::new()),
        Some((day, mode)) => {
            let days = days(cell, rode);
            let number = days.number("at", parameters);
            let first = days.number(REGISTERED, parameters);
            (
                format!("SELECT *, {number} AS number FROM\n(\n{rows}\n)"),
                format!("user_id AS person, toUInt64({first}) AS joined"),
                format!(
                    "\nWHERE {}",
                    mode.retained(&parameters.number("day", day.into()))
                ),
            )
        }
    };
    let people = people(cell, joined, &columns, parameters);
    first_events(&format!(
        "SELECT * FROM\n\
         (\n\
         {numbered}\n\
         ) AS active\n\
         INNER JOIN\n\
         (\n\
         {people}\n\
         ) AS registered USING (person){matched}"
    ))
}

/// These columns of the users.
fn people(cell: &Cell, joined: &Joined, columns: &str, parameters: &mut Parameters) -> String {
    let span = Span {
        from: cell.from,
        until: cell.until,
    };
    let people = registered_within(span, columns, &cell.region, Some(&cell.pin), parameters);
    people + joined.user_type.condition()
}

/// The events that count as riding, with `at` (second), `sign` and `person`.
fn rides(cell: &Cell, rode: &Rode, parameters: &mut Parameters) -> String {
    let columns = format!(
        "{EVENT}, toUInt64(toUnixTimestamp(event_timestamp)) AS at, {} AS sign",
        cell.region.fact_sign()
    );
    let reading = Reading {
        kind: Kind::Riding,
        region: &cell.region,
        columns: &columns,
        with_regions: true,
        further: "",
    };
    let grid = Grid::of_events(rode.from, rode.until, &cell.pin);
    let rows = slices(&grid).flat_map(|slice| reading.of_events(slice, parameters));
    rows.collect::<Vec<_>>().join("\nUNION ALL\n")
}

/// The local days of registrations and rides.
fn days(cell: &Cell, rode: &Rode) -> LocalDays {
    let (from, until) = (cell.from.min(rode.from), cell.until.max(rode.until));
    match DateRange::between(from, until, cell.zone) {
        Ok(range) => LocalDays::of(&range),
        Err(_) => LocalDays::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        RegionFilter,
        cells::{self, What},
        region::Unknown,
        tests::{everywhere, pin, shown},
    };

    fn list(user_type: UserType, region: RegionFilter, day: Option<(u16, Mode)>) -> String {
        let range = everywhere(false).range;
        let rode = Rode {
            from: range.start(),
            until: range.end(),
            day,
        };
        let joined = Joined {
            user_type,
            rode: Some(rode),
        };
        shown_of(joined, region)
    }

    fn shown_of(joined: Joined, region: RegionFilter) -> String {
        let range = everywhere(false).range;
        let cell = Cell {
            what: What::Joined(Box::new(joined)),
            from: range.start(),
            until: range.start() + chrono::TimeDelta::days(7),
            zone: range.zone(),
            region,
            only: None,
            pin: pin(),
        };
        assert_eq!(cell.lasts(), crate::people::REPEATABLE);
        shown(&cells::query(&cell, None, 100))
    }

    #[test]
    fn users_are_listed_with_their_first_registrations() {
        let list = shown_of(Joined::default(), RegionFilter::Everywhere);
        insta::assert_snapshot!("registered", list);
    }

    #[test]
    fn users_who_rode_are_listed_with_their_first_ride() {
        let unknown = RegionFilter::Remainder(Unknown::State);
        insta::assert_snapshot!("rode", list(UserType::All, unknown, None));
        let day = Some((7, Mode::OnOrAfter));
        let later = list(UserType::Driver, RegionFilter::Everywhere, day);
        insta::assert_snapshot!("rode_on_a_day_or_later", later);
    }
}
