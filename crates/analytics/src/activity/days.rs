//! The bits of a span.

use chrono::{DateTime, Utc};

use super::Kind;
use crate::{query::Parameters, time::Span};

/// Seconds of a slot.
const SLOT_SECONDS: i64 = 900;
/// Slots of a UTC day.
const DAY_SLOTS: i64 = 96;

/// The condition on `day` for a span on the grid.
pub(super) fn days_within(core: Span, parameters: &mut Parameters) -> String {
    let (first, last) = days(core);
    let (first, last) = (
        parameters.day("first_day", first),
        parameters.day("last_day", last),
    );
    format!("day >= {first} AND day <= {last}")
}

/// The bits of a kind of activity that lie in a span on the grid, where `day` is one of [`days_within`] it.
pub(super) fn slots_within(kind: Kind, core: Span, parameters: &mut Parameters) -> String {
    let slots = kind.column();
    let (first, last) = days(core);
    let first_slots = parameters.bits("first_slots", bits(first, core));
    let last_slots = parameters.bits("last_slots", bits(last, core));
    let (first, last) = (
        parameters.day("first_day", first),
        parameters.day("last_day", last),
    );
    format!(
        "multiIf(day = {first}, bitAnd({slots}, {first_slots}), day = {last}, bitAnd({slots}, {last_slots}), {slots})"
    )
}

/// The bits of what lies before a second of a day.
pub(super) fn slots_before(name: &'static str, second: u64, parameters: &mut Parameters) -> String {
    let slots = i64::try_from(second).unwrap_or(i64::MAX) / SLOT_SECONDS;
    parameters.bits(name, every_bit(slots))
}

/// Names of the parameters of an instant.
pub(super) struct Since {
    pub(super) day: &'static str,
    pub(super) slots: &'static str,
    pub(super) at: DateTime<Utc>,
}

impl Since {
    /// The condition that the bits `active` of a `day` reach beyond the instant.
    pub(super) fn reached(&self, parameters: &mut Parameters) -> String {
        let slot = slot_of(self.at);
        let day = slot.div_euclid(DAY_SLOTS);
        let later = every_bit(DAY_SLOTS) & !every_bit(slot.rem_euclid(DAY_SLOTS));
        let slots = parameters.bits(self.slots, later);
        let day = parameters.day(self.day, day);
        format!("day > {day} OR (day = {day} AND bitAnd(active, {slots}) != 0)")
    }
}

/// The first and the last day of a span, since 1970. The last is before the first where the span is empty and begins
/// with a day.
fn days(core: Span) -> (i64, i64) {
    let (from, until) = (slot_of(core.from), slot_of(core.until));
    (
        from.div_euclid(DAY_SLOTS),
        (until - 1).div_euclid(DAY_SLOTS),
    )
}

/// The bits of a day that lie in a span.
fn bits(day: i64, span: Span) -> u128 {
    let place = |at| (slot_of(at) - day * DAY_SLOTS).clamp(0, DAY_SLOTS);
    every_bit(place(span.until)) & !every_bit(place(span.from))
}

/// The bits of the first slots of a day.
fn every_bit(slots: i64) -> u128 {
    let slots = u32::try_from(slots.clamp(0, DAY_SLOTS)).unwrap_or_default();
    1_u128.checked_shl(slots).map_or(u128::MAX, |bit| bit - 1)
}

fn slot_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(SLOT_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, until: &str) -> Span {
        let at = |text| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        Span {
            from: at(from),
            until: at(until),
        }
    }

    fn shown(span: Span) -> [(i64, u128); 2] {
        let (first, last) = days(span);
        [(first, bits(first, span)), (last, bits(last, span))]
    }

    #[test]
    fn a_span_cuts_its_first_and_its_last_day() {
        let bits = shown(span("1970-01-02T23:00:00Z", "1970-01-05T00:30:00Z"));
        assert_eq!(bits, [(1, 0b1111 << 92), (4, 0b11)]);
    }

    #[test]
    fn a_span_of_whole_days_has_all_their_bits() {
        let bits = shown(span("1970-01-02T00:00:00Z", "1970-01-04T00:00:00Z"));
        assert_eq!(bits, [(1, (1 << 96) - 1), (2, (1 << 96) - 1)]);
    }

    #[test]
    fn a_span_inside_a_day_is_cut_at_both_ends() {
        let bits = shown(span("1970-01-02T00:15:00Z", "1970-01-02T01:00:00Z"));
        assert_eq!(bits, [(1, 0b1110); 2]);
    }

    #[test]
    fn nothing_has_no_bits() {
        let bits = shown(span("1970-01-02T12:00:00Z", "1970-01-02T12:00:00Z"));
        assert_eq!(bits, [(1, 0); 2]);
        let (first, last) = days(span("1970-01-02T00:00:00Z", "1970-01-02T00:00:00Z"));
        assert!(last < first);
    }
}
