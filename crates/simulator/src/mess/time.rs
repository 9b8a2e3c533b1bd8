//! Times that must be refused.

use crate::dice::Dice;
use crate::event::LogicalEvent;
use serde_json::{Map, Value};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// 1999-12-31T23:59:59.999Z
const LAST_MS_OF_1999: i64 = 946_684_799_999;

/// The event, far older than any topic keeps, as seen from `judged_at_ms`.
pub(super) fn too_old(event: &LogicalEvent, judged_at_ms: i64, dice: &mut Dice) -> LogicalEvent {
    let age_ms = dice.between(91 * DAY_MS, 400 * DAY_MS);
    LogicalEvent {
        at_ms: judged_at_ms - age_ms,
        ..event.clone()
    }
}

/// The event before 2000 or weeks ahead, so that a judgement a few days later changes nothing.
pub(super) fn out_of_range(
    event: &LogicalEvent,
    judged_at_ms: i64,
    dice: &mut Dice,
) -> LogicalEvent {
    let at_ms = if dice.chance(0.5) {
        LAST_MS_OF_1999 - dice.between(0, 300 * DAY_MS)
    } else {
        judged_at_ms + dice.between(30 * DAY_MS, 300 * DAY_MS)
    };
    LogicalEvent {
        at_ms,
        ..event.clone()
    }
}

/// Takes the offset away from the event's time.
pub(super) fn without_offset(fields: &mut Map<String, Value>, dice: &mut Dice) -> Option<Value> {
    let time = fields
        .get("event_timestamp")?
        .as_str()?
        .trim_end_matches('Z')
        .to_owned();
    let time = if dice.chance(0.3) {
        time.replace('T', " ")
    } else {
        time
    };
    fields.insert("event_timestamp".to_owned(), time.into())
}
