//! `payment.*` on the wire.

use super::object::Object;
use crate::event::{Method, PaymentFact, PaymentStep};
use uuid::Uuid;

pub(super) fn payment(object: &mut Object<'_>, fact: &PaymentFact) {
    object.id("payment_id", fact.payment);
    object.id("booking_id", fact.booking);
    object.id("rider_id", fact.rider);
    match &fact.step {
        PaymentStep::Initiated { amount, method } => {
            amount_and_method(object, fact, *amount, *method);
            object.unset("provider_transaction_id");
        }
        PaymentStep::Success {
            amount,
            method,
            processing_ms,
            card_last4,
        } => {
            amount_and_method(object, fact, *amount, *method);
            transaction(object, "provider_transaction_id", fact.payment);
            object.whole("processing_time_ms", *processing_ms);
            match card_last4 {
                Some(digits) => object.shown("card_last4", format_args!("{digits:04}")),
                None => object.unset("card_last4"),
            }
        }
        PaymentStep::Failed {
            amount,
            method,
            processing_ms,
            error: (code, message),
        } => {
            amount_and_method(object, fact, *amount, *method);
            object.text("error_code", code);
            object.text("error_message", message);
            match processing_ms {
                Some(time) => object.whole("processing_time_ms", *time),
                None => object.unset("processing_time_ms"),
            }
        }
        PaymentStep::Refunded {
            refund,
            original,
            reason,
        } => {
            object.money("refund_amount", *refund);
            object.money("original_amount", *original);
            currency(object, fact.currency);
            object.text("refund_reason", reason);
            transaction(object, "provider_refund_id", fact.payment);
        }
    }
}

fn amount_and_method(object: &mut Object<'_>, fact: &PaymentFact, amount: i64, method: Method) {
    object.money("amount", amount);
    currency(object, fact.currency);
    object.text("payment_method", method.as_str());
    match method {
        Method::Cash => object.text("provider", "driver"),
        Method::Wallet => object.text("provider", "openride"),
        _ => object.default_text("provider", "interswitch"),
    }
}

fn currency(object: &mut Object<'_>, currency: &str) {
    if currency == "NGN" {
        object.default_text("currency", currency);
    } else {
        object.text("currency", currency);
    }
}

fn transaction(object: &mut Object<'_>, name: &str, payment: Uuid) {
    object.shown(name, format_args!("ISW-{:016X}", payment.as_u64_pair().0));
}
