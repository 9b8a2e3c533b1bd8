//! Columns of the trip events.

use event_store::native::{
    Block, Bool, Col, ColumnType, DateTime64, Decimal64, Float64, Text, UInt8, UInt32,
    Uuid as UuidKind,
};
use shared_schema::Event;

/// Handles of the columns, named as in the contract.
pub(super) struct Columns {
    trip_id: Col<UuidKind>,
    booking_id: Col<UuidKind>,
    driver_id: Col<UuidKind>,
    rider_id: Col<UuidKind>,
    route_id: Col<UuidKind>,
    scheduled_departure: Col<DateTime64>,
    actual_departure: Col<DateTime64>,
    actual_arrival: Col<DateTime64>,
    start_lat: Col<Float64>,
    start_lon: Col<Float64>,
    end_lat: Col<Float64>,
    end_lon: Col<Float64>,
    passengers_count: Col<UInt8>,
    duration_minutes: Col<UInt32>,
    distance_km: Col<Float64>,
    driver_earnings: Col<Decimal64>,
    platform_commission: Col<Decimal64>,
    on_time: Col<Bool>,
    cancellation_reason: Col<Text>,
    cancelled_by: Col<Text>,
    was_started: Col<Bool>,
    partial_distance_km: Col<Float64>,
}

impl Columns {
    pub(super) fn new(block: &mut Block) -> Self {
        Self {
            trip_id: block.add("trip_id", ColumnType::uuid()),
            booking_id: block.add("booking_id", ColumnType::uuid()),
            driver_id: block.add("driver_id", ColumnType::uuid()),
            rider_id: block.add("rider_id", ColumnType::uuid()),
            route_id: block.add("route_id", ColumnType::uuid()),
            scheduled_departure: block
                .add("scheduled_departure", ColumnType::datetime64().nullable()),
            actual_departure: block.add("actual_departure", ColumnType::datetime64().nullable()),
            actual_arrival: block.add("actual_arrival", ColumnType::datetime64().nullable()),
            start_lat: block.add("start_lat", ColumnType::float64().nullable()),
            start_lon: block.add("start_lon", ColumnType::float64().nullable()),
            end_lat: block.add("end_lat", ColumnType::float64().nullable()),
            end_lon: block.add("end_lon", ColumnType::float64().nullable()),
            passengers_count: block.add("passengers_count", ColumnType::uint8().nullable()),
            duration_minutes: block.add("duration_minutes", ColumnType::uint32().nullable()),
            distance_km: block.add("distance_km", ColumnType::float64().nullable()),
            driver_earnings: block.add("driver_earnings", ColumnType::decimal64(2).nullable()),
            platform_commission: block
                .add("platform_commission", ColumnType::decimal64(2).nullable()),
            on_time: block.add("on_time", ColumnType::bool().nullable()),
            cancellation_reason: block.add("cancellation_reason", ColumnType::string().nullable()),
            cancelled_by: block.add(
                "cancelled_by",
                ColumnType::low_cardinality_string().nullable(),
            ),
            was_started: block.add("was_started", ColumnType::bool().nullable()),
            partial_distance_km: block.add("partial_distance_km", ColumnType::float64().nullable()),
        }
    }

    pub(super) fn push(&self, block: &mut Block, event: &Event<'_>) {
        match event {
            Event::TripStarted(e) => {
                block.set(self.trip_id, e.trip_id.uuid());
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.scheduled_departure, e.scheduled_departure.ms());
                block.set(self.actual_departure, e.actual_departure.ms());
                block.set(self.start_lat, e.start_lat.get());
                block.set(self.start_lon, e.start_lon.get());
                block.set(self.passengers_count, e.passengers_count.get());
            }
            Event::TripCompleted(e) => {
                block.set(self.trip_id, e.trip_id.uuid());
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.actual_departure, e.actual_departure.ms());
                block.set(self.actual_arrival, e.actual_arrival.ms());
                block.set(self.duration_minutes, e.duration_minutes.get());
                block.set(self.distance_km, e.distance_km.get());
                block.set(self.end_lat, e.end_lat.get());
                block.set(self.end_lon, e.end_lon.get());
                block.set(self.driver_earnings, e.driver_earnings.kobo());
                block.set(self.platform_commission, e.platform_commission.kobo());
                block.set(self.on_time, e.on_time);
            }
            Event::TripCancelled(e) => {
                block.set(self.trip_id, e.trip_id.uuid());
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.cancellation_reason, e.cancellation_reason.as_str());
                block.set(self.cancelled_by, e.cancelled_by.as_str());
                block.set(self.was_started, e.was_started);
                block.set(
                    self.partial_distance_km,
                    e.partial_distance_km.map(|value| value.get()),
                );
            }
            // a record's type has been checked against its topic, so no other domain's event comes here
            _ => {}
        }
    }
}
