//! What processes have used so far, read from `/proc`.

use procfs::process::{Process, Stat, all_processes};
use std::collections::{BTreeMap, HashMap};

/// CPU seconds by the name of the process.
pub(crate) type Cpu = BTreeMap<&'static str, f64>;

/// Processes under observation, each with all that it starts. This process stands alone: the servers are its children.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched(Vec<(&'static str, u32)>);

impl Watched {
    /// These and one more.
    #[must_use]
    pub(crate) fn and(&self, name: &'static str, pid: u32) -> Self {
        let mut all = self.0.clone();
        all.push((name, pid));
        Self(all)
    }

    /// These and this process, as `program`.
    #[must_use]
    pub(crate) fn and_this(&self) -> Self {
        self.and("program", std::process::id())
    }

    /// What each has used since its own start.
    pub(crate) fn cpu(&self) -> Cpu {
        let stats: Vec<Stat> = all_processes()
            .into_iter()
            .flatten()
            .filter_map(|process| process.ok()?.stat().ok())
            .collect();
        self.0
            .iter()
            .map(|(name, pid)| (*name, tree_seconds(*pid, &stats)))
            .collect()
    }
}

/// What was used between two looks; a process that was not there before began with nothing.
pub(crate) fn between(earlier: &Cpu, later: &Cpu) -> Cpu {
    later
        .iter()
        .map(|(name, used)| (*name, used - earlier.get(name).copied().unwrap_or(0.0)))
        .collect()
}

/// The most memory that the process has ever had resident, MiB.
pub(crate) fn peak_rss_mib(pid: u32) -> Option<f64> {
    let status = Process::new(i32::try_from(pid).ok()?).ok()?.status().ok()?;
    // the kernel counts in KiB
    status.vmhwm.map(|kib| kib as f64 / 1024.0)
}

/// A process with its children, those that have ended included.
fn tree_seconds(pid: u32, stats: &[Stat]) -> f64 {
    let mut children: HashMap<i32, Vec<&Stat>> = HashMap::new();
    for stat in stats {
        children.entry(stat.ppid).or_default().push(stat);
    }
    if pid == std::process::id() {
        children.clear();
    }
    let root = stats.iter().find(|stat| u32::try_from(stat.pid) == Ok(pid));
    let mut waiting: Vec<&Stat> = root.into_iter().collect();
    let mut ticks = 0.0;
    while let Some(stat) = waiting.pop() {
        ticks += (stat.utime + stat.stime) as f64;
        if pid != std::process::id() {
            ticks += (stat.cutime + stat.cstime) as f64;
        }
        waiting.extend(children.get(&stat.pid).into_iter().flatten());
    }
    ticks / procfs::ticks_per_second() as f64
}
