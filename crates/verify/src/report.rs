use std::fmt;

/// What one step found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was checked.
    pub subject: String,
    /// How many keys or offsets were compared.
    pub compared: u64,
    /// Keys that differed in every attempt, but each time otherwise: they are being written.
    pub moving: u64,
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
    /// Everything that can be judged is right.
    Right {
        /// Keys that are being written and could not be judged.
        moving: u64,
    },
    /// Something is wrong.
    Wrong(Wrong),
    /// A batch does not end, and until it does its rows may be there in part.
    CannotSay(String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24} {:>12} compared", self.subject, self.compared)?;
        match self.moving {
            0 => Ok(()),
            moving => write!(f, ", {moving} of them being written"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right { moving: 0 } => f.write_str("everything is exact and balanced"),
            Self::Right { moving } => {
                write!(
                    f,
                    "everything is exact and balanced, but for {moving} keys that are being written"
                )
            }
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
