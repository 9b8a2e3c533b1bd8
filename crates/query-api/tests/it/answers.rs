//! Every metric equals the answer key to the last digit.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use simulator::answer::{AnswerKey, Granularity, Question, differences};

use crate::{api::Api, story::Story};

/// A question in the words of the key and of the API.
pub(crate) struct Asked {
    pub(crate) question: Question,
    /// Range and region.
    pub(crate) parameters: String,
    series: String,
}

pub(crate) fn over(
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    zone: Tz,
    now: DateTime<Utc>,
) -> Asked {
    let question = Question::over(start.timestamp_millis(), end.timestamp_millis(), zone)
        .asked_at(now.timestamp_millis());
    let last = end - Duration::milliseconds(1);
    let text = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let parameters = format!(
        "start_date={}&end_date={}&tz={zone}",
        text(start),
        text(last)
    );
    Asked {
        question,
        parameters,
        series: String::new(),
    }
}

impl Asked {
    pub(crate) fn by(self, granularity: Granularity) -> Self {
        let name = format!("{granularity:?}").to_lowercase();
        Self {
            question: self.question.by(granularity),
            series: format!("&include_time_series=true&granularity={name}"),
            ..self
        }
    }

    pub(crate) fn in_region(mut self, state: Option<&str>, city: Option<&str>) -> Self {
        if let Some(state) = state {
            self.question = self.question.in_state(state);
            self.parameters = format!("{}&state={}", self.parameters, encoded(state));
        }
        if let Some(city) = city {
            self.question = self.question.in_city(city);
            self.parameters = format!("{}&city={}", self.parameters, encoded(city));
        }
        self
    }
}

pub(crate) fn encoded(text: &str) -> String {
    text.replace(' ', "%20").replace('/', "%2F")
}

/// Compares all metrics of a question with the key.
pub(crate) async fn check(api: &Api, key: &AnswerKey, asked: &Asked) {
    let Asked {
        question,
        parameters,
        series,
    } = asked;
    let with_series = [
        ("users", json(key.users(question))),
        ("bookings", json(key.bookings(question))),
        ("payments", json(key.payments(question))),
        ("trips", json(key.trips(question))),
    ];
    for (metric, expected) in with_series {
        compare(
            api,
            &format!("/v1/metrics/{metric}?{parameters}{series}"),
            &expected,
        )
        .await;
    }
    let lists = [
        ("drivers", json(key.drivers(question, 7)), 7),
        ("drivers", json(key.drivers(question, 1000)), 1000),
        ("routes", json(key.routes(question, 5)), 5),
        ("routes", json(key.routes(question, 500)), 500),
    ];
    for (metric, expected, limit) in lists {
        compare(
            api,
            &format!("/v1/metrics/{metric}?{parameters}&limit={limit}"),
            &expected,
        )
        .await;
    }
}

async fn compare(api: &Api, path: &str, expected: &Value) {
    let answer = api.json(path).await;
    let found = differences(expected, &answer);
    let shown: Vec<&String> = found.iter().take(10).collect();
    assert!(
        found.is_empty(),
        "{path}: {} differences, the first: {shown:#?}",
        found.len()
    );
}

pub(crate) fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn all_metrics_equal_the_answer_key() {
    let story = Story::of(11, 4, 1_500);
    let api = Api::start(story.end).await;
    story.ingest(&api).await;
    story.settle(&api).await;

    let (lagos, kolkata) = (chrono_tz::Africa::Lagos, chrono_tz::Asia::Kolkata);
    let on_grid = story.start - Duration::seconds(story.start.timestamp().rem_euclid(900));
    let tomorrow = on_grid + Duration::days(6);
    let odd = story.start + Duration::milliseconds(30 * 3_600_000 + 123_457);
    for asked in [
        over(on_grid, tomorrow, lagos, story.end),
        over(on_grid, on_grid + Duration::days(3), kolkata, story.end),
        over(
            odd,
            story.end - Duration::milliseconds(7_654_321),
            lagos,
            story.end,
        ),
        over(odd, odd + Duration::seconds(200), lagos, story.end),
        over(on_grid, story.end, lagos, story.end).by(Granularity::Daily),
        over(on_grid, tomorrow, kolkata, story.end).by(Granularity::Daily),
        over(odd, story.end, kolkata, story.end).by(Granularity::Hourly),
        over(on_grid, story.end, lagos, story.end).by(Granularity::Weekly),
        over(on_grid, story.end, lagos, story.end).by(Granularity::Monthly),
        over(odd, tomorrow, kolkata, story.end).by(Granularity::Hourly),
        over(
            on_grid - Duration::days(300),
            on_grid - Duration::days(200),
            lagos,
            story.end,
        ),
    ] {
        check(&api, &story.key, &asked).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_region_equals_the_answer_key_once_it_is_settled() {
    let story = Story::of(12, 4, 1_500);
    let api = Api::start(story.end).await;
    story.ingest(&api).await;
    story.settle(&api).await;

    let lagos = chrono_tz::Africa::Lagos;
    let on_grid = story.start - Duration::seconds(story.start.timestamp().rem_euclid(900));
    let odd = story.start + Duration::milliseconds(30 * 3_600_000 + 123_457);
    let asked = |state: Option<&str>, city: Option<&str>| {
        [
            over(on_grid, on_grid + Duration::days(6), lagos, story.end).in_region(state, city),
            over(on_grid, on_grid + Duration::days(6), lagos, story.end)
                .in_region(state, city)
                .by(Granularity::Daily),
            over(
                odd,
                story.end - Duration::milliseconds(999),
                lagos,
                story.end,
            )
            .in_region(state, city)
            .by(Granularity::Daily),
            over(odd, on_grid + Duration::days(6), lagos, story.end)
                .in_region(state, city)
                .by(Granularity::Hourly),
        ]
    };
    let regions = story.key.regions();
    let some = regions.iter().step_by(regions.len() / 5 + 1);
    let mut questions: Vec<Asked> = some
        .filter(|region| region.state != "unknown")
        .flat_map(|region| {
            let city = (region.city != "unknown").then_some(region.city);
            asked(Some(region.state), None)
                .into_iter()
                .chain(asked(Some(region.state), city))
        })
        .collect();
    for (state, city) in [
        (Some("unknown"), None),
        (None, Some("unknown")),
        (Some("unknown"), Some("unknown")),
        (Some("unknown"), Some("Ikeja")),
        (None, Some("Ikeja")),
        (Some("Lagos"), Some("unknown")),
    ] {
        questions.extend(asked(state, city));
    }
    for asked in questions {
        check(&api, &story.key, &asked).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tiles_equal_the_answer_key_at_every_second() {
    let story = Story::of(13, 1, 2_000);
    let api = Api::start(story.end).await;
    story.ingest(&api).await;
    story.settle(&api).await;
    api.lane(
        "openride.events.booking",
        0,
        0,
        story.end - Duration::seconds(45),
    )
    .await;

    for back in [0, 1, 899, 3_600, 7_201] {
        let now = story.end - Duration::seconds(back);
        api.clock.set(now + Duration::milliseconds(700));
        for (state, city) in [
            (None, None),
            (Some("Lagos"), None),
            (Some("unknown"), None),
            (None, Some("unknown")),
        ] {
            let mut asked =
                over(now, now + Duration::seconds(1), chrono_tz::UTC, now).in_region(state, city);
            asked.parameters = asked
                .parameters
                .split_once("tz=UTC")
                .unwrap()
                .1
                .trim_start_matches('&')
                .to_owned();
            let expected = json(
                story
                    .key
                    .realtime(now.timestamp_millis(), &asked.question.region),
            );
            compare(
                &api,
                &format!("/v1/metrics/realtime?{}", asked.parameters),
                &expected,
            )
            .await;
        }
    }
    api.clock.set(story.end);
    let answer = api.json("/v1/metrics/realtime").await;
    assert_eq!(answer["system_health"], "degraded");
    assert_eq!(answer["ingest_lag_seconds"], 45);
}
