//! Which partitions an operator means: all of a topic, or one.

use metadata_store::lanes::Lane;
use std::fmt;

/// A topic, or one of its partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    topic: String,
    partition: Option<i32>,
}

impl Selection {
    /// Whether the lane is meant.
    pub(super) fn has(&self, lane: &Lane) -> bool {
        self.topic == lane.topic && self.partition.is_none_or(|it| it == lane.partition)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partition {
            Some(partition) => write!(f, "{}/{partition}", self.topic),
            None => f.write_str(&self.topic),
        }
    }
}

/// A selection as it is written. Kafka allows no slash in the name of a topic.
pub(super) fn parse(text: &str) -> Result<Selection, String> {
    if text.contains('/') {
        let lane = super::parse(text)?;
        return Ok(Selection {
            topic: lane.topic,
            partition: Some(lane.partition),
        });
    }
    match text {
        "" => Err("the name of a topic is wanted, such as openride.events.trip".to_owned()),
        topic => Ok(Selection {
            topic: topic.to_owned(),
            partition: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_a_topic_or_one_of_its_partitions() {
        for text in ["openride.events.trip", "openride.events.trip/3"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "trip/", "/3", "trip/x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
