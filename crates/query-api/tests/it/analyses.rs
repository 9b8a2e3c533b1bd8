//! Every analysis equals the answer key, which makes it by the most obvious way, over many small random histories.

use analytics::trends::Metric;
use chrono::{DateTime, Duration, DurationRound as _, Utc};
use chrono_tz::Tz;
use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use simulator::answer::{
    Asked, Breakdown, Funnel, Granularity, Measure, Mode, Order, Told, UserType,
};

use crate::{
    api::Api,
    histories::{Histories, KINDS, WINDOWS},
    story::Story,
};

/// Half-hour offsets, a quarter of one, and clocks that are moved.
const ZONES: [Tz; 6] = [
    chrono_tz::Africa::Lagos,
    chrono_tz::UTC,
    chrono_tz::Asia::Kolkata,
    chrono_tz::Asia::Kathmandu,
    chrono_tz::Europe::Berlin,
    chrono_tz::America::Havana,
];

const REGIONS: [(Option<&str>, Option<&str>); 8] = [
    (None, None),
    (None, None),
    (None, None),
    (Some("Lagos"), None),
    (Some("Lagos"), Some("unknown")),
    (Some("Kano"), None),
    (Some("unknown"), None),
    (None, Some("unknown")),
];

/// Histories in an API's database, and chance to ask about them.
struct Asking {
    api: Api,
    story: Story,
    chance: ChaCha8Rng,
}

impl Asking {
    /// The histories of so many people over 80 days that end now. Every other event is late: it is stored when those are
    /// that happened after it.
    async fn about(seed: u64, people: usize) -> Self {
        let story = Histories::told(seed, people, Duration::days(80));
        let api = Api::start(story.end).await;
        for is_late in [false, true] {
            let wanted = |offset: usize| offset.is_multiple_of(2) == is_late;
            story.ingest_those(&api, wanted).await;
        }
        story.settle(&api).await;
        Self {
            api,
            story,
            chance: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        *things.choose(&mut self.chance).unwrap()
    }

    /// An instant in the story, on the grid of the aggregates or off it.
    fn instant(&mut self, on_the_grid: bool) -> DateTime<Utc> {
        let span = (self.story.end - self.story.start).num_milliseconds();
        let at = self.story.start + Duration::milliseconds(self.chance.random_range(0..span));
        match on_the_grid {
            true => quarter(at),
            false => at,
        }
    }

    /// So many instants in their order.
    fn instants(&mut self, number: usize) -> Vec<DateTime<Utc>> {
        let mut instants: Vec<_> = (0..number).map(|_| self.instant(false)).collect();
        instants.sort_unstable();
        instants
    }

    /// A question about some range and region; now and then about a range in which nothing happened yet.
    fn asked(&mut self, on_the_grid: bool) -> Asked {
        let (one, other) = (self.instant(on_the_grid), self.instant(on_the_grid));
        let (start, end) = (one.min(other), one.max(other) + Duration::minutes(15));
        let (start, end) = match self.chance.random_ratio(1, 10) {
            true => self.before_all(on_the_grid),
            false => (start, end),
        };
        let (state, city) = self.one_of(&REGIONS);
        Asked::over(start, end, self.one_of(&ZONES), self.story.end).in_region(state, city)
    }

    /// A range before the story, whose events would be stored.
    fn before_all(&mut self, on_the_grid: bool) -> (DateTime<Utc>, DateTime<Utc>) {
        let before = |days| self.story.start - Duration::days(days);
        let (start, end) = (before(9), before(1));
        // the story starts at a whole second
        let odd = Duration::milliseconds(self.chance.random_range(1..1000));
        match on_the_grid {
            true => (quarter(start), quarter(end)),
            false => (start + odd, end + odd),
        }
    }

    /// A question about some days, off the grid, of which all events are stored.
    fn asked_lately(&mut self) -> Asked {
        let recent = self.story.end - Duration::days(29);
        let start = self.instant(false).max(recent);
        let length = Duration::milliseconds(self.chance.random_range(1..3 * 86_400_000));
        Asked::over(start, start + length, self.one_of(&ZONES), self.story.end)
    }

    /// The same about a range that is no longer than this.
    fn asked_within(&mut self, longest: Duration, on_the_grid: bool) -> Asked {
        let start = self.instant(on_the_grid).min(self.story.end - longest);
        let quarters = self.chance.random_range(1..longest.num_minutes() / 15);
        let end = start + Duration::minutes(15) * i32::try_from(quarters).unwrap();
        let (state, city) = self.one_of(&REGIONS);
        Asked::over(start, end, self.one_of(&ZONES), self.story.end).in_region(state, city)
    }

    async fn compare(&self, told: &Told) {
        self.api.tells(told).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn funnels_equal_the_most_obvious_way() {
    let mut asking = Asking::about(71, 3_000).await;
    for _ in 0..120 {
        let on_the_grid = asking.chance.random();
        let asked = asking.asked(on_the_grid);
        let steps = asking.chance.random_range(1..=5);
        let funnel = Funnel {
            steps: (0..steps).map(|_| asking.one_of(&KINDS)).collect(),
            order: asking.one_of(&[Order::Ordered, Order::Strict, Order::Unordered]),
            window_ms: asking.one_of(&WINDOWS),
            breakdown: asking.one_of(&[
                None,
                Some(Breakdown::State),
                Some(Breakdown::City),
                Some(Breakdown::Role),
                Some(Breakdown::PaymentMethod),
            ]),
        };
        asking
            .compare(&asked.funnel(&asking.story.key, &funnel))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cohorts_equal_the_most_obvious_way() {
    let mut asking = Asking::about(72, 3_000).await;
    for complete in asking.instants(60) {
        complete_through(&asking.api, complete).await;
        let asked = asking.asked(false).complete_through(complete);
        let unit = asking.one_of(&[
            Granularity::Daily,
            Granularity::Weekly,
            Granularity::Monthly,
        ]);
        let periods = asking.chance.random_range(1..=12);
        asking
            .compare(&asked.cohorts(&asking.story.key, unit, periods))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_equals_the_most_obvious_way() {
    let mut asking = Asking::about(73, 3_000).await;
    for complete in asking.instants(60) {
        complete_through(&asking.api, complete).await;
        let asked = asking.asked(false).complete_through(complete);
        let users = asking.one_of(&[UserType::All, UserType::Rider, UserType::Driver]);
        let mode = asking.one_of(&[Mode::On, Mode::OnOrAfter]);
        asking
            .compare(&asked.retention(&asking.story.key, users, mode))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn geography_equals_the_most_obvious_way() {
    let mut asking = Asking::about(74, 3_000).await;
    for _ in 0..80 {
        let measure = asking.one_of(&[Measure::Bookings, Measure::Revenue, Measure::Users]);
        let mut asked = asking.asked(measure == Measure::Users);
        if measure == Measure::Users && asking.chance.random() {
            asked = asking.asked_lately();
        }
        asking
            .compare(&asked.geographic(&asking.story.key, measure))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trends_equal_the_metrics_of_each_unit() {
    let mut asking = Asking::about(75, 1_000).await;
    for metric in Metric::ALL {
        for unit in [
            Granularity::Hourly,
            Granularity::Daily,
            Granularity::Weekly,
            Granularity::Monthly,
        ] {
            let with_previous: bool = asking.chance.random();
            // what lies off the grid must be stored
            let is_of_activity = matches!(metric.name(), "dau" | "wau" | "mau" | "active_users");
            let asked = match unit {
                Granularity::Hourly if is_of_activity && !with_previous => asking.asked_lately(),
                Granularity::Hourly => asking.asked_within(Duration::hours(40), with_previous),
                _ => asking.asked(with_previous || is_of_activity),
            };
            asking
                .compare(&asked.trend(&asking.story.key, metric.name(), unit, with_previous))
                .await;
        }
    }
}

/// The quarter of an hour in which an instant lies.
fn quarter(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(Duration::minutes(15)).unwrap()
}

/// Everything that happened before an instant has arrived.
async fn complete_through(api: &Api, complete: DateTime<Utc>) {
    api.lane("openride.events.booking", 0, 0, complete).await;
}
