//! The cases, against a gateway.

use callgate_hostile::case::{self, Case};
use callgate_hostile::client::PATIENCE;
use callgate_hostile::play::play;
use callgate_hostile::target::Target;
use std::collections::HashSet;

/// How many cases are played at once: each has a connection of its own.
const AT_ONCE: usize = 8;

/// The gateway may not end a case by a time limit.
const PATIENT: &str = "header_timeout = \"1h\"\nbody_timeout = \"1h\"\nidle_timeout = \"1h\"\nmin_body_rate = 0\nmin_send_rate = 0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_case_of_the_rfc_gets_its_verdict() {
    let cases = case::all().unwrap();
    let count = cases.len();
    let mut target = Target::start(PATIENT).await;
    let server = target.http2;
    let mut wrong = Vec::new();
    let mut rest = cases.into_iter();
    let mut playing = tokio::task::JoinSet::new();
    loop {
        while playing.len() < AT_ONCE {
            let Some(case) = rest.next() else { break };
            playing.spawn(async move { (play(&case, server, PATIENCE).await, case) });
        }
        let Some(played) = playing.join_next().await else { break };
        let (difference, case): (Option<String>, Case) = played.unwrap();
        wrong.extend(difference.map(|difference| format!("{} ({}): {difference}", case.name, case.rule)));
    }
    assert!(target.gateway.is_running(), "the gateway died: {}", target.gateway.log());
    assert!(!target.gateway.log().contains("panicked"), "{}", target.gateway.log());
    assert!(wrong.is_empty(), "{} of {count} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_table_has_each_name_once_and_a_hundred_and_twenty_cases() {
    let cases = case::all().unwrap();
    assert!(cases.len() >= 120, "{}", cases.len());
    let names: HashSet<&str> = cases.iter().map(|case| &case.name[..]).collect();
    assert_eq!(names.len(), cases.len());
}

/// RFC 9113 speaks of these in sections of their own, and so must cases.
#[test]
fn each_section_that_makes_rules_for_a_server_has_a_case() {
    let cases = case::all().unwrap();
    let rules: HashSet<&str> = cases.iter().filter_map(|case| case.rule.strip_prefix("RFC 9113, ")).collect();
    for section in [
        "3.4", "4.1", "4.2", "4.3", "5.1", "5.1.1", "5.1.2", "5.5", "6.1", "6.2", "6.3", "6.4", "6.5",
        "6.5.2", "6.5.3", "6.7", "6.8", "6.9", "6.9.1", "6.9.2", "6.10", "8.1", "8.1.1", "8.2.1", "8.2.2",
        "8.2.3", "8.3", "8.3.1", "8.4", "8.5",
    ] {
        assert!(rules.contains(section), "no case is about {section}");
    }
}
