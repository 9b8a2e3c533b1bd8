//! `simulator live`

use super::now_ms;
use super::options::{KafkaOptions, MessOptions};
use clap::Args;
use simulator::{Emission, Producer, Traffic};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Args)]
pub(super) struct Live {
    /// Events a second
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    rate: u32,
    /// Where chance begins; another world every time if absent
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    mess: MessOptions,
    #[command(flatten)]
    kafka: KafkaOptions,
}

/// How often what is due is sent.
const STEP: Duration = Duration::from_millis(20);

/// How often a line says how it goes.
const REPORT_EVERY_MS: i64 = 10_000;

impl Live {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let stop = stop_flag()?;
        let start_ms = now_ms();
        let seed = self
            .seed
            .unwrap_or_else(|| u64::try_from(start_ms).unwrap_or_default());
        // Everything arrives as it is sent, so the time of sending is that of arrival.
        let producer = Producer::new(&self.kafka.producer(start_ms, start_ms).await?)?;
        println!("{} events/s with seed {seed}", self.rate);
        let story = simulator::Live::new(seed, start_ms, self.rate, self.mess.disorder());
        let traffic = Traffic::new(story, seed, self.mess.mess(&self.kafka), None);
        tokio::task::spawn_blocking(move || pace(traffic, producer, start_ms, &stop)).await?
    }
}

/// Set by SIGTERM or Ctrl-C.
fn stop_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let flag = Arc::clone(&stop);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        flag.store(true, Ordering::Relaxed);
    });
    Ok(stop)
}

/// Sends each record when its time has come, until stopped.
fn pace(
    traffic: impl Iterator<Item = Emission>,
    mut producer: Producer,
    start_ms: i64,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let mut report_ms = start_ms + REPORT_EVERY_MS;
    for emission in traffic {
        while emission.record.timestamp_ms > now_ms() && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(STEP);
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        producer.send(&emission.record)?;
        if emission.record.timestamp_ms >= report_ms {
            let behind_ms = now_ms() - emission.record.timestamp_ms;
            println!("{} records sent, {behind_ms} ms behind", producer.sent());
            report_ms += REPORT_EVERY_MS;
        }
    }
    let delivered = producer.finish()?;
    println!("{delivered} records delivered");
    Ok(())
}
