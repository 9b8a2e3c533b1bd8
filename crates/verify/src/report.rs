use std::fmt;

use chrono::{DateTime, Utc};

/// What one step found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was checked.
    pub subject: String,
    /// How many keys or offsets were compared.
    pub compared: u64,
    /// Keys that differed in every attempt, but each time otherwise: they are being written, and cannot be judged.
    pub moving: u64,
    /// Of offsets, those that were not counted.
    pub vouched: Option<Vouched>,
}

/// Offsets whose rows may have expired, so that the ledger alone vouches for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// How many.
    pub offsets: u64,
    /// What was decided since is counted.
    pub before: DateTime<Utc>,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The table.
    pub subject: String,
    /// Which row of it, or which partition.
    pub key: String,
    /// What the stored rows say.
    pub expected: String,
    /// What the table says.
    pub found: String,
    /// An event that counts into it: topic, partition, offset.
    pub place: String,
}

/// What came of it all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is right.
    Right,
    /// Something is wrong.
    Wrong(Wrong),
    /// Nothing is known to be wrong, but not everything could be judged, and why.
    CannotSay(String),
}

impl Outcome {
    /// What is to be said when nothing is wrong but for so many keys, which could not be judged.
    pub(crate) fn of_moving(keys: u64) -> Self {
        match keys {
            0 => Self::Right,
            _ => Self::CannotSay(format!(
                "{keys} keys differed at every look, each time otherwise: they are being written. Everything else is \
                 exact. Try again with less traffic, or with more --patience"
            )),
        }
    }

    /// What is to be said where an offset was given up: that is wrong whatever came of the rest, but named last.
    pub(crate) fn with_lost(self, lost: Option<Wrong>) -> Self {
        let Some(lost) = lost else {
            return self;
        };
        let rest = match self {
            Self::Wrong(_) => return self,
            Self::Right => "everything else was compared and agrees".to_owned(),
            Self::CannotSay(why) => format!("of the rest it cannot be said: {why}"),
        };
        let found = format!("{}; {rest}", lost.found);
        Self::Wrong(Wrong { found, ..lost })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24} {:>12} compared", self.subject, self.compared)?;
        if self.moving > 0 {
            write!(f, ", {} of them being written", self.moving)?;
        }
        match &self.vouched {
            None => Ok(()),
            Some(Vouched { offsets, before }) => write!(
                f,
                ", {offsets} of them in the ledger alone: rows are counted of what was decided since {}",
                before.format("%F %H:%M UTC")
            ),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right => f.write_str("everything is exact and balanced"),
            Self::Wrong(wrong) => wrong.fmt(f),
            Self::CannotSay(why) => write!(f, "CANNOT SAY: {why}"),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "WRONG: {}", self.subject)?;
        writeln!(f, "  key       {}", self.key)?;
        writeln!(f, "  expected  {}", shown(&self.expected))?;
        writeln!(f, "  found     {}", shown(&self.found))?;
        write!(f, "  offset    {}", shown(&self.place))
    }
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(found: &str) -> Wrong {
        Wrong {
            subject: String::new(),
            key: String::new(),
            expected: String::new(),
            found: found.to_owned(),
            place: String::new(),
        }
    }

    #[test]
    fn what_is_lost_is_wrong_unless_something_else_is() {
        let lost = || Some(wrong("one of 3 lost offsets"));
        let other = Outcome::Wrong(wrong("9"));
        assert_eq!(other.clone().with_lost(lost()), other);
        assert_eq!(Outcome::Right.with_lost(None), Outcome::Right);
        let unsaid = Outcome::CannotSay("a batch does not end".to_owned());
        assert_eq!(
            unsaid.with_lost(lost()),
            Outcome::Wrong(wrong(
                "one of 3 lost offsets; of the rest it cannot be said: a batch does not end"
            ))
        );
    }
}
