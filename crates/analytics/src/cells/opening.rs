use std::{borrow::Cow, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use shared_schema::EventType;

use super::{Cell, Cells, Only, Pin, What};
use crate::{
    region::RegionFilter,
    selection::Selection,
    time::{Span, last_days_start},
};

/// A count that can be opened.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// The field that shows it.
    pub(crate) name: Cow<'static, str>,
    /// What is counted.
    pub(crate) what: What,
    /// Over so many local days that end with a part, where it is not over the part.
    pub(crate) last_days: Option<u64>,
}

/// A count over the parts of a selection.
pub(crate) const fn counted_as(name: &'static str, what: What) -> Counted {
    Counted {
        name: Cow::Borrowed(name),
        what,
        last_days: None,
    }
}

/// A count of events of a type.
pub(crate) const fn counted(name: &'static str, event_type: EventType) -> Counted {
    counted_as(name, What::Events(event_type))
}

/// Writes a cell as a token, if it can.
type Seal = dyn Fn(&Cell) -> Option<String> + Send + Sync;

/// What an answer needs whose counts can be opened.
#[derive(Clone)]
pub struct Opening {
    /// Nothing else is in the answer.
    pub(crate) pin: Pin,
    seal: Arc<Seal>,
}

impl Opening {
    /// At this pin, with cells written by `seal`, which whoever serves them signs. A cell holds of the pin only the topics
    /// that its list may read, so that its token is short.
    pub fn new(pin: Pin, seal: impl Fn(&Cell) -> Option<String> + Send + Sync + 'static) -> Self {
        let seal = Arc::new(seal);
        Self { pin, seal }
    }

    /// A count of a part.
    pub(crate) fn cell(&self, counted: &Counted, part: &Part, zone: Tz) -> Cell {
        let Span { from, until } = part.span;
        let days = counted.last_days;
        Cell {
            what: counted.what.clone(),
            from: days.map_or(from, |days| last_days_start(zone, until, days)),
            until,
            zone,
            region: part.region.clone(),
            only: part.only.clone(),
            pin: self.pin.of(&counted.what.domains()),
        }
    }

    /// What opens these cells of an answer of now, by the names of their counts; nothing for one whose events may be gone.
    pub(crate) fn tokens(
        &self,
        cells: impl IntoIterator<Item = (Cow<'static, str>, Cell)>,
        now: DateTime<Utc>,
    ) -> Cells {
        let kept = cells
            .into_iter()
            .filter(|(_, cell)| cell.check_kept(now).is_ok());
        let tokens = kept.filter_map(|(name, cell)| Some((name, (self.seal)(&cell)?)));
        Cells(tokens.collect())
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Opening");
        shown.field("pin", &self.pin).finish_non_exhaustive()
    }
}

/// Some of the events of a selection.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) span: Span,
    pub(crate) region: RegionFilter,
    pub(crate) only: Option<Only>,
}

impl Selection {
    /// All of its events.
    pub(crate) fn whole(&self) -> Part {
        self.part(self.range.span())
    }

    /// Those in a calendar unit.
    pub(crate) fn part(&self, unit: Span) -> Part {
        Part {
            span: Span {
                from: unit.from.max(self.range.start()),
                until: unit.until.min(self.range.end()),
            },
            region: self.region.clone(),
            only: None,
        }
    }

    /// What opens these counts of a part, where it was asked for.
    pub(crate) fn cells(&self, counted: &[Counted], part: &Part) -> Option<Cells> {
        let opening = self.opening.as_ref().filter(|_| !counted.is_empty())?;
        let zone = self.range.zone();
        let cells = counted
            .iter()
            .map(|counted| (counted.name.clone(), opening.cell(counted, part, zone)));
        Some(opening.tokens(cells, self.now))
    }
}
