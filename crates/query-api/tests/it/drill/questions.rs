//! Questions about some times and places.

use chrono::{DateTime, Duration, DurationRound as _, Utc};
use chrono_tz::Tz;
use rand::RngExt as _;

use super::Drill;

const ZONES: [Tz; 4] = [
    chrono_tz::Africa::Lagos,
    chrono_tz::Asia::Kathmandu,
    chrono_tz::Europe::Berlin,
    chrono_tz::UTC,
];

const REGIONS: [&str; 8] = [
    "",
    "",
    "&state=Lagos",
    "&state=Lagos&city=unknown",
    "&state=Kano",
    "&state=unknown",
    "&city=unknown",
    "&state=unknown&city=Ikeja",
];

impl Drill {
    /// So many questions for each path, about some times and places.
    pub(super) fn questions(&mut self, paths: &[&str], each: usize) -> Vec<String> {
        let paths = paths
            .iter()
            .flat_map(|path| std::iter::repeat_n(path, each));
        paths.map(|path| self.question(path)).collect()
    }

    /// A path that asks about some time and place.
    fn question(&mut self, path: &str) -> String {
        let (one, other) = (self.instant(), self.instant());
        let (start, end) = match self.chance.random_bool(0.4) {
            true => (self.story.start, self.story.end),
            false => (one.min(other), one.max(other) + Duration::hours(1)),
        };
        // what is compared with lies before it, and must be stored too; so must positions, where they tell all
        let days = match path {
            _ if path.contains("compare") => 25,
            _ if path.contains("metric=users") => 29,
            // all of the month in which the range begins
            _ if path.contains("cohort_type=monthly") => 55,
            _ => 60,
        };
        let start = start.max(self.story.end - Duration::days(days));
        let end = end.max(start + Duration::hours(1));
        // where positions are gone, what they made active is known by quarters of an hour
        let gone = self.story.end - Duration::days(29);
        let counts_active = ["/users?", "=dau", "=wau", "=mau", "=active_users"];
        let counts_active = counts_active.iter().any(|part| path.contains(part));
        let rounded = |at: DateTime<Utc>| at.duration_trunc(Duration::hours(1)).unwrap();
        let start = match counts_active && start < gone {
            true => rounded(start),
            false => start,
        };
        // the end is written as the last instant
        let end = match counts_active && end < gone {
            true => rounded(end) - Duration::milliseconds(1),
            false => end,
        };
        let region = self.one_of(&REGIONS);
        let zone = self.one_of(&ZONES);
        let at = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
        format!(
            "/v1/{path}&start_date={}&end_date={}&tz={zone}{region}",
            at(start),
            at(end)
        )
    }

    fn instant(&mut self) -> DateTime<Utc> {
        let span = (self.story.end - self.story.start).num_milliseconds();
        let at = self.story.start + Duration::milliseconds(self.chance.random_range(0..span));
        match self.chance.random_bool(0.5) {
            true => at.duration_trunc(Duration::hours(1)).unwrap(),
            false => at,
        }
    }
}
