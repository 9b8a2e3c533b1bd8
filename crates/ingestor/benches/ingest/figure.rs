//! What was measured, as a table for people and as JSON for comparison.

use crate::usage::Cpu;
use serde::Serialize;
use std::time::Duration;

/// The columns of the table that stand for processes.
const PROCESSES: [&str; 4] = ["program", "clickhouse", "kafka", "postgres"];

/// One scenario.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    /// What was done.
    pub(crate) scenario: String,
    /// How many events it was done with.
    pub(crate) events: u64,
    /// From readiness until all was durable.
    pub(crate) seconds: f64,
    /// Their quotient.
    pub(crate) events_per_second: f64,
    /// By process; `program` is the one that reads or sends.
    pub(crate) cpu_seconds_per_million: Cpu,
    /// Of all processes.
    pub(crate) cpu_seconds_per_million_total: f64,
    /// What each used from then on until merges came to rest.
    pub(crate) cpu_seconds_per_million_after: Cpu,
    /// Of the program, where it is a process of its own.
    pub(crate) peak_rss_mib: Option<f64>,
    /// What else is to be known.
    pub(crate) note: String,
}

impl Figure {
    /// A scenario that used so much.
    pub(crate) fn new(scenario: &str, events: u64, took: Duration, cpu: &Cpu) -> Self {
        Self {
            scenario: scenario.to_owned(),
            events,
            seconds: took.as_secs_f64(),
            events_per_second: events as f64 / took.as_secs_f64().max(1e-9),
            cpu_seconds_per_million: per_million(cpu, events),
            cpu_seconds_per_million_total: per_million(cpu, events).values().sum(),
            cpu_seconds_per_million_after: Cpu::new(),
            peak_rss_mib: None,
            note: String::new(),
        }
    }

    /// The same, with what was used afterwards.
    #[must_use]
    pub(crate) fn after(mut self, cpu: &Cpu) -> Self {
        self.cpu_seconds_per_million_after = per_million(cpu, self.events);
        self
    }

    /// CPU seconds of all processes per million events, with what came afterwards.
    pub(crate) fn whole_cpu(&self) -> f64 {
        let after: f64 = self.cpu_seconds_per_million_after.values().sum();
        self.cpu_seconds_per_million_total + after
    }

    /// The same, with a remark.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Prints the table, then a line of JSON for each figure.
    pub(crate) fn print_all(figures: &[Self]) -> anyhow::Result<()> {
        println!("\nCPU seconds per million events:");
        println!(
            "{:<30} {:>9} {:>8} {:>9}  {:>8} {:>10} {:>7} {:>8} {:>8} {:>8} {:>8}",
            "",
            "events",
            "seconds",
            "events/s",
            PROCESSES[0],
            PROCESSES[1],
            PROCESSES[2],
            PROCESSES[3],
            "total",
            "after",
            "peak MiB"
        );
        for figure in figures {
            println!("{}", figure.row());
        }
        for figure in figures.iter().filter(|figure| !figure.note.is_empty()) {
            println!("{}: {}", figure.scenario, figure.note);
        }
        println!();
        for figure in figures {
            println!("{}", serde_json::to_string(figure)?);
        }
        Ok(())
    }

    fn row(&self) -> String {
        let [program, clickhouse, kafka, postgres] = PROCESSES.map(|name| {
            let used = self.cpu_seconds_per_million.get(name);
            used.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.2}"))
        });
        let peak = self
            .peak_rss_mib
            .map_or_else(|| "-".to_owned(), |mib| format!("{mib:.0}"));
        format!(
            "{:<30} {:>9} {:>8.1} {:>9.0}  {program:>8} {clickhouse:>10} {kafka:>7} {postgres:>8} {:>8.2} {:>8.2} {peak:>8}",
            self.scenario,
            self.events,
            self.seconds,
            self.events_per_second,
            self.cpu_seconds_per_million_total,
            self.cpu_seconds_per_million_after.values().sum::<f64>(),
        )
    }
}

fn per_million(cpu: &Cpu, events: u64) -> Cpu {
    let scale = 1e6 / events.max(1) as f64;
    cpu.iter()
        .map(|(name, seconds)| (*name, seconds * scale))
        .collect()
}
