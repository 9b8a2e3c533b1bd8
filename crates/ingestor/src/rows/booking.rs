//! Columns of the booking events.

use event_store::native::{
    Block, Bool, Col, ColumnType, DateTime64, Decimal64, Float64, Text, UInt8, UInt32,
    Uuid as UuidKind,
};
use shared_schema::Event;

/// Handles of the columns, named as in the contract.
pub(super) struct Columns {
    booking_id: Col<UuidKind>,
    rider_id: Col<UuidKind>,
    driver_id: Col<UuidKind>,
    route_id: Col<UuidKind>,
    trip_id: Col<UuidKind>,
    payment_id: Col<UuidKind>,
    seats_booked: Col<UInt8>,
    total_price: Col<Decimal64>,
    booking_status: Col<Text>,
    pickup_stop_id: Col<UuidKind>,
    dropoff_stop_id: Col<UuidKind>,
    pickup_lat: Col<Float64>,
    pickup_lon: Col<Float64>,
    dropoff_lat: Col<Float64>,
    dropoff_lon: Col<Float64>,
    scheduled_departure: Col<DateTime64>,
    confirmation_code: Col<Text>,
    cancellation_reason: Col<Text>,
    cancelled_by: Col<Text>,
    refund_initiated: Col<Bool>,
    actual_departure: Col<DateTime64>,
    actual_arrival: Col<DateTime64>,
    duration_minutes: Col<UInt32>,
}

impl Columns {
    pub(super) fn new(block: &mut Block) -> Self {
        Self {
            booking_id: block.add("booking_id", ColumnType::uuid()),
            rider_id: block.add("rider_id", ColumnType::uuid()),
            driver_id: block.add("driver_id", ColumnType::uuid()),
            route_id: block.add("route_id", ColumnType::uuid()),
            trip_id: block.add("trip_id", ColumnType::uuid().nullable()),
            payment_id: block.add("payment_id", ColumnType::uuid().nullable()),
            seats_booked: block.add("seats_booked", ColumnType::uint8().nullable()),
            total_price: block.add("total_price", ColumnType::decimal64(2).nullable()),
            booking_status: block.add(
                "booking_status",
                ColumnType::low_cardinality_string().nullable(),
            ),
            pickup_stop_id: block.add("pickup_stop_id", ColumnType::uuid().nullable()),
            dropoff_stop_id: block.add("dropoff_stop_id", ColumnType::uuid().nullable()),
            pickup_lat: block.add("pickup_lat", ColumnType::float64().nullable()),
            pickup_lon: block.add("pickup_lon", ColumnType::float64().nullable()),
            dropoff_lat: block.add("dropoff_lat", ColumnType::float64().nullable()),
            dropoff_lon: block.add("dropoff_lon", ColumnType::float64().nullable()),
            scheduled_departure: block
                .add("scheduled_departure", ColumnType::datetime64().nullable()),
            confirmation_code: block.add("confirmation_code", ColumnType::string().nullable()),
            cancellation_reason: block.add("cancellation_reason", ColumnType::string().nullable()),
            cancelled_by: block.add(
                "cancelled_by",
                ColumnType::low_cardinality_string().nullable(),
            ),
            refund_initiated: block.add("refund_initiated", ColumnType::bool().nullable()),
            actual_departure: block.add("actual_departure", ColumnType::datetime64().nullable()),
            actual_arrival: block.add("actual_arrival", ColumnType::datetime64().nullable()),
            duration_minutes: block.add("duration_minutes", ColumnType::uint32().nullable()),
        }
    }

    pub(super) fn push(&self, block: &mut Block, event: &Event<'_>) {
        match event {
            Event::BookingCreated(e) => {
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.seats_booked, e.seats_booked.get());
                block.set(self.total_price, e.total_price.kobo());
                block.set(self.booking_status, e.booking_status.as_str());
                block.set(self.pickup_stop_id, e.pickup_stop_id.uuid());
                block.set(self.dropoff_stop_id, e.dropoff_stop_id.uuid());
                block.set(self.pickup_lat, e.pickup_lat.get());
                block.set(self.pickup_lon, e.pickup_lon.get());
                block.set(self.dropoff_lat, e.dropoff_lat.get());
                block.set(self.dropoff_lon, e.dropoff_lon.get());
                block.set(self.scheduled_departure, e.scheduled_departure.ms());
            }
            Event::BookingConfirmed(e) => {
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.seats_booked, e.seats_booked.get());
                block.set(self.total_price, e.total_price.kobo());
                block.set(self.payment_id, e.payment_id.uuid());
                block.set(self.confirmation_code, e.confirmation_code.as_str());
            }
            Event::BookingCancelled(e) => {
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.route_id, e.route_id.uuid());
                block.set(
                    self.cancellation_reason,
                    e.cancellation_reason.as_ref().map(|text| text.as_str()),
                );
                block.set(self.cancelled_by, e.cancelled_by.as_str());
                block.set(self.refund_initiated, e.refund_initiated);
            }
            Event::BookingCompleted(e) => {
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.trip_id, e.trip_id.uuid());
                block.set(self.seats_booked, e.seats_booked.get());
                block.set(self.total_price, e.total_price.kobo());
                block.set(self.actual_departure, e.actual_departure.ms());
                block.set(self.actual_arrival, e.actual_arrival.ms());
                block.set(self.duration_minutes, e.duration_minutes.get());
            }
            // a record's type has been checked against its topic, so no other domain's event comes here
            _ => {}
        }
    }
}
