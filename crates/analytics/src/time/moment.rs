use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// A bound of a range as it was written, with the length of time that it names: a bare date is a whole
/// day, `10:30` a minute, `10:30:00` a second, `10:30:00.5` a tenth of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A local day.
    Day(NaiveDate),
    /// A time on the clock of the request's zone.
    Local {
        /// What the clock shows.
        clock: NaiveDateTime,
        /// How long what was written lasts.
        precision: TimeDelta,
    },
    /// A time with an offset of its own.
    Instant {
        /// When it begins.
        at: DateTime<Utc>,
        /// How long what was written lasts.
        precision: TimeDelta,
    },
}

/// Why a text is no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// It is not of the form.
    #[error("it is not an ISO 8601 date or time")]
    Form,
    /// It has a space, as `+` becomes in a URL.
    #[error("it contains a space; in a URL, the + of an offset is written %2B")]
    Space,
    /// There is no such date.
    #[error("the calendar has no such date")]
    NoSuchDate,
    /// There is no such time of day.
    #[error("the clock has no such time; hours go from 00 to 23, minutes and seconds to 59")]
    NoSuchTime,
    /// There is no such offset.
    #[error("there is no such offset; it goes from -23:59 to +23:59")]
    NoSuchOffset,
}

impl FromStr for Moment {
    type Err = MomentError;

    /// Reads `2024-01-31`, `2024-01-31T10:30`, `2024-01-31T10:30:00.123`, each time with an offset
    /// (`Z`, `+01:00`, `+0100`, `+01`) or without.
    fn from_str(text: &str) -> Result<Self, MomentError> {
        if text.contains(' ') {
            return Err(MomentError::Space);
        }
        let Some((date, rest)) = text.split_once(['T', 't']) else {
            return Ok(Self::Day(date_of(text)?));
        };
        let date = date_of(date)?;
        let (time, offset) = split_offset(rest);
        let (time, precision) = time_of(time)?;
        let clock = date.and_time(time);
        match offset {
            None => Ok(Self::Local { clock, precision }),
            Some(offset) => Ok(Self::Instant {
                at: (clock - offset_of(offset)?).and_utc(),
                precision,
            }),
        }
    }
}

fn date_of(text: &str) -> Result<NaiveDate, MomentError> {
    let mut parts = text.split('-');
    let (Some(year), Some(month), Some(day), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(MomentError::Form);
    };
    let year = i32::try_from(digits(year, 4)?).map_err(|_| MomentError::Form)?;
    let (month, day) = (digits(month, 2)?, digits(day, 2)?);
    NaiveDate::from_ymd_opt(year, month, day).ok_or(MomentError::NoSuchDate)
}

/// The time of day, and the offset if there is one.
fn split_offset(text: &str) -> (&str, Option<&str>) {
    match text
        .find(['Z', 'z', '+', '-'])
        .and_then(|place| text.split_at_checked(place))
    {
        Some((time, offset)) => (time, Some(offset)),
        None => (text, None),
    }
}

fn time_of(text: &str) -> Result<(NaiveTime, TimeDelta), MomentError> {
    let mut parts = text.split(':');
    let (Some(hour), Some(minute), second, None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(MomentError::Form);
    };
    let (hour, minute) = (digits(hour, 2)?, digits(minute, 2)?);
    let (second, nanos, precision) = match second {
        None => (0, 0, TimeDelta::minutes(1)),
        Some(second) => second_of(second)?,
    };
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nanos);
    Ok((time.ok_or(MomentError::NoSuchTime)?, precision))
}

/// Seconds, nanoseconds, and the length of the last digit.
fn second_of(text: &str) -> Result<(u32, u32, TimeDelta), MomentError> {
    let Some((second, fraction)) = text.split_once(['.', ',']) else {
        return Ok((digits(text, 2)?, 0, TimeDelta::seconds(1)));
    };
    let places = u32::try_from(fraction.len()).map_err(|_| MomentError::Form)?;
    let unit = 9_u32
        .checked_sub(places)
        .filter(|_| places > 0)
        .map(|zeros| 10_u32.pow(zeros))
        .ok_or(MomentError::Form)?;
    let nanos = digits(fraction, fraction.len())? * unit;
    Ok((
        digits(second, 2)?,
        nanos,
        TimeDelta::nanoseconds(unit.into()),
    ))
}

fn offset_of(text: &str) -> Result<TimeDelta, MomentError> {
    if text.eq_ignore_ascii_case("z") {
        return Ok(TimeDelta::zero());
    }
    let (sign, clock) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(clock), _) => (1, clock),
        (_, Some(clock)) => (-1, clock),
        _ => return Err(MomentError::Form),
    };
    let (hours, minutes) = match clock.split_once(':') {
        Some((hours, minutes)) => (digits(hours, 2)?, digits(minutes, 2)?),
        None if clock.len() == 4 => {
            let whole = digits(clock, 4)?;
            (whole / 100, whole % 100)
        }
        None => (digits(clock, 2)?, 0),
    };
    if hours > 23 || minutes > 59 {
        return Err(MomentError::NoSuchOffset);
    }
    Ok(TimeDelta::minutes(sign * i64::from(hours * 60 + minutes)))
}

/// Exactly so many decimal digits; at most nine.
fn digits(text: &str, count: usize) -> Result<u32, MomentError> {
    match text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().map_err(|_| MomentError::Form),
        false => Err(MomentError::Form),
    }
}

#[cfg(test)]
mod tests;
