//! Events about accounts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::null_as_default;
use crate::{DriverRole, KycStatus, Phone, RiderRole, Role, Text, UserId};

/// `user.registered`: an account exists. Its region is the region of all the account's events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserRegistered<'a> {
    /// The account.
    pub user_id: UserId,
    /// The mobile number. PII.
    #[serde(borrow)]
    pub phone: Phone<'a>,
    /// What the account may do at first.
    pub role: Role,
    /// The person's name. PII.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<Text<'a>>,
    /// Mail address, as given. PII.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Text<'a>>,
    /// City, as given.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Text<'a>>,
    /// State, as given.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Text<'a>>,
    /// Code of whoever brought the person.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub referral_code: Option<Text<'a>>,
}

/// `user.kyc_verified`: an identity check has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserKycVerified<'a> {
    /// The account.
    pub user_id: UserId,
    /// How it ended.
    pub kyc_status: KycStatus,
    /// What the checker wrote.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub verification_notes: Option<Text<'a>>,
    /// The checker: a person or a system, so not always a UUID.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub verified_by: Option<Text<'a>>,
}

/// `user.upgraded_to_driver`: a rider may offer routes from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserUpgradedToDriver {
    /// The account.
    pub user_id: UserId,
    /// Always RIDER.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<RiderRole>")]
    pub previous_role: RiderRole,
    /// Always DRIVER.
    #[serde(default, deserialize_with = "null_as_default")]
    #[schemars(with = "Option<DriverRole>")]
    pub new_role: DriverRole,
}
