//! Numbers of people in analyses are opened down to exactly as many people, whatever happens afterwards.

use chrono::{DateTime, Duration, SubsecRound as _, Utc};
use serde_json::{Map, Value, json};
use service_runtime::clock::{Clock as _, SystemClock};
use shared_schema::Domain;
use uuid::Uuid;

use crate::{
    api::{self, Api},
    drill::{Effort, answers_are_those_without_cells, lists_stay_as_long_as_their_counts},
    opened::gather,
    story::{event, write},
};

const USERS: Effort = Effort {
    questions: 3,
    counts: 8,
    events: 200,
};

const EFFORT: Effort = Effort {
    questions: 2,
    counts: 5,
    events: 200,
};

/// Funnels in every order and breakdown.
const FUNNELS: [&str; 9] = [
    "analytics/funnel?",
    "analytics/funnel?breakdown=role&steps=user.registered,booking.created",
    "analytics/funnel?breakdown=role&steps=booking.created,payment.success&window=8d",
    "analytics/funnel?breakdown=state&steps=booking.created,booking.created,payment.success",
    "analytics/funnel?breakdown=city&order=strict&steps=booking.created,payment.success&window=30d",
    "analytics/funnel?breakdown=payment_method&order=strict&steps=payment.initiated,payment.refunded",
    "analytics/funnel?breakdown=payment_method&order=unordered&steps=payment.refunded,booking.created,payment.success",
    "analytics/funnel?breakdown=city&order=unordered&steps=user.registered,trip.started,trip.started&window=1d",
    "analytics/funnel?order=unordered&steps=trip.cancelled,booking.cancelled,payment.failed&window=1h",
];

const COHORTS: [&str; 4] = [
    "analytics/cohort?cohort_type=daily&periods=8",
    "analytics/cohort?cohort_type=weekly&periods=6",
    "analytics/cohort?cohort_type=weekly&periods=3",
    "analytics/cohort?cohort_type=monthly&periods=3",
];

const RETENTION: [&str; 4] = [
    "analytics/retention?",
    "analytics/retention?mode=on_or_after",
    "analytics/retention?user_type=rider&mode=on_or_after",
    "analytics/retention?user_type=driver",
];

#[tokio::test(flavor = "multi_thread")]
async fn as_many_people_are_listed_as_reached_a_step_whatever_comes_after() {
    lists_stay_as_long_as_their_counts(&FUNNELS, EFFORT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_funnel_that_can_be_opened_is_the_one_that_cannot() {
    answers_are_those_without_cells(&FUNNELS, EFFORT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_users_are_listed_as_a_cohort_has_or_were_retained_whatever_comes_after() {
    lists_stay_as_long_as_their_counts(&[COHORTS, RETENTION].concat(), USERS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cohorts_and_retention_that_can_be_opened_are_those_that_cannot() {
    answers_are_those_without_cells(&[COHORTS, RETENTION].concat(), USERS).await;
}

/// Somebody's registration so many days ago.
fn registration(
    now: DateTime<Utc>,
    user: u128,
    days: i64,
    role: &str,
    offset: u64,
) -> Map<String, Value> {
    let fields = json!({
        "decided_at": now.to_rfc3339(), "kafka_topic": "openride.events.user", "kafka_offset": offset,
        "user_id": Uuid::from_u128(user), "role": role,
    });
    event("user.registered", now - Duration::days(days), fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_registration_is_the_one_that_was_known_then_also_where_it_is_stored_no_longer() {
    let now = SystemClock.now().trunc_subsecs(0);
    let api = Api::start(now).await;
    // one registers anew who is known for longer than events are, another for the first time, and a third anew whose first
    // event is older than what can be asked about and still stored; of the last the profile is written, and not yet the event
    let known = [
        (1, 105, "RIDER", 0),
        (1, 5, "DRIVER", 1),
        (2, 5, "RIDER", 2),
        (5, 100, "RIDER", 3),
        (5, 5, "DRIVER", 4),
        (4, 5, "RIDER", 7),
    ];
    let rows = |known: &[(u128, i64, &'static str, u64)]| {
        let rows = known
            .iter()
            .map(|(user, days, role, offset)| registration(now, *user, *days, role, *offset));
        rows.collect::<Vec<_>>()
    };
    write(&api, "in_user", rows(&known)).await;
    api.execute(&format!(
        "ALTER TABLE user_events DELETE WHERE event_timestamp < toDateTime({}) OR kafka_offset = 7 SETTINGS mutations_sync = 1",
        (now - Duration::days(104)).timestamp()
    ))
    .await;
    // stored and not durable, as a late registration is, and that of somebody else
    let late = [(2, 80, "DRIVER", 5), (3, 5, "ADMIN", 6)];
    write(&api, "in_user", rows(&late[..1])).await;
    api.durable_up_to(&[Domain::User], 5).await;

    let since = (now - Duration::days(20)).format("%Y-%m-%dT%H:%M:%SZ");
    let path = |path: &str| format!("/v1/analytics/{path}start_date={since}&include_cells=true");
    let funnel = path("funnel?steps=user.registered&breakdown=role&");
    let retention = path("retention?");
    let cohort = path("cohort?cohort_type=monthly&");
    let shown = async || {
        let (funnel, cohort) = (api.json(&funnel).await, api.json(&cohort).await);
        let retention = api.json(&retention).await;
        (funnel, cohort, retention)
    };
    let answers = shown().await;
    let (by_role, cohorts, retained) = &answers;
    let roles = by_role["breakdown"].as_array().unwrap();
    let roles: Vec<_> = roles
        .iter()
        .map(|part| (part["value"].as_str(), part["total_users_entered"].as_u64()))
        .collect();
    assert_eq!(roles, [(Some("RIDER"), Some(3))]);
    assert_eq!(retained["total_users"], 1);
    write(&api, "in_user", rows(&late[1..])).await;
    api.durable_up_to(&[Domain::User], 7).await;
    for (answer, counts, offsets) in [
        (by_role, 6, vec![1, 2, 4]),
        (cohorts, 1, vec![2]),
        (retained, 2, vec![2]),
    ] {
        let mut opened = Vec::new();
        gather("", answer, &mut opened);
        opened.retain(|count| count.shown > 0);
        assert_eq!(opened.len(), counts, "{answer}");
        for count in opened {
            let page = api.json(&format!("/v1/events?cell={}", count.cell)).await;
            let events = page["events"].as_array().unwrap().iter();
            let listed: Vec<_> = events
                .map(|event| event["offset"].as_u64().unwrap())
                .collect();
            assert_eq!(listed, offsets, "{}", count.name);
            assert_eq!(count.shown, listed.len() as u64, "{}", count.name);
        }
    }
    let (by_role, _, retained) = shown().await;
    assert_ne!(by_role["breakdown"], answers.0["breakdown"]);
    assert_eq!(retained["total_users"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cohorts_are_opened_where_all_of_their_units_are_stored_and_they_are_few() {
    let api = Api::start(api::now()).await;
    let refused = async |path: &str, code: &str, parameter: &str| {
        let path = format!("/v1/analytics/cohort?{path}");
        assert_eq!(api.get(&path).await.status, 200);
        let problem = api.get(&format!("{path}&include_cells=true")).await;
        assert_eq!(problem.status, 422);
        let problem = problem.json();
        assert_eq!(
            (&problem["code"], &problem["parameter"]),
            (&json!(code), &json!(parameter))
        );
        problem["hint"].as_str().unwrap().to_owned()
    };
    // asked again as the hint says, they are
    let answered = async |path: &str| {
        let path = format!("/v1/analytics/cohort?{path}&include_cells=true");
        let answer = api.json(&path).await;
        assert!(answer["cohorts"][0]["cells"].is_object(), "{path}");
    };
    let monthly = "cohort_type=monthly&start_date=2026-03-20";
    let hint = refused(monthly, "beyond_retention", "start_date").await;
    let earliest = hint.strip_prefix("The earliest start that can be served is ");
    let earliest = earliest.unwrap().trim_end_matches('.').replace('+', "%2B");
    answered(&format!("cohort_type=monthly&start_date={earliest}")).await;

    let daily = "cohort_type=daily&periods=52&start_date=2026-05-25";
    let hint = refused(daily, "parameter_out_of_range", "include_cells").await;
    assert_eq!(
        hint,
        "Allowed are a wider granularity or cohort_type, fewer periods, or a shorter range."
    );
    for path in [
        "cohort_type=weekly&periods=52&start_date=2026-05-25",
        "cohort_type=daily&periods=40&start_date=2026-05-25",
        "cohort_type=daily&periods=52&start_date=2026-06-01",
    ] {
        answered(path).await;
    }
}
