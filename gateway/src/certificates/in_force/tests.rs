//! Which certificate a name has, and which files come into force.

use super::super::testing::{certificate, certificate_until, days_after, entry, in_force, now, specs};
use super::*;
use crate::config::testing::Folder;
use std::fs;

/// The table's place of the certificate that a client of that name gets.
fn place(in_force: &InForce, name: Option<&str>) -> Option<usize> {
    let found = in_force.find(name)?;
    in_force.entries.iter().position(|entry| Arc::ptr_eq(&entry.certificate, found))
}

#[test]
fn a_name_leads_to_its_own_certificate_then_to_a_wildcards_then_to_the_default() {
    let folder = Folder::new();
    certificate(&folder, "a", &["a.example", "*.example"]);
    certificate(&folder, "w", &["*.w.example"]);
    certificate(&folder, "x", &["x.w.example"]);
    let table = entry("a", &["a.example"]) + &entry("w", &["*.w.example"]) + &entry("x", &["x.w.example"]);
    let marked = table.clone() + "default = true\n";
    for (table, default) in [(&table, None), (&marked, Some(2))] {
        let in_force = in_force(&folder, table);
        for (name, expected) in [
            (Some("a.example"), Some(0)),
            (Some("A.Example"), Some(0)),
            (Some("y.w.example"), Some(1)),
            (Some("Y.W.example"), Some(1)),
            (Some("x.w.example"), Some(2)),
            (Some("w.example"), default),
            (Some("z.y.w.example"), default),
            (Some("b.example"), default),
            (Some("localhost"), default),
            (None, default),
        ] {
            assert_eq!(place(&in_force, name), expected, "{name:?}");
        }
    }
    let only = in_force(&folder, &entry("a", &["a.example"]));
    assert_eq!(
        (place(&only, None), place(&only, Some("z"))),
        (Some(0), Some(0)),
        "the only one is the default"
    );
    let refused = in_force(&folder, &(entry("a", &["a.example"]) + "default = false\n"));
    assert_eq!((place(&refused, None), place(&refused, Some("a.example"))), (None, Some(0)));
}

#[test]
fn a_certificate_that_is_new_to_the_table_has_to_be_sound() {
    let folder = Folder::new();
    certificate(&folder, "a", &["a.example"]);
    certificate(&folder, "b", &["b.example"]);
    let before = in_force(&folder, &entry("a", &["a.example"]));
    let both = entry("a", &["a.example"]) + &entry("b", &["b.example"]);
    assert_eq!(before.next(&specs(&folder, &both), Start::Serves, now()).unwrap().entries().len(), 2);
    folder.write("b.key", "torn");
    let error = before.next(&specs(&folder, &both), Start::Serves, now()).unwrap_err();
    assert!(error.to_string().contains("the certificate of `b.example` cannot be used"), "{error}");
    // What the table says of it is new, and so it is as if it were.
    folder.write("a.pem", "torn");
    let renamed = entry("a", &["a.example"]).replace("'a.key'", "{ file = 'a.key' }");
    assert!(before.next(&specs(&folder, &renamed), Start::Serves, now()).is_ok(), "the same in other words");
    let more = entry("a", &["a.example", "b.example"]);
    assert!(before.next(&specs(&folder, &more), Start::Serves, now()).is_err());
}

#[test]
fn bad_files_of_a_certificate_in_force_leave_it_in_force_and_do_not_touch_others() {
    let folder = Folder::new();
    certificate(&folder, "a", &["a.example"]);
    certificate(&folder, "b", &["b.example"]);
    let table = entry("a", &["a.example"]) + &entry("b", &["b.example"]);
    let before = in_force(&folder, &table);
    certificate(&folder, "b", &["b.example"]);
    for torn in ["", "torn"] {
        folder.write("a.pem", torn);
        let next = before.next(&specs(&folder, &table), Start::Serves, now()).unwrap();
        assert!(Arc::ptr_eq(&next.entries[0].certificate, &before.entries[0].certificate));
        assert!(!Arc::ptr_eq(&next.entries[1].certificate, &before.entries[1].certificate));
        let error = next.entries[0].error.as_ref().unwrap();
        assert!(
            error.summary.contains("t.toml:3:8: the certificate of `a.example` cannot be used"),
            "{error:?}"
        );
        assert!(error.rendered.contains("there is no certificate in it"), "{error:?}");
        assert_eq!(next.entries[1].error, None);
    }
    fs::remove_file(folder.path("a.key")).unwrap();
    let next = before.again(now()).unwrap();
    assert!(next.entries[0].error.as_ref().unwrap().summary.contains("a.key: No such file"));
    // One that no longer covers its name would break it for its clients.
    certificate(&folder, "a", &["c.example"]);
    let next = before.again(now()).unwrap();
    let error = next.entries[0].error.as_ref().unwrap();
    assert!(error.rendered.contains("the certificate does not cover `a.example`"), "{}", error.rendered);
    assert!(error.rendered.contains("a.pem is for `c.example`"), "{}", error.rendered);
    certificate(&folder, "a", &["a.example"]);
    let next = next.again(now()).unwrap();
    assert_eq!(next.entries[0].error, None);
    assert!(!Arc::ptr_eq(&next.entries[0].certificate, &before.entries[0].certificate));
}

#[test]
fn files_that_say_what_they_said_change_nothing() {
    let folder = Folder::new();
    certificate(&folder, "a", &["a.example"]);
    let before = in_force(&folder, &entry("a", &["a.example"]));
    assert!(before.again(days_after(1)).is_none());
    let text = fs::read_to_string(folder.path("a.pem")).unwrap();
    folder.write("a.pem", "torn");
    let torn = before.again(days_after(1)).unwrap();
    assert!(torn.again(days_after(2)).is_none(), "the same mistake is no news");
    folder.write("a.pem", &text);
    let mended = torn.again(days_after(2)).unwrap();
    assert!(Arc::ptr_eq(&mended.entries[0].certificate, &before.entries[0].certificate));
    assert_eq!((mended.entries[0].since, &mended.entries[0].error), (now().as_secs(), &None));
}

#[test]
fn one_that_has_expired_is_served_after_a_start_and_cannot_be_brought_in() {
    let folder = Folder::new();
    certificate_until(&folder, "a", &["a.example"], 2);
    let specs = specs(&folder, &entry("a", &["a.example"]));
    let at = |start| InForce::default().next(&specs, start, days_after(3));
    assert!(at(Start::Begins).is_ok());
    let error = at(Start::Serves).unwrap_err().to_string();
    assert!(error.contains("a.pem: the certificate expired 2 days ago"), "{error}");
}

#[test]
fn what_came_into_force_and_what_was_refused_is_counted_once() {
    let (folder, stats) = (Folder::new(), CertificateStats::default());
    certificate(&folder, "a", &["a.example"]);
    let mut before = InForce::default();
    let mut take = |next: InForce| {
        next.tell(&before, &stats);
        before = next;
        (stats.succeeded.get(), stats.failed.get())
    };
    let first = in_force(&folder, &entry("a", &["a.example"]));
    folder.write("a.key", "torn");
    let torn = first.again(now()).unwrap();
    assert_eq!(take(first), (1, 0));
    let again = torn.next(&specs(&folder, &entry("a", &["a.example"])), Start::Serves, now()).unwrap();
    assert_eq!(take(torn), (1, 1));
    certificate(&folder, "a", &["a.example"]);
    let renewed = again.again(now()).unwrap();
    assert_eq!(take(again), (1, 1));
    assert_eq!(take(renewed), (2, 1));
}
