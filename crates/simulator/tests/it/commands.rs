//! The program itself.

use super::kafka::{create_topics, read_back};
use devstack::test_stack;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, to_value};
use shared_schema::Domain;
use simulator::answer::{AnswerKey, Granularity, Question, Sheet, differences};
use simulator::{Config, Exactly, Mess, TopicNames, Verdicts};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn simulator() -> Command {
    Command::new(env!("CARGO_BIN_EXE_simulator"))
}

#[tokio::test(flavor = "multi_thread")]
async fn produce_sends_the_exact_number_and_writes_the_answers_down() {
    let prefix = test_stack().unique("simulator-produce");
    let names = TopicNames::with_prefix(&prefix);
    create_topics(&names, &[]).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("answers.json");
    let status = simulator()
        .args(["produce", "--count", "3000", "--seed", "17", "--days", "5"])
        .args(["--end", "2024-03-30T00:00:00Z", "--topics-prefix", &prefix])
        .args(["--brokers", &test_stack().endpoints().kafka, "--answer-key"])
        .arg(&file)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();

    let end_ms = 1_711_756_800_000;
    let start_ms = end_ms - 5 * 86_400_000;
    let exactly = Exactly::new(3_000, &Config::new(17, start_ms, end_ms, 0), Mess::normal());
    let (mut key, mut verdicts) = (AnswerKey::default(), Verdicts::default());
    let mut sent = Vec::new();
    for emission in exactly.emissions() {
        verdicts.observe(&emission);
        if let Some(event) = &emission.event {
            key.observe(event, end_ms);
        }
        sent.push(emission.record.value);
    }
    let question = Question::over(start_ms, end_ms, chrono_tz::Africa::Lagos);
    let sheet = Sheet::of(&key, &question.by(Granularity::Daily));
    let metrics = differences(&to_value(sheet).unwrap(), &written["metrics"]);
    assert_eq!(metrics, Vec::<String>::new());
    assert_eq!(written["verdicts"], to_value(&verdicts).unwrap());
    assert_eq!(written["records"], 3_000);

    let back = tokio::task::spawn_blocking(move || read_back(&names, 3_000))
        .await
        .unwrap();
    let mut back: Vec<Vec<u8>> = back
        .into_values()
        .flatten()
        .map(|record| record.value)
        .collect();
    sent.sort_unstable();
    back.sort_unstable();
    assert!(sent == back);
}

#[tokio::test(flavor = "multi_thread")]
async fn live_keeps_sending_until_it_is_told_to_stop_and_then_delivers_the_rest() {
    let prefix = test_stack().unique("simulator-live");
    let names = TopicNames::with_prefix(&prefix);
    create_topics(&names, &[]).await;
    let mut child = simulator()
        .args([
            "live",
            "--rate",
            "100",
            "--seed",
            "5",
            "--topics-prefix",
            &prefix,
        ])
        .args(["--brokers", &test_stack().endpoints().kafka])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut delivered = None;
    let deadline = Instant::now() + Duration::from_secs(60);
    for line in lines.map_while(Result::ok) {
        assert!(Instant::now() < deadline, "{line}");
        if line.contains("records sent") {
            // the first report comes after ten seconds of traffic
            kill(pid, Signal::SIGTERM).unwrap();
        }
        if let Some((count, _)) = line.split_once(" records delivered") {
            delivered = count.parse::<usize>().ok();
        }
    }
    assert!(child.wait().unwrap().success());
    let delivered = delivered.unwrap();

    let records = tokio::task::spawn_blocking(move || read_back(&names, delivered))
        .await
        .unwrap();
    let mut times: Vec<i64> = records
        .values()
        .flatten()
        .map(|record| record.timestamp_ms)
        .collect();
    times.sort_unstable();
    let start_ms = times[0];
    let in_second = |second: i64| {
        let from_ms = start_ms + second * 1_000;
        times
            .iter()
            .filter(|time| (from_ms..from_ms + 1_000).contains(*time))
            .count()
    };
    for second in 1..9 {
        assert!(
            (65..150).contains(&in_second(second)),
            "{second}: {}",
            in_second(second)
        );
    }
    for domain in Domain::ALL {
        let count: usize = records
            .iter()
            .filter(|((topic, _), _)| *topic == domain)
            .map(|(_, all)| all.len())
            .sum();
        assert!(count > 0, "nothing about {domain}");
    }
}

#[test]
fn a_mistake_on_the_command_line_is_answered_with_what_is_right() {
    let output = simulator()
        .args([
            "produce",
            "--count",
            "10",
            "--dry-run",
            "--malformed-reasons",
            "bad_luck",
        ])
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && error.contains("invalid_utf8"),
        "{error}"
    );
}

#[test]
fn a_dry_run_of_history_needs_no_kafka() {
    let output = simulator()
        .args(["history", "--events", "20000", "--dry-run"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let records: u64 = text.split_once(' ').unwrap().0.parse().unwrap();
    assert!(
        output.status.success() && (17_000..23_000).contains(&records),
        "{text}"
    );
}
