//! JSON Schemas, generated from the types that decode.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::EventType;
use crate::envelope::EnvelopeFields;
use crate::events;

/// The JSON Schema (draft 2020-12) of an event type, envelope included.
///
/// It accepts what `decode` accepts and a little more: that an amount written as a number has no more
/// than two decimals, and how old an event may be, it cannot say.
#[must_use]
pub fn schema_of(kind: EventType) -> Schema {
    let mut schema = own_schema(kind);
    let envelope = generate::<EnvelopeFields>();
    schema.insert(
        "$id".to_owned(),
        json!(format!("https://openride.ng/schemas/{kind}.json")),
    );
    schema.insert("title".to_owned(), json!(kind.as_str()));
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(properties_of(&envelope));
        properties.insert("event_type".to_owned(), json!({"const": kind.as_str()}));
    }
    let required = [&envelope, &schema]
        .into_iter()
        .flat_map(required_of)
        .collect::<Vec<_>>();
    schema.insert("required".to_owned(), json!(required));
    schema
}

fn own_schema(kind: EventType) -> Schema {
    use EventType as T;
    match kind {
        T::UserRegistered => generate::<events::UserRegistered<'static>>(),
        T::UserKycVerified => generate::<events::UserKycVerified<'static>>(),
        T::UserUpgradedToDriver => generate::<events::UserUpgradedToDriver>(),
        T::BookingCreated => generate::<events::BookingCreated>(),
        T::BookingConfirmed => generate::<events::BookingConfirmed<'static>>(),
        T::BookingCancelled => generate::<events::BookingCancelled<'static>>(),
        T::BookingCompleted => generate::<events::BookingCompleted>(),
        T::PaymentInitiated => generate::<events::PaymentInitiated<'static>>(),
        T::PaymentSuccess => generate::<events::PaymentSuccess<'static>>(),
        T::PaymentFailed => generate::<events::PaymentFailed<'static>>(),
        T::PaymentRefunded => generate::<events::PaymentRefunded<'static>>(),
        T::TripStarted => generate::<events::TripStarted>(),
        T::TripCompleted => generate::<events::TripCompleted>(),
        T::TripCancelled => generate::<events::TripCancelled<'static>>(),
        T::RouteCreated => generate::<events::RouteCreated<'static>>(),
        T::RouteActivated => generate::<events::RouteActivated<'static>>(),
        T::RouteCancelled => generate::<events::RouteCancelled<'static>>(),
        T::RouteUpdated => generate::<events::RouteUpdated<'static>>(),
        T::DriverLocationUpdated => generate::<events::DriverLocationUpdated<'static>>(),
    }
}

fn generate<T: JsonSchema>() -> Schema {
    // Inlined, so that each file stands alone.
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}

fn properties_of(schema: &Schema) -> Map<String, Value> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

fn required_of(schema: &Schema) -> Vec<Value> {
    schema
        .get("required")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}
