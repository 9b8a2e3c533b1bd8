//! The steps that a funnel may have.

use std::{fmt, str::FromStr};

use shared_schema::EventType;

/// Steps that a funnel may have.
pub const STEPS: std::ops::RangeInclusive<usize> = 1..=10;
/// The steps where none are given.
const DEFAULT_STEPS: [EventType; 5] = [
    EventType::UserRegistered,
    EventType::BookingCreated,
    EventType::PaymentInitiated,
    EventType::PaymentSuccess,
    EventType::TripCompleted,
];

/// How events at the same millisecond are ordered; those of one place by their ids.
pub(super) const TIES: [&[EventType]; 13] = [
    &[EventType::UserRegistered],
    &[EventType::UserKycVerified],
    &[EventType::UserUpgradedToDriver],
    &[EventType::BookingCreated],
    &[EventType::PaymentInitiated],
    &[EventType::PaymentFailed],
    &[EventType::PaymentSuccess],
    &[EventType::BookingConfirmed],
    &[EventType::TripStarted],
    &[EventType::TripCompleted],
    &[EventType::BookingCompleted],
    &[EventType::BookingCancelled, EventType::TripCancelled],
    &[EventType::PaymentRefunded],
];

/// Why a funnel cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepsError {
    /// A step is no type of event.
    #[error("there is no event type {0:?}")]
    Unknown(String),
    /// A step is a type of event that names no person.
    #[error("{0} names no rider or user")]
    Nobody(EventType),
    /// There are too few steps or too many.
    #[error("there are {0} of them")]
    Number(usize),
}

/// The steps of a funnel, as `booking.created,payment.success`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps(Vec<EventType>);

impl Default for Steps {
    fn default() -> Self {
        Self(DEFAULT_STEPS.to_vec())
    }
}

impl From<Steps> for Vec<EventType> {
    fn from(steps: Steps) -> Self {
        steps.0
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|kind| kind.as_str()).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for Steps {
    type Err = StepsError;

    fn from_str(text: &str) -> Result<Self, StepsError> {
        let number = text.split(',').count();
        if !STEPS.contains(&number) {
            return Err(StepsError::Number(number));
        }
        let step = |name: &str| {
            let kind = EventType::parse(name)
                .ok_or_else(|| StepsError::Unknown(name.chars().take(100).collect()))?;
            match rank(kind) {
                Some(_) => Ok(kind),
                None => Err(StepsError::Nobody(kind)),
            }
        };
        text.split(',')
            .map(step)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// The types of event that can be steps.
#[must_use]
pub fn step_types() -> Vec<&'static str> {
    let kinds = TIES.iter().flat_map(|kinds| kinds.iter());
    kinds.map(|kind| kind.as_str()).collect()
}

/// The place of an event type among those at the same millisecond; none if it names no person.
pub(super) fn rank(kind: EventType) -> Option<u8> {
    let place = TIES.iter().position(|kinds| kinds.contains(&kind))?;
    u8::try_from(place).ok()
}

/// An event type as people say it.
pub(super) struct InWords(pub(super) EventType);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            EventType::UserRegistered => "User Registration",
            EventType::UserKycVerified => "KYC Verification",
            EventType::UserUpgradedToDriver => "Upgrade to Driver",
            EventType::BookingCreated => "Booking Created",
            EventType::BookingConfirmed => "Booking Confirmed",
            EventType::BookingCancelled => "Booking Cancelled",
            EventType::BookingCompleted => "Booking Completed",
            EventType::PaymentInitiated => "Payment Initiated",
            EventType::PaymentSuccess => "Payment Success",
            EventType::PaymentFailed => "Payment Failed",
            EventType::PaymentRefunded => "Payment Refunded",
            EventType::TripStarted => "Trip Started",
            EventType::TripCompleted => "Trip Completed",
            EventType::TripCancelled => "Trip Cancelled",
            other => other.as_str(),
        })
    }
}

#[cfg(test)]
mod tests {
    use shared_schema::Domain;

    use super::*;

    #[test]
    fn steps_are_types_of_events_that_name_a_person() {
        let parse = |text: &str| text.parse::<Steps>();
        assert!(parse("trip.started").is_ok());
        assert_eq!(parse(""), Err(StepsError::Unknown(String::new())));
        assert_eq!(
            parse("route.created"),
            Err(StepsError::Nobody(EventType::RouteCreated))
        );
        assert_eq!(
            parse(&["trip.started"; 11].join(",")),
            Err(StepsError::Number(11))
        );
    }

    #[test]
    fn every_type_that_names_a_rider_or_user_has_a_place_among_ties() {
        for kind in EventType::ALL {
            let names_a_person = !matches!(kind.domain(), Domain::Route | Domain::Location);
            assert_eq!(rank(*kind).is_some(), names_a_person, "{kind}");
        }
    }
}
