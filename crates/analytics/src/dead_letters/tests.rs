use super::*;
use crate::tests::{everywhere, shown};

fn filter(limit: u64) -> Filter {
    Filter {
        reason: Some(ReasonCode::MissingField),
        topic: Some("openride.events.booking".to_owned()),
        range: everywhere(false).range,
        after: Some(
            "1704067200123.3.45.openride.events.booking"
                .parse()
                .unwrap(),
        ),
        limit,
        with_bytes: false,
    }
}

fn row(offset: u64) -> DeadLetterRow {
    DeadLetterRow {
        reason: "too_old".to_owned(),
        path: "$".to_owned(),
        detail: String::new(),
        topic: "openride.events.trip".to_owned(),
        partition: 3,
        offset,
        kafka_ms: 1_704_067_200_000,
        decided_ms: 1_704_067_200_123,
        bytes: 10,
        key: None,
        value: None,
    }
}

#[test]
fn a_page_begins_after_the_cursor() {
    insta::assert_snapshot!(shown(&query(&filter(100))));
}

#[test]
fn bytes_are_read_where_they_are_asked_for() {
    let with_bytes = Filter {
        with_bytes: true,
        ..filter(10)
    };
    insta::assert_snapshot!(shown(&query(&with_bytes)));
}

#[test]
fn the_next_cursor_is_that_of_the_last_row_shown() {
    let page = assemble(&filter(2), vec![row(9), row(8), row(7)]);
    assert_eq!(page.dead_letters.len(), 2);
    let cursor = page.next_cursor.unwrap();
    assert_eq!(cursor, "1704067200123.3.8.openride.events.trip");
    assert_eq!(cursor.parse(), Ok(row(8).place()));
    assert_eq!(assemble(&filter(2), vec![row(9), row(8)]).next_cursor, None);
}
