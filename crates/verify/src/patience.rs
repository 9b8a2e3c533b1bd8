use std::collections::HashMap;

use tokio::time::{Instant, sleep};

use crate::{Comparison, Outcome, UnderWay, Verifier, VerifyError, Wrong, comparison::Difference};

/// How often a key must differ, in the same values, before it is called wrong.
pub const ATTEMPTS: usize = 5;

/// What came of a comparison.
pub(crate) struct Verdict {
    /// How many keys were compared.
    pub(crate) compared: u64,
    pub(crate) outcome: Outcome,
}

/// The keys that have differed in every attempt so far.
#[derive(Debug, Default)]
struct Suspects(HashMap<String, Suspect>);

/// A key that has differed in every attempt so far.
#[derive(Debug)]
struct Suspect {
    last: Difference,
    /// In how many attempts in a row it differed in the same values.
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
    let (compared, different) = comparison.attempt(&verifier.store).await?;
    let mut suspects = Suspects::of(different, &UnderWay::now(verifier).await?);
    let mut attempts = 1;
    loop {
        if suspects.0.is_empty() {
            return Ok(Verdict {
                compared,
                outcome: Outcome::Right { moving: 0 },
            });
        }
        sleep(verifier.pause).await;
        let before = UnderWay::now(verifier).await?;
        let (_, different) = comparison.attempt(&verifier.store).await?;
        suspects.narrow(different, &UnderWay::now(verifier).await?);
        attempts += 1;
        if let Some(wrong) = suspects.convicted(&before) {
            let outcome = Outcome::Wrong(wrong.described(comparison));
            return Ok(Verdict { compared, outcome });
        }
        if began.elapsed() >= verifier.patience && attempts >= ATTEMPTS {
            return Ok(Verdict {
                compared,
                outcome: suspects.left(comparison, &before),
            });
        }
    }
}

impl Suspects {
    fn of(different: Vec<Difference>, under_way: &UnderWay) -> Self {
        let suspect = |last: Difference| {
            (
                last.key.clone(),
                Suspect {
                    last,
                    times: 1,
                    since: under_way.clone(),
                },
            )
        };
        Self(different.into_iter().map(suspect).collect())
    }

    /// Drops the keys that do not differ any more; one that was right for a moment is not wrong for good.
    fn narrow(&mut self, different: Vec<Difference>, under_way: &UnderWay) {
        let mut now: HashMap<String, Difference> = different
            .into_iter()
            .map(|difference| (difference.key.clone(), difference))
            .collect();
        self.0.retain(|key, suspect| match now.remove(key) {
            None => false,
            Some(difference) => {
                let last = &suspect.last;
                if difference.expected == last.expected && difference.found == last.found {
                    suspect.times += 1;
                } else {
                    *suspect = Suspect {
                        last: difference,
                        times: 1,
                        since: under_way.clone(),
                    };
                }
                true
            }
        });
    }

    /// The first key that has differed often enough in the same values, and not because of something that was
    /// already under way at the first and still was at the last of those attempts.
    fn convicted(&self, before_the_last: &UnderWay) -> Option<&Difference> {
        let constant = self.0.values().filter(|suspect| suspect.times >= ATTEMPTS);
        let excused = |suspect: &&Suspect| suspect.since.still_in(before_the_last).is_empty();
        constant.filter(excused).map(|suspect| &suspect.last).min()
    }

    /// What can be said when patience has ended.
    fn left(&self, comparison: &Comparison, under_way: &UnderWay) -> Outcome {
        let held_up = self.0.values().filter(|suspect| suspect.times >= ATTEMPTS);
        match held_up
            .flat_map(|suspect| suspect.since.still_in(under_way))
            .min()
        {
            Some(batch) => Outcome::CannotSay(format!(
                "{} differs, but batch {batch} does not end; it may be there in part",
                comparison.subject
            )),
            None => Outcome::Right {
                moving: u64::try_from(self.0.len()).unwrap_or(u64::MAX),
            },
        }
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
    use super::*;

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

    #[test]
    fn a_key_that_was_right_once_is_let_go() {
        let mut suspects = Suspects::of(vec![difference("a", 9), difference("b", 9)], &nothing());
        suspects.narrow(vec![difference("a", 9)], &nothing());
        suspects.narrow(vec![difference("a", 9), difference("b", 9)], &nothing());
        assert_eq!(suspects.0.len(), 1);
    }

    #[test]
    fn only_what_stays_the_same_is_convicted() {
        let mut suspects = Suspects::of(vec![difference("a", 9), difference("b", 0)], &nothing());
        for round in 1..10 {
            suspects.narrow(vec![difference("a", 9), difference("b", round)], &nothing());
        }
        let convicted = |suspects: &Suspects| {
            suspects
                .convicted(&nothing())
                .map(|wrong| wrong.key.clone())
        };
        assert_eq!(convicted(&suspects), Some("a".to_owned()));
        suspects.narrow(vec![difference("b", 11)], &nothing());
        assert_eq!(convicted(&suspects), None);
    }

    #[test]
    fn what_is_still_under_way_is_not_convicted() {
        let mut suspects = Suspects::of(vec![difference("a", 9)], &batch());
        for _ in 1..10 {
            suspects.narrow(vec![difference("a", 9)], &nothing());
        }
        assert_eq!(suspects.convicted(&batch()), None);
        assert!(suspects.convicted(&nothing()).is_some());
    }

    #[test]
    fn another_difference_begins_anew_with_what_is_under_way_then() {
        let mut suspects = Suspects::of(vec![difference("a", 9)], &nothing());
        for _ in 1..10 {
            suspects.narrow(vec![difference("a", 8)], &batch());
        }
        assert_eq!(suspects.convicted(&batch()), None);
    }
}
