//! The answer key: the exact value of every metric and analysis of the API, by brute force over the logical events.
//!
//! ```text
//! LogicalEvent ── observe ──► compact rows ── users | bookings | payments | trips
//!                                             drivers | routes | realtime ──► structs ──► JSON
//! ```
//!
//! It shares nothing with the ingestor's code or the SQL: regions, prices and times come from the event as the
//! simulator meant it, never from its bytes. Feed it every event that is to be *accepted*, in any order, once.
//! The structs serialise to the field names of the API; [`differences`] compares them with an answer, and
//! [`Asked`] puts a question to both.
//!
//! Where the contract leaves room, the key reads it as follows.
//! - The windows of the real-time tiles are `(now − w, now]`, but a ping and a trip may be exactly 15 minutes and
//!   24 hours old.
//! - Users registered in a range are those whose first registration lies in it.
//! - A refund counts under the payment method of its payment.
//! - Of a ride whose `booking.created` was not accepted, the earliest other event tells the route.
//! - `other_currencies` maps a currency to the same money fields; a currency stands there once it has a
//!   successful or refunded payment.
//! - The series of the users gives `active_users`, `new_registrations` and `total_users` of each bucket.
//! - With a region, routes count the bookings whose ride lies in it, occupancy included.
//! - Of the unknown region, distinct counts (users, drivers, a driver's days) have what is found in no known one.
//! - Of the unknown region, a user rode in a period who rode in it in no known one.
//! - A user who was named in several regions at the same time is in the first by name.
//! - Without an `event_id`, events of one type at the same time are in any order in a funnel.
//! - A series ends with the unit of the present, or with the last that has events, if producers' clocks are ahead.

mod active;
mod analyses;
mod asked;
mod bookings;
mod calendar;
mod difference;
mod distinct;
mod drivers;
mod exact;
mod numbering;
mod observe;
mod payments;
mod question;
mod realtime;
mod routes;
mod rows;
mod series;
mod sheet;
mod trips;
mod users;

pub use analyses::{
    Breakdown, CohortMetrics, CohortRow, Funnel, FunnelMetrics, FunnelPart, GeographicMetrics,
    Measure, Mode, Order, Place, Quantity, RetentionMetrics, StepMetrics, TrendMetrics, UserType,
};
pub use asked::{Asked, Told, encoded};
pub use bookings::BookingMetrics;
pub use calendar::Granularity;
pub use difference::differences;
pub use drivers::{DriverMetrics, DriverRow, EarningsDistribution};
pub use exact::{Amount, Hundredths};
pub use payments::{MethodMetrics, MoneyTotals, PaymentMetrics, PaymentTotals};
pub use question::{Question, Range, RegionFilter};
pub use realtime::{RealtimeMetrics, RevenueLastHour};
pub use routes::{RouteMetrics, RouteRow};
pub use series::Point;
pub use sheet::{Answers, Sheet};
pub use trips::TripMetrics;
pub use users::{UserMetrics, UserPoint};

use crate::event::{Method, UNKNOWN};
use numbering::{Numbering, place};
use rows::Number;
use shared_schema::Region;
use uuid::Uuid;

/// Everything that was observed.
#[derive(Debug, Clone, Default)]
pub struct AnswerKey {
    regions: Numbering<Region>,
    user_ids: Numbering<Uuid>,
    booking_ids: Numbering<Uuid>,
    payment_ids: Numbering<Uuid>,
    trip_ids: Numbering<Uuid>,
    route_ids: Numbering<Uuid>,

    users: Vec<rows::UserRow>,
    bookings: Vec<rows::BookingRow>,
    payments: Vec<rows::PaymentRow>,
    trips: Vec<rows::TripRow>,
    route_changes: Vec<rows::RouteRow>,
    pings: Vec<rows::PingRow>,

    /// By user: the region of the registration.
    homes: Vec<Option<Number>>,
    /// By booking.
    rides: Vec<rows::Ride>,
    /// By payment.
    methods: Vec<Option<Method>>,
    /// By route.
    routes: Vec<rows::Route>,
}

impl AnswerKey {
    /// How many events were observed.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.users.len()
            + self.bookings.len()
            + self.payments.len()
            + self.trips.len()
            + self.route_changes.len()
            + self.pings.len()
    }

    /// Whether nothing was observed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every region that an event named, in the order of their first appearance.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        self.regions.things()
    }

    /// The one region of a ride: of its pick-up, failing that of its route's origin.
    fn ride_region(&self, booking: Number) -> Region {
        let ride = self.rides.get(place(booking)).copied().unwrap_or_default();
        match (ride.pickup, ride.route) {
            (Some(pickup), _) => self.region(Some(pickup)),
            (None, Some(named)) => self.route_region(named.route),
            (None, None) => UNKNOWN,
        }
    }

    fn route_region(&self, route: Number) -> Region {
        let created = self
            .routes
            .get(place(route))
            .and_then(|route| route.created);
        self.region(created.map(|created| created.origin))
    }

    fn user_region(&self, user: Number) -> Region {
        self.region(self.homes.get(place(user)).copied().flatten())
    }

    fn region(&self, number: Option<Number>) -> Region {
        number
            .and_then(|number| self.regions.thing(number))
            .unwrap_or(UNKNOWN)
    }
}
