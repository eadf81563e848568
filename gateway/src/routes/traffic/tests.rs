//! Targets by chance, by header, and without instances; and what a reload keeps. Chance is asked so often that a bound of six
//! standard deviations is missed less than once in a million runs.

use super::*;
use crate::config::{Source, Tables};
use crate::discovery::Lists;
use crate::routes::{CallAction, Table};
use std::collections::HashMap;

const TABLE: &str = r#"
    [backends.a]
    endpoints = ["127.0.0.1:1"]
    [backends.b]
    endpoints = ["127.0.0.1:2"]
    [backends.c]
    endpoints = ["127.0.0.1:3"]
    [[routes]]
    match = "GET /x"
    call = "s.x"
    split = [
        { backend = "a", weight = 70 },
        { backend = "b", weight = 25, header = ["x-b", "x-beta: yes"] },
        { backend = "c", version = "2", weight = 5 },
    ]
    shadow = { backend = "b", share = "10%" }
    fallback = { backend = "c" }
"#;

fn next(before: &Table, text: &str) -> Table {
    let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
    Table::next(before, tables, &Lists::default(), 1)
}

fn call(table: &Table) -> &CallAction {
    table.routes[0].action.call().expect("a call")
}

fn traffic(table: &Table) -> &Traffic {
    call(table).traffic.as_ref().expect("the route has a policy")
}

/// How often each target is chosen, and why, in so many draws, when these have no instance.
fn chosen(traffic: &Traffic, n: u32, away: &[&str]) -> HashMap<(String, &'static str), u32> {
    let mut seen = HashMap::new();
    for _ in 0..n {
        let (at, why) = traffic.choose(|_| false, |place| !away.contains(&place.to_string().as_str()), None);
        *seen.entry((traffic.targets[at].to.to_string(), why.name())).or_default() += 1;
    }
    seen
}

fn assert_share(hits: u32, n: u32, p: f64) {
    let (mean, deviation) = (f64::from(n) * p, (f64::from(n) * p * (1.0 - p)).sqrt());
    assert!((f64::from(hits) - mean).abs() < 6.0 * deviation, "{hits} of {n}, expected {p}");
}

const N: u32 = 200_000;

#[test]
fn targets_are_drawn_by_weight() {
    let table = next(&Table::empty(), TABLE);
    let seen = chosen(traffic(&table), N, &[]);
    assert_eq!(seen.len(), 3);
    for (target, share) in [("a", 0.7), ("b", 0.25), ("c@2", 0.05)] {
        assert_share(seen[&(target.to_owned(), "weight")], N, share);
    }
}

#[test]
fn the_share_of_a_target_without_instances_goes_to_the_others_by_their_weights() {
    let table = next(&Table::empty(), TABLE);
    let seen = chosen(traffic(&table), N, &["a"]);
    let of = |target: &str, why| seen.get(&(target.to_owned(), why)).copied().unwrap_or_default();
    assert_eq!((of("a", "weight"), of("a", "spill")), (0, 0));
    assert_share(of("b", "weight"), N, 0.25);
    assert_share(of("b", "spill"), N, 0.7 * 25.0 / 30.0);
    assert_share(of("c@2", "spill"), N, 0.7 * 5.0 / 30.0);
    // Where none has any, the draw holds: a call waits there.
    let seen = chosen(traffic(&table), N, &["a", "b", "c@2"]);
    assert_share(seen[&("a".to_owned(), "weight")], N, 0.7);
}

#[test]
fn a_target_of_weight_0_is_never_drawn_not_even_for_want_of_others() {
    let table = next(&Table::empty(), &TABLE.replace("weight = 5 ", "weight = 0 "));
    for away in [&[][..], &["a"], &["a", "b"]] {
        assert!(chosen(traffic(&table), 10_000, away).keys().all(|(target, _)| target != "c@2"), "{away:?}");
    }
}

#[test]
fn what_has_a_lot_is_drawn_alike_by_weight_and_moves_only_where_it_must() {
    let (before, after) = (
        next(&Table::empty(), TABLE),
        next(&Table::empty(), &TABLE.replace("70", "60").replace("25,", "35,")),
    );
    let of = |table: &Table, lot: u64, away: &str| {
        let takes = |place: &Destination| place.to_string() != away;
        let traffic = traffic(table);
        traffic.targets[traffic.choose(|_| false, takes, Some(lot)).0].to.to_string()
    };
    let (mut counts, mut moved) = (HashMap::new(), 0);
    for lot in 0..10_000u64 {
        let lot = crate::backends::hash(1, &lot.to_le_bytes());
        let target = of(&before, lot, "");
        assert_eq!(of(&before, lot, ""), target);
        if target != "b" {
            assert!(
                ["a", "c@2"].contains(&of(&before, lot, "b").as_str()) && of(&before, lot, "b") == target
            );
        }
        moved += u32::from(of(&after, lot, "") != target);
        *counts.entry(target).or_insert(0u32) += 1;
    }
    for (target, part) in [("a", 0.7), ("b", 0.25), ("c@2", 0.05)] {
        assert_share(counts[target], 10_000, part);
    }
    assert_share(moved, 10_000, 0.1);
}

#[test]
fn a_header_names_its_target_whether_it_has_instances_or_not() {
    let table = next(&Table::empty(), TABLE);
    for named in ["x-b", "x-beta"] {
        let bears = |header: &HeaderMatch| header.name.as_str() == named;
        let (at, why) = traffic(&table).choose(bears, |_| false, None);
        assert_eq!((traffic(&table).targets[at].to.to_string().as_str(), why.name()), ("b", "header"));
    }
}

#[test]
fn a_reload_keeps_what_stays_and_a_route_is_another_when_one_of_its_backends_is() {
    let first = next(&Table::empty(), TABLE);
    let same = next(&first, &format!("{TABLE}\n[backends.d]\nendpoints = ['x:1']"));
    assert!(Arc::ptr_eq(&first.routes[0], &same.routes[0]), "nothing of it has changed");
    // Other weights: another route on the same backends, which goes on counting.
    let weights = next(&first, &TABLE.replace("weight = 5 ", "weight = 10 "));
    let (old, new) = (traffic(&first), traffic(&weights));
    for (old, new) in old.targets.iter().zip(&new.targets) {
        assert!(Arc::ptr_eq(&old.to.backend, &new.to.backend));
        assert!(Arc::ptr_eq(&old.stats, &new.stats));
    }
    assert_ne!(first.routes[0].id, weights.routes[0].id);
    // The backend of a target, of the shadow, of the fallback changes: the route leads to the new one, and its programs hold.
    for (at, backend) in ["a", "b", "c"].into_iter().enumerate() {
        let head = format!("[backends.{backend}]");
        let changed = next(&first, &TABLE.replace(&head, &format!("{head}\nhold = '2s'")));
        assert_eq!(first.routes[0].id, changed.routes[0].id);
        assert!(Arc::ptr_eq(&traffic(&changed).targets[at].to.backend, &changed.backends[at]), "{backend}");
        assert!(Arc::ptr_eq(&first.backends[at].endpoints()[0], &changed.backends[at].endpoints()[0]));
    }
}

#[test]
fn a_route_without_a_policy_has_none_and_one_that_is_pinned_has_one_target() {
    let plain = "[backends.a]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /x'\ncall = 's.x'\n";
    assert!(call(&next(&Table::empty(), plain)).traffic.is_none());
    let pinned = next(&Table::empty(), &format!("{plain}version = '2'"));
    let (at, why) = traffic(&pinned).choose(|_| true, |_| false, None);
    assert_eq!((traffic(&pinned).targets[at].to.to_string().as_str(), why.name()), ("a@2", "weight"));
    assert_eq!(call(&pinned).backends().count(), 1);
}
