//! The domains whose facts can wait for their regions.

use super::outcomes::Asks;
use shared_schema::Domain;

/// Facts of a domain that can wait.
pub(in crate::settle) struct Waiting {
    /// Whose facts.
    pub domain: Domain,
    /// What the regional aggregates need of them, beside the envelope.
    columns: &'static [&'static str],
    /// Whom they ask.
    pub(super) asks: Asks,
}

const ENVELOPE: [&str; 9] = [
    "event_id",
    "event_type",
    "event_timestamp",
    "kafka_topic",
    "kafka_partition",
    "kafka_offset",
    "kafka_timestamp",
    "clock_skew",
    "decided_at",
];

/// Every domain whose facts can wait.
pub(in crate::settle) const WAITING: [Waiting; 5] = [
    Waiting {
        domain: Domain::User,
        columns: &["user_id", "role", "kyc_status"],
        asks: Asks::User,
    },
    Waiting {
        domain: Domain::Booking,
        columns: &[
            "booking_id",
            "rider_id",
            "driver_id",
            "route_id",
            "seats_booked",
            "total_price",
            "scheduled_departure",
        ],
        asks: Asks::Ride,
    },
    Waiting {
        domain: Domain::Payment,
        columns: &[
            "payment_id",
            "booking_id",
            "rider_id",
            "amount",
            "currency",
            "payment_method",
            "processing_time_ms",
            "refund_amount",
        ],
        asks: Asks::Payment,
    },
    Waiting {
        domain: Domain::Trip,
        columns: &[
            "trip_id",
            "booking_id",
            "driver_id",
            "rider_id",
            "route_id",
            "scheduled_departure",
            "actual_departure",
            "duration_minutes",
            "distance_km",
            "driver_earnings",
            "platform_commission",
            "on_time",
        ],
        asks: Asks::Ride,
    },
    Waiting {
        domain: Domain::Route,
        columns: &["route_id", "driver_id", "route_name", "seats_total"],
        asks: Asks::Route,
    },
];

impl Waiting {
    /// The table in which they wait.
    pub(in crate::settle) fn table(&self) -> &'static str {
        self.domain.waiting_table().unwrap_or_default()
    }

    /// Names of what is stored of a fact, beside its bucket and batch.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static str> {
        ENVELOPE.iter().chain(self.columns).copied()
    }

    /// The same as a list.
    pub(super) fn column_list(&self) -> String {
        self.columns().collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_domain_with_a_waiting_table_is_settled() {
        let waiting = Domain::ALL.map(Domain::waiting_table);
        let settled = WAITING.each_ref().map(Waiting::table);
        assert!(waiting.into_iter().flatten().eq(settled));
    }
}
