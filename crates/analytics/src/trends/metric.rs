use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::users::UserMetric;
use crate::{
    activity::{MONTH, WEEK},
    bookings::BookingTotals,
    number::Quantity,
    payments::PaymentTotals,
    selection::Selection,
    time::{BeyondRetention, Kept},
    trips::TripTotals,
};

/// A metric that has one value for a range.
#[derive(Clone, Copy)]
pub struct Metric {
    name: &'static str,
    unit: Unit,
    source: Source,
    is_exact: bool,
}

/// Where a metric's values are found.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Users(UserMetric),
    Bookings(fn(&BookingTotals) -> Option<Quantity>),
    Payments(fn(&PaymentTotals) -> Option<Quantity>),
    Trips(fn(&TripTotals) -> Option<Quantity>),
}

/// What values are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// So many.
    Count,
    /// Percent.
    Percent,
    /// NGN.
    Ngn,
    /// Minutes.
    Minutes,
    /// Kilometres.
    Kilometres,
    /// Milliseconds.
    Milliseconds,
}

/// No metric over a range has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no metric that has one value for a range")]
pub struct UnknownMetric;

const fn exact(name: &'static str, unit: Unit, source: Source) -> Metric {
    Metric {
        name,
        unit,
        source,
        is_exact: true,
    }
}

const fn rounded(name: &'static str, unit: Unit, source: Source) -> Metric {
    Metric {
        name,
        unit,
        source,
        is_exact: false,
    }
}

/// A count or sum, which is always there.
macro_rules! always {
    ($source:ident, $unit:ident, $name:ident) => {
        exact(
            stringify!($name),
            Unit::$unit,
            Source::$source(|totals| Some(totals.$name.into())),
        )
    };
}

/// A rate, mean or percentile, which may be of nothing.
macro_rules! perhaps {
    ($source:ident, $unit:ident, $name:ident) => {
        rounded(
            stringify!($name),
            Unit::$unit,
            Source::$source(|totals| totals.$name.map(Into::into)),
        )
    };
}

impl Metric {
    /// Every metric that has one value for a range, under its name in the answers of `/v1/metrics`.
    pub const ALL: [Self; 36] = [
        exact(
            "dau",
            Unit::Count,
            Source::Users(UserMetric::ActiveInLast(1)),
        ),
        exact(
            "wau",
            Unit::Count,
            Source::Users(UserMetric::ActiveInLast(WEEK)),
        ),
        exact(
            "mau",
            Unit::Count,
            Source::Users(UserMetric::ActiveInLast(MONTH)),
        ),
        exact(
            "active_users",
            Unit::Count,
            Source::Users(UserMetric::Active),
        ),
        exact(
            "new_registrations",
            Unit::Count,
            Source::Users(UserMetric::Registrations),
        ),
        exact(
            "total_users",
            Unit::Count,
            Source::Users(UserMetric::Everyone),
        ),
        rounded(
            "kyc_completion_rate",
            Unit::Percent,
            Source::Users(UserMetric::Verified),
        ),
        rounded(
            "driver_activation_rate",
            Unit::Percent,
            Source::Users(UserMetric::Upgraded),
        ),
        always!(Bookings, Count, bookings_created),
        always!(Bookings, Count, bookings_confirmed),
        always!(Bookings, Count, bookings_cancelled),
        always!(Bookings, Count, bookings_completed),
        perhaps!(Bookings, Percent, conversion_rate),
        perhaps!(Bookings, Percent, cancellation_rate),
        perhaps!(Bookings, Ngn, avg_booking_value),
        always!(Bookings, Ngn, total_booking_value),
        always!(Payments, Count, payments_initiated),
        always!(Payments, Count, payments_success),
        always!(Payments, Count, payments_failed),
        always!(Payments, Count, payments_refunded),
        perhaps!(Payments, Percent, success_rate),
        perhaps!(Payments, Milliseconds, avg_processing_time_ms),
        perhaps!(Payments, Milliseconds, p50_processing_time_ms),
        perhaps!(Payments, Milliseconds, p95_processing_time_ms),
        always!(Payments, Ngn, total_revenue),
        always!(Payments, Ngn, total_refunded),
        always!(Trips, Count, trips_started),
        always!(Trips, Count, trips_completed),
        always!(Trips, Count, trips_cancelled),
        perhaps!(Trips, Percent, completion_rate),
        perhaps!(Trips, Minutes, avg_duration_minutes),
        perhaps!(Trips, Kilometres, avg_distance_km),
        perhaps!(Trips, Percent, on_time_performance),
        always!(Trips, Ngn, total_driver_earnings),
        always!(Trips, Ngn, total_platform_commission),
        always!(Trips, Count, active_drivers),
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// What its values are in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.unit
    }

    /// Whether its values are exact, as counts and sums are; a rate, mean or percentile has been rounded.
    #[must_use]
    pub(super) const fn is_exact(self) -> bool {
        self.is_exact
    }

    /// The name of the definition that it belongs to.
    #[must_use]
    pub const fn belongs_to(self) -> &'static str {
        match self.source {
            Source::Users(_) => "users",
            Source::Bookings(_) => "bookings",
            Source::Payments(_) => "payments",
            Source::Trips(_) => "trips",
        }
    }

    /// Checks that what the bounds of a selection need is still stored.
    pub(super) fn check_kept(self, selection: &Selection) -> Result<(), BeyondRetention> {
        match self.source {
            Source::Users(metric) => metric.check_kept(selection),
            _ => Kept::Events.check(&selection.range, selection.now),
        }
    }

    pub(super) const fn source(self) -> Source {
        self.source
    }
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(text: &str) -> Result<Self, UnknownMetric> {
        let mut all = Self::ALL.into_iter();
        all.find(|metric| metric.name == text).ok_or(UnknownMetric)
    }
}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// By name: no two have the same.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Metric {}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}
