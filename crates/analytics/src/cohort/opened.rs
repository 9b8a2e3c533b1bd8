use std::borrow::Cow;

use super::{Question, period};
use crate::{
    cells::{Cells, Counted, What},
    people::{Joined, Rode},
    time::Span,
};

impl Question {
    /// What opens the size of a cohort, and how many were active in each of the periods that are told.
    pub(super) fn cells(
        &self,
        cohort: usize,
        unit: Span,
        retained: &[Option<u64>],
    ) -> Option<Cells> {
        let counted = |name: Cow<'static, str>, rode| {
            let joined = Joined {
                rode,
                ..Joined::default()
            };
            Counted {
                name,
                what: What::Joined(Box::new(joined)),
                last_days: None,
            }
        };
        let periods = retained.iter().zip(self.units.iter().skip(cohort));
        let periods = periods.enumerate().filter_map(|(number, (told, unit))| {
            let Span { from, until } = unit;
            let rode = Rode {
                from,
                until,
                day: None,
            };
            told.map(|_| counted(period(number).into(), Some(rode)))
        });
        let size = counted("cohort_size".into(), None);
        let counted: Vec<Counted> = std::iter::once(size).chain(periods).collect();
        self.selection.cells(&counted, &self.selection.part(unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cells::Cell,
        cohort::CohortType,
        tests::{everywhere, opened},
    };

    #[test]
    fn sizes_are_opened_and_every_period_that_is_over() {
        let asked = opened(everywhere(false));
        let question = Question::new(CohortType::Daily, 3, asked.clone()).unwrap();
        let (start, day) = (asked.range.start(), chrono::TimeDelta::days(1));
        let answer = question.assemble(Vec::new(), Some(start + day * 2));
        let json = serde_json::to_value(&answer.cohorts[0].cells).unwrap();
        let names: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(names, ["cohort_size", "period_0", "period_1"]);
        let cell =
            |name: &str| -> Cell { serde_json::from_str(json[name].as_str().unwrap()).unwrap() };
        let (size, second) = (cell("cohort_size"), cell("period_1"));
        assert_eq!((size.from, size.until), (start, start + day));
        assert_eq!((second.from, second.until), (start, start + day));
        let What::Joined(joined) = second.what else {
            panic!("{second:?}");
        };
        let rode = joined.rode.unwrap();
        assert_eq!((rode.from, rode.until), (start + day, start + day * 2));
        assert_eq!(question.numbers(), 31 * 4);
    }
}
