//! Which processes belong to a stack, seen from outside, and waiting for things to happen.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Processes that work in the directory or name it on their command line, zombies excepted.
pub(crate) fn of_stack(directory: &Path) -> Vec<String> {
    let text = directory.to_str().unwrap();
    procfs::process::all_processes()
        .unwrap()
        .flatten()
        .filter(|process| process.stat().is_ok_and(|stat| stat.state != 'Z'))
        .filter_map(|process| {
            let words = process.cmdline().unwrap_or_default().join(" ");
            let works_there = process.cwd().is_ok_and(|cwd| cwd.starts_with(directory));
            (works_there || words.contains(text)).then(|| format!("{} {words}", process.pid))
        })
        .collect()
}

/// Waits until the condition holds; fails the test, with its description, after three minutes,
/// which is what a start takes on a machine that compiles something else on all cores.
#[track_caller]
pub(crate) fn eventually(description: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(180);
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "not within three minutes: {description}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}
