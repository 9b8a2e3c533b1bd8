//! PostgreSQL goes back to an older state, and lanes that it knows otherwise than their members.

use crate::{
    admin_port::{is_live, metric, with_admin_port},
    member::Program,
    own,
    platform::{Platform, until},
    postgres::Database,
    postgres_faults::recovery,
    proxy::{Fault, Proxy},
    settling::{assert_settled, settled},
    story::Story,
};
use devstack::Server;
use metadata_store::{batches, lanes, lanes::Lane, settlings};
use service_runtime::config::HumanDuration;

const ALARM: &str = "which has gone back; the difference is recovered";

/// How many lanes a member has found further back in PostgreSQL than in ClickHouse.
async fn rewound_lanes(address: &str) -> f64 {
    let told = metric(address, "openride_ingest_rewound_lanes").await;
    told.unwrap_or(0.0)
}

/// Sends the last of the first `until` portions, and waits until all of them are durable.
async fn pass(platform: &Platform, portions: &[Vec<simulator::Record>], until: usize) {
    let first = &portions[..until];
    platform.send(&first[until - 1]);
    platform.drained(sent(first)).await;
}

fn sent(portions: &[Vec<simulator::Record>]) -> u64 {
    portions.iter().map(|portion| portion.len() as u64).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_state_forgot_is_recovered_at_the_next_start() {
    let mut platform = Platform::new(2).await;
    let address = with_admin_port(&mut platform.config);
    let mut database = Database::of(&platform).await;
    let story = Story::new(101, 150);
    let portions = story.split(4);
    let member = Program::start(&platform.config);
    pass(&platform, &portions, 1).await;
    database.remember().await;
    for until in [2, 3] {
        pass(&platform, &portions, until).await;
    }
    // what was forgotten was settled as well
    settled(&platform).await;
    member.stop();
    database.go_back().await;

    let member = Program::start(&platform.config);
    platform.drained(sent(&portions[..3])).await;
    assert!(member.log().contains(ALARM), "{}", member.log());
    assert!(rewound_lanes(&address).await >= 1.0);
    platform.send(&portions[3]);
    assert_settled(&platform, &story, member).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_forgot_everything_learns_it_again() {
    let platform = Platform::new(2).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(102, 60);
    let member = Program::start(&platform.config);
    platform.send(story.records());
    platform.drained(story.len()).await;
    settled(&platform).await;
    member.stop();
    database.go_back_to_the_beginning().await;
    let member = Program::start(&platform.config);
    assert_settled(&platform, &story, member).await;
}

/// Whether a batch is open, or more is durable than so many offsets.
async fn is_beyond(platform: &Platform, offsets: u64) -> bool {
    let open = batches::open(&platform.pool).await.unwrap();
    !open.is_empty() || platform.is_drained(offsets + 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_state_under_a_running_member_is_noticed_and_mended() {
    let mut platform = Platform::new(2).await;
    let address = with_admin_port(&mut platform.config);
    let mut database = Database::of(&platform).await;
    let story = Story::new(103, 150);
    let portions = story.split(4);
    let member = Program::start(&platform.config);
    pass(&platform, &portions, 1).await;
    database.remember().await;
    pass(&platform, &portions, 2).await;
    // nothing comes that could show it
    database.go_back().await;
    platform.drained(sent(&portions[..2])).await;
    assert!(member.log().contains(ALARM), "{}", member.log());
    assert!(rewound_lanes(&address).await >= 1.0);
    // and while batches are on their way
    for portion in &portions[2..] {
        platform.send(portion);
        // a batch of it is open, or done with already
        assert!(until(async || is_beyond(&platform, sent(&portions[..2])).await).await);
        database.go_back().await;
    }
    assert_settled(&platform, &story, member).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_that_were_settled_are_not_settled_again_after_an_older_state() {
    let mut platform = Platform::new(2).await;
    // so seldom that the lanes are taken over before a settling could raise the horizon that went back too
    platform.config.settle.interval = HumanDuration::secs(8);
    let mut database = Database::of(&platform).await;
    let story = Story::new(104, 150);
    let portions = story.split(3);
    let member = Program::start(&platform.config);
    pass(&platform, &portions, 1).await;
    database.remember().await;
    pass(&platform, &portions, 2).await;
    settled(&platform).await;
    database.go_back().await;
    platform.drained(sent(&portions[..2])).await;
    assert!(member.log().contains(ALARM), "{}", member.log());
    platform.send(&portions[2]);
    assert_settled(&platform, &story, member).await;
}

/// As in an older state of which the settlings were put back already, and the batches not yet, while another member has
/// the turn to settle.
#[tokio::test(flavor = "multi_thread")]
async fn facts_that_were_settled_are_not_settled_again_though_the_turn_is_not_free() {
    let platform = Platform::new(2).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(116, 150);
    let portions = story.split(2);
    let member = Program::start(&platform.config);
    pass(&platform, &portions, 1).await;
    settled(&platform).await;
    let mut turn = None;
    let is_ours = async || {
        turn = settlings::take_turn(&platform.pool).await.unwrap();
        turn.is_some()
    };
    assert!(until(is_ours).await, "the turn to settle is never free");
    let back = "BEGIN; UPDATE settle_horizon SET bucket = 0; UPDATE ingest_lane SET next_offset = first_offset; COMMIT;";
    database.execute(back).await;
    platform.drained(sent(&portions[..1])).await;
    drop(turn);
    assert!(member.log().contains(ALARM), "{}", member.log());
    platform.send(&portions[1]);
    assert_settled(&platform, &story, member).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_set_back_by_hand_comes_back_and_doubles_nothing() {
    let platform = Platform::new(2).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(104, 120);
    let portions = story.split(3);
    let member = Program::start(&platform.config);
    for until in [1, 2] {
        pass(&platform, &portions, until).await;
    }
    // to the middle of a batch, and to the very beginning
    for back in ["next_offset - 3", "first_offset"] {
        database
            .execute(&format!(
                "UPDATE ingest_lane SET next_offset = greatest({back}, first_offset) \
                 WHERE topic = '{}' AND partition = 1",
                platform.config.topics.booking
            ))
            .await;
        platform.drained(sent(&portions[..2])).await;
    }
    assert!(member.log().contains(ALARM), "{}", member.log());
    platform.send(&portions[2]);
    assert_settled(&platform, &story, member).await;
}

/// A member was killed while a request of its second portion was on its way, and PostgreSQL has forgotten what came
/// after the first.
struct Forgotten {
    platform: Platform,
    proxy: Proxy,
    story: Story,
    portions: Vec<Vec<simulator::Record>>,
}

impl Forgotten {
    /// `words` tell the request.
    async fn at(words: &str, story: Story) -> Self {
        let platform = Platform::new(2).await;
        let (proxy, config) = Proxy::before_clickhouse(&platform).await;
        let mut database = Database::of(&platform).await;
        let portions = story.split(3);
        let first = Program::start(&config);
        pass(&platform, &portions, 1).await;
        settled(&platform).await;
        database.remember().await;
        proxy.plan(words, 0, Fault::Hold(0));
        platform.send(&portions[1]);
        proxy.struck().await;
        first.kill();
        database.go_back().await;
        Self {
            platform,
            proxy,
            story,
            portions,
        }
    }

    /// Another member has everything that was sent.
    async fn is_taken_over(&self) -> Program {
        let second = Program::start(&self.platform.config);
        self.platform.drained(sent(&self.portions[..2])).await;
        second
    }

    /// The request arrives after all, and nothing is doubled.
    async fn is_exact(&self, second: Program) {
        self.proxy.heal();
        self.proxy.over().await;
        self.platform.send(&self.portions[2]);
        assert_settled(&self.platform, &self.story, second).await;
    }
}

/// A batch is half written when its member dies.
async fn forgotten_at(words: &str, seed: u64) {
    let forgotten = Forgotten::at(words, Story::new(seed, 100)).await;
    let second = forgotten.is_taken_over().await;
    assert!(second.log().contains(ALARM), "{}", second.log());
    forgotten.is_exact(second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_batch_with_nothing_but_its_ledger_is_recovered() {
    forgotten_at(".dead_letters", 105).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_batch_with_some_tables_written_is_recovered() {
    forgotten_at(".in_payment", 106).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_batch_that_clickhouse_died_of_is_recovered() {
    let (platform, stack) = own::platform(Server::ClickHouse, 1).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(107, 80);
    let portions = story.split(2);
    let first = Program::start(&platform.config);
    pass(&platform, &portions, 1).await;
    database.remember().await;
    let inject = [
        "-e",
        "trace=rename",
        "-e",
        "inject=rename:signal=SIGKILL:when=14",
    ];
    let tracer = stack.attach_strace(Server::ClickHouse, &inject).unwrap();
    platform.send(&portions[1]);
    own::dead(&stack, Server::ClickHouse).await;
    platform.opened().await;
    drop(tracer);
    first.kill();
    database.go_back().await;
    stack.restart(Server::ClickHouse).unwrap();
    let second = Program::start(&platform.config);
    assert_settled(&platform, &story, second).await;
}

/// A settling is half written when its member dies, and PostgreSQL forgets the batches whose facts it settled as well.
async fn settling_forgotten_at(words: &str, seed: u64) {
    let forgotten = Forgotten::at(words, Story::new(seed, 150)).await;
    let second = forgotten.is_taken_over().await;
    settled(&forgotten.platform).await;
    forgotten.is_exact(second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_settling_that_has_only_decided_is_finished() {
    settling_forgotten_at(".in_booking+%28batch%2C+phase", 111).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_settling_with_some_regions_written_is_finished() {
    settling_forgotten_at(".in_trip+%28batch%2C+phase", 112).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_settling_that_removes_what_it_settled_is_finished() {
    settling_forgotten_at("ALTER TABLE", 114).await;
}

fn lane_of<'a>(lanes: &'a [Lane], topic: &str) -> &'a Lane {
    lanes.iter().find(|lane| lane.topic == topic).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_is_stopped_and_resumed_in_postgres_goes_on_without_a_restart() {
    let platform = Platform::new(1).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(108, 80);
    let portions = story.split(2);
    let topic = platform.config.topics.booking.clone();
    let member = Program::start(&platform.config);
    pass(&platform, &portions, 1).await;
    let stop = format!("UPDATE ingest_lane SET stopped_reason = 'by hand' WHERE topic = '{topic}'");
    database.execute(&stop).await;
    let told = "taking a lane over again";
    assert!(
        until(async || member.log().contains(told)).await,
        "the member does not notice"
    );
    let stands = lane_of(&lanes::all(&platform.pool).await.unwrap(), &topic).next_offset;
    platform.send(&portions[1]);
    let bookings = portions[1]
        .iter()
        .filter(|record| platform.config.topics.topic_of(record.topic) == topic);
    platform
        .drained(story.len() - bookings.count() as u64)
        .await;
    let lane = lanes::all(&platform.pool).await.unwrap();
    assert_eq!(lane_of(&lane, &topic).next_offset, stands);

    database
        .execute("UPDATE ingest_lane SET stopped_reason = NULL")
        .await;
    assert_settled(&platform, &story, member).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_take_over_that_waits_for_clickhouse_holds_nobody_up() {
    let (mut platform, stack) = own::platform(Server::ClickHouse, 2).await;
    let story = Story::new(109, 80);
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let holder = Program::start(&config);
    let other = Program::start(&platform.config);
    let address = with_admin_port(&mut platform.config);
    let first = Program::start(&platform.config);
    platform.owned_by(3).await;
    proxy.plan("query=INSERT+INTO", 0, Fault::Hold(0));
    platform.send(story.records());
    proxy.struck().await;
    stack.kill(Server::ClickHouse).unwrap();
    // whoever gets the lanes of the dead cannot finish the batch that holds them; yet it goes on polling, takes part in
    // the next assignment, and lives
    let assignments = || first.log().matches("lanes assigned").count();
    let before = assignments();
    holder.kill();
    assert!(
        until(async || assignments() > before).await,
        "{}",
        first.log()
    );
    let before = assignments();
    other.kill();
    assert!(
        until(async || assignments() > before).await,
        "{}",
        first.log()
    );
    assert!(is_live(&address).await);
    assert!(!platform.is_drained(story.len()).await);
    stack.restart(Server::ClickHouse).unwrap();
    assert_settled(&platform, &story, first).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_cannot_put_back_what_was_forgotten_gives_the_turn_back() {
    let platform = Platform::new(2).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(115, 60);
    let portions = story.split(3);
    let member = Program::start(&platform.config);
    pass(&platform, &portions, 1).await;
    database.remember().await;
    // two batches at least
    for until in [2, 3] {
        pass(&platform, &portions, until).await;
    }
    settled(&platform).await;
    member.stop();
    database.go_back().await;

    let (proxy, mut config) = Proxy::before_clickhouse(&platform).await;
    // longer than this test waits
    config.clickhouse.insert_timeout = HumanDuration::secs(600);
    config.clickhouse.request_timeout = HumanDuration::secs(600);
    proxy.plan(".payment_events", 0, Fault::Hold(0));
    let stuck = Program::start(&config);
    proxy.struck().await;
    let member = Program::start(&platform.config);
    platform.drained(sent(&portions)).await;
    stuck.kill();
    assert_settled(&platform, &story, member).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recoverer_whose_attempt_was_forgotten_and_numbered_again_doubles_nothing() {
    let platform = Platform::new(2).await;
    let mut database = Database::of(&platform).await;
    let story = Story::new(117, 100);
    let hold = Fault::Hold(0);
    let (first, _held) = Program::struck(&platform, ".in_booking", hold, story.records()).await;
    let batch = platform.opened().await;
    first.kill();
    database.remember().await;
    // it has announced its attempt, and found missing what it inserts
    let (proxy, config) = Proxy::before_clickhouse(&platform).await;
    let insert = format!("INSERT+INTO+{}.booking_events", platform.store.database());
    proxy.plan(&insert, 0, hold);
    let sleeper = Program::start(&config);
    proxy.struck().await;
    let attempt = async || batches::load(&platform.pool, batch).await.unwrap().attempt;
    assert_eq!(attempt().await, 2);
    database.go_back().await;
    assert_eq!(attempt().await, 1);

    // it must not try again meanwhile: that would be another attempt
    sleeper.halt();
    recovery(&platform).finish(batch, None).await.unwrap();
    assert_eq!(attempt().await, 2);
    sleeper.go_on();
    proxy.heal();
    proxy.over().await;
    assert_settled(&platform, &story, sleeper).await;
}
