//! Money that riders send, and get back.

use uuid::Uuid;

/// A `payment.*` event.
#[derive(Debug, Clone, PartialEq)]
pub struct PaymentFact {
    /// `payment_id`
    pub payment: Uuid,
    /// `booking_id`
    pub booking: Uuid,
    /// `rider_id`
    pub rider: Uuid,
    /// `currency`, ISO 4217
    pub currency: &'static str,
    /// What happened to the payment.
    pub step: PaymentStep,
}

/// What can happen to a payment. Amounts are in hundredths of the currency (kobo, cents).
#[derive(Debug, Clone, PartialEq)]
pub enum PaymentStep {
    /// `payment.initiated`
    Initiated {
        /// `amount`
        amount: i64,
        /// `payment_method`
        method: Method,
    },
    /// `payment.success`
    Success {
        /// `amount`
        amount: i64,
        /// `payment_method`
        method: Method,
        /// `processing_time_ms`
        processing_ms: u32,
        /// `card_last4`
        card_last4: Option<u16>,
    },
    /// `payment.failed`
    Failed {
        /// `amount`
        amount: i64,
        /// `payment_method`
        method: Method,
        /// `processing_time_ms`
        processing_ms: Option<u32>,
        /// `error_code` and `error_message`
        error: (&'static str, &'static str),
    },
    /// `payment.refunded`
    Refunded {
        /// `refund_amount`
        refund: i64,
        /// `original_amount`
        original: i64,
        /// `refund_reason`
        reason: &'static str,
    },
}

/// `payment_method`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// By bank transfer.
    BankTransfer,
    /// By debit or credit card.
    Card,
    /// In cash, to the driver.
    Cash,
    /// By a code dialled on the phone.
    Ussd,
    /// From the rider's OpenRide balance.
    Wallet,
}

impl Method {
    /// As written on the wire; the variants are declared in the order of these names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BankTransfer => "bank_transfer",
            Self::Card => "card",
            Self::Cash => "cash",
            Self::Ussd => "ussd",
            Self::Wallet => "wallet",
        }
    }
}

impl PaymentStep {
    pub(super) const fn event_type(&self) -> &'static str {
        match self {
            Self::Initiated { .. } => "payment.initiated",
            Self::Success { .. } => "payment.success",
            Self::Failed { .. } => "payment.failed",
            Self::Refunded { .. } => "payment.refunded",
        }
    }
}
