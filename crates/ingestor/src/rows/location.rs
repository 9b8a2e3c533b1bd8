//! Columns of the location events.

use event_store::native::{Block, Col, ColumnType, Float64, Uuid as UuidKind};
use shared_schema::Event;

/// Handles of the columns, named as in the contract.
pub(super) struct Columns {
    driver_id: Col<UuidKind>,
    trip_id: Col<UuidKind>,
    lat: Col<Float64>,
    lon: Col<Float64>,
    speed_kmh: Col<Float64>,
    bearing: Col<Float64>,
    accuracy_meters: Col<Float64>,
}

impl Columns {
    pub(super) fn new(block: &mut Block) -> Self {
        Self {
            driver_id: block.add("driver_id", ColumnType::uuid()),
            trip_id: block.add("trip_id", ColumnType::uuid().nullable()),
            lat: block.add("lat", ColumnType::float64()),
            lon: block.add("lon", ColumnType::float64()),
            speed_kmh: block.add("speed_kmh", ColumnType::float64().nullable()),
            bearing: block.add("bearing", ColumnType::float64().nullable()),
            accuracy_meters: block.add("accuracy_meters", ColumnType::float64().nullable()),
        }
    }

    pub(super) fn push(&self, block: &mut Block, event: &Event<'_>) {
        if let Event::DriverLocationUpdated(e) = event {
            block.set(self.driver_id, e.driver_id.uuid());
            block.set(self.trip_id, e.trip_id.map(|value| value.uuid()));
            block.set(self.lat, e.lat.get());
            block.set(self.lon, e.lon.get());
            block.set(self.speed_kmh, e.speed_kmh.map(|value| value.get()));
            block.set(self.bearing, e.bearing.map(|value| value.get()));
            block.set(
                self.accuracy_meters,
                e.accuracy_meters.map(|value| value.get()),
            );
        }
    }
}
