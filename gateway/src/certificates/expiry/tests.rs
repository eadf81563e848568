//! When certificates are warned of.

use super::super::testing::{certificate_until, days_after, entry, in_force};
use super::*;
use crate::config::testing::Folder;
use std::time::Duration;

/// The days that are left of those that are warned of.
fn due(expiry: &mut Expiry, in_force: &InForce, days: u64) -> Vec<(String, Option<u64>)> {
    let warnings = expiry.due(in_force, days_after(days));
    warnings.into_iter().map(|warning| (warning.certificate, warning.days)).collect()
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
    let days: Vec<_> = expiry.due(&in_force, later).iter().map(|warning| warning.days).collect();
    assert_eq!(days, [None]);
    assert_eq!(expiry.due(&in_force, later), [], "once");
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
