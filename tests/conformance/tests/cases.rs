//! The cases and the page belong together.

use callgate_conformance::cases::{Case, acceptor, connector};
use callgate_conformance::verdict::section;
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../docs/protocol.md");

#[test]
fn every_section_that_cases_name_is_a_heading_of_the_page() {
    let headings: BTreeSet<&str> =
        PAGE.lines().filter_map(|line| line.strip_prefix("##")).map(heading).collect();
    for section in section::ALL {
        assert!(headings.contains(section), "docs/protocol.md has no section \"{section}\"");
    }
}

fn heading(line: &str) -> &str {
    line.trim_start_matches('#').trim()
}

#[test]
fn every_case_has_a_name_of_its_own_and_a_section() {
    check("acceptor", &acceptor());
    check("connector", &connector());
}

fn check<T>(side: &str, cases: &[&Case<T>]) {
    let mut names = BTreeSet::new();
    for case in cases {
        assert!(names.insert(case.name), "{side}: two cases are called {}", case.name);
        assert!(section::ALL.contains(&case.section), "{side}: {} is about \"{}\"", case.name, case.section);
        assert!(case.promise.ends_with('.'), "{side}: the promise of {} is a sentence", case.name);
    }
}

#[test]
fn every_section_about_bytes_that_travel_has_a_case() {
    let told: BTreeSet<&str> = acceptor()
        .iter()
        .map(|case| case.section)
        .chain(connector().iter().map(|case| case.section))
        .collect();
    for section in section::ALL {
        assert!(told.contains(section), "no case is about \"{section}\"");
    }
}
