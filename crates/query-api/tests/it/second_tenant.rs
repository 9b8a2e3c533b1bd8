//! What happens in another region changes no byte of what is told to who sees some regions only, whatever is asked.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use service_runtime::config::HumanDuration;
use shared_schema::{
    Domain, Region,
    access::{Role, Scope},
};

use crate::{
    api::{Answer, Api},
    books,
    callers::{LAGOS, SECRET, asked, guarded, key, scope, send, with},
    opened::{Opened, closed, gather},
    scope::{PATHS, questions},
    story::{Story, range},
};

const KANO: &str = r#"[{"state": "Kano"}]"#;

/// What is asked.
#[derive(Clone, Debug)]
struct Request {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Request {
    fn get(path: impl Into<String>) -> Self {
        Self::of(Method::GET, path, None)
    }

    fn of(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self {
            method,
            path: path.into(),
            body,
        }
    }

    /// Whether it asks for what the description has at this path, by this method.
    fn is_of(&self, path: &str, method: &str) -> bool {
        let asked = self.path.split('?').next().unwrap();
        let parts = || path.split('/').zip(asked.split('/'));
        self.method.as_str().eq_ignore_ascii_case(method)
            && path.split('/').count() == asked.split('/').count()
            && parts().all(|(described, asked)| described == asked || described.starts_with('{'))
    }

    /// The answer to it, under an id that stands in those of problems.
    async fn sent(&self, api: &Api, key: &str, wish: &str) -> Answer {
        let headers = [
            ("x-api-key", key),
            ("x-request-id", "the-same"),
            ("cache-control", wish),
            ("content-type", "application/json"),
        ];
        let (method, body) = (self.method.clone(), self.body.as_ref());
        match body.map(ToString::to_string) {
            Some(body) => api.send_body(method, &self.path, &headers, body).await,
            None => api.ask(method, &self.path, &headers[..3]).await,
        }
    }
}

/// What a caller is told of what is stored: everything but when, how often it may still ask, and where an answer came from.
fn told(answer: &Answer) -> (u16, [&str; 3], &str) {
    let headers = ["content-type", "etag", "cache-control"];
    let headers = headers.map(|name| answer.header(name));
    (answer.status, headers, &answer.text)
}

/// Requests for all that the description has, each with the key that asks it.
fn everything<'k>(
    [viewer, analyst, admin]: [&'k str; 3],
    questions: &[String],
    lists: &[Request],
    keys: &[Request],
) -> Vec<(&'k str, Request)> {
    let others = [
        "/v1/definitions",
        "/v1/definitions/bookings",
        "/v1/pipeline/ledger",
        "/v1/pipeline/dead-letters",
        "/v1/keys",
    ];
    // who may not is refused in the same way, too
    let others = others.map(Request::get);
    let others = others.iter().chain(keys).chain(&lists[..1]);
    let by_all = others.flat_map(|one| [viewer, analyst, admin].map(|key| (key, one.clone())));
    let questions = questions.iter().map(|path| (viewer, Request::get(path)));
    let lists = lists.iter().map(|list| (analyst, list.clone()));
    questions.chain(lists).chain(by_all).collect()
}

/// What the description has and nobody asks is noticed here.
fn nothing_is_left_out(asked: &[(&str, Request)]) {
    let description = serde_json::to_value(query_api::openapi()).unwrap();
    for (path, does) in description["paths"].as_object().unwrap() {
        for method in does.as_object().unwrap().keys() {
            let is_asked = asked.iter().any(|(_, asked)| asked.is_of(path, method));
            assert!(is_asked, "{method} {path}");
        }
    }
}

/// Some counts of each answer that has any, and the answers without what opens them.
async fn counts(api: &Api, key: &str, questions: &[String]) -> (Vec<Value>, Vec<Opened>) {
    let (mut answers, mut counts) = (Vec::new(), Vec::new());
    for question in questions {
        let path = format!("{question}&include_cells=true");
        let answer = asked(api, key, &path).await.json();
        let mut opened = Vec::new();
        gather(question, &answer, &mut opened);
        opened.retain(|count| count.shown > 0);
        opened.truncate(3);
        counts.append(&mut opened);
        answers.push(closed(&answer));
    }
    (answers, counts)
}

fn list(count: &Opened) -> Request {
    Request::get(format!("/v1/events?limit=1000&cell={}", count.cell))
}

/// The second page of the longest of these lists.
async fn page(api: &Api, key: &str, counts: &[Opened]) -> Request {
    let longest = counts.iter().max_by_key(|count| count.shown).unwrap();
    let path = format!("/v1/events?limit=2&cell={}", longest.cell);
    let first = asked(api, key, &path).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    Request::get(format!("{path}&cursor={cursor}"))
}

/// A key that an administrator makes.
async fn made(api: &Api, admin: &str, places: &str) -> String {
    let regions: Value = serde_json::from_str(places).unwrap();
    let body = json!({"name": "a", "role": "viewer", "regions": regions});
    let made = send(api, admin, Method::POST, "/v1/keys", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

/// What can be asked of keys: of one of the caller's own, which is revoked, and of one of elsewhere.
fn of_keys(own: &str, theirs: &str) -> Vec<Request> {
    let of_one = |id| {
        let path = format!("/v1/keys/{id}");
        let rotation = Some(json!({}));
        [
            Request::get(&path),
            Request::of(Method::POST, format!("{path}/rotate"), rotation),
            Request::of(Method::DELETE, &path, None),
        ]
    };
    let body = json!({"name": "a", "role": "viewer", "regions": [{"state": "Kano"}]});
    let made_for_elsewhere = Request::of(Method::POST, "/v1/keys", Some(body));
    let mut requests = vec![made_for_elsewhere];
    requests.extend([own, theirs].map(of_one).into_iter().flatten());
    requests
}

/// All that can happen elsewhere: to events, to what was read of the topics, and to keys.
async fn much_happens_elsewhere(api: &Api, story: &Story, admin: &str, theirs: &str) {
    // the same users, drivers, routes, rides and payments do other things in Kano, at the same times and before
    let kano = Region::from_names(Some("Kano"), Some("Kano"));
    story.again_in(api, Some(kano)).await;
    // once more, and of that nobody knows where yet
    story.again_in(api, None).await;
    for partition in [7, 8] {
        api.durable_in(partition, &Domain::ALL, story.len()).await;
    }
    // and what happened elsewhere so far is gone
    for domain in Domain::ALL {
        let elsewhere = "state NOT IN ('Lagos', 'Kano') AND region_settled";
        api.execute(&format!(
            "ALTER TABLE {} DELETE WHERE {elsewhere} SETTINGS mutations_sync = 1",
            domain.events_table()
        ))
        .await;
    }
    books::store(api, "dead_letters", 0..3, story.end).await;

    made(api, admin, KANO).await;
    let path = format!("/v1/keys/{theirs}");
    let rotate = format!("{path}/rotate");
    let rotated = send(api, admin, Method::POST, &rotate, json!({})).await;
    let revoked = with(api, admin, Method::DELETE, &path).await;
    assert_eq!((rotated.status, revoked.status), (200, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_in_another_region_changes_no_byte_at_any_endpoint() {
    let story = Story::of(32, 3, 800);
    let mut config = guarded().await;
    config.cells.secret = SECRET.into();
    config.auth.requests_per_minute = 1_000_000;
    // what is kept is kept until all has happened
    config.cache.enabled = true;
    config.cache.filling = HumanDuration::secs(600);
    let api = story.settled_in(&config).await;
    api.durable_up_to(&Domain::ALL, story.len()).await;
    let in_lagos = async |role| key(&api, role, scope(LAGOS), false).await;
    let (viewer, analyst) = (in_lagos(Role::Viewer).await, in_lagos(Role::Analyst).await);
    let admin = in_lagos(Role::Admin).await;
    let foreign = key(&api, Role::Admin, scope(KANO), false).await;
    let everywhere = key(&api, Role::Admin, Scope::Everywhere, false).await;
    let own = made(&api, &admin, LAGOS).await;
    let revoked = with(&api, &admin, Method::DELETE, &format!("/v1/keys/{own}")).await;
    assert_eq!(revoked.status, 200);
    let theirs = made(&api, &foreign, KANO).await;

    let questions = questions(&story);
    let on_grid = &questions[..=PATHS.len()];
    let (answers, opened) = counts(&api, &analyst, on_grid).await;
    assert!(opened.len() > 30, "{}", opened.len());
    let mut lists: Vec<Request> = opened.iter().map(list).collect();
    lists.push(page(&api, &analyst, &opened).await);
    let keys = of_keys(&own, &theirs);
    let asked_for = everything([&viewer, &analyst, &admin], &questions, &lists, &keys);
    nothing_is_left_out(&asked_for);
    let mut before = Vec::new();
    for (key, request) in &asked_for {
        before.push(request.sent(&api, key, "no-cache").await);
    }
    let statuses = |status| before.iter().filter(|one| one.status == status).count();
    assert!(statuses(200) > 2 * PATHS.len() + lists.len());
    assert!(statuses(403) > 5 && statuses(404) > 2);

    much_happens_elsewhere(&api, &story, &foreign, &theirs).await;
    // others ask the same
    for key in [&foreign, &everywhere] {
        for question in on_grid {
            asked(&api, key, question).await;
        }
    }
    for (wish, from) in [("max-age=600", "hit"), ("no-cache", "bypass")] {
        let mut found = 0;
        for ((key, request), before) in asked_for.iter().zip(&before) {
            let after = request.sent(&api, key, wish).await;
            assert_eq!(told(before), told(&after), "{wish}: {request:?}");
            found += usize::from(after.header("x-cache") == from);
        }
        // the tiles are kept for a second only
        assert!(found >= 2 * PATHS.len(), "{found} times {from}");
    }
    // and what is opened now is as long and the same, though more is durable
    let (answers_now, opened_now) = counts(&api, &analyst, on_grid).await;
    assert_eq!(answers, answers_now);
    assert_eq!(opened.len(), opened_now.len());
    for (before, now) in opened.iter().zip(&opened_now) {
        let events = async |count| {
            let list = asked(&api, &analyst, &list(count).path).await.json();
            list["events"].clone()
        };
        let answer = &before.answer;
        assert_eq!(events(before).await, events(now).await, "{answer}");
    }

    // that was much
    let range = range(story.start, story.end - Duration::seconds(1));
    let kano = format!("/v1/metrics/bookings?{range}&state=Kano");
    let kano = asked(&api, &everywhere, &kano).await.json();
    assert!(kano["bookings_created"].as_u64().unwrap() > 300);
}
