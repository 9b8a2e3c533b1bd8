//! Records that must be refused, one way or another for each reason.

use super::{json, time};
use crate::dice::Dice;
use crate::event::{Fact, LogicalEvent};
use crate::wire::{self, Style};
use serde_json::{Map, Value, json};
use shared_schema::{Domain, ReasonCode};

/// The contract's limit on the length of a value.
const ONE_MEBIBYTE: usize = 1 << 20;

/// The topic and the value of a record that is refused for `reason`, made from an event that is not.
pub(super) fn spoil(
    reason: ReasonCode,
    event: &LogicalEvent,
    judged_at_ms: i64,
    dice: &mut Dice,
) -> (Domain, Vec<u8>) {
    let domain = event.fact.domain();
    // Its own id: it is not to be taken for a repetition of the event.
    let event = &LogicalEvent {
        id: Some(dice.uuid()),
        ..event.clone()
    }
    .with_id_if(reason, event);
    let text = plain(event);
    let value = match reason {
        ReasonCode::InvalidUtf8 => json::not_utf8(&text, dice),
        ReasonCode::InvalidJson => json::not_json(&text, dice),
        ReasonCode::NotAnObject => json::not_an_object(&text, dice),
        ReasonCode::TooLarge => json::padded_beyond(&text, ONE_MEBIBYTE),
        ReasonCode::NaiveTimestamp => edited(&text, |fields| time::without_offset(fields, dice)),
        ReasonCode::TooOld => plain(&time::too_old(event, judged_at_ms, dice)),
        ReasonCode::OutOfRange => out_of_range(event, &text, judged_at_ms, dice),
        ReasonCode::IdReused => plain(&LogicalEvent {
            at_ms: event.at_ms + 1_000,
            ..event.clone()
        }),
        ReasonCode::MissingField => edited(&text, |fields| {
            fields.remove(*dice.pick(&[key_field(domain), "event_timestamp", "event_type"])?)
        }),
        ReasonCode::WrongType => edited(&text, |fields| wrong_type(fields, domain, dice)),
        ReasonCode::PatternMismatch => {
            edited(&text, |fields| pattern_mismatch(fields, domain, dice))
        }
        ReasonCode::UnknownEventType => edited(&text, |fields| {
            let name = *dice.pick(&[
                "booking.teleported",
                "Booking.Created",
                "",
                "user",
                "payment.success ",
            ])?;
            fields.insert("event_type".to_owned(), name.into())
        }),
        ReasonCode::UnsupportedSchemaVersion => edited(&text, |fields| {
            let version = *dice.pick(&["2-0-0", "0-9-0", "17-3-1"])?;
            fields.insert("schema_version".to_owned(), version.into())
        }),
        ReasonCode::WrongTopic => text,
    };
    let topic = if reason == ReasonCode::WrongTopic {
        another_topic(domain, dice)
    } else {
        domain
    };
    (topic, value)
}

impl LogicalEvent {
    fn with_id_if(self, reason: ReasonCode, original: &Self) -> Self {
        if reason == ReasonCode::IdReused {
            Self {
                id: original.id,
                ..self
            }
        } else {
            self
        }
    }
}

pub(super) fn plain(event: &LogicalEvent) -> Vec<u8> {
    let mut text = Vec::with_capacity(640);
    wire::encode(event, &Style::PLAIN, &mut text);
    text
}

/// The object after an edit; whatever the edit returns was in the place of what it changed.
fn edited(text: &[u8], edit: impl FnOnce(&mut Map<String, Value>) -> Option<Value>) -> Vec<u8> {
    let mut fields: Map<String, Value> = serde_json::from_slice(text).unwrap_or_default();
    edit(&mut fields);
    serde_json::to_vec(&fields).unwrap_or_default()
}

const fn key_field(domain: Domain) -> &'static str {
    match domain {
        Domain::User => "user_id",
        Domain::Booking => "booking_id",
        Domain::Payment => "payment_id",
        Domain::Trip => "trip_id",
        Domain::Route => "route_id",
        Domain::Location => "driver_id",
    }
}

fn another_topic(domain: Domain, dice: &mut Dice) -> Domain {
    let others: Vec<Domain> = Domain::ALL
        .into_iter()
        .filter(|other| *other != domain)
        .collect();
    dice.pick(&others).copied().unwrap_or(domain)
}

fn wrong_type(fields: &mut Map<String, Value>, domain: Domain, dice: &mut Dice) -> Option<Value> {
    let field = *dice.pick(&[key_field(domain), "event_timestamp", "event_type"])?;
    let values = [
        json!(17),
        json!(null),
        json!({"value": 1}),
        json!([]),
        json!(true),
    ];
    let value = dice.pick(&values)?;
    fields.insert(field.to_owned(), value.clone())
}

fn pattern_mismatch(
    fields: &mut Map<String, Value>,
    domain: Domain,
    dice: &mut Dice,
) -> Option<Value> {
    let (field, text) = match dice.below(3) {
        0 => ("event_timestamp", "yesterday at noon"),
        1 => (key_field(domain), "{0190b2f4-7d3a-7c11-8a55-6f2f8c1d2e3f}"),
        _ if fields.contains_key("phone") => ("phone", "+2346012345678"),
        _ if fields.contains_key("payment_method") => ("payment_method", "barter"),
        _ => (key_field(domain), "17"),
    };
    fields.insert(field.to_owned(), text.into())
}

fn out_of_range(event: &LogicalEvent, text: &[u8], judged_at_ms: i64, dice: &mut Dice) -> Vec<u8> {
    let (field, value) = match (&event.fact, dice.below(3)) {
        (_, 0) => return plain(&time::out_of_range(event, judged_at_ms, dice)),
        (Fact::Location(_), 1) => ("lat", json!(90.000_001)),
        (Fact::Location(_), _) => ("lon", json!(-181)),
        (Fact::Payment(_), _) if text.windows(8).any(|word| word == b"\"amount\"") => {
            ("amount", json!("-0.01"))
        }
        (Fact::Booking(_), _) if text.windows(14).any(|word| word == b"\"seats_booked\"") => {
            ("seats_booked", json!(9))
        }
        _ => return plain(&time::out_of_range(event, judged_at_ms, dice)),
    };
    edited(text, |fields| fields.insert(field.to_owned(), value))
}
