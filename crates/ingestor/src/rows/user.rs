//! Columns of the user events.

use event_store::native::{Block, Col, ColumnType, Text, Uuid as UuidKind};
use shared_schema::Event;

/// Handles of the columns, named as in the contract.
pub(super) struct Columns {
    user_id: Col<UuidKind>,
    phone: Col<Text>,
    role: Col<Text>,
    full_name: Col<Text>,
    email: Col<Text>,
    referral_code: Col<Text>,
    kyc_status: Col<Text>,
    verification_notes: Col<Text>,
    verified_by: Col<Text>,
    previous_role: Col<Text>,
    new_role: Col<Text>,
}

impl Columns {
    pub(super) fn new(block: &mut Block) -> Self {
        Self {
            user_id: block.add("user_id", ColumnType::uuid()),
            phone: block.add("phone", ColumnType::string().nullable()),
            role: block.add("role", ColumnType::low_cardinality_string().nullable()),
            full_name: block.add("full_name", ColumnType::string().nullable()),
            email: block.add("email", ColumnType::string().nullable()),
            referral_code: block.add("referral_code", ColumnType::string().nullable()),
            kyc_status: block.add(
                "kyc_status",
                ColumnType::low_cardinality_string().nullable(),
            ),
            verification_notes: block.add("verification_notes", ColumnType::string().nullable()),
            verified_by: block.add("verified_by", ColumnType::string().nullable()),
            previous_role: block.add(
                "previous_role",
                ColumnType::low_cardinality_string().nullable(),
            ),
            new_role: block.add("new_role", ColumnType::low_cardinality_string().nullable()),
        }
    }

    pub(super) fn push(&self, block: &mut Block, event: &Event<'_>) {
        match event {
            Event::UserRegistered(e) => {
                block.set(self.user_id, e.user_id.uuid());
                block.set(self.phone, e.phone.as_str());
                block.set(self.role, e.role.as_str());
                block.set(
                    self.full_name,
                    e.full_name.as_ref().map(|text| text.as_str()),
                );
                block.set(self.email, e.email.as_ref().map(|text| text.as_str()));
                block.set(
                    self.referral_code,
                    e.referral_code.as_ref().map(|text| text.as_str()),
                );
            }
            Event::UserKycVerified(e) => {
                block.set(self.user_id, e.user_id.uuid());
                block.set(self.kyc_status, e.kyc_status.as_str());
                block.set(
                    self.verification_notes,
                    e.verification_notes.as_ref().map(|text| text.as_str()),
                );
                block.set(
                    self.verified_by,
                    e.verified_by.as_ref().map(|text| text.as_str()),
                );
            }
            Event::UserUpgradedToDriver(e) => {
                block.set(self.user_id, e.user_id.uuid());
                block.set(self.previous_role, e.previous_role.as_str());
                block.set(self.new_role, e.new_role.as_str());
            }
            // a record's type has been checked against its topic, so no other domain's event comes here
            _ => {}
        }
    }
}
