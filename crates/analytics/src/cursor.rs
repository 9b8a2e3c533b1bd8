//! Places in lists of what Kafka brought, so that a page goes on where the one before ended.

use std::{fmt, str::FromStr};

use chrono::DateTime;

use crate::{query::Parameters, time::clamped};

/// A place in a list by a time, then by the place in Kafka.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) at_ms: i64,
    pub(crate) partition: u32,
    pub(crate) offset: u64,
    pub(crate) topic: String,
}

/// The longest name of a topic, which Kafka decides; bytes.
pub const LONGEST_TOPIC: usize = 249;

/// A text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not the next_cursor of an answer")]
pub struct NoCursor;

impl Cursor {
    /// The condition on what comes after it in a list by the times of a column, the latest first.
    pub(crate) fn condition(&self, column: &str, parameters: &mut Parameters) -> String {
        let (columns, place) = self.place(column, parameters);
        format!("({columns}) < ({place})")
    }

    /// The columns that a list is ordered by, and what they are at the cursor.
    pub(crate) fn place(&self, column: &str, parameters: &mut Parameters) -> (String, String) {
        let at = DateTime::from_timestamp_millis(self.at_ms).unwrap_or_default();
        (
            format!("{column}, toString(kafka_topic), kafka_partition, kafka_offset"),
            format!(
                "{}, {}, toUInt32({}), {}",
                parameters.time("after", clamped(at)),
                parameters.text("after_topic", &self.topic),
                parameters.number("after_partition", self.partition.into()),
                parameters.number("after_offset", self.offset),
            ),
        )
    }
}

/// Cuts rows off that are beyond a page: of those that were asked for, one more than it takes. What it tells is where the
/// page after begins, if there is one.
pub(crate) fn cut<R, C: fmt::Display>(
    rows: &mut Vec<R>,
    limit: u64,
    place: impl FnOnce(&R) -> C,
) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    last.map(|row| place(row).to_string())
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}.{}",
            self.at_ms, self.partition, self.offset, self.topic
        )
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let mut parts = text.splitn(4, '.');
        let mut next = || parts.next().ok_or(NoCursor);
        let at_ms = next()?.parse().map_err(|_| NoCursor)?;
        // none was ever told for a time outside of what can be asked for
        DateTime::from_timestamp_millis(at_ms)
            .filter(|time| clamped(*time) == *time)
            .ok_or(NoCursor)?;
        let partition = next()?.parse().map_err(|_| NoCursor)?;
        let offset = next()?.parse().map_err(|_| NoCursor)?;
        let topic = next()?.to_owned();
        if topic.len() > LONGEST_TOPIC {
            return Err(NoCursor);
        }
        Ok(Self {
            at_ms,
            partition,
            offset,
            topic,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor {
            at_ms: 1_704_067_200_123,
            partition: 3,
            offset: 8,
            topic: "openride.events.trip".to_owned(),
        };
        assert_eq!(cursor.to_string(), "1704067200123.3.8.openride.events.trip");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn anything_else_is_no_cursor() {
        for text in [
            "",
            "a",
            "1.2.3",
            "1.-2.3.x",
            "1.2.99999999999999999999.x",
            "' OR 1=1",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text}");
        }
    }

    #[test]
    fn no_topic_has_so_long_a_name() {
        let read =
            |length: usize| format!("1704067200123.0.0.{}", "'".repeat(length)).parse::<Cursor>();
        assert!(read(LONGEST_TOPIC).is_ok());
        assert_eq!(read(LONGEST_TOPIC + 1), Err(NoCursor));
    }
}
