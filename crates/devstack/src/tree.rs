//! A process and everything it has started, read from `/proc`.

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Ids of the process's descendants, nearest first; empty if `/proc` cannot be read.
pub(crate) fn descendants(pid: u32) -> Vec<u32> {
    let children = children_by_parent();
    let mut found = Vec::new();
    let mut queue = VecDeque::from([pid]);
    while let Some(parent) = queue.pop_front() {
        for child in children.get(&parent).into_iter().flatten() {
            found.push(*child);
            queue.push_back(*child);
        }
    }
    found
}

/// Sends the signal to the process and everything it has started, as far as they are there.
pub(crate) fn signal_all(pid: u32, signal: Signal) {
    let mut all = descendants(pid);
    all.push(pid);
    for raw in all.into_iter().filter_map(|pid| i32::try_from(pid).ok()) {
        let _ = kill(Pid::from_raw(raw), signal);
    }
}

/// Whether the process exists and is not just waiting to be reaped.
pub(crate) fn is_alive(pid: u32) -> bool {
    i32::try_from(pid)
        .ok()
        .and_then(|pid| procfs::process::Process::new(pid).ok())
        .and_then(|process| process.stat().ok())
        .is_some_and(|stat| stat.state != 'Z' && stat.state != 'X')
}

/// Whether a process that may be looked into has the directory as its working directory.
pub(crate) fn somebody_works_in(directory: &Path) -> bool {
    procfs::process::all_processes()
        .into_iter()
        .flatten()
        .flatten()
        .any(|process| process.cwd().is_ok_and(|cwd| cwd == directory))
}

fn children_by_parent() -> HashMap<u32, Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let Ok(processes) = procfs::process::all_processes() else {
        return children;
    };
    for stat in processes
        .flatten()
        .filter_map(|process| process.stat().ok())
    {
        if let (Ok(parent), Ok(pid)) = (u32::try_from(stat.ppid), u32::try_from(stat.pid)) {
            children.entry(parent).or_default().push(pid);
        }
    }
    children
}
