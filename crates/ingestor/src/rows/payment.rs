//! Columns of the payment events.

use event_store::native::{Block, Col, ColumnType, Decimal64, Text, UInt32, Uuid as UuidKind};
use shared_schema::Event;

/// Handles of the columns, named as in the contract.
pub(super) struct Columns {
    payment_id: Col<UuidKind>,
    booking_id: Col<UuidKind>,
    rider_id: Col<UuidKind>,
    amount: Col<Decimal64>,
    currency: Col<Text>,
    payment_method: Col<Text>,
    provider: Col<Text>,
    provider_transaction_id: Col<Text>,
    processing_time_ms: Col<UInt32>,
    card_last4: Col<Text>,
    error_code: Col<Text>,
    error_message: Col<Text>,
    refund_amount: Col<Decimal64>,
    original_amount: Col<Decimal64>,
    refund_reason: Col<Text>,
    refunded_by: Col<Text>,
    provider_refund_id: Col<Text>,
}

impl Columns {
    pub(super) fn new(block: &mut Block) -> Self {
        Self {
            payment_id: block.add("payment_id", ColumnType::uuid()),
            booking_id: block.add("booking_id", ColumnType::uuid()),
            rider_id: block.add("rider_id", ColumnType::uuid()),
            amount: block.add("amount", ColumnType::decimal64(2).nullable()),
            currency: block.add("currency", ColumnType::low_cardinality_string()),
            payment_method: block.add(
                "payment_method",
                ColumnType::low_cardinality_string().nullable(),
            ),
            provider: block.add("provider", ColumnType::low_cardinality_string().nullable()),
            provider_transaction_id: block
                .add("provider_transaction_id", ColumnType::string().nullable()),
            processing_time_ms: block.add("processing_time_ms", ColumnType::uint32().nullable()),
            card_last4: block.add("card_last4", ColumnType::string().nullable()),
            error_code: block.add("error_code", ColumnType::string().nullable()),
            error_message: block.add("error_message", ColumnType::string().nullable()),
            refund_amount: block.add("refund_amount", ColumnType::decimal64(2).nullable()),
            original_amount: block.add("original_amount", ColumnType::decimal64(2).nullable()),
            refund_reason: block.add("refund_reason", ColumnType::string().nullable()),
            refunded_by: block.add("refunded_by", ColumnType::string().nullable()),
            provider_refund_id: block.add("provider_refund_id", ColumnType::string().nullable()),
        }
    }

    pub(super) fn push(&self, block: &mut Block, event: &Event<'_>) {
        match event {
            Event::PaymentInitiated(e) => {
                block.set(self.payment_id, e.payment_id.uuid());
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.amount, e.amount.kobo());
                block.set(self.currency, e.currency.as_str());
                block.set(self.payment_method, e.payment_method.as_str());
                block.set(self.provider, e.provider.as_str());
                block.set(
                    self.provider_transaction_id,
                    e.provider_transaction_id.as_ref().map(|text| text.as_str()),
                );
            }
            Event::PaymentSuccess(e) => {
                block.set(self.payment_id, e.payment_id.uuid());
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.amount, e.amount.kobo());
                block.set(self.currency, e.currency.as_str());
                block.set(self.payment_method, e.payment_method.as_str());
                block.set(self.provider, e.provider.as_str());
                block.set(
                    self.provider_transaction_id,
                    e.provider_transaction_id.as_str(),
                );
                block.set(self.processing_time_ms, e.processing_time_ms.get());
                block.set(
                    self.card_last4,
                    e.card_last4.as_ref().map(|text| text.as_str()),
                );
            }
            Event::PaymentFailed(e) => {
                block.set(self.payment_id, e.payment_id.uuid());
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.amount, e.amount.kobo());
                block.set(self.currency, e.currency.as_str());
                block.set(self.payment_method, e.payment_method.as_str());
                block.set(self.provider, e.provider.as_str());
                block.set(
                    self.provider_transaction_id,
                    e.provider_transaction_id.as_ref().map(|text| text.as_str()),
                );
                block.set(self.error_code, e.error_code.as_str());
                block.set(self.error_message, e.error_message.as_str());
                block.set(
                    self.processing_time_ms,
                    e.processing_time_ms.map(|value| value.get()),
                );
            }
            Event::PaymentRefunded(e) => {
                block.set(self.payment_id, e.payment_id.uuid());
                block.set(self.booking_id, e.booking_id.uuid());
                block.set(self.rider_id, e.rider_id.uuid());
                block.set(self.refund_amount, e.refund_amount.kobo());
                block.set(self.original_amount, e.original_amount.kobo());
                block.set(self.currency, e.currency.as_str());
                block.set(self.refund_reason, e.refund_reason.as_str());
                block.set(
                    self.refunded_by,
                    e.refunded_by.as_ref().map(|text| text.as_str()),
                );
                block.set(
                    self.provider_refund_id,
                    e.provider_refund_id.as_ref().map(|text| text.as_str()),
                );
            }
            // a record's type has been checked against its topic, so no other domain's event comes here
            _ => {}
        }
    }
}
