use std::collections::HashMap;

use tokio::time::{Instant, sleep};

use crate::{
    Comparison, Outcome, UnderWay, Verifier, VerifyError, Wrong,
    comparison::{Attempt, Difference, SHOWN},
};

/// How often a key must differ, in the same values, before it is called wrong.
pub const ATTEMPTS: usize = 5;

/// What came of a comparison.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// How many keys were compared.
    pub(crate) compared: u64,
    /// Keys that could not be judged: they differed in every attempt, in other values each time.
    pub(crate) moving: u64,
    /// What is to be said of the others.
    pub(crate) outcome: Outcome,
}

/// The keys that may have differed in every attempt so far.
#[derive(Debug, Default)]
struct Suspects {
    by_key: HashMap<String, Suspect>,
    /// Whether any attempt has shown all that differed. As long as none has, there are suspects that are not known.
    all_known: bool,
}

/// A key that may have differed in every attempt so far.
#[derive(Debug)]
struct Suspect {
    last: Difference,
    /// In how many attempts in a row it was seen to differ in the same values.
    times: usize,
    /// What was under way when it first did: what is visible in part then is among it.
    since: UnderWay,
}

/// Compares until nothing differs, something is wrong, or patience ends.
pub(crate) async fn judge(
    verifier: &Verifier,
    comparison: &Comparison,
) -> Result<Verdict, VerifyError> {
    let began = Instant::now();
    let mut suspects = Suspects::default();
    let mut attempts = 0;
    loop {
        let before = UnderWay::now(verifier).await?;
        let attempt = comparison.attempt(&verifier.store).await?;
        let compared = attempt.keys;
        suspects.narrow(attempt, &UnderWay::now(verifier).await?);
        attempts += 1;
        let (moving, outcome) = if suspects.are_cleared() {
            (0, Outcome::Right)
        } else if let Some(wrong) = suspects.convicted(&before) {
            (0, Outcome::Wrong(wrong.described(comparison)))
        } else if began.elapsed() >= verifier.patience && attempts >= ATTEMPTS {
            suspects.left(comparison, &before)
        } else {
            sleep(verifier.pause).await;
            continue;
        };
        return Ok(Verdict {
            compared,
            moving,
            outcome,
        });
    }
}

impl Suspect {
    fn of(difference: Difference, under_way: &UnderWay) -> Self {
        Self {
            last: difference,
            times: 1,
            since: under_way.clone(),
        }
    }

    fn seen_again(&mut self, difference: Difference, under_way: &UnderWay) {
        let last = &self.last;
        let same = difference.expected == last.expected && difference.found == last.found;
        if same && self.times > 0 {
            self.times += 1;
        } else {
            *self = Self::of(difference, under_way);
        }
    }
}

impl Suspects {
    /// Drops the keys that do not differ any more; one that was right for a moment is not wrong for good. An attempt that
    /// shows only some of what differs clears nobody.
    fn narrow(&mut self, attempt: Attempt, under_way: &UnderWay) {
        let mut now: HashMap<String, Difference> = attempt
            .different
            .into_iter()
            .map(|difference| (difference.key.clone(), difference))
            .collect();
        self.by_key.retain(|key, suspect| match now.remove(key) {
            Some(difference) => {
                suspect.seen_again(difference, under_way);
                true
            }
            None => {
                suspect.times = 0;
                attempt.cut_short
            }
        });
        if !self.all_known {
            let come_to_light = now.into_iter();
            self.by_key.extend(
                come_to_light.map(|(key, difference)| (key, Suspect::of(difference, under_way))),
            );
        }
        self.all_known |= !attempt.cut_short;
    }

    /// Whether every key has been right at least once.
    fn are_cleared(&self) -> bool {
        self.all_known && self.by_key.is_empty()
    }

    /// The first key that has differed often enough in the same values, and not because of something that was
    /// already under way at the first and still was at the last of those attempts.
    fn convicted(&self, before_the_last: &UnderWay) -> Option<&Difference> {
        let constant = self.constant();
        let excused = |suspect: &&Suspect| suspect.since.still_in(before_the_last).is_empty();
        constant.filter(excused).map(|suspect| &suspect.last).min()
    }

    fn constant(&self) -> impl Iterator<Item = &Suspect> {
        let suspects = self.by_key.values();
        suspects.filter(|suspect| suspect.times >= ATTEMPTS)
    }

    /// What can be said when patience has ended: how many keys cannot be judged, and what of the others.
    fn left(&self, comparison: &Comparison, under_way: &UnderWay) -> (u64, Outcome) {
        let held_up = self.constant();
        let subject = &comparison.subject;
        if let Some(batch) = held_up
            .flat_map(|suspect| suspect.since.still_in(under_way))
            .min()
        {
            let why = format!(
                "{subject} differs, but batch {batch} does not end; it may be there in part"
            );
            return (0, Outcome::CannotSay(why));
        }
        if !self.all_known {
            let why = format!("at every look more than {SHOWN} keys of {subject} differed");
            return (0, Outcome::CannotSay(why));
        }
        let moving = u64::try_from(self.by_key.len()).unwrap_or(u64::MAX);
        (moving, Outcome::Right)
    }
}

impl Difference {
    fn described(&self, comparison: &Comparison) -> Wrong {
        Wrong {
            subject: comparison.subject.clone(),
            key: self.key.clone(),
            expected: self.expected.clone(),
            found: self.found.clone(),
            place: self.place.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use event_store::Params;

    use super::*;
    use crate::comparison::Extra;

    fn difference(key: &str, found: u32) -> Difference {
        Difference {
            key: key.to_owned(),
            expected: "10".to_owned(),
            found: found.to_string(),
            place: String::new(),
        }
    }

    fn nothing() -> UnderWay {
        UnderWay::default()
    }

    fn batch() -> UnderWay {
        UnderWay::of([uuid::Uuid::from_u128(1)])
    }

    fn all(different: Vec<Difference>) -> Attempt {
        Attempt {
            keys: 1_000,
            different,
            cut_short: false,
        }
    }

    fn some(different: Vec<Difference>) -> Attempt {
        Attempt {
            cut_short: true,
            ..all(different)
        }
    }

    fn after(attempts: impl IntoIterator<Item = Attempt>) -> Suspects {
        let mut suspects = Suspects::default();
        for attempt in attempts {
            suspects.narrow(attempt, &nothing());
        }
        suspects
    }

    fn convicted(suspects: &Suspects) -> Option<&str> {
        let wrong = suspects.convicted(&nothing());
        wrong.map(|wrong| wrong.key.as_str())
    }

    fn left(suspects: &Suspects) -> (u64, Outcome) {
        let comparison = Comparison {
            subject: "agg_bookings".to_owned(),
            expected: String::new(),
            found: String::new(),
            extra: Extra::Wrong,
            params: Params::new(),
        };
        suspects.left(&comparison, &nothing())
    }

    #[test]
    fn a_key_that_was_right_once_is_let_go() {
        let both = || all(vec![difference("a", 9), difference("b", 9)]);
        let suspects = after([both(), all(vec![difference("a", 9)]), both()]);
        assert_eq!(suspects.by_key.len(), 1);
    }

    #[test]
    fn a_key_behind_too_many_others_comes_to_light_with_them_gone() {
        let hidden = some(vec![difference("a", 9)]);
        let suspects = after(
            std::iter::once(hidden).chain((0..ATTEMPTS).map(|_| all(vec![difference("z", 9)]))),
        );
        assert_eq!(convicted(&suspects), Some("z"));
    }

    #[test]
    fn a_key_is_not_cleared_by_others_that_hide_it() {
        let wrong = || all(vec![difference("z", 9)]);
        let hidden = || some(vec![difference("a", 9)]);
        let looks = [wrong(), hidden()].into_iter();
        let suspects = after(looks.chain((0..ATTEMPTS).map(|_| wrong())));
        assert_eq!(convicted(&suspects), Some("z"));
        // it may have been right while it was hidden
        assert_eq!(
            convicted(&after([
                wrong(),
                wrong(),
                hidden(),
                wrong(),
                wrong(),
                wrong()
            ])),
            None
        );
    }

    #[test]
    fn too_many_that_stay_the_same_are_wrong_and_too_many_others_cannot_be_judged() {
        let many = |value: u32| some(vec![difference("a", value)]);
        assert_eq!(convicted(&after((0..5).map(|_| many(9)))), Some("a"));
        let suspects = after((0..9).map(many));
        assert_eq!(convicted(&suspects), None);
        assert!(!suspects.are_cleared());
        assert!(matches!(left(&suspects), (0, Outcome::CannotSay(_))));
    }

    #[test]
    fn a_key_that_differs_at_every_look_is_not_right() {
        let suspects = after((0..30).map(|round| all(vec![difference("a", round)])));
        assert_eq!(convicted(&suspects), None);
        assert_eq!(left(&suspects), (1, Outcome::Right));
        assert!(matches!(Outcome::of_moving(1), Outcome::CannotSay(_)));
        assert_eq!(Outcome::of_moving(0), Outcome::Right);
    }

    #[test]
    fn only_what_stays_the_same_is_convicted() {
        let look = |round| all(vec![difference("a", 9), difference("b", round)]);
        let mut suspects = after((0..10).map(look));
        assert_eq!(convicted(&suspects), Some("a"));
        suspects.narrow(all(vec![difference("b", 11)]), &nothing());
        assert_eq!(convicted(&suspects), None);
    }

    #[test]
    fn what_is_still_under_way_is_not_convicted() {
        let mut suspects = Suspects::default();
        suspects.narrow(all(vec![difference("a", 9)]), &batch());
        for _ in 1..10 {
            suspects.narrow(all(vec![difference("a", 9)]), &nothing());
        }
        assert_eq!(suspects.convicted(&batch()), None);
        assert!(suspects.convicted(&nothing()).is_some());
    }

    #[test]
    fn another_difference_begins_anew_with_what_is_under_way_then() {
        let mut suspects = after([all(vec![difference("a", 9)])]);
        for _ in 1..10 {
            suspects.narrow(all(vec![difference("a", 8)]), &batch());
        }
        assert_eq!(suspects.convicted(&batch()), None);
    }
}
