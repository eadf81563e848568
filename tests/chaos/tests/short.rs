//! The short form of the chaos trials, for every run of the tests. `make chaos` is the long one.

use callgate_tests::binary;
use std::process::Command;

/// Runs the rig; its figures and verdict are shown when a promise is broken.
fn chaos(arguments: &[&str]) {
    let output = Command::new(binary("chaos")).args(arguments).output().expect("the rig runs");
    let (told, progress) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{told}\n{progress}", output.status);
}

#[test]
fn restarts_schemas_refusals_and_reloads_at_once_fail_no_call_and_run_none_twice() {
    let kinds = "drain,drain-table,reschema,slow,refuse,reload,remove";
    chaos(&["--seed", "1", "--calls", "2400", "--rate", "300", "--faults", "12", "--kinds", kinds]);
}

#[test]
fn every_kind_of_fault_at_once_fails_no_idempotent_call_and_runs_no_other_twice() {
    chaos(&["--seed", "1", "--calls", "3600", "--rate", "300", "--faults", "18"]);
}

#[test]
fn callers_by_the_sdk_see_no_idempotent_call_fail_and_no_other_run_twice() {
    let kinds = "kill,stop,drain,reschema,slow,fail,refuse,hang";
    chaos(&[
        "--caller", "sdk", "--seed", "1", "--calls", "3200", "--rate", "300", "--faults", "16", "--kinds",
        kinds,
    ]);
}
