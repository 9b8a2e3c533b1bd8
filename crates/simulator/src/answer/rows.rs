//! What the key remembers of each event: a few dozen bytes, ids replaced by small numbers.

use crate::event::Role;
use uuid::Uuid;

/// A number that stands for an id.
pub(super) type Number = u32;

/// When an event happened, and whether the platform will have flagged it `clock_skew`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    pub at_ms: i64,
    /// `event_id`, where the event has one.
    pub id: Uuid,
    pub skewed: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct UserRow {
    pub stamp: Stamp,
    pub user: Number,
    pub kind: UserKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserKind {
    Registered(Role),
    Kyc { verified: bool },
    Upgraded,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct BookingRow {
    pub stamp: Stamp,
    pub booking: Number,
    pub rider: Number,
    pub driver: Number,
    pub kind: BookingKind,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum BookingKind {
    Created,
    Confirmed { price_kobo: i64 },
    Cancelled,
    Completed,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct PaymentRow {
    pub stamp: Stamp,
    pub payment: Number,
    pub booking: Number,
    pub rider: Number,
    pub currency: &'static str,
    pub kind: PaymentKind,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum PaymentKind {
    Initiated,
    Success { amount: i64, processing_ms: u32 },
    Failed,
    Refunded { amount: i64 },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct TripRow {
    pub stamp: Stamp,
    pub trip: Number,
    pub booking: Number,
    pub rider: Number,
    pub driver: Number,
    pub kind: TripKind,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum TripKind {
    Started { wait_ms: i64 },
    Completed(Completion),
    Cancelled,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Completion {
    pub duration_minutes: u32,
    pub distance_centi_km: u32,
    pub earnings_kobo: i64,
    pub commission_kobo: i64,
    pub on_time: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct RouteRow {
    pub stamp: Stamp,
    pub route: Number,
    pub driver: Number,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct PingRow {
    pub stamp: Stamp,
    pub driver: Number,
    pub region: Number,
}

/// What is known of a ride, from whichever of its events.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ride {
    /// The pick-up region of its `booking.created`, when recognised.
    pub pickup: Option<Number>,
    pub route: Option<NamedRoute>,
    /// From its `booking.created`: when it was to depart, and the seats.
    pub departure: Option<(i64, u8)>,
    pub confirmed: bool,
    pub cancelled: bool,
}

/// A route, and which of a ride's events named it. Should they not agree, the least is right: that of the
/// `booking.created`, else of the earliest event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NamedRoute {
    /// False comes first.
    pub by_another_event: bool,
    pub at_ms: i64,
    pub id: Uuid,
    pub route: Number,
}

impl Ride {
    /// Takes note of the route that an event names.
    pub(super) fn name_route(&mut self, named: NamedRoute) {
        self.route = Some(self.route.map_or(named, |known| known.min(named)));
    }
}

/// What is known of a route, from its `route.created` and the names in its other events.
#[derive(Debug, Clone, Default)]
pub(super) struct Route {
    pub name: Option<std::sync::Arc<str>>,
    pub created: Option<RouteCreated>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct RouteCreated {
    pub driver: Number,
    pub origin: Number,
    pub destination: Number,
    pub seats_total: u8,
}
