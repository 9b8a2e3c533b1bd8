//! What is asked of the key: a range of time, a region, the present.

use super::calendar::{self, Granularity};
use super::distinct::Standing;
use crate::event::UNKNOWN;
use chrono::Days;
use chrono_tz::Tz;
use shared_schema::Region;

/// The instants from `start_ms` up to, not including, `end_ms`, seen on the clock of `zone`.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// First instant, milliseconds since 1970.
    pub start_ms: i64,
    /// The instant after the last.
    pub end_ms: i64,
    /// The zone that decides what a day is.
    pub zone: Tz,
}

impl Range {
    /// Whether an instant lies in the range.
    #[must_use]
    pub const fn contains(&self, instant_ms: i64) -> bool {
        self.start_ms <= instant_ms && instant_ms < self.end_ms
    }

    /// The start of the last `days` local days, of which the last is the one in which the range ends.
    #[must_use]
    pub fn last_days_start(&self, days: u64) -> i64 {
        let last = calendar::local_date(self.zone, self.end_ms - 1);
        calendar::day_start(self.zone, last - Days::new(days.saturating_sub(1)))
    }
}

/// Which regions count; nothing set counts all.
#[derive(Debug, Clone, Default)]
pub struct RegionFilter {
    /// Only this state.
    pub state: Option<String>,
    /// Only cities of this name.
    pub city: Option<String>,
}

impl RegionFilter {
    pub(super) fn admits(&self, region: Region) -> bool {
        let is = |wanted: &Option<String>, name: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == name)
        };
        is(&self.state, region.state) && is(&self.city, region.city)
    }

    /// How something in `region` bears on distinct counts; not at all if `None`.
    pub(super) fn standing(&self, region: Region) -> Option<Standing> {
        if self.admits(region) {
            Some(Standing::Inside)
        } else {
            self.is_the_unknown().then_some(Standing::Known)
        }
    }

    /// Whether it asks for what lies in no known state, or in no known city of any state.
    pub(super) fn is_the_unknown(&self) -> bool {
        match (self.state.as_deref(), self.city.as_deref()) {
            (Some(state), city) => {
                state == UNKNOWN.state && city.is_none_or(|city| city == UNKNOWN.city)
            }
            (None, city) => city == Some(UNKNOWN.city),
        }
    }
}

/// A question to the answer key.
#[derive(Debug, Clone)]
pub struct Question {
    /// Which events count, by their `event_timestamp`.
    pub range: Range,
    /// Which regions count.
    pub region: RegionFilter,
    /// The present: "latest status up to now", and which point of a series is unfinished.
    pub now_ms: i64,
    /// Up to when everything has arrived, if that is known.
    pub complete_ms: Option<i64>,
    /// Whether and how finely a time series is wanted.
    pub granularity: Option<Granularity>,
}

impl Question {
    /// Everything from `start_ms` up to `end_ms`, in all regions, without a series, asked at the end.
    #[must_use]
    pub fn over(start_ms: i64, end_ms: i64, zone: Tz) -> Self {
        let range = Range {
            start_ms,
            end_ms,
            zone,
        };
        Self {
            range,
            region: RegionFilter::default(),
            now_ms: end_ms,
            complete_ms: None,
            granularity: None,
        }
    }

    /// The same of one state only.
    #[must_use]
    pub fn in_state(mut self, state: &str) -> Self {
        self.region.state = Some(state.to_owned());
        self
    }

    /// The same of the cities of one name only.
    #[must_use]
    pub fn in_city(mut self, city: &str) -> Self {
        self.region.city = Some(city.to_owned());
        self
    }

    /// The same asked at another time.
    #[must_use]
    pub const fn asked_at(mut self, now_ms: i64) -> Self {
        self.now_ms = now_ms;
        self
    }

    /// The same with everything arrived that happened before an instant.
    #[must_use]
    pub const fn complete_through(mut self, complete_ms: i64) -> Self {
        self.complete_ms = Some(complete_ms);
        self
    }

    /// The same with a time series.
    #[must_use]
    pub const fn by(mut self, granularity: Granularity) -> Self {
        self.granularity = Some(granularity);
        self
    }
}
