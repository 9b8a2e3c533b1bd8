//! Bytes that mean no good: whatever comes, the answer is an event or a reason.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use shared_schema::{EventType, ReasonCode, Rejection, decode};

use crate::samples::{fixture, source};

/// A reason that bytes alone can give, with a path into the record.
fn is_plausible(rejection: &Rejection) -> bool {
    rejection.path.starts_with('$')
        && !matches!(rejection.reason, ReasonCode::TooOld | ReasonCode::IdReused)
}

fn check(kind: EventType, bytes: &[u8]) -> Result<(), TestCaseError> {
    let source = source(kind);
    let verdict = decode(bytes, &source);
    prop_assert_eq!(
        &verdict,
        &decode(bytes, &source),
        "the same bytes, another verdict"
    );
    if let Err(rejection) = verdict {
        prop_assert!(is_plausible(&rejection), "{}", rejection);
    }
    Ok(())
}

fn any_type() -> impl Strategy<Value = EventType> {
    select(EventType::ALL)
}

/// Pieces that parsers stumble over.
fn shards() -> impl Strategy<Value = &'static [u8]> {
    select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b"\"",
        b"\\",
        b"\\u",
        b"\\ud800",
        b",",
        b":",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"NaN",
        b"-",
        b"1e999",
        b"18446744073709551616",
        b"null",
        b"\"event_type\":",
        b"\n",
        b"0.00000001",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_give_a_reason(kind in any_type(), bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        check(kind, &bytes)?;
    }

    #[test]
    fn random_text_in_place_of_a_record_gives_a_reason(kind in any_type(), text in "\\PC{0,200}") {
        check(kind, text.as_bytes())?;
    }

    #[test]
    fn flipped_bits_give_an_event_or_a_reason(
        kind in any_type(),
        flips in proptest::collection::vec((any::<Index>(), 0..8_u8), 1..6),
    ) {
        let mut bytes = fixture(kind);
        for (place, bit) in flips {
            *place.get_mut(&mut bytes) ^= 1 << bit;
        }
        check(kind, &bytes)?;
    }

    #[test]
    fn torn_records_give_a_reason(kind in any_type(), end in any::<Index>()) {
        let bytes = fixture(kind);
        let whole = bytes.trim_ascii_end();
        let torn = &whole[..end.index(whole.len())];
        prop_assert!(decode(torn, &source(kind)).is_err());
        check(kind, torn)?;
    }

    #[test]
    fn shards_in_a_record_give_an_event_or_a_reason(
        kind in any_type(),
        inserts in proptest::collection::vec((any::<Index>(), shards()), 1..4),
    ) {
        let mut bytes = fixture(kind);
        for (place, shard) in inserts {
            let place = place.index(bytes.len());
            bytes.splice(place..place, shard.iter().copied());
        }
        check(kind, &bytes)?;
    }

    #[test]
    fn two_records_glued_at_any_place_give_an_event_or_a_reason(
        one in any_type(), other in any_type(), cut in any::<Index>(), from in any::<Index>(),
    ) {
        let (head, tail) = (fixture(one), fixture(other));
        let glued = [&head[..cut.index(head.len())], &tail[from.index(tail.len())..]].concat();
        check(one, &glued)?;
        check(other, &glued)?;
    }
}
