//! API keys: who may ask for what, and where. Of the text of a key, PostgreSQL has a hash and the first characters; it
//! is made, hashed and shown elsewhere.
//!
//! Each change is written in the [audit](crate::audit), in the same transaction.

mod create;
mod key;
mod presented;
mod revoke;
mod rotate;
mod rows;
mod stored;

pub use self::{
    create::create,
    key::{Fingerprint, Key, NewKey, SecretInfo, subject},
    presented::{Presented, by_hash},
    revoke::revoke,
    rotate::{Rotation, rotate},
    stored::{all, find},
};
