//! A limit on nesting, the same for every field, known or not.
//!
//! The JSON parser limits the nesting of what it builds, but skips unknown fields without a limit, and
//! whoever reads the stored payload later may not have that stamina.

use crate::{ReasonCode, Rejection};

/// As many levels as `serde_json` builds.
const MAX_DEPTH: usize = 127;

/// Refuses a text that is nested too deeply. A text that is not JSON may pass.
pub(super) fn check(text: &str) -> Result<(), Rejection> {
    // Nearly every event has one bracket, and counting them is much cheaper than following them.
    let brackets = text
        .bytes()
        .filter(|byte| matches!(byte, b'{' | b'['))
        .count();
    if brackets <= MAX_DEPTH || depth(text) <= MAX_DEPTH {
        return Ok(());
    }
    Err(Rejection::at(
        "$",
        ReasonCode::InvalidJson,
        "nested deeper than 127 levels",
    ))
}

fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
