//! Counts of histories are opened while these go on.

mod questions;

use chrono::{DateTime, Duration, Utc};
use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use shared_schema::Domain;

use crate::{
    api::Api,
    histories::Histories,
    opened::{Opened, closed, gather},
    story::Story,
};

/// A story of which a part is durable, a part is stored and not durable, and the rest is to come.
pub(crate) struct Drill {
    api: Api,
    story: Story,
    chance: ChaCha8Rng,
    durable: usize,
    stored: usize,
    /// Whose topics are read.
    read: Vec<Domain>,
    /// Counts that are opened of an answer.
    counts: usize,
}

impl Drill {
    /// The histories of some people.
    async fn into(seed: u64) -> Self {
        let story = Histories::told(seed, 120, Duration::days(60));
        let (durable, stored) = (story.len() * 7 / 10, story.len() * 8 / 10);
        Self::over(story, seed, durable, stored).await
    }

    /// A story of which that much is durable, and that much stored when it begins.
    pub(crate) async fn over(story: Story, seed: u64, durable: usize, stored: usize) -> Self {
        Self {
            api: Api::start(story.end).await,
            story,
            chance: ChaCha8Rng::seed_from_u64(seed),
            durable,
            stored,
            read: Domain::ALL.to_vec(),
            counts: usize::MAX,
        }
    }

    /// Whether a fact is among those that are settled first.
    fn is_settled_first(&self, offset: usize) -> bool {
        offset < self.stored && !offset.is_multiple_of(3)
    }

    /// Stores what is stored at first, most of it settled.
    pub(crate) async fn begin(&self) {
        let stored = |offset| offset < self.stored;
        self.story.ingest_those(&self.api, stored).await;
        let before = self.story.end - Duration::seconds(2);
        let first = |offset| self.is_settled_first(offset);
        self.story.settle_those(&self.api, first, before).await;
        self.durable_up_to(self.durable).await;
    }

    /// Writes the regions of what is settled to the events.
    pub(crate) async fn finish_settling(&self) {
        self.story.finish_settling(&self.api).await;
    }

    /// Stores late events, settles all that waits, and writes the regions to the events.
    async fn go_on(&self) {
        let late = |offset| offset >= self.stored;
        self.story.ingest_those(&self.api, late).await;
        let rest = |offset| !self.is_settled_first(offset);
        let end = self.story.end;
        self.story.settle_those(&self.api, rest, end).await;
        self.finish_settling().await;
        self.durable_up_to(self.story.len()).await;
    }

    /// Opens counts of the answers to these questions, and opens them again when the story has gone on.
    pub(crate) async fn lists_stay(&mut self, questions: &[String]) -> Vec<(Opened, Vec<Value>)> {
        let mut lists = Vec::new();
        for question in questions {
            let (_, opened) = self.asked(question).await;
            for opened in opened {
                let events = self.check(&opened).await;
                lists.push((opened, events));
            }
        }
        self.go_on().await;
        self.lists_are_still(&lists).await;
        lists
    }

    /// Compares answers to these questions with those without cells, while nothing happens in between, and opens some of
    /// their counts.
    pub(crate) async fn answers_are_those_without_cells(&mut self, questions: &[String]) {
        let (all, half) = (self.story.len(), |offset: usize| offset.is_multiple_of(2));
        self.story.ingest(&self.api).await;
        let end = self.story.end;
        self.story.settle_those(&self.api, half, end).await;
        self.finish_settling().await;
        self.durable = all;
        self.durable_up_to(all).await;
        for question in questions {
            let (opened, counts) = self.asked(question).await;
            let without = self.api.json(question).await;
            assert_eq!(closed(&opened), without, "{question}");
            for count in &counts {
                self.check(count).await;
            }
        }
    }

    /// Everything before these offsets is durable.
    async fn durable_up_to(&self, next: usize) {
        self.api.durable_up_to(&self.read, next).await;
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        *things.choose(&mut self.chance).unwrap()
    }

    /// An answer with cells, and some of its counts that can be opened.
    async fn asked(&mut self, question: &str) -> (Value, Vec<Opened>) {
        let path = format!("{question}&include_cells=true");
        let answer = self.api.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        let answer = answer.json();
        let mut opened = Vec::new();
        gather(&path, &answer, &mut opened);
        // a list may be empty, and positions that made users active may be gone
        let may_have_none = ["limit=", "=dau", "=wau", "=mau", "=active_users"];
        let may_have_none = may_have_none.iter().any(|part| question.contains(part));
        assert!(may_have_none || !opened.is_empty(), "{path}: {answer}");
        while opened.len() > self.counts {
            let place = self.chance.random_range(0..opened.len());
            opened.swap_remove(place);
        }
        (answer, opened)
    }

    /// All events behind a count, in pages of some length.
    async fn listed(&self, opened: &Opened, limit: usize) -> Vec<Value> {
        let mut events = Vec::new();
        let mut cursor = String::new();
        loop {
            let cell = &opened.cell;
            let page = self
                .api
                .json(&format!("/v1/events?limit={limit}&cell={cell}{cursor}"))
                .await;
            let shown = page["events"].as_array().unwrap();
            assert!(shown.len() <= limit);
            events.extend(shown.iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else {
                return events;
            };
            assert_eq!(shown.len(), limit, "only the last page is short");
            cursor = format!("&cursor={next}");
        }
    }

    /// Lists the events behind a count, which are as many as it shows.
    async fn check(&mut self, opened: &Opened) -> Vec<Value> {
        let limit = self.one_of(&[1, 3, 10, 1000]);
        let events = self
            .listed(opened, limit.max(events_each(opened.shown)))
            .await;
        let (name, answer) = (&opened.name, &opened.answer);
        assert_eq!(
            events.len() as u64,
            opened.shown,
            "{name} of {answer}: {events:?}"
        );
        let place = |event: &Value| {
            (
                event["event_timestamp"]
                    .as_str()
                    .unwrap()
                    .parse::<DateTime<Utc>>()
                    .unwrap(),
                event["topic"].as_str().unwrap().to_owned(),
                event["partition"].as_u64().unwrap(),
                event["offset"].as_u64().unwrap(),
                event["entity_id"].as_str().unwrap().to_owned(),
            )
        };
        let places: Vec<_> = events.iter().map(place).collect();
        assert!(places.is_sorted(), "{places:?}");
        assert!(places.windows(2).all(|two| two[0] != two[1]), "{places:?}");
        let durable = self.durable as u64;
        assert!(
            places.iter().all(|(.., offset, _)| *offset < durable),
            "{places:?}"
        );
        events
    }

    /// Lists the events behind counts again, which are the same.
    async fn lists_are_still(&mut self, lists: &[(Opened, Vec<Value>)]) {
        for (opened, events) in lists {
            assert_eq!(&self.check(opened).await, events, "{}", opened.answer);
        }
    }
}

/// The least length of pages with which a list takes no more than some.
fn events_each(shown: u64) -> usize {
    usize::try_from(shown / 4).unwrap()
}

/// How much is asked of each path.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) questions: usize,
    /// Counts that are opened of an answer.
    pub(crate) counts: usize,
    /// The events that are listed, at least.
    pub(crate) events: usize,
}

/// Opens counts of these paths over two histories.
pub(crate) async fn lists_stay_as_long_as_their_counts(paths: &[&str], effort: Effort) {
    for seed in [3, 4] {
        let mut drill = Drill::into(seed).await;
        drill.counts = effort.counts;
        if seed == 3 {
            // locations have no lane yet
            drill.read.retain(|domain| *domain != Domain::Location);
        }
        drill.begin().await;
        if seed == 4 {
            drill.finish_settling().await;
        }
        let questions = drill.questions(paths, effort.questions);
        let lists = drill.lists_stay(&questions).await;
        let listed: usize = lists.iter().map(|(_, events)| events.len()).sum();
        println!("{} lists of {listed} events", lists.len());
        assert!(listed > effort.events, "{listed}");
    }
}

/// Compares answers to these paths with those without cells, and opens some of their counts.
pub(crate) async fn answers_are_those_without_cells(paths: &[&str], effort: Effort) {
    let mut drill = Drill::into(5).await;
    drill.counts = effort.counts;
    let questions = drill.questions(paths, 2 * effort.questions);
    drill.answers_are_those_without_cells(&questions).await;
}
