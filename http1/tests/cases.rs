//! The raw requests of `cases/`, each sent whole, byte by byte, and cut at random. cases/README.md says how they are written.
#![allow(clippy::unwrap_used)]

mod cases_file;
mod common;

use callgate_http1::{BodyLength, Refusal, Version};
use cases_file::{Case, Expected};
use common::drive::{Conversation, End, Message, bytewise, drive, whole};
use common::random::Random;
use common::text::shown;
use std::collections::HashSet;

/// The words of `gets`, in some order.
fn words(message: &Message) -> Vec<String> {
    let query = message.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
    let mut words = vec![message.method.clone(), format!("{}{query}", message.path)];
    words.extend(message.host.as_ref().map(|host| format!("host={host}")));
    match message.length {
        BodyLength::Empty => {}
        BodyLength::Known(length) => words.push(format!("length={length}")),
        BodyLength::Chunked => words.push("chunked".into()),
    }
    let said = [
        (message.version == Version::Http10, "1.0"),
        (message.expects, "expects"),
        (!message.keeps_alive, "close"),
        (!message.ended, "unfinished"),
    ];
    words.extend(said.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()));
    words
}

fn same_words(one: &[String], other: &[String]) -> bool {
    let sorted = |words: &[String]| {
        let mut words = words.to_vec();
        words[2..].sort();
        words
    };
    sorted(one) == sorted(other)
}

/// Whether a request has these lines, in this order.
fn has_fields(message: &Message, fields: &[(String, Vec<u8>)]) -> bool {
    let mut lines = message.fields.iter();
    fields.iter().all(|field| lines.any(|line| line == field))
}

/// What differs, in words.
fn difference(case: &Case, got: &Conversation) -> Option<String> {
    let mut messages = got.messages.iter();
    let mut refused = false;
    for expected in &case.expected {
        match expected {
            Expected::Request { words: wanted, body, fields } => {
                let Some(message) = messages.next() else {
                    return Some(format!("{} is not accepted: {:?}", wanted.join(" "), got.end));
                };
                if !same_words(wanted, &words(message)) {
                    return Some(format!("it got {} for {}", words(message).join(" "), wanted.join(" ")));
                }
                if message.body != *body {
                    return Some(format!("the body is {}", shown(&message.body)));
                }
                if !has_fields(message, fields) {
                    return Some(format!("the fields are {:?}", message.fields));
                }
            }
            Expected::Refusal { status, name } => {
                refused = true;
                match got.end {
                    End::Refused(refusal) if refusal.name() == name && refusal.status() == *status => {}
                    End::Refused(refusal) => {
                        return Some(format!("{} {} for {status} {name}", refusal.status(), refusal.name()));
                    }
                    end => {
                        return Some(format!("{end:?} for {status} {name}, and {} more", messages.count()));
                    }
                }
            }
        }
    }
    if let Some(message) = messages.next() {
        return Some(format!("it got {} besides", words(message).join(" ")));
    }
    let end = match got.messages.last() {
        _ if refused => return None,
        Some(message) if !message.ended => End::Body,
        Some(message) if !message.keeps_alive => End::Closed,
        _ if case.waits_head => End::Head,
        _ => End::Idle,
    };
    (got.end != end).then(|| format!("it ends with {:?}", got.end))
}

/// Runs all cases and shows all that differ.
fn each_case(how: &str, run: impl Fn(&Case) -> Conversation) {
    let cases = cases_file::all();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| Some((case, difference(case, &run(case))?)))
        .map(|(case, difference)| {
            format!("{} ({}): {difference}\n    {}", case.name, case.rule, shown(&case.bytes))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{how}, {} of {} cases differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[test]
fn cases_sent_whole() {
    each_case("whole", |case| whole(&case.bytes));
}

#[test]
fn cases_sent_byte_by_byte() {
    each_case("byte by byte", |case| bytewise(&case.bytes).0);
}

#[test]
fn cases_cut_at_random() {
    for seed in 0..20 {
        each_case(&format!("cut with seed {seed}"), |case| drive(Random::new(seed).cut(&case.bytes)).0);
    }
}

#[test]
fn a_refusal_comes_as_soon_as_the_bytes_decide_it() {
    for case in cases_file::all() {
        let Some(decided) = case.decided else { continue };
        let (got, come) = bytewise(&case.bytes);
        assert!(matches!(got.end, End::Refused(_)), "{}", case.name);
        assert!(come <= decided, "{}: refused after {come} bytes, decided by {decided}", case.name);
    }
}

#[test]
fn nothing_is_accepted_behind_a_refusal() {
    let behind = b"\r\n\r\nGET /behind HTTP/1.1\r\nHost: a\r\n\r\n";
    for case in cases_file::all() {
        let got = whole(&case.bytes);
        if matches!(got.end, End::Refused(_)) {
            assert_eq!(whole(&[&case.bytes[..], behind].concat()), got, "{}", case.name);
        }
    }
}

#[test]
fn the_table_has_each_refusal_and_three_hundred_cases() {
    let cases = cases_file::all();
    assert!(cases.len() >= 300, "{}", cases.len());
    let names: HashSet<&str> = cases.iter().map(|case| &case.name[..]).collect();
    assert_eq!(names.len(), cases.len(), "each name is there once");
    let refused: HashSet<&str> = cases
        .iter()
        .flat_map(|case| &case.expected)
        .filter_map(|expected| match expected {
            Expected::Refusal { name, .. } => Some(&name[..]),
            Expected::Request { .. } => None,
        })
        .collect();
    // What HTTP/1.1 may have around a value is no part of it: that is refused in requests of HTTP/2 alone.
    for refusal in Refusal::ALL.iter().filter(|refusal| **refusal != Refusal::FieldValue) {
        assert!(refused.contains(refusal.name()), "no case is refused as {}", refusal.name());
    }
}
