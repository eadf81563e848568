//! hyper reads what we read: the cases, valid requests, and thousands of changed ones. What we accept, it accepts with the same message
//! boundaries, but for the differences that `common/peer.rs` lists with their reasons.
//!
//! `CALLGATE_FUZZ_SECONDS` has it go on for so long, from a seed of its own (`CALLGATE_FUZZ_SEED`), which it says.
#![allow(clippy::unwrap_used)]

mod cases_file;
mod common;
mod valid;

use common::drive::whole;
use common::mutate::mutate;
use common::peer::{CONNECTIONS, WE_ACCEPT, between, difference};
use common::random::Random;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn cases() -> Vec<Vec<u8>> {
    cases_file::all().into_iter().map(|case| case.bytes).collect()
}

/// Valid requests, the same ones each time.
fn valid_requests(count: usize) -> Vec<Vec<u8>> {
    let mut runner = TestRunner::deterministic();
    let request = valid::request();
    (0..count).map(|_| request.new_tree(&mut runner).unwrap().current().bytes()).collect()
}

fn compare<'b>(all: impl IntoIterator<Item = &'b Vec<u8>>) {
    let differ: Vec<String> = all.into_iter().filter_map(|bytes| difference(bytes)).collect();
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ[..differ.len().min(5)].join("\n\n"));
}

#[test]
fn what_differs_is_seen() {
    let get = "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    for (ours, theirs) in [
        (get, get.replace("/a", "/b")),
        (get, get.replace("GET", "PUT")),
        (get, get.replace("1.1", "1.0")),
        (get, get.replace("y", "z")),
        (get, get.replace("X: y\r\n", "")),
        (get, get.replace("\r\n\r\n", "\r\n")),
        (get, get.repeat(2)),
        (&get.repeat(2), get.to_owned()),
        (post, post.replace("hello", "world")),
        (post, post.replace("hello", "hell")),
        (&post[..post.len() - 1], post.to_owned()),
    ] {
        let ours = whole(ours.as_bytes());
        assert!(between(&ours, theirs.as_bytes(), true).is_some(), "{theirs}: {ours:?}");
    }
}

#[test]
fn each_listed_difference_is_one() {
    for listed in WE_ACCEPT.iter().chain(CONNECTIONS) {
        for bytes in listed.shown_by {
            let shown = bytes.escape_ascii();
            assert!(
                between(&whole(bytes), bytes, false).is_some(),
                "{}: {shown} shows no difference",
                listed.why
            );
            assert_eq!(difference(bytes), None, "{}", listed.why);
        }
    }
}

#[test]
fn hyper_reads_the_cases_as_we_do() {
    compare(&cases());
}

#[test]
fn hyper_reads_valid_requests_as_we_do() {
    compare(&valid_requests(500));
}

#[test]
fn hyper_reads_changed_requests_as_we_do() {
    let mut seeds = cases();
    seeds.extend(valid_requests(500));
    let seconds: Option<u64> = std::env::var("CALLGATE_FUZZ_SECONDS").ok().map(|text| text.parse().unwrap());
    let Some(seconds) = seconds else {
        changed(1, &seeds, 3000);
        return;
    };
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut seed = std::env::var("CALLGATE_FUZZ_SEED").map_or_else(|_| now(), |text| text.parse().unwrap());
    let (begun, mut count) = (Instant::now(), 0);
    println!("from seed {seed}, for {seconds} s");
    while begun.elapsed() < Duration::from_secs(seconds) {
        changed(seed, &seeds, 1000);
        (seed, count) = (seed.wrapping_add(1), count + 1000);
    }
    println!("{count} changed requests in {} s; the next seed is {seed}", begun.elapsed().as_secs());
}

/// So many changed requests of a seed.
fn changed(seed: u64, seeds: &[Vec<u8>], count: usize) {
    let mut random = Random::new(seed);
    for number in 0..count {
        let pair = [&seeds[random.below(seeds.len())][..], &seeds[random.below(seeds.len())]];
        // One alone, or two on a connection.
        let bytes = if random.below(4) == 0 { pair.concat() } else { pair[0].to_vec() };
        let bytes = mutate(&mut random, &bytes, pair[1]);
        if let Some(difference) = difference(&bytes) {
            panic!("seed {seed}, request {number}: {difference}");
        }
    }
}
