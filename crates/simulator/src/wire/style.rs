//! The liberties that the contract leaves to producers.

use crate::dice::Dice;
use uuid::Uuid;

/// How one producer writes what it says. None of it changes the meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Write times on the clock of Lagos (`+01:00`) instead of in UTC (`Z`).
    pub local_time: bool,
    /// How amounts are written.
    pub money: MoneyForm,
    /// Write fields that have their default value.
    pub defaults: bool,
    /// Write optional fields that are not set as `null`.
    pub nulls: bool,
    /// Name the schema version.
    pub schema_version: bool,
    /// Add a field that the contract does not know.
    pub unknown_field: bool,
    /// `trace_id`, W3C style.
    pub trace: Option<Uuid>,
}

/// How an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyForm {
    /// `"3000.00"`
    Text,
    /// `"3000"` or `"3000.5"`
    ShortText,
    /// `3000.00`, a JSON number
    Number,
}

impl Style {
    /// The style of OpenRide's own services.
    pub const PLAIN: Self = Self {
        local_time: false,
        money: MoneyForm::Text,
        defaults: true,
        nulls: false,
        schema_version: false,
        unknown_field: false,
        trace: None,
    };

    /// Mostly plain, with every liberty taken now and then.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let mut chance = dice.bits();
        let mut one_in = |bits: u32| {
            let taken = chance & ((1 << bits) - 1) == 0;
            chance >>= bits;
            taken
        };
        let money = match (one_in(4), one_in(5)) {
            (true, _) => MoneyForm::ShortText,
            (_, true) => MoneyForm::Number,
            _ => MoneyForm::Text,
        };
        let style = Self {
            local_time: one_in(2),
            money,
            defaults: !one_in(2),
            nulls: one_in(4),
            schema_version: one_in(2),
            unknown_field: one_in(4),
            trace: None,
        };
        if one_in(3) {
            Self {
                trace: Some(dice.uuid()),
                ..style
            }
        } else {
            style
        }
    }
}
