//! `docs/metrics.md` is made from what running services show, and kept in step with it.

use std::{collections::BTreeMap, env, fmt::Write as _, fs, io, path::Path};

use crate::Metric;

/// Rewrites the file instead of comparing it.
const UPDATE: &str = "OPENRIDE_TEST_UPDATE";
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");

/// What keeps a service's metrics from being those that are written down.
#[derive(Debug)]
pub enum Undocumented {
    /// The file cannot be read or written.
    File(io::Error),
    /// These lines of the file are not what the service shows.
    Differs {
        /// Shown, and not written down so.
        shown: Vec<String>,
        /// Written down, and not shown so.
        written: Vec<String>,
    },
}

/// Compares all metrics that a service shows, once each of them has a value, with its part of the file, both ways.
///
/// # Errors
/// When they are not the same.
pub fn documented(service: &str, page: &str) -> Result<(), Undocumented> {
    let text = fs::read_to_string(FILE).map_err(Undocumented::File)?;
    let shown = table(&Metric::all_of(page));
    let heading = format!("## {service}\n");
    let (before, rest) = text.split_once(&heading).unwrap_or((&text, ""));
    let (written, behind) = match rest.find("\n## ") {
        Some(next) => rest.split_at(next + 1),
        None => (rest, ""),
    };
    if env::var_os(UPDATE).is_some() {
        let separator = if behind.is_empty() { "" } else { "\n" };
        let before = format!("{}\n\n", before.trim_end());
        let text = format!("{before}{heading}\n{shown}{separator}{behind}");
        return fs::write(Path::new(FILE), text).map_err(Undocumented::File);
    }
    let lines = |text: &str| -> Vec<String> {
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        rows.map(str::to_owned).collect()
    };
    let (shown, written) = (lines(&shown), lines(written));
    if shown == written {
        return Ok(());
    }
    let lacking = |these: &[String], those: &[String]| {
        let lacking = these.iter().filter(|line| !those.contains(line));
        lacking.cloned().collect()
    };
    Err(Undocumented::Differs {
        shown: lacking(&shown, &written),
        written: lacking(&written, &shown),
    })
}

fn table(metrics: &BTreeMap<String, Metric>) -> String {
    let mut table = String::from("| name | kind | labels | meaning |\n|---|---|---|---|\n");
    for (name, metric) in metrics {
        let labels: Vec<String> = metric
            .labels
            .keys()
            .map(|name| format!("`{name}`"))
            .collect();
        // writing to a string cannot fail
        let _ = writeln!(
            table,
            "| `{name}` | {} | {} | {} |",
            metric.kind,
            labels.join(", "),
            metric.meaning
        );
    }
    table
}
