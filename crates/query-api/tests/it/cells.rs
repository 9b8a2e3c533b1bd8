//! Counts are opened down to exactly as many events as they show, whatever happens afterwards.

use chrono::{DateTime, Duration, DurationRound as _, Utc};
use chrono_tz::Tz;
use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use serde_json::{Map, Value};
use service_runtime::config::HumanDuration;
use shared_schema::{
    Domain,
    access::{Role, Scope},
};

use crate::{
    access::{guarded, key, with},
    api::{Answer, Api, databases},
    histories::Histories,
    story::Story,
};

const ZONES: [Tz; 4] = [
    chrono_tz::Africa::Lagos,
    chrono_tz::Asia::Kathmandu,
    chrono_tz::Europe::Berlin,
    chrono_tz::UTC,
];

const REGIONS: [&str; 8] = [
    "",
    "",
    "&state=Lagos",
    "&state=Lagos&city=unknown",
    "&state=Kano",
    "&state=unknown",
    "&city=unknown",
    "&state=unknown&city=Ikeja",
];

/// What shows counts that can be opened.
const PATHS: [&str; 21] = [
    "metrics/bookings?",
    "metrics/bookings?include_time_series=true&granularity=weekly",
    "metrics/payments?",
    "metrics/payments?include_time_series=true&granularity=monthly",
    "metrics/trips?",
    "metrics/trips?include_time_series=true&granularity=weekly",
    "metrics/users?",
    "metrics/users?include_time_series=true&granularity=weekly",
    "metrics/drivers?limit=20",
    "metrics/routes?limit=5",
    "analytics/geographic?metric=bookings",
    "analytics/trends?metric=bookings_confirmed&granularity=weekly",
    "analytics/trends?metric=payments_refunded&granularity=monthly",
    "analytics/geographic?metric=users",
    "analytics/trends?metric=dau&granularity=weekly",
    "analytics/trends?metric=wau&granularity=daily&compare=previous_period",
    "analytics/trends?metric=mau&granularity=monthly",
    "analytics/trends?metric=active_users&granularity=weekly",
    "analytics/trends?metric=new_registrations&granularity=weekly",
    "analytics/trends?metric=active_drivers&granularity=weekly",
    "analytics/trends?metric=trips_started&granularity=monthly&compare=previous_period",
];

pub(crate) const EFFORT: Effort = Effort {
    questions: 2,
    counts: 6,
    events: 500,
};

/// A count that an answer shows, and what opens it.
pub(crate) struct Opened {
    pub(crate) answer: String,
    pub(crate) name: String,
    pub(crate) shown: u64,
    pub(crate) cell: String,
}

/// Histories of which a part is durable, a part is stored and not durable, and the rest is to come.
pub(crate) struct Drill {
    pub(crate) api: Api,
    pub(crate) story: Story,
    pub(crate) chance: ChaCha8Rng,
    pub(crate) durable: usize,
    /// Whose topics are read.
    read: Vec<Domain>,
    /// How much is asked.
    pub(crate) effort: Effort,
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

impl Drill {
    pub(crate) async fn into(seed: u64, people: usize, effort: Effort) -> Self {
        let story = Histories::told(seed, people, Duration::days(60));
        let durable = story.len() * 7 / 10;
        Self::over(story, seed, durable, effort).await
    }

    /// A story of which that much is durable.
    pub(crate) async fn over(story: Story, seed: u64, durable: usize, effort: Effort) -> Self {
        Self {
            api: Api::start(story.end).await,
            story,
            chance: ChaCha8Rng::seed_from_u64(seed),
            durable,
            read: Domain::ALL.to_vec(),
            effort,
        }
    }

    /// Everything before these offsets is durable.
    pub(crate) async fn durable_up_to(&self, next: usize) {
        self.api.durable_up_to(&self.read, next).await;
    }

    pub(crate) fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        *things.choose(&mut self.chance).unwrap()
    }

    fn instant(&mut self) -> DateTime<Utc> {
        let span = (self.story.end - self.story.start).num_milliseconds();
        let at = self.story.start + Duration::milliseconds(self.chance.random_range(0..span));
        match self.chance.random_bool(0.5) {
            true => at.duration_trunc(Duration::hours(1)).unwrap(),
            false => at,
        }
    }

    /// A path that asks about some time and place.
    pub(crate) fn question(&mut self, path: &str) -> String {
        let (one, other) = (self.instant(), self.instant());
        let (start, end) = match self.chance.random_bool(0.4) {
            true => (self.story.start, self.story.end),
            false => (one.min(other), one.max(other) + Duration::hours(1)),
        };
        // what is compared with lies before it, and must be stored too; so must positions, where they tell all
        let days = match path {
            _ if path.contains("compare") => 25,
            _ if path.contains("metric=users") => 29,
            // all of the month in which the range begins
            _ if path.contains("cohort_type=monthly") => 55,
            _ => 60,
        };
        let start = start.max(self.story.end - Duration::days(days));
        let end = end.max(start + Duration::hours(1));
        // where positions are gone, what they made active is known by quarters of an hour
        let gone = self.story.end - Duration::days(29);
        let counts_active = ["/users?", "=dau", "=wau", "=mau", "=active_users"];
        let counts_active = counts_active.iter().any(|part| path.contains(part));
        let rounded = |at: DateTime<Utc>| at.duration_trunc(Duration::hours(1)).unwrap();
        let start = match counts_active && start < gone {
            true => rounded(start),
            false => start,
        };
        // the end is written as the last instant
        let end = match counts_active && end < gone {
            true => rounded(end) - Duration::milliseconds(1),
            false => end,
        };
        let region = self.one_of(&REGIONS);
        let zone = self.one_of(&ZONES);
        let at = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
        format!(
            "/v1/{path}&start_date={}&end_date={}&tz={zone}{region}",
            at(start),
            at(end)
        )
    }

    /// An answer with cells, and some of its counts that can be opened.
    pub(crate) async fn asked(&mut self, question: &str) -> (Value, Vec<Opened>) {
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
        while opened.len() > self.effort.counts {
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
    pub(crate) async fn check(&mut self, opened: &Opened) -> Vec<Value> {
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
    pub(crate) async fn lists_are_still(&self, lists: &[(Opened, Vec<Value>)]) {
        for (opened, events) in lists {
            assert_eq!(
                &self.listed(opened, 1000).await,
                events,
                "{}",
                opened.answer
            );
        }
    }
}

/// The least length of pages with which a list takes no more than some.
fn events_each(shown: u64) -> usize {
    usize::try_from(shown / 2).unwrap()
}

/// The counts of an answer that can be opened.
pub(crate) fn gather(answer: &str, value: &Value, opened: &mut Vec<Opened>) {
    match value {
        Value::Array(values) => values
            .iter()
            .for_each(|value| gather(answer, value, opened)),
        Value::Object(fields) => {
            let cells = fields.get("cells").and_then(Value::as_object);
            for (name, cell) in cells.into_iter().flatten() {
                opened.push(Opened {
                    answer: answer.to_owned(),
                    name: name.clone(),
                    shown: fields
                        .get(name)
                        .unwrap_or(&value["retained_by_period"][name])
                        .as_u64()
                        .unwrap(),
                    cell: cell.as_str().unwrap().to_owned(),
                });
            }
            fields
                .values()
                .for_each(|value| gather(answer, value, opened));
        }
        _ => {}
    }
}

/// The same answer without what opens its counts.
pub(crate) fn closed(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(closed).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| *name != "cells");
            let fields: Map<String, Value> = fields
                .map(|(name, value)| (name.clone(), closed(value)))
                .collect();
            Value::Object(fields)
        }
        value => value.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_count_is_the_length_of_its_list_whatever_comes_after() {
    lists_stay_as_long_as_their_counts(&PATHS, EFFORT).await;
}

/// Opens counts of these paths, and opens them again when late events have come and everything is settled.
pub(crate) async fn lists_stay_as_long_as_their_counts(paths: &[&str], effort: Effort) {
    for seed in [3, 4] {
        let mut drill = Drill::into(seed, 120, effort).await;
        if seed == 3 {
            // locations have no lane yet
            drill.read.retain(|domain| *domain != Domain::Location);
        }
        let (durable, stored) = (drill.durable, drill.story.len() * 8 / 10);
        drill.story.ingest_those(&drill.api, 0..stored).await;
        let first_settling = drill.story.end - Duration::seconds(2);
        let settled = |offset: usize| offset < stored && !offset.is_multiple_of(3);
        drill
            .story
            .settle_those(&drill.api, settled, first_settling)
            .await;
        if seed == 4 {
            drill.story.finish_settling(&drill.api).await;
        }
        drill.durable_up_to(durable).await;

        let mut lists = Vec::new();
        for path in paths {
            for _ in 0..effort.questions {
                let question = drill.question(path);
                let (_, opened) = drill.asked(&question).await;
                for opened in opened {
                    let events = drill.check(&opened).await;
                    lists.push((opened, events));
                }
            }
        }
        let listed: usize = lists.iter().map(|(_, events)| events.len()).sum();
        println!("{} lists of {listed} events", lists.len());
        assert!(listed > effort.events, "{listed}");

        // late events, the rest of the facts settled, and their regions written to the events that are listed
        let all = drill.story.len();
        drill.story.ingest_those(&drill.api, stored..all).await;
        drill
            .story
            .settle_those(&drill.api, |offset| !settled(offset), drill.story.end)
            .await;
        drill.story.finish_settling(&drill.api).await;
        drill.durable_up_to(all).await;
        drill.lists_are_still(&lists).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_can_be_opened_is_the_one_that_cannot() {
    answers_are_those_without_cells(&PATHS, EFFORT).await;
}

/// Compares answers to these paths with those without cells, while nothing happens in between.
pub(crate) async fn answers_are_those_without_cells(paths: &[&str], effort: Effort) {
    let mut drill = Drill::into(5, 120, effort).await;
    let half = |offset: usize| offset.is_multiple_of(2);
    drill.story.ingest(&drill.api).await;
    drill
        .story
        .settle_those(&drill.api, half, drill.story.end)
        .await;
    drill.story.finish_settling(&drill.api).await;
    drill.durable = drill.story.len();
    drill.durable_up_to(drill.durable).await;
    for path in paths {
        for _ in 0..2 * effort.questions {
            let question = drill.question(path);
            let (opened, _) = drill.asked(&question).await;
            assert_eq!(
                closed(&opened),
                drill.api.json(&question).await,
                "{question}"
            );
        }
    }
}

const DAY: &str = "/v1/metrics/bookings?start_date=2026-06-14&end_date=2026-06-14";

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_781_518_830, 0).unwrap()
}

/// What opens the created bookings of a day.
async fn cell_of_a_day(api: &Api) -> String {
    let answer = api.json(&format!("{DAY}&include_cells=true")).await;
    answer["cells"]["bookings_created"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn refusal(answer: &Answer) -> (u16, String, String) {
    let problem = answer.json();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("code"), text("parameter"))
}

fn refused(status: u16, code: &str, parameter: &str) -> (u16, String, String) {
    (status, code.to_owned(), parameter.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_was_changed_or_has_expired_opens_nothing() {
    let api = Api::start(noon()).await;
    let cell = cell_of_a_day(&api).await;
    let path = format!("/v1/events?cell={cell}");
    assert_eq!(api.json(&path).await["events"], Value::Array(Vec::new()));
    let changed = api.get(&format!("/v1/events?cell=a{cell}")).await;
    assert_eq!(
        refusal(&changed),
        refused(400, "unreadable_parameter", "cell")
    );
    let none = api.get("/v1/events").await;
    assert_eq!(refusal(&none), refused(422, "missing_parameter", "cell"));
    api.clock.set(noon() + Duration::hours(24));
    let expired = api.get(&path).await;
    assert_eq!(refusal(&expired), refused(410, "cell_expired", "cell"));
    assert_eq!(api.get("/docs/errors/cell_expired").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_of_events_that_may_be_gone_are_not_opened() {
    let mut config = databases().await;
    config.cells.lifetime = HumanDuration::secs(365 * 24 * 60 * 60);
    let api = Api::over(&config, noon());
    let cell = cell_of_a_day(&api).await;
    let old = "/v1/metrics/bookings?start_date=2026-03-01&end_date=2026-04-01";
    assert_eq!(api.get(old).await.status, 200);
    let answer = api.get(&format!("{old}&include_cells=true")).await;
    assert_eq!(
        refusal(&answer),
        refused(422, "beyond_retention", "start_date")
    );
    let hint = answer.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("2026-03-18T00:00:00.000+01:00"), "{hint}");

    let compared = "/v1/analytics/trends?metric=trips_started&granularity=monthly&compare=previous_period\
                    &start_date=2026-05-01&end_date=2026-06-14&include_cells=true";
    let answer = api.get(compared).await;
    assert_eq!(
        refusal(&answer),
        refused(422, "parameter_out_of_range", "compare")
    );

    // positions are kept for a shorter time, and with them who was active
    let users =
        "/v1/metrics/users?start_date=2026-05-01&end_date=2026-06-14&include_time_series=true";
    let answer = api.json(&format!("{users}&include_cells=true")).await;
    let names =
        |cells: &Value| -> Vec<String> { cells.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names(&answer["cells"]), ["dau", "new_registrations", "wau"]);
    let points = answer["time_series"].as_array().unwrap();
    assert_eq!(names(&points[15]["cells"]), ["new_registrations"]);
    assert_eq!(
        names(&points[16]["cells"]),
        ["active_users", "new_registrations"]
    );
    let places = "/v1/analytics/geographic?metric=users&start_date=2026-05-01&end_date=2026-06-14";
    assert_eq!(api.get(places).await.status, 200);
    let refusal_of_places = api.get(&format!("{places}&include_cells=true")).await;
    assert_eq!(
        refusal(&refusal_of_places),
        refused(422, "beyond_retention", "start_date")
    );
    let hint = refusal_of_places.json()["hint"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(hint.contains("2026-05-17T00:00:00.000+01:00"), "{hint}");
    api.clock.set(noon() + Duration::days(31));
    let dau = answer["cells"]["dau"].as_str().unwrap();
    let gone = api.get(&format!("/v1/events?cell={dau}")).await;
    assert_eq!(refusal(&gone), refused(422, "beyond_retention", "cell"));

    api.clock.set(noon() + Duration::days(90));
    let answer = api.get(&format!("/v1/events?cell={cell}")).await;
    assert_eq!(refusal(&answer), refused(422, "beyond_retention", "cell"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_with_cells_has_a_thousand_points_at_most() {
    let api = Api::start(noon()).await;
    let path = "include_time_series=true&granularity=hourly&start_date=2026-05-01T00:00&end_date=2026-06-11T15:59:59";
    for (path, status) in [
        (format!("/v1/metrics/trips?{path}"), 200),
        (
            format!("/v1/metrics/trips?{path}").replace("-11T15", "-11T16"),
            422,
        ),
        (
            format!(
                "/v1/analytics/trends?metric=dau&{}",
                path.replace("include_time_series=true&", "")
            ),
            200,
        ),
        (
            format!(
                "/v1/analytics/trends?metric=dau&{}",
                path.replace("include_time_series=true&", "")
            )
            .replace("-11T15", "-11T16"),
            422,
        ),
    ] {
        let answer = api.get(&format!("{path}&include_cells=true")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert_eq!(api.get(&path).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_analysts_open_counts() {
    let api = Api::over(&guarded().await, noon());
    let analyst = key(&api, Role::Analyst, Scope::Everywhere, false).await;
    let viewer = key(&api, Role::Viewer, Scope::Everywhere, false).await;
    let path = "/v1/metrics/bookings?include_cells=true";
    let answer = with(&api, &analyst, Method::GET, path).await;
    let cell = answer.json()["cells"]["bookings_created"]
        .as_str()
        .unwrap()
        .to_owned();
    let events = format!("/v1/events?cell={cell}");
    assert_eq!(with(&api, &analyst, Method::GET, &events).await.status, 200);
    for path in [path, &events] {
        let answer = with(&api, &viewer, Method::GET, path).await;
        assert_eq!(refusal(&answer), refused(403, "forbidden", ""), "{path}");
    }
    let plain = "/v1/metrics/bookings?include_cells=false";
    assert_eq!(with(&api, &viewer, Method::GET, plain).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_nothing_is_opened_and_the_setting_is_named() {
    let mut config = databases().await;
    let cell = cell_of_a_day(&Api::over(&config, noon())).await;
    config.cells.secret = "another secret, and as long as that".into();
    let other = Api::over(&config, noon())
        .get(&format!("/v1/events?cell={cell}"))
        .await;
    assert_eq!(
        refusal(&other),
        refused(400, "unreadable_parameter", "cell")
    );
    config.cells.secret = "".into();
    let api = Api::over(&config, noon());
    for (path, parameter) in [
        (format!("{DAY}&include_cells=true"), "include_cells"),
        (format!("/v1/events?cell={cell}"), "cell"),
    ] {
        let answer = api.get(&path).await;
        assert_eq!(
            refusal(&answer),
            refused(422, "cells_not_configured", parameter)
        );
        let hint = answer.json()["hint"].as_str().unwrap().to_owned();
        assert!(hint.contains("OPENRIDE_CELLS_SECRET"), "{hint}");
    }
    assert_eq!(api.get(DAY).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_cells_is_kept_nowhere() {
    let mut config = databases().await;
    config.cache.enabled = true;
    let api = Api::over(&config, noon());
    for path in [DAY.to_owned(), format!("{DAY}&include_cells=false")] {
        assert_ne!(api.get(&path).await.header("cache-control"), "no-store");
    }
    for _ in 0..2 {
        let answer = api.get(&format!("{DAY}&include_cells=true")).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-cache"), "bypass");
        assert!(answer.json()["cells"].is_object());
    }
    assert_eq!(api.json(DAY).await.get("cells"), None);
}
