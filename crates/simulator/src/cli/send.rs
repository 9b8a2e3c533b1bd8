//! Sends a story that has an end, and writes down what must come of it.

use super::now_ms;
use super::options::KafkaOptions;
use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use simulator::answer::{AnswerKey, Granularity, Question, Sheet};
use simulator::{Emission, Producer, Verdicts};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The bar looks at the clock each time that it moves.
const SHOWN_EVERY: u64 = 1_000;

/// Where the records and the answers go.
#[derive(Debug, Clone, Args)]
pub(super) struct SendOptions {
    #[command(flatten)]
    pub(super) kafka: KafkaOptions,
    /// Make everything and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Write verdicts and metrics of the story to this JSON file
    #[arg(long)]
    answer_key: Option<PathBuf>,
    /// IANA time zone of the answers
    #[arg(long, default_value = "Africa/Lagos")]
    zone: Tz,
}

/// What the answers are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) seed: u64,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
}

/// The file of answers.
#[derive(Serialize)]
struct AnswerFile<'a> {
    seed: u64,
    /// Of the range, included.
    start: String,
    /// Of the range, not included.
    end: String,
    zone: &'a str,
    records: u64,
    verdicts: &'a Verdicts,
    metrics: Sheet,
}

impl SendOptions {
    /// Sends everything; prints how much and how fast.
    pub(super) async fn send(
        self,
        span: Span,
        expected: u64,
        emissions: impl Iterator<Item = Emission> + Send + 'static,
    ) -> anyhow::Result<()> {
        let producer = if self.dry_run {
            None
        } else {
            let config = self.kafka.producer(span.start_ms, now_ms()).await?;
            Some(Producer::new(&config)?)
        };
        tokio::task::spawn_blocking(move || self.send_now(span, expected, producer, emissions))
            .await?
    }

    fn send_now(
        &self,
        span: Span,
        expected: u64,
        mut producer: Option<Producer>,
        emissions: impl Iterator<Item = Emission>,
    ) -> anyhow::Result<()> {
        let bar = progress_bar(expected);
        let began = Instant::now();
        let mut books = Books::new(self.answer_key.is_some(), span.end_ms);
        let mut made = 0;
        for emission in emissions {
            if let Some(producer) = &mut producer {
                producer.send(&emission.record)?;
            }
            books.enter(&emission);
            made += 1;
            if made % SHOWN_EVERY == 0 {
                bar.set_position(made);
            }
        }
        if let Some(producer) = producer {
            producer.finish()?;
        }
        bar.finish_and_clear();
        let records = books.verdicts.total().records();
        println!("{}", report(records, began.elapsed(), self.dry_run));
        match &self.answer_key {
            Some(path) => self.write_answers(path, span, &books),
            None => Ok(()),
        }
    }

    fn write_answers(&self, path: &Path, span: Span, books: &Books) -> anyhow::Result<()> {
        let question = Question::over(span.start_ms, span.end_ms, self.zone).by(Granularity::Daily);
        let file = AnswerFile {
            seed: span.seed,
            start: written(span.start_ms),
            end: written(span.end_ms),
            zone: self.zone.name(),
            records: books.verdicts.total().records(),
            verdicts: &books.verdicts,
            metrics: Sheet::of(&books.key, &question),
        };
        let target =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        serde_json::to_writer_pretty(BufWriter::new(target), &file)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// What must come of the records so far.
struct Books {
    verdicts: Verdicts,
    key: AnswerKey,
    with_key: bool,
    decided_at_ms: i64,
}

impl Books {
    fn new(with_key: bool, decided_at_ms: i64) -> Self {
        Self {
            verdicts: Verdicts::default(),
            key: AnswerKey::default(),
            with_key,
            decided_at_ms,
        }
    }

    fn enter(&mut self, emission: &Emission) {
        self.verdicts.observe(emission);
        if self.with_key
            && let Some(event) = &emission.event
        {
            self.key.observe(event, self.decided_at_ms);
        }
    }
}

fn progress_bar(expected: u64) -> ProgressBar {
    let bar = ProgressBar::new(expected);
    let style = ProgressStyle::with_template(
        "{bar:40} {human_pos} of about {human_len} records, {per_sec}, {eta} left",
    );
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn report(records: u64, elapsed: Duration, dry_run: bool) -> String {
    let millis = u64::try_from(elapsed.as_millis())
        .unwrap_or(u64::MAX)
        .max(1);
    let per_second = records.saturating_mul(1_000) / millis;
    let what = if dry_run {
        "made, not sent,"
    } else {
        "delivered"
    };
    format!(
        "{records} records {what} in {:.1} s: {per_second}/s",
        elapsed.as_secs_f64()
    )
}

fn written(instant_ms: i64) -> String {
    DateTime::from_timestamp_millis(instant_ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}
