//! A batch: ranges of several lanes, promised before they are written and closed once they are there.

mod advance;
mod close;
mod forget;
mod intent;
mod open;
mod parked;
mod recovery;
mod rows;
mod stored;
mod touched;

pub(crate) use self::close::end;
pub use self::{
    advance::advance,
    forget::{REMEMBERED, forget_closed},
    intent::{Batch, Gap, Range, Verdicts},
    open::Opening,
    parked::{Parked, parked},
    recovery::{next_attempt, park},
    stored::{Stored, load, open},
    touched::{Lately, Touched, touched},
};
