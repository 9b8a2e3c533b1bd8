//! Lists of users by their first registration, and by what they did after it.

use chrono::{DateTime, Utc, serde::ts_milliseconds};
use serde::{Deserialize, Serialize};
use shared_schema::Domain;

use super::{REGISTERED, of_people, registered_within};
use crate::{
    activity::{JOINING_AND_RIDING, Kind},
    cells::{Cell, events_naming, first_events},
    query::Parameters,
    retention::{Mode, UserType},
    time::{LocalDays, Span},
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

impl Rode {
    fn span(&self) -> Span {
        Span {
            from: self.from,
            until: self.until,
        }
    }

    /// The time of the rides and of a cell's registrations.
    fn span_with(&self, cell: &Cell) -> Span {
        Span {
            from: self.from.min(cell.from),
            until: self.until.max(cell.until),
        }
    }
}

/// The user with the first registration, or with the first event of those rides. Whom a profile alone knows registered
/// before any cell begins, so that each has an event.
pub(crate) fn joined(cell: &Cell, joined: &Joined, parameters: &mut Parameters) -> String {
    let Some(rode) = &joined.rode else {
        let columns = "event_id, 'user.registered' AS event_type, registered_at AS event_timestamp, user_id AS entity, state, \
                       city, kafka_topic, kafka_partition, kafka_offset";
        return people(cell, joined, columns, parameters);
    };
    let rides = events_naming(Kind::Riding, rode.span(), cell, parameters);
    let Some((day, mode)) = rode.day else {
        let people = people(cell, joined, "user_id AS person", parameters);
        return first_events(&format!("SELECT * FROM\n{}", of_people(&rides, &people)));
    };
    let days = LocalDays::of(rode.span_with(cell), cell.zone);
    let rode_on = days.number("toUInt64(toUnixTimestamp(event_timestamp))", parameters);
    let joined_on = days.number(REGISTERED, parameters);
    let columns = format!("user_id AS person, toUInt64({joined_on}) AS joined");
    let people = people(cell, joined, &columns, parameters);
    let rides = format!("SELECT *, {rode_on} AS number FROM\n(\n{rides}\n)");
    let retained = mode.retained(&parameters.number("day", day.into()));
    first_events(&format!(
        "SELECT * FROM\n{}\nWHERE {retained}",
        of_people(&rides, &people)
    ))
}

/// These columns of the users.
fn people(cell: &Cell, joined: &Joined, columns: &str, parameters: &mut Parameters) -> String {
    let (span, pin) = (cell.span(), Some(&cell.pin));
    let people = registered_within(span, columns, &cell.region, pin, parameters);
    people + joined.user_type.condition()
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
