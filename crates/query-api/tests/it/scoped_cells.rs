//! Whoever sees some regions only opens counts of these.

use chrono::Duration;
use metadata_store::settlings::{self, Facts, Settling, Slice, State};
use reqwest::Method;
use shared_schema::{
    Domain,
    access::{Role, Scope},
};
use uuid::Uuid;

use crate::{
    api::Api,
    callers::{LAGOS, SECRET, asked, guarded, key, scope},
    opened::{Opened, closed, gather},
    scope::numbers,
    story::{Story, range},
};

#[tokio::test(flavor = "multi_thread")]
async fn counts_of_some_regions_are_opened_down_to_their_events_and_for_nobody_else() {
    let story = Story::of(36, 3, 600);
    let mut config = guarded().await;
    config.cells.secret = SECRET.into();
    let api = Api::over(&config, story.end);
    // half is settled when the question is asked
    story.ingest(&api).await;
    let (half, before) = (story.len() / 2, story.end - Duration::hours(1));
    story
        .settle_those(&api, |offset| offset < half, before)
        .await;
    story.finish_settling(&api).await;
    api.durable_up_to(&Domain::ALL, story.len()).await;
    let lagos = key(&api, Role::Analyst, scope(LAGOS), false).await;
    let range = range(story.start, story.end);
    let mut lists = Vec::new();
    for path in [
        format!("/v1/metrics/bookings?{range}"),
        format!("/v1/metrics/users?{range}"),
        format!("/v1/analytics/geographic?metric=users&{range}"),
        "/v1/metrics/realtime?state=Lagos".to_owned(),
        "/v1/metrics/realtime?city=unknown".to_owned(),
        "/v1/metrics/realtime?".to_owned(),
    ] {
        let answer = asked(&api, &lagos, &format!("{path}&include_cells=true"))
            .await
            .json();
        let shown = asked(&api, &lagos, &path).await.json();
        for (count, cell) in answer["cells"].as_object().unwrap() {
            assert_eq!(answer[count], shown[count], "{count} of {path}");
            let path = format!("/v1/events?limit=1000&cell={}", cell.as_str().unwrap());
            let list = asked(&api, &lagos, &path).await;
            let events = list.json()["events"].as_array().unwrap().clone();
            let length = answer[count].as_u64().unwrap().min(1000);
            assert_eq!(events.len() as u64, length, "{count} of {path}");
            assert!(
                events.iter().all(|event| event["state"] == "Lagos"),
                "{count}"
            );
            lists.push((path, list.text));
        }
    }
    for path in [
        "funnel?steps=user.registered,booking.created&breakdown=role",
        "cohort?cohort_type=daily",
        "retention?user_type=rider",
    ] {
        let path = format!("/v1/analytics/{path}&{range}");
        let opened = format!("{path}&include_cells=true");
        let answer = asked(&api, &lagos, &opened).await.json();
        let shown = asked(&api, &lagos, &path).await.json();
        assert_eq!(closed(&answer), shown, "{path}");
        let mut opened = Vec::new();
        gather(&path, &answer, &mut opened);
        assert!(opened.iter().any(|count| count.shown > 5), "{answer}");
        for Opened { shown, cell, .. } in opened {
            let path = format!("/v1/events?limit=1000&cell={cell}");
            let list = asked(&api, &lagos, &path).await;
            let events = list.json()["events"].as_array().unwrap().clone();
            assert_eq!(events.len() as u64, shown, "{path}");
            assert!(events.iter().all(|event| event["state"] == "Lagos"));
            lists.push((path, list.text));
        }
    }
    let path = format!("/v1/metrics/bookings?{range}&include_cells=true");
    let answer = asked(&api, &lagos, &path).await.json();
    let shown = numbers(&asked(&api, &lagos, &format!("/v1/metrics/bookings?{range}")).await);
    assert!(answer["bookings_created"].as_u64().unwrap() > 5, "{answer}");
    assert!(
        answer["bookings_confirmed"].as_u64().unwrap() > 0,
        "{answer}"
    );

    // what is settled afterwards was not counted, and is not listed
    story
        .settle_those(&api, |offset| offset >= half, story.end)
        .await;
    // nor what is being settled, of which some rows tell already and others do not
    let under_way = Settling {
        id: Uuid::from_u128(9),
        settled_at: story.end,
        facts: Facts {
            taken: Vec::new(),
            slice: Slice::default(),
            left_over: None,
        },
        attempt: 1,
        state: State::Open,
    };
    let is_open = settlings::open(&api.pool, "test", &under_way).await;
    assert!(is_open.unwrap());
    let early = asked(&api, &lagos, &path).await.json();
    let cell = early["cells"]["bookings_confirmed"].as_str().unwrap();
    let path = format!("/v1/events?limit=1000&cell={cell}");
    let list = asked(&api, &lagos, &path).await.text;
    lists.push((path, list));
    story.finish_settling(&api).await;
    let now = numbers(&asked(&api, &lagos, &format!("/v1/metrics/bookings?{range}")).await);
    assert!(now["bookings_confirmed"].as_u64() > shown["bookings_confirmed"].as_u64());
    let others = [
        key(&api, Role::Analyst, Scope::Everywhere, false).await,
        key(&api, Role::Analyst, scope(r#"[{"state": "Kano"}]"#), false).await,
    ];
    for (path, list) in lists {
        assert_eq!(asked(&api, &lagos, &path).await.text, list);
        for other in &others {
            let answer = api.ask(Method::GET, &path, &[("x-api-key", other)]).await;
            assert_eq!(answer.status, 404, "{}", answer.text);
        }
    }
}
