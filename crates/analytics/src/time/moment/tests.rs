use super::*;

fn read(text: &str) -> Result<Moment, MomentError> {
    text.parse()
}

fn local(text: &str, precision: TimeDelta) -> Moment {
    Moment::Local {
        clock: text.parse().unwrap(),
        precision,
    }
}

#[test]
fn what_is_written_lasts_as_long_as_its_last_digit() {
    assert_eq!(
        read("2024-02-29"),
        Ok(Moment::Day(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()))
    );
    let at = "2024-01-31T10:30:00";
    assert_eq!(
        read("2024-01-31T10:30"),
        Ok(local(at, TimeDelta::minutes(1)))
    );
    assert_eq!(read(at), Ok(local(at, TimeDelta::seconds(1))));
    assert_eq!(
        read("2024-01-31T10:30:00.5"),
        Ok(local("2024-01-31T10:30:00.5", TimeDelta::milliseconds(100)))
    );
    assert_eq!(
        read("2024-01-31T10:30:00,123456789"),
        Ok(local(
            "2024-01-31T10:30:00.123456789",
            TimeDelta::nanoseconds(1)
        ))
    );
}

#[test]
fn an_offset_makes_an_instant() {
    let noon = "2024-01-31T12:00:00Z".parse().unwrap();
    for text in [
        "2024-01-31T12:00:00Z",
        "2024-01-31T13:00:00+01:00",
        "2024-01-31T13:00:00+01",
        "2024-01-31T06:30:00-0530",
        "2024-01-31t12:00:00z",
    ] {
        let expected = Moment::Instant {
            at: noon,
            precision: TimeDelta::seconds(1),
        };
        assert_eq!(read(text), Ok(expected), "{text}");
    }
}

#[test]
fn everything_else_is_refused_with_its_reason() {
    use MomentError::{Form, NoSuchDate, NoSuchOffset, NoSuchTime, Space};
    for (text, expected) in [
        ("", Form),
        ("today", Form),
        ("2024", Form),
        ("2024-1-1", Form),
        ("20240101", Form),
        ("2024-W05-1", Form),
        ("+2024-01-01", Form),
        ("12024-01-01", Form),
        ("2024-01-01T", Form),
        ("2024-01-01T10", Form),
        ("2024-01-01T10:00:00.", Form),
        ("2024-01-01T1:00", Form),
        ("2024-01-01T10:00:00.1234567890", Form),
        ("2024-01-01T10:00:00+1:00", Form),
        ("2024-01-01Z", Form),
        ("２０２４-01-01", Form),
        ("2024-01-01\0", Form),
        ("2024-02-30", NoSuchDate),
        ("2023-02-29", NoSuchDate),
        ("2024-13-01", NoSuchDate),
        ("2024-01-01T24:00:00", NoSuchTime),
        ("2024-01-01T23:59:60", NoSuchTime),
        ("2024-01-01T10:00:00+24:00", NoSuchOffset),
        ("2024-01-01T10:00:00 01:00", Space),
    ] {
        assert_eq!(read(text), Err(expected), "{text:?}");
    }
}
