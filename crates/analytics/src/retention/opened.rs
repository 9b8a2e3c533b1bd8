use chrono::{DateTime, Utc};

use super::{DAYS, Question};
use crate::{
    cells::{Cells, Counted, What, counted_as},
    people::{Joined, Rode},
    time::{LocalDays, Span},
};

impl Question {
    /// What opens the numbers of users. Who is eligible for a day registered before the first local day for which it is
    /// not over.
    pub(super) fn cells(
        &self,
        days: &LocalDays,
        today: Option<u64>,
        complete_through: Option<DateTime<Utc>>,
    ) -> Option<Cells> {
        let selection = &self.selection;
        let whole = selection.whole();
        let mut cells = selection.cells(&[self.counted("total_users", None)], &whole)?;
        let (Some(today), Some(active)) = (today, self.active(complete_through)) else {
            return Some(cells);
        };
        let names = [
            ("d1_eligible_users", "d1_retained_users"),
            ("d7_eligible_users", "d7_retained_users"),
            ("d30_eligible_users", "d30_retained_users"),
        ];
        for (day, (eligible, retained)) in DAYS.into_iter().zip(names) {
            let until = days.start_of(today.saturating_sub(day.into()))?;
            if until <= whole.span.from {
                continue;
            }
            let rode = Rode {
                from: active.start(),
                until: active.end(),
                day: Some((day, self.mode)),
            };
            let counted = [
                self.counted(eligible, None),
                self.counted(retained, Some(rode)),
            ];
            let part = selection.part(Span {
                until,
                ..whole.span
            });
            cells.extend(selection.cells(&counted, &part)?);
        }
        Some(cells)
    }

    fn counted(&self, name: &'static str, rode: Option<Rode>) -> Counted {
        let joined = Joined {
            user_type: self.user_type,
            rode,
        };
        counted_as(name, What::Joined(Box::new(joined)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        cells::Cell,
        retention::{Mode, UserType},
        tests::{everywhere, opened},
    };

    #[test]
    fn those_are_opened_whose_day_is_over() {
        let asked = opened(everywhere(false));
        let (start, day) = (asked.range.start(), TimeDelta::days(1));
        let question = Question::new(asked, UserType::Driver, Mode::On).unwrap();
        let through = Some(start + day * 9 + TimeDelta::hours(1));
        let answer = question.assemble(Vec::new(), &question.days(through), through);
        let json = serde_json::to_value(&answer.cells).unwrap();
        let until = |name: &str| {
            let cell: Option<Cell> = json[name]
                .as_str()
                .map(|text| serde_json::from_str(text).unwrap());
            cell.map(|cell| (cell.until - cell.from).num_days())
        };
        assert_eq!(until("total_users"), Some(31));
        // who registered on the ninth day has its day 1 today
        assert_eq!(until("d1_eligible_users"), Some(8));
        assert_eq!(until("d1_retained_users"), Some(8));
        assert_eq!(until("d7_retained_users"), Some(2));
        assert_eq!(until("d30_eligible_users"), None);
    }
}
