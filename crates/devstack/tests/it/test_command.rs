use std::process::Command;

use crate::processes;

fn devstack_test(script: &str) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_devstack"))
        .args(["test", "--", "sh", "-c", script])
        .output()
        .unwrap()
}

#[test]
fn the_command_finds_a_running_stack_and_its_exit_code_is_handed_on() {
    let output =
        devstack_test("cat $OPENRIDE_TEST_STACK; dirname $OPENRIDE_TEST_STACK >&2; exit 7");
    assert_eq!(output.status.code(), Some(7));
    let endpoints: devstack::Endpoints = serde_json::from_slice(&output.stdout).unwrap();
    assert!(endpoints.kafka.starts_with("127.0.0.1:"));

    let errors = String::from_utf8(output.stderr).unwrap();
    let directory = errors.lines().find(|line| line.starts_with('/')).unwrap();
    let directory = std::path::Path::new(directory);
    assert!(processes::of_stack(directory).is_empty());
    assert!(!directory.exists());
}

#[test]
fn a_command_that_is_killed_is_reported_as_a_shell_does() {
    assert_eq!(devstack_test("kill -9 $$").status.code(), Some(137));
}
