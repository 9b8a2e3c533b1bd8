//! Riders and drivers, and what becomes of their accounts.

use super::{NAMES, Towns};
use crate::dice::Dice;
use crate::event::{Fact, Registration, Role, UNKNOWN, UserFact, UserStep};
use shared_schema::Region;
use uuid::Uuid;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Everybody who may book a seat, by town.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    riders: Vec<Uuid>,
    by_town: Vec<Vec<u32>>,
}

/// Somebody new, and what their account goes through.
pub(crate) struct Newcomer {
    pub(crate) user: Uuid,
    pub(crate) town: usize,
    pub(crate) story: Vec<(i64, Fact)>,
    /// When a rider became a driver too.
    pub(crate) upgraded_ms: Option<i64>,
}

impl People {
    /// Makes a newcomer a rider.
    pub(crate) fn join(&mut self, newcomer: &Newcomer) {
        if self.by_town.len() <= newcomer.town {
            self.by_town.resize_with(newcomer.town + 1, Vec::new);
        }
        let number = u32::try_from(self.riders.len()).unwrap_or(u32::MAX);
        self.riders.push(newcomer.user);
        if let Some(town) = self.by_town.get_mut(newcomer.town) {
            town.push(number);
        }
    }

    /// Somebody other than the driver who books in a town.
    pub(crate) fn rider(&self, town: usize, driver: Uuid, dice: &mut Dice) -> Option<Uuid> {
        let mut choices = (0..8).filter_map(|_| self.anybody(town, dice));
        choices.find(|rider| *rider != driver)
    }

    /// Mostly somebody from the town, rather an old customer than a new one.
    fn anybody(&self, town: usize, dice: &mut Dice) -> Option<Uuid> {
        let locals = self.by_town.get(town).filter(|locals| !locals.is_empty());
        match locals.filter(|_| !dice.chance(0.1)) {
            Some(locals) => {
                let number = *locals.get(dice.below(locals.len()).min(dice.below(locals.len())))?;
                self.riders.get(number as usize).copied()
            }
            None => dice.pick(&self.riders).copied(),
        }
    }
}

impl Newcomer {
    /// Somebody who registers at `at_ms`, or (`veteran`) had done so long before the story begins.
    pub(crate) fn arrive(
        at_ms: i64,
        role: Role,
        veteran: bool,
        towns: &Towns,
        dice: &mut Dice,
    ) -> Self {
        let mut newcomer = Self {
            user: dice.uuid(),
            town: towns.draw(dice),
            story: Vec::new(),
            upgraded_ms: None,
        };
        let home = towns.get(newcomer.town).map_or(UNKNOWN, |town| town.region);
        if !veteran {
            newcomer.tell(at_ms, UserStep::Registered(registration(role, home, dice)));
        }
        newcomer.be_checked(at_ms, role, dice);
        newcomer
    }

    fn be_checked(&mut self, registered_ms: i64, role: Role, dice: &mut Dice) {
        let share = if role == Role::Driver { 0.95 } else { 0.7 };
        if !dice.chance(share) {
            return;
        }
        let mut at_ms = registered_ms + dice.between(HOUR_MS / 2, 2 * DAY_MS);
        let mut verified = !dice.chance(0.15);
        self.decide(at_ms, verified, dice);
        if !verified && dice.chance(0.6) {
            at_ms += dice.between(HOUR_MS, 3 * DAY_MS);
            verified = true;
            self.decide(at_ms, verified, dice);
        } else if verified && dice.chance(0.02) {
            // Found out later.
            at_ms += dice.between(DAY_MS, 9 * DAY_MS);
            verified = false;
            self.decide(at_ms, verified, dice);
        }
        if verified && role == Role::Rider && dice.chance(0.06) {
            at_ms += dice.between(HOUR_MS, 5 * DAY_MS);
            self.tell(at_ms, UserStep::Upgraded);
            self.upgraded_ms = Some(at_ms);
        }
    }

    fn decide(&mut self, at_ms: i64, verified: bool, dice: &mut Dice) {
        let by = dice.chance(0.5).then(|| dice.uuid());
        self.tell(at_ms, UserStep::KycDecided { verified, by });
    }

    fn tell(&mut self, at_ms: i64, step: UserStep) {
        self.story.push((
            at_ms,
            Fact::User(UserFact {
                user: self.user,
                step,
            }),
        ));
    }
}

fn registration(role: Role, home: Region, dice: &mut Dice) -> Registration {
    let prefix = dice.between(7, 9) * 10 + dice.between(0, 1);
    let phone =
        u64::try_from(prefix * 100_000_000 + dice.between(0, 99_999_999)).unwrap_or(8_000_000_000);
    let name = dice
        .pick(NAMES.first)
        .zip(dice.pick(NAMES.last))
        .map(|(first, last)| (*first, *last));
    let (state, city, region) = written_home(home, dice);
    Registration {
        role,
        phone,
        name: name.filter(|_| dice.chance(0.95)),
        has_email: dice.chance(0.6),
        state,
        city,
        region,
        referral: dice.chance(0.2).then(|| dice.bits() % 1_000_000),
    }
}

/// How people fill in where they live: mostly well, sometimes otherwise.
fn written_home(
    home: Region,
    dice: &mut Dice,
) -> (Option<&'static str>, Option<&'static str>, Region) {
    match dice.between(0, 99) {
        0..=2 => (None, None, UNKNOWN),
        3 => (Some("Atlantis"), Some(home.city), UNKNOWN),
        4 => (
            Some(home.state),
            Some("Bikini Bottom"),
            Region {
                state: home.state,
                city: UNKNOWN.city,
            },
        ),
        5..=7 => (
            Some(home.state),
            None,
            Region {
                state: home.state,
                city: UNKNOWN.city,
            },
        ),
        8..=15 => other_spelling(home),
        _ => (Some(home.state), Some(home.city), home),
    }
}

fn other_spelling(home: Region) -> (Option<&'static str>, Option<&'static str>, Region) {
    let (state, city) = match (home.state, home.city) {
        ("FCT", "Abuja") => ("Federal Capital Territory", "ABUJA"),
        ("Lagos", "Ikeja") => ("Lagos State", "ikeja"),
        ("Lagos", "Lagos") => ("lagos", "Lagos Island"),
        ("Rivers", "Port Harcourt") => ("RIVERS STATE", "Port-Harcourt"),
        ("Edo", "Benin City") => ("Edo", "Benin"),
        ("Osun", "Osogbo") => ("Osun", "Oshogbo"),
        (state, city) => (state, city),
    };
    (Some(state), Some(city), home)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Subject;

    #[test]
    fn what_people_write_means_what_we_say_it_means() {
        let towns = Towns::of_nigeria();
        let mut dice = Dice::new(8, Subject::User, 0);
        for town in towns.all() {
            for _ in 0..30 {
                let (state, city, region) = written_home(town.region, &mut dice);
                assert_eq!(
                    Region::from_names(state, city),
                    region,
                    "{state:?} {city:?}"
                );
                let (state, city, region) = other_spelling(town.region);
                assert_eq!(
                    Region::from_names(state, city),
                    region,
                    "{state:?} {city:?}"
                );
            }
        }
    }

    #[test]
    fn a_veteran_has_no_registration_but_the_rest_of_a_life() {
        let towns = Towns::of_nigeria();
        let mut dice = Dice::new(8, Subject::User, 1);
        let stories: Vec<_> = (0..200)
            .flat_map(|_| Newcomer::arrive(0, Role::Rider, true, &towns, &mut dice).story)
            .collect();
        let registered = |fact: &Fact| fact.event_type() == "user.registered";
        assert!(stories.len() > 100 && !stories.iter().any(|(_, fact)| registered(fact)));
    }
}
