use std::sync::Arc;

use shared_schema::Domain;

use super::*;
use crate::{
    bookings::BookingTotals,
    payments::PaymentTotals,
    query::Query,
    region::Unknown,
    selection::Selection,
    tests::{carried, everywhere, in_lagos_off_grid, opened, pin, shown},
    time::Span,
};

fn cell(event_type: EventType, region: RegionFilter) -> Cell {
    let range = everywhere(false).range;
    Cell {
        what: What::Events(event_type),
        from: range.start(),
        until: range.end(),
        zone: range.zone(),
        region,
        only: None,
        pin: pin(),
    }
}

fn listed(cell: &Cell, after: Option<&str>) -> Query {
    let after = after.map(|after| after.parse().unwrap());
    query(cell, after.as_ref(), 100)
}

#[test]
fn a_pin_holds_what_is_durable() {
    let expected = serde_json::json!({
        "next_offsets": {"openride.events.booking": [8, 70], "openride.events.payment": [0, 0, 9]},
        "carried": {"openride.events.booking": ["booking"], "openride.events.payment": ["payment"]},
        "settled_through": "2024-02-01T00:00:00.123Z",
        "made_at": "2024-02-01T00:00:01Z"
    });
    assert_eq!(serde_json::to_value(pin()).unwrap(), expected);
    let mut parameters = crate::query::Parameters::default();
    assert_eq!(
        Pin::default().durable(Domain::Booking, &mut parameters),
        "false"
    );
}

#[test]
fn a_cell_holds_the_topics_that_its_list_may_read() {
    let lanes = ["openride.events.trip", "openride.events.booking", "of.old"];
    let pin_of = |topics: &[&'static str]| {
        Pin::new(
            topics.iter().map(|topic| (*topic, 0, 5)),
            carried(),
            9,
            DateTime::UNIX_EPOCH,
        )
    };
    let whole = pin_of(&lanes);
    // which of them a topic had that is no longer read, nobody knows
    let expected = pin_of(&lanes[1..]);
    assert_eq!(whole.of(&[Domain::Booking]), expected);
    assert_eq!(whole.of(&Domain::ALL), whole);
}

#[test]
fn a_list_is_of_the_facts_that_were_durable_and_settled() {
    let everywhere = cell(EventType::BookingCreated, RegionFilter::Everywhere);
    insta::assert_snapshot!("list", shown(&listed(&everywhere, None)));
    let unknown = cell(
        EventType::TripStarted,
        RegionFilter::Remainder(Unknown::City),
    );
    let after = "1704067200123.3.45.openride.events.trip~00000000-0000-0000-0000-000000000007";
    insta::assert_snapshot!("list_goes_on", shown(&listed(&unknown, Some(after))));
}

#[test]
fn drivers_are_listed_with_the_first_event_that_names_them() {
    let drivers = |region| Cell {
        what: What::DriversOfTrips,
        ..cell(EventType::TripStarted, region)
    };
    let everywhere = drivers(RegionFilter::Everywhere);
    insta::assert_snapshot!("drivers", shown(&listed(&everywhere, None)));
    let unknown = drivers(RegionFilter::Remainder(Unknown::State));
    let after = "1704067200123.3.45.openride.events.trip~00000000-0000-0000-0000-000000000007";
    insta::assert_snapshot!(
        "drivers_of_the_unknown_region",
        shown(&listed(&unknown, Some(after)))
    );
}

#[test]
fn users_are_listed_with_the_first_event_that_names_them() {
    let unknown = Cell {
        what: What::ActiveUsers,
        only: Some(Only::NoClockSkew),
        ..cell(
            EventType::TripStarted,
            RegionFilter::Remainder(Unknown::State),
        )
    };
    insta::assert_snapshot!("users", shown(&listed(&unknown, None)));
}

#[test]
fn users_of_a_place_are_listed_with_the_last_event_that_names_them() {
    let place = Cell {
        what: What::UsersSeenLast,
        only: Some(Only::Place {
            state: "Lagos".to_owned(),
            city: "Ikeja".to_owned(),
        }),
        ..cell(EventType::TripStarted, RegionFilter::Everywhere)
    };
    insta::assert_snapshot!("users_of_a_place", shown(&listed(&place, None)));
}

#[test]
fn trips_under_way_are_listed_with_their_start() {
    let of = |region, of_settled| Cell {
        what: What::ActiveTrips { of_settled },
        only: Some(Only::NoClockSkew),
        ..cell(EventType::TripStarted, region)
    };
    let everywhere = of(RegionFilter::Everywhere, false);
    insta::assert_snapshot!("trips", shown(&listed(&everywhere, None)));
    let settled = shown(&length(&of(RegionFilter::Settled, true)));
    assert!(
        settled.contains("WHERE state != '' AND NOT clock_skew"),
        "{settled}"
    );
    assert!(settled.contains("AND max(state != '') = 1"), "{settled}");
    let unknown = of(RegionFilter::Remainder(Unknown::City), false);
    let unknown = shown(&length(&unknown));
    assert!(
        unknown.contains("AND max(city NOT IN ('', 'unknown')) = 0"),
        "{unknown}"
    );
}

#[test]
fn a_page_goes_on_after_one_of_the_users_that_an_event_names() {
    let text = "1704067200123.3.45.openride.events.trip~00000000-0000-0000-0000-000000000007";
    let cursor: EventCursor = text.parse().unwrap();
    assert_eq!(cursor.to_string(), text);
    for text in [
        "",
        "~",
        "1704067200123.3.45.trip",
        "1704067200123.3.45.trip~7",
        "1.2~00000000-0000-0000-0000-000000000007",
    ] {
        assert!(text.parse::<EventCursor>().is_err(), "{text}");
    }
}

#[test]
fn active_users_are_opened_as_long_as_positions_are_kept() {
    let over = |days| Counted {
        last_days: Some(days),
        ..counted_as("users", What::ActiveUsers)
    };
    let mut selection = opened(everywhere(false));
    selection.now = selection.range.end() + TimeDelta::days(20);
    let cells = selection.cells(&[over(7)], &selection.whole()).unwrap();
    let week: Cell = serde_json::from_str(&cells.0["users"]).unwrap();
    assert_eq!(week.from, selection.range.end() - TimeDelta::days(7));
    let month = selection.cells(&[over(30)], &selection.whole());
    assert_eq!(month, Some(Cells::default()));
}

#[test]
fn a_refund_is_listed_under_the_method_that_settling_found() {
    let of = |event_type, method: &str| Cell {
        only: Some(Only::Method(method.to_owned())),
        ..cell(event_type, RegionFilter::Everywhere)
    };
    let sql = |cell: &Cell| shown(&listed(cell, None));
    insta::assert_snapshot!("refunds", sql(&of(EventType::PaymentRefunded, "card")));
    let unknown = sql(&of(EventType::PaymentRefunded, "unknown"));
    assert!(unknown.contains("settled_method = ''"), "{unknown}");
    let success = sql(&of(EventType::PaymentSuccess, "card"));
    assert!(
        success.contains("payment_method = {method:String}"),
        "{success}"
    );
}

#[test]
fn cells_are_of_the_whole_range_or_of_what_a_unit_has_of_it() {
    let selection = opened(in_lagos_off_grid());
    let whole = selection.cells(BookingTotals::COUNTED, &selection.whole());
    let whole = whole.unwrap().0;
    assert_eq!(whole.len(), 4);
    let created: Cell = serde_json::from_str(&whole["bookings_created"]).unwrap();
    let expected = Cell {
        from: selection.range.start(),
        until: selection.range.end(),
        pin: pin().of(&[Domain::Booking]),
        ..cell(EventType::BookingCreated, selection.region.clone())
    };
    assert_eq!(created, expected);

    let day = Span {
        from: selection.range.start() - TimeDelta::hours(1),
        until: selection.range.start() + TimeDelta::hours(1),
    };
    let part = selection.cells(BookingTotals::COUNTED, &selection.part(day));
    let created: Cell = serde_json::from_str(&part.unwrap().0["bookings_created"]).unwrap();
    assert_eq!((created.from, created.until), (expected.from, day.until));
}

#[test]
fn nothing_is_opened_that_was_not_asked_for_or_cannot_be_written() {
    let selection = everywhere(false);
    let counted = PaymentTotals::COUNTED;
    assert_eq!(selection.cells(counted, &selection.whole()), None);
    let unwritten = Selection {
        opening: Some(Arc::new(Opening::new(pin(), |_| None))),
        ..selection
    };
    let cells = unwritten.cells(counted, &unwritten.whole());
    assert_eq!(cells, Some(Cells::default()));
    assert_eq!(unwritten.cells(&[], &unwritten.whole()), None);
}

#[test]
fn a_cell_whose_first_events_may_be_gone_is_not_opened() {
    let cell = cell(EventType::BookingCreated, RegionFilter::Everywhere);
    assert_eq!(cell.check_kept(cell.from + TimeDelta::days(90)), Ok(()));
    let gone = cell.check_kept(cell.from + TimeDelta::days(91));
    assert_eq!(gone.unwrap_err().earliest, "2024-01-03T00:00:00.000+01:00");
}
