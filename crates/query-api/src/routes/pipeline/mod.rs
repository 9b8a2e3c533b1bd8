//! `/v1/pipeline`: the books of the ingestor.

mod dead_letters;
mod ledger;

pub(crate) use self::{
    dead_letters::{__path_dead_letters, dead_letters},
    ledger::{__path_ledger, ledger},
};
