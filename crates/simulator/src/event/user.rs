//! Accounts.

use shared_schema::Region;
use uuid::Uuid;

/// A `user.*` event.
#[derive(Debug, Clone, PartialEq)]
pub struct UserFact {
    /// `user_id`
    pub user: Uuid,
    /// What happened to the account.
    pub step: UserStep,
}

/// What can happen to an account.
#[derive(Debug, Clone, PartialEq)]
pub enum UserStep {
    /// `user.registered`
    Registered(Registration),
    /// `user.kyc_verified`
    KycDecided {
        /// `kyc_status`: `VERIFIED`, or else `REJECTED`.
        verified: bool,
        /// `verified_by`, the clerk
        by: Option<Uuid>,
    },
    /// `user.upgraded_to_driver`
    Upgraded,
}

/// What a new user states.
#[derive(Debug, Clone, PartialEq)]
pub struct Registration {
    /// `role`
    pub role: Role,
    /// `phone` without `+234`: ten digits, 7–9 then 0–1 then eight more.
    pub phone: u64,
    /// `full_name`: first and last.
    pub name: Option<(&'static str, &'static str)>,
    /// `email`, made from the name and the phone number.
    pub has_email: bool,
    /// `state` as the user spelt it.
    pub state: Option<&'static str>,
    /// `city` as the user spelt it.
    pub city: Option<&'static str>,
    /// What that spelling means.
    pub region: Region,
    /// `referral_code`, as a number
    pub referral: Option<u32>,
}

/// `role`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Books seats.
    Rider,
    /// Publishes routes.
    Driver,
    /// Works for OpenRide.
    Admin,
}

impl Role {
    /// As written on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rider => "RIDER",
            Self::Driver => "DRIVER",
            Self::Admin => "ADMIN",
        }
    }
}

impl UserStep {
    pub(super) const fn event_type(&self) -> &'static str {
        match self {
            Self::Registered(_) => "user.registered",
            Self::KycDecided { .. } => "user.kyc_verified",
            Self::Upgraded => "user.upgraded_to_driver",
        }
    }
}
