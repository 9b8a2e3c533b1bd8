//! What to simulate.

use crate::world::Shape;

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A simulation. Equal configurations give equal bytes. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where chance begins.
    pub seed: u64,
    /// When the story begins.
    pub start_ms: i64,
    /// When it is told up to: nothing that happens later is told, however far a ride has come.
    pub end_ms: i64,
    /// How many bookings are made.
    pub rides: u64,
    /// How demand goes through day and week.
    pub shape: Shape,
    /// How long before they ride people book.
    pub tempo: Tempo,
    /// When users and routes that exist at the beginning came to be.
    pub founding: Founding,
    /// Location pings of a trip.
    pub pings_per_trip: u32,
    /// Trips before this tell no locations: they are kept for 30 days only.
    pub pings_since_ms: i64,
    /// How disorderly the events are delivered.
    pub disorder: Disorder,
}

/// How long before they ride people book, and how often cars leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tempo {
    /// Time between booking and departure at least, ms.
    pub lead_ms: i64,
    /// Time between two departures of a route, ms.
    pub headway_ms: i64,
    /// Whether routes lead to far-off cities, half a day's drive away.
    pub far: bool,
}

impl Tempo {
    /// Cars leave every two hours, and one books ten minutes ahead at the latest.
    pub const SCHEDULED: Self = Self {
        lead_ms: 10 * MINUTE_MS,
        headway_ms: 2 * HOUR_MS,
        far: true,
    };
    /// Cars leave every ten minutes, and most rides are over within the hour.
    pub const ON_DEMAND: Self = Self {
        lead_ms: 3 * MINUTE_MS,
        headway_ms: 10 * MINUTE_MS,
        far: false,
    };
}

/// The users, drivers and routes that are there when the first booking is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Founding {
    /// They come in the first hours of the story, before the first booking.
    Within,
    /// They came in the month before it, and all their events arrive when it begins.
    Before,
}

/// How disorderly the events are delivered; the shares are between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disorder {
    /// Rides whose events arrive hours to weeks after they happened.
    pub late: f64,
    /// Rides of which one topic lags behind the others by up to a quarter of an hour.
    pub out_of_order: f64,
    /// Events whose producer's clock is 6 to 60 minutes ahead.
    pub skewed: f64,
    /// Events without an `event_id`.
    pub without_id: f64,
    /// Bookings whose telephone does not know where it is.
    pub without_fix: f64,
}

impl Disorder {
    /// As it happens on a normal day.
    pub const NORMAL: Self = Self {
        late: 0.01,
        out_of_order: 0.05,
        skewed: 0.0005,
        without_id: 0.05,
        without_fix: 0.005,
    };
    /// Every event arrives at once, from producers that do everything right.
    pub const NONE: Self = Self {
        late: 0.0,
        out_of_order: 0.0,
        skewed: 0.0,
        without_id: 0.0,
        without_fix: 0.0,
    };
}

impl Config {
    /// A scheduled service with `rides` bookings between two instants.
    #[must_use]
    pub const fn new(seed: u64, start_ms: i64, end_ms: i64, rides: u64) -> Self {
        Self {
            seed,
            start_ms,
            end_ms,
            rides,
            shape: Shape::Weekly,
            tempo: Tempo::SCHEDULED,
            founding: Founding::Within,
            pings_per_trip: 6,
            pings_since_ms: start_ms,
            disorder: Disorder::NORMAL,
        }
    }

    /// When the first booking is made.
    pub(crate) fn opening_ms(&self) -> i64 {
        match self.founding {
            Founding::Within => self.start_ms + self.founding_length_ms(),
            Founding::Before => self.start_ms,
        }
    }

    /// Between these two instants the founders come.
    pub(crate) fn founding_ms(&self) -> (i64, i64) {
        match self.founding {
            Founding::Within => (self.start_ms, self.opening_ms()),
            Founding::Before => (self.start_ms - 30 * DAY_MS, self.start_ms - HOUR_MS / 2),
        }
    }

    fn founding_length_ms(&self) -> i64 {
        ((self.end_ms - self.start_ms) / 20).min(6 * HOUR_MS)
    }
}
