//! Columns of the route events.

use event_store::native::{
    Block, Col, ColumnType, Decimal64, Text, Texts, UInt8, UInt32, Uuid as UuidKind,
};
use shared_schema::Event;

/// Handles of the columns, named as in the contract.
pub(super) struct Columns {
    route_id: Col<UuidKind>,
    driver_id: Col<UuidKind>,
    route_name: Col<Text>,
    origin_city: Col<Text>,
    destination_city: Col<Text>,
    origin_state: Col<Text>,
    destination_state: Col<Text>,
    stops_count: Col<UInt32>,
    seats_total: Col<UInt8>,
    base_price: Col<Decimal64>,
    departure_time: Col<Text>,
    active_days: Col<Texts>,
    previous_status: Col<Text>,
    new_status: Col<Text>,
    cancellation_reason: Col<Text>,
    active_bookings_count: Col<UInt32>,
    updated_fields: Col<Texts>,
}

impl Columns {
    pub(super) fn new(block: &mut Block) -> Self {
        Self {
            route_id: block.add("route_id", ColumnType::uuid()),
            driver_id: block.add("driver_id", ColumnType::uuid()),
            route_name: block.add("route_name", ColumnType::string()),
            origin_city: block.add("origin_city", ColumnType::string().nullable()),
            destination_city: block.add("destination_city", ColumnType::string().nullable()),
            origin_state: block.add("origin_state", ColumnType::string().nullable()),
            destination_state: block.add("destination_state", ColumnType::string().nullable()),
            stops_count: block.add("stops_count", ColumnType::uint32().nullable()),
            seats_total: block.add("seats_total", ColumnType::uint8().nullable()),
            base_price: block.add("base_price", ColumnType::decimal64(2).nullable()),
            departure_time: block.add("departure_time", ColumnType::string().nullable()),
            active_days: block.add("active_days", ColumnType::low_cardinality_string().array()),
            previous_status: block.add(
                "previous_status",
                ColumnType::low_cardinality_string().nullable(),
            ),
            new_status: block.add(
                "new_status",
                ColumnType::low_cardinality_string().nullable(),
            ),
            cancellation_reason: block.add("cancellation_reason", ColumnType::string().nullable()),
            active_bookings_count: block
                .add("active_bookings_count", ColumnType::uint32().nullable()),
            updated_fields: block.add("updated_fields", ColumnType::string().array()),
        }
    }

    pub(super) fn push(&self, block: &mut Block, event: &Event<'_>) {
        match event {
            Event::RouteCreated(e) => {
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.route_name, e.route_name.as_str());
                block.set(self.origin_city, e.origin_city.as_str());
                block.set(self.destination_city, e.destination_city.as_str());
                block.set(self.origin_state, e.origin_state.as_str());
                block.set(self.destination_state, e.destination_state.as_str());
                block.set(self.stops_count, e.stops_count.get());
                block.set(self.seats_total, e.seats_total.get());
                block.set(self.base_price, e.base_price.kobo());
                block.set(self.departure_time, e.departure_time.to_string().as_str());
                block.set(
                    self.active_days,
                    e.active_days
                        .iter()
                        .map(|day| day.as_str())
                        .collect::<Vec<_>>()
                        .as_slice(),
                );
            }
            Event::RouteActivated(e) => {
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.route_name, e.route_name.as_str());
                block.set(self.previous_status, e.previous_status.as_str());
                block.set(self.new_status, e.new_status.as_str());
            }
            Event::RouteCancelled(e) => {
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.route_name, e.route_name.as_str());
                block.set(
                    self.cancellation_reason,
                    e.cancellation_reason.as_ref().map(|text| text.as_str()),
                );
                block.set(self.active_bookings_count, e.active_bookings_count.get());
            }
            Event::RouteUpdated(e) => {
                block.set(self.route_id, e.route_id.uuid());
                block.set(self.driver_id, e.driver_id.uuid());
                block.set(self.route_name, e.route_name.as_str());
                block.set(
                    self.updated_fields,
                    e.updated_fields
                        .iter()
                        .map(|field| field.as_str())
                        .collect::<Vec<_>>()
                        .as_slice(),
                );
            }
            // a record's type has been checked against its topic, so no other domain's event comes here
            _ => {}
        }
    }
}
