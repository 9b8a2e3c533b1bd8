//! Events about money.
//!
//! `currency` is NGN and `provider` interswitch in every one of them when the field is absent. The
//! provider's own ids are whatever the provider issues, so they are text and not UUIDs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::null_as_default;
use crate::{
    BookingId, CardLast4, Currency, Milliseconds, Money, PaymentId, PaymentMethod, Provider, Text,
    UserId,
};

/// `payment.initiated`: the provider has been asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentInitiated<'a> {
    /// The payment.
    pub payment_id: PaymentId,
    /// The booking.
    pub booking_id: BookingId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// How much.
    pub amount: Money,
    /// Of which money.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Currency>")]
    pub currency: Currency,
    /// How the rider pays.
    pub payment_method: PaymentMethod,
    /// Who moves the money.
    #[serde(borrow, default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Provider<'a>>")]
    pub provider: Provider<'a>,
    /// The provider's id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub provider_transaction_id: Option<Text<'a>>,
}

/// `payment.success`: the money has moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentSuccess<'a> {
    /// The payment.
    pub payment_id: PaymentId,
    /// The booking.
    pub booking_id: BookingId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// How much.
    pub amount: Money,
    /// Of which money.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Currency>")]
    pub currency: Currency,
    /// How the rider paid.
    pub payment_method: PaymentMethod,
    /// Who moved the money.
    #[serde(borrow, default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Provider<'a>>")]
    pub provider: Provider<'a>,
    /// The provider's id.
    #[serde(borrow)]
    pub provider_transaction_id: Text<'a>,
    /// How long the provider took.
    pub processing_time_ms: Milliseconds,
    /// The last four digits of the card.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub card_last4: Option<CardLast4<'a>>,
}

/// `payment.failed`: the money has not moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentFailed<'a> {
    /// The payment.
    pub payment_id: PaymentId,
    /// The booking.
    pub booking_id: BookingId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// How much.
    pub amount: Money,
    /// Of which money.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Currency>")]
    pub currency: Currency,
    /// How the rider wanted to pay.
    pub payment_method: PaymentMethod,
    /// Who was to move the money.
    #[serde(borrow, default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Provider<'a>>")]
    pub provider: Provider<'a>,
    /// The provider's id.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub provider_transaction_id: Option<Text<'a>>,
    /// The provider's code.
    #[serde(borrow)]
    pub error_code: Text<'a>,
    /// The provider's words.
    #[serde(borrow)]
    pub error_message: Text<'a>,
    /// How long the provider took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing_time_ms: Option<Milliseconds>,
}

/// `payment.refunded`: money has gone back, all of it or a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentRefunded<'a> {
    /// The payment.
    pub payment_id: PaymentId,
    /// The booking.
    pub booking_id: BookingId,
    /// Who rides and pays.
    pub rider_id: UserId,
    /// How much went back.
    pub refund_amount: Money,
    /// How much had been paid.
    pub original_amount: Money,
    /// Of which money.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<Currency>")]
    pub currency: Currency,
    /// Why, in words.
    #[serde(borrow)]
    pub refund_reason: Text<'a>,
    /// Who did it: a person or a system, so not always a UUID.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub refunded_by: Option<Text<'a>>,
    /// The provider's id of the refund.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub provider_refund_id: Option<Text<'a>>,
}
