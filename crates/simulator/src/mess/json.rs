//! Values that are no JSON object.

use crate::dice::Dice;

/// An object that also says `more`, which is the text of one or more fields.
fn with(text: &[u8], more: &[u8]) -> Vec<u8> {
    let open = text.strip_suffix(b"}").unwrap_or(text);
    [open, b",", more, b"}"].concat()
}

/// Bytes that no UTF-8 text contains: a continuation alone, an overlong form, a surrogate, a Latin-1 letter.
pub(super) fn not_utf8(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    let bytes: &[u8] = match dice.below(4) {
        0 => b"\"note\":\"\x80\"",
        1 => b"\"note\":\"\xC0\xAF\"",
        2 => b"\"note\":\"\xED\xA0\x80\"",
        _ => b"\"note\":\"caf\xE9\"",
    };
    with(text, bytes)
}

/// Text that is not one JSON value.
pub(super) fn not_json(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    match dice.below(8) {
        0 => Vec::new(),
        1 => text.iter().take(text.len() / 2).copied().collect(),
        2 => [text, b"}"].concat(),
        3 => [text, text].concat(),
        4 => [b"\xEF\xBB\xBF", text].concat(),
        5 => with(text, b"\"speed\":NaN"),
        6 => with(text, &nested(200)),
        _ => with(text, b"\"event_type\":\"user.registered\""),
    }
}

/// A field whose value is arrays in arrays.
fn nested(depth: usize) -> Vec<u8> {
    [
        b"\"deep\":".as_slice(),
        &b"[".repeat(depth),
        &b"]".repeat(depth),
    ]
    .concat()
}

/// JSON, but not an object.
pub(super) fn not_an_object(text: &[u8], dice: &mut Dice) -> Vec<u8> {
    match dice.below(5) {
        0 => b"null".to_vec(),
        1 => b"42".to_vec(),
        2 => b"\"booking.created\"".to_vec(),
        3 => b"false".to_vec(),
        _ => [b"[", text, b"]"].concat(),
    }
}

/// The object, longer than `limit` bytes.
pub(super) fn padded_beyond(text: &[u8], limit: usize) -> Vec<u8> {
    with(
        text,
        &[b"\"padding\":\"".as_slice(), &b"x".repeat(limit), b"\""].concat(),
    )
}
