//! When files are warned of.

use super::super::testing::{certificate_until, days_after, entry, in_force};
use super::*;
use crate::config::testing::Folder;
use std::time::Duration;

/// The days that are left of those that are warned of.
fn due(expiry: &mut Expiry, in_force: &InForce, days: u64) -> Vec<(String, Option<u64>)> {
    let warnings = expiry.due(Dated::of(in_force).collect(), days_after(days));
    warnings.into_iter().map(|warning| (warning.dated.name, warning.days)).collect()
}

#[test]
fn a_certificate_is_warned_of_once_a_day_from_two_weeks_before_its_end() {
    let folder = Folder::new();
    certificate_until(&folder, "a", &["a.example"], 21);
    certificate_until(&folder, "b", &["b.example"], 31);
    let table = entry("a", &["a.example"]) + &entry("b", &["b.example"]);
    let (in_force, mut expiry) = (in_force(&folder, &table), Expiry::default());
    let a = |days| vec![("a.example".to_owned(), days)];
    assert_eq!(due(&mut expiry, &in_force, 5), []);
    assert_eq!(due(&mut expiry, &in_force, 6), a(Some(14)));
    assert_eq!(due(&mut expiry, &in_force, 6), [], "not at each look");
    assert_eq!(due(&mut expiry, &in_force, 7), a(Some(13)));
    assert_eq!(due(&mut expiry, &in_force, 15), a(Some(5)));
    let both = [("a.example".to_owned(), None), ("b.example".to_owned(), Some(9))];
    assert_eq!(due(&mut expiry, &in_force, 21), both);
}

#[test]
fn the_end_is_told_though_its_coming_was_within_the_day() {
    let folder = Folder::new();
    certificate_until(&folder, "a", &["a.example"], 21);
    let (in_force, mut expiry) = (in_force(&folder, &entry("a", &["a.example"])), Expiry::default());
    assert_eq!(due(&mut expiry, &in_force, 20), [("a.example".to_owned(), Some(0))]);
    let later = UnixTime::since_unix_epoch(Duration::from_secs(days_after(20).as_secs() + 3600));
    let mut due = || expiry.due(Dated::of(&in_force).collect(), later);
    assert_eq!(due().iter().map(|warning| warning.days).collect::<Vec<_>>(), [None]);
    assert_eq!(due(), [], "once");
}

#[test]
fn a_clock_that_is_set_back_silences_nothing() {
    let folder = Folder::new();
    certificate_until(&folder, "a", &["a.example"], 21);
    let (in_force, mut expiry) = (in_force(&folder, &entry("a", &["a.example"])), Expiry::default());
    assert_eq!(due(&mut expiry, &in_force, 300).len(), 1);
    assert_eq!(due(&mut expiry, &in_force, 8), [("a.example".to_owned(), Some(12))]);
    assert_eq!(due(&mut expiry, &in_force, 8), []);
}

#[test]
fn a_renewed_certificate_is_warned_of_no_longer() {
    let folder = Folder::new();
    certificate_until(&folder, "a", &["a.example"], 10);
    let (mut in_force, mut expiry) = (in_force(&folder, &entry("a", &["a.example"])), Expiry::default());
    assert_eq!(due(&mut expiry, &in_force, 0).len(), 1);
    certificate_until(&folder, "a", &["a.example"], 31);
    in_force = in_force.again(days_after(0)).unwrap();
    assert_eq!(due(&mut expiry, &in_force, 1), []);
    certificate_until(&folder, "a", &["a.example"], 11);
    in_force = in_force.again(days_after(1)).unwrap();
    assert_eq!(due(&mut expiry, &in_force, 1).len(), 1, "another one that is about to expire");
}

#[test]
fn what_belongs_to_others_is_warned_of_for_each() {
    let dated = |kind, name: &str, until| {
        let until = days_after(until).as_secs();
        Dated { kind, name: name.to_owned(), file: "x.pem".to_owned(), until }
    };
    let all = vec![
        dated(Kind::OfBackend, "shop", 14),
        dated(Kind::OfBackend, "orders", 14),
        dated(Kind::Revoked, "shop", 0),
        dated(Kind::Revoked, "public", 15),
    ];
    let mut expiry = Expiry::default();
    let mut due = |days| -> Vec<(Kind, String, Option<u64>)> {
        let warnings = expiry.due(all.clone(), days_after(days)).into_iter();
        warnings.map(|Warning { dated, days }| (dated.kind, dated.name, days)).collect()
    };
    let (shop, orders) = ("shop".to_owned(), "orders".to_owned());
    let first = [
        (Kind::OfBackend, shop.clone(), Some(14)),
        (Kind::OfBackend, orders, Some(14)),
        (Kind::Revoked, shop.clone(), Some(0)),
    ];
    assert_eq!(due(0), first);
    assert_eq!(due(0), []);
    assert_eq!(due(1).last(), Some(&(Kind::Revoked, "public".to_owned(), Some(14))));
    assert!(due(2).contains(&(Kind::Revoked, shop, None)));
}
