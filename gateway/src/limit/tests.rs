//! Buckets by themselves, with times that the tests choose; and what a route's limits make of them.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use super::*;
use crate::config::{RateLimitSpec, Source, Tables};
use crate::routes::Table;
use std::sync::Barrier;
use std::thread;

const MS: Duration = Duration::from_millis(1);

/// A table with one route for each text, whose `rate_limit` it is.
fn table(before: &Table, limits: &str, routes: &[&str]) -> Table {
    let mut text = format!("{limits}\n[backends.b]\nendpoints = ['x:1']\n");
    for (n, rate_limit) in routes.iter().enumerate() {
        text.push_str(&format!("[[routes]]\nmatch = 'GET /{n}'\ncall = 'a.b'\nrate_limit = {rate_limit}\n"));
    }
    Table::next(before, Tables::parse(vec![Source::new("t.toml", text)]).unwrap(), &Default::default(), 2)
}

fn of(table: &Table, route: usize) -> &Limits {
    table.routes[route].steps.rate_limits().next().unwrap()
}

fn first(table: &Table) -> &Limits {
    of(table, 0)
}

/// Buckets of a limit that is written as in a table.
fn buckets(spec: &str) -> (Buckets, Instant) {
    let table = table(&Table::empty(), "", &[&format!("{{ {spec} }}")]);
    let spec: RateLimitSpec = first(&table).iter().next().unwrap().limit.spec.clone();
    let now = Instant::now();
    (Buckets::new(spec, now), now)
}

#[test]
fn a_bucket_holds_its_burst_and_fills_at_its_rate() {
    let (buckets, start) = buckets("rate = '10/s', burst = 3");
    for (at, admitted, remaining, next) in [
        (0, true, 2, 100),
        (0, true, 1, 100),
        (0, true, 0, 100),
        (0, false, 0, 100),
        (40, false, 0, 60),
        (99, false, 0, 1),
        (100, true, 0, 100),
        (150, false, 0, 50),
        (250, true, 0, 50),
        // Full again, and no fuller.
        (5000, true, 2, 100),
        (5050, true, 1, 50),
    ] {
        let outcome = buckets.take(&Key::None, start + at * MS);
        let seen = (outcome.admitted, outcome.remaining, outcome.next);
        assert_eq!(seen, (admitted, remaining, next * MS), "after {at} ms");
    }
    assert_eq!(buckets.keys(start + 5050 * MS), 1);
    assert_eq!(buckets.keys(start + 6000 * MS), 0, "a full bucket is none that has to be kept");
}

#[test]
fn no_more_come_than_the_rate_says_even_where_it_does_not_divide_the_second() {
    let (buckets, start) = buckets("rate = '7/s', burst = 1");
    let admitted = (0..10_000_u32).filter(|ms| buckets.take(&Key::None, start + *ms * MS).admitted).count();
    assert!((68..=71).contains(&admitted), "{admitted} in 10 s");
}

#[test]
fn a_token_that_is_given_back_is_there_again() {
    let (buckets, start) = buckets("rate = '1/h', burst = 2, by = 'client'");
    let (one, other) = (Key::Text(b"one"), Key::Text(b"other"));
    let take = |key: &Key<'_>| buckets.take(key, start).admitted;
    assert_eq!([take(&one), take(&one), take(&one)], [true, true, false]);
    buckets.give_back(&other, start);
    assert!(!take(&one));
    buckets.give_back(&one, start);
    assert_eq!([take(&one), take(&one)], [true, false]);
    assert_eq!([take(&other), take(&other), take(&other)], [true, true, false], "nobody has more than all");
}

/// What `threads` threads are admitted together, each asking `times` times with its own idea of the time.
fn admitted(
    buckets: &Buckets,
    threads: u32,
    times: u32,
    key: impl Fn(u32) -> u64 + Sync,
    now: impl Fn(u32) -> Instant + Sync,
) -> usize {
    let start = Barrier::new(threads as usize);
    thread::scope(|scope| {
        let thread = |_| {
            scope.spawn(|| {
                start.wait();
                (0..times).filter(|n| buckets.take(&key(*n), now(*n)).admitted).count()
            })
        };
        let threads: Vec<_> = (0..threads).map(thread).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

#[test]
fn all_workers_together_admit_exactly_the_burst() {
    let (one, start) = buckets("rate = '1/h', burst = 1000");
    assert_eq!(admitted(&one, 4, 5_000, |_| 0, |_| start), 1000);
    // New keys at the same time, in a table with room for all.
    let (many, start) = buckets("rate = '1/h', burst = 3, by = 'client', max_keys = 100000");
    assert_eq!(admitted(&many, 4, 5_000, |n| u64::from(n / 5), |_| start), 3 * 1000);
}

#[test]
fn all_workers_together_admit_no_more_than_the_rate_and_the_burst() {
    let (buckets, start) = buckets("rate = '1000/s', burst = 50");
    // Each thread goes through ten seconds at its own pace, so that time goes back and forth.
    let seen = admitted(&buckets, 4, 100_000, |_| 0, |n| start + n * MS / 10);
    assert!(seen <= 10_000 + 50, "{seen}");
    assert!(seen >= 10_000, "{seen}");
}

#[test]
fn a_bucket_is_changed_without_a_lock() {
    assert!(portable_atomic::AtomicU128::is_lock_free());
}

#[test]
fn the_memory_is_what_was_declared_whatever_comes() {
    let (buckets, start) = buckets("rate = '1/h', by = 'client', max_keys = 10000");
    let bytes = buckets.bytes();
    assert!((24 * 10_000..24 * 10_000 + 256).contains(&bytes), "{bytes}");
    let mut evicted = 0;
    for n in 0..100_000_u64 {
        let outcome = buckets.take(&n, start + MS);
        assert!(outcome.admitted, "a new key has a full bucket, {n}");
        evicted += u64::from(outcome.evicted);
    }
    assert_eq!(buckets.bytes(), bytes);
    let keys = buckets.keys(start + MS);
    assert_eq!(keys + evicted, 100_000, "each is there or was forgotten");
    assert!(keys <= 15_000 && keys > 14_000, "{keys}");
}

#[test]
fn as_many_keys_as_declared_are_all_remembered_but_for_a_few() {
    let (buckets, start) = buckets("rate = '1/h', by = 'client', max_keys = 100000");
    let evicted = (0..100_000_u64).filter(|n| buckets.take(n, start).evicted).count();
    assert!(evicted < 5_000, "{evicted}");
    let again = (0..100_000_u64).filter(|n| buckets.take(n, start).admitted).count();
    assert!(again < 10_000, "{again} were forgotten");
}

#[test]
fn a_limited_key_is_limited_and_no_other_is_hurt_while_many_more_keys_go_by_than_there_is_room_for() {
    const OTHERS: u32 = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };
    let (buckets, start) = buckets("rate = '10/s', burst = 20, by = 'client', max_keys = 10000");
    let tick = Duration::from_micros(1);
    let limited: Vec<String> = (0..50).map(|n| format!("limited {n}")).collect();
    let burst = |key: &String| (0..25).filter(|_| buckets.take(key, start).admitted).count() as u32;
    let mut allowed: Vec<u32> = limited.iter().map(burst).collect();
    assert_eq!(allowed, [20; 50], "they are limited from the beginning");
    let mut evicted = 0_u32;
    for n in 0..OTHERS {
        let now = start + tick * n;
        let outcome = buckets.take(&n, now);
        assert!(outcome.admitted, "{n} comes for the first time");
        evicted += u32::from(outcome.evicted);
        if n % 100 == 0 {
            let at = (n / 100) as usize % limited.len();
            allowed[at] += u32::from(buckets.take(&limited[at], now).admitted);
        }
    }
    assert!(evicted > OTHERS / 2, "{evicted}: there was no room for all");
    // They ask 200 times a second.
    let most = 20 + 10 * OTHERS / 1_000_000;
    assert!(allowed.iter().all(|allowed| (most - 1..=most).contains(allowed)), "{allowed:?}, not {most}");
}

#[test]
fn the_number_of_keys_in_a_large_table_is_about_right() {
    let (buckets, start) = buckets("rate = '1/h', by = 'client', max_keys = 400000");
    assert!((0..100_000_u64).all(|n| buckets.take(&n, start).admitted));
    let keys = buckets.keys(start);
    assert!((95_000..=105_000).contains(&keys), "{keys}");
}

#[test]
fn a_client_is_an_address_of_ipv4_or_a_64_of_ipv6() {
    let client = |text: &str| client(text.parse().unwrap());
    for (one, other, same) in [
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
        ("::ffff:192.0.2.2", "::ffff:192.0.2.1", false),
        ("2001:db8::1", "2001:db8:0:0:ffff::2", true),
        ("2001:db8:0:1::1", "2001:db8::1", false),
    ] {
        assert_eq!(client(one) == client(other), same, "{one} {other}");
    }
}

/// What a route's limits say of so many requests at once: those that were admitted, and the last verdict.
fn ask(limits: &Limits, requests: u32) -> (u32, Verdict<'_>) {
    let now = Instant::now();
    let ask = || limits.ask(Some(0), now, |_| Key::None);
    let admitted = (1..requests).filter(|_| ask().refused.is_none()).count() as u32;
    let last = ask();
    (admitted + u32::from(last.refused.is_none()), last)
}

#[test]
fn an_answer_says_what_is_left_and_a_refusal_when_to_come_again() {
    let table = table(&Table::empty(), "", &["{ rate = '2/h', burst = 2 }"]);
    let (admitted, last) = ask(first(&table), 1);
    assert_eq!((admitted, last.field.as_str()), (1, "\"route:2/h\";r=1;t=1800"));
    let (admitted, last) = ask(first(&table), 2);
    assert_eq!(admitted, 1);
    let Refused { policy, retry_after, policies } = last.refused.unwrap();
    assert_eq!((policy, policies), ("route:2/h", "\"route:2/h\";q=2;w=3600"));
    assert_eq!(last.field, format!("\"route:2/h\";r=0;t={retry_after}"));
    assert!((1799..=1800).contains(&retry_after), "{retry_after}");
}

#[test]
fn a_request_that_one_limit_refuses_takes_no_token_of_another() {
    let both = "[{ rate = '10/h', burst = 3 }, { rate = '5/h', burst = 2, by = 'client' }]";
    let table = table(&Table::empty(), "", &[both]);
    let (admitted, last) = ask(first(&table), 20);
    let refused = last.refused.unwrap();
    assert_eq!((admitted, refused.policy), (2, "client:5/h"));
    assert_eq!(refused.policies, "\"route:10/h\";q=10;w=3600, \"client:5/h\";q=5;w=3600");
    let left = first(&table).iter().next().unwrap().buckets.take(&Key::None, Instant::now());
    assert_eq!((left.admitted, left.remaining), (true, 0), "one of three is left");
}

#[test]
fn a_dry_run_gets_nothing_back_that_it_has_not_given() {
    let both = "[{ rate = '1/h', burst = 2, dry_run = true }, { rate = '1/h', burst = 3, by = 'client' }]";
    let table = table(&Table::empty(), "", &[both]);
    let (admitted, last) = ask(first(&table), 3);
    assert_eq!((admitted, last.refused), (3, None));
    // Each of these is refused by the second limit. The first one is empty, and stays so.
    let (admitted, _) = ask(first(&table), 5);
    assert_eq!(admitted, 0);
    let stats: Vec<_> = first(&table).iter().map(|limit| limit.stats.outcomes()).collect();
    assert_eq!(stats[0], [("allowed", 2), ("limited", 0), ("would_limit", 6)]);
    assert_eq!(stats[1], [("allowed", 3), ("limited", 5), ("would_limit", 0)]);
}

#[test]
fn a_dry_run_counts_and_refuses_nothing() {
    let table = table(&Table::empty(), "", &["{ rate = '1/h', burst = 2, dry_run = true }"]);
    let (admitted, last) = ask(first(&table), 10);
    assert_eq!(
        (admitted, last),
        (10, Verdict { refused: None, field: String::new(), would_refuse: "route:1/h".to_owned() })
    );
    let stats = &first(&table).iter().next().unwrap().stats;
    assert_eq!(stats.outcomes(), [("allowed", 2), ("limited", 0), ("would_limit", 8)]);
}

#[test]
fn what_a_dry_run_would_have_refused_is_told_at_once_and_again_after_ten_seconds() {
    let table = table(&Table::empty(), "", &["{ rate = '1/h', dry_run = true }"]);
    let limit = first(&table).iter().next().unwrap();
    for (ms, told) in [(0, true), (1, false), (9_999, false), (10_001, true), (20_000, false), (20_001, true)]
    {
        assert_eq!(limit.is_to_be_told(limit.born + ms * MS), told, "after {ms} ms");
    }
}

#[test]
fn the_time_until_the_next_token_is_told_in_whole_seconds_and_never_too_short() {
    for (ms, expected) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
        assert_eq!(seconds(ms * MS), expected, "{ms} ms");
    }
}

#[test]
fn buckets_live_as_long_as_their_limit_does() {
    let of = |table: &Table| first(table).iter().next().unwrap().buckets.clone();
    let old = table(&Table::empty(), "", &["{ rate = '1/h', by = 'client' }"]);
    for (text, same) in [
        ("{ rate = '1/h', by = 'client' }", true),
        ("[{ rate = '9/s' }, { rate = '1/h', by = 'client' }]", true),
        ("{ rate = '1/h', by = 'client', dry_run = true }", true),
        ("{ rate = '2/h', by = 'client' }", false),
        ("{ rate = '1/h', by = 'client', burst = 2 }", false),
        ("{ rate = '1/h', by = 'api_key' }", false),
        ("{ rate = '1/h', by = 'client', max_keys = 7 }", false),
    ] {
        let new = table(&old, "", &[text]);
        let kept = first(&new).iter().any(|limit| Arc::ptr_eq(&limit.buckets, &of(&old)));
        assert_eq!(kept, same, "{text}");
    }
}

#[test]
fn routes_share_the_buckets_of_a_limit_by_its_name() {
    let buckets = |table: &Table, route: usize| of(table, route).iter().next().unwrap().buckets.clone();
    let limits = "[limits.all]\nrate = '1/h'\nburst = 5\n";
    let old = table(&Table::empty(), limits, &["'all'", "['all']"]);
    assert!(Arc::ptr_eq(&buckets(&old, 0), &buckets(&old, 1)));
    assert_eq!(ask(of(&old, 0), 3).0 + ask(of(&old, 1), 3).0, 5);
    let next = table(&old, limits, &["{ rate = '7/s' }", "'all'", "'all'"]);
    assert!(
        Arc::ptr_eq(&buckets(&next, 1), &buckets(&old, 0))
            && Arc::ptr_eq(&buckets(&next, 2), &buckets(&old, 0))
    );
    let changed = table(&next, &limits.replace("5", "6"), &["'all'", "'all'"]);
    assert!(!Arc::ptr_eq(&buckets(&changed, 0), &buckets(&old, 0)));
    assert!(Arc::ptr_eq(&buckets(&changed, 0), &buckets(&changed, 1)));
}
