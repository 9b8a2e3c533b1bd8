use super::*;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn span(from: &str, until: &str) -> Span {
    Span {
        from: at(from),
        until: at(until),
    }
}

fn range(start: &str, end: &str) -> DateRange {
    DateRange::between(at(start), at(end), chrono_tz::Africa::Lagos).unwrap()
}

#[test]
fn bounds_on_the_grid_need_no_stored_events() {
    let grid = Grid::of(&range("2024-01-01T00:00:00Z", "2024-01-01T10:45:00Z"));
    assert_eq!(
        grid.core,
        span("2024-01-01T00:00:00Z", "2024-01-01T10:45:00Z")
    );
    assert_eq!(grid.slices().count(), 0);
}

#[test]
fn what_is_off_the_grid_is_left_at_both_ends() {
    let grid = Grid::of(&range("2024-01-01T00:00:00.001Z", "2024-01-01T10:46:00Z"));
    assert_eq!(
        grid.core,
        span("2024-01-01T00:15:00Z", "2024-01-01T10:45:00Z")
    );
    assert_eq!(
        grid.head,
        Some(span("2024-01-01T00:00:00.001Z", "2024-01-01T00:15:00Z"))
    );
    assert_eq!(
        grid.tail,
        Some(span("2024-01-01T10:45:00Z", "2024-01-01T10:46:00Z"))
    );
}

#[test]
fn a_range_inside_a_slot_is_one_slice() {
    let grid = Grid::of(&range("2024-01-01T00:01:00Z", "2024-01-01T00:14:00Z"));
    assert!(grid.core.is_empty());
    assert_eq!(
        grid.slices().collect::<Vec<_>>(),
        [span("2024-01-01T00:01:00Z", "2024-01-01T00:14:00Z")]
    );
    let grid = Grid::of(&range("2024-01-01T00:01:00Z", "2024-01-01T00:16:00Z"));
    assert!(grid.core.is_empty());
    assert_eq!(grid.slices().count(), 2);
}

#[test]
fn times_without_events_are_left_out() {
    let grid = Grid::of(&range("0001-01-01T00:00:07Z", "9999-12-31T23:59:59Z"));
    assert_eq!(
        grid.core,
        span("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
    );
    assert_eq!(grid.slices().count(), 0);
    assert!(
        Grid::of(&range("1980-01-01T00:00:07Z", "1990-01-01T00:00:00Z"))
            .core
            .is_empty()
    );
}

#[test]
fn an_old_bound_off_the_grid_names_its_neighbours() {
    let now = at("2024-06-01T00:00:00Z");
    let recent = range("2024-05-20T00:01:00Z", "2024-05-20T12:01:00Z");
    assert_eq!(Kept::Events.check(&recent, now), Ok(()));
    assert_eq!(
        Kept::Events.check(&range("2020-01-01T00:00:00Z", "2020-02-01T00:15:00Z"), now),
        Ok(())
    );

    let start = Kept::Events.check(&range("2024-01-01T00:01:00Z", "2024-05-20T12:00:00Z"), now);
    let start = start.unwrap_err();
    assert_eq!(
        (start.side, start.earlier.as_str(), start.later.as_str()),
        (
            Side::Start,
            "2024-01-01T01:00:00.000+01:00",
            "2024-01-01T01:15:00.000+01:00"
        )
    );
    let end =
        Kept::Locations.check_end(&range("2024-01-01T00:01:00Z", "2024-04-20T12:01:00Z"), now);
    let end = end.unwrap_err();
    assert_eq!(
        (end.side, end.earlier.as_str(), end.later.as_str()),
        (
            Side::End,
            "2024-04-20T12:59:59.999+01:00",
            "2024-04-20T13:14:59.999+01:00"
        )
    );
    let within_a_slot = range("2024-04-20T12:01:00Z", "2024-04-20T12:05:00Z");
    assert_eq!(
        Kept::Locations.check_end(&within_a_slot, now).unwrap_err(),
        BeyondRetention {
            later: end.later.clone(),
            ..end
        }
    );
    // the slot of the end began when its locations were no longer kept
    let across = range("2024-05-02T00:06:00Z", "2024-05-02T00:10:00Z");
    let now = at("2024-06-01T00:05:00Z");
    assert_eq!(Kept::Locations.check(&across, now), Ok(()));
    assert!(Kept::Locations.check_end(&across, now).is_err());
}
