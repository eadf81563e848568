//! When a source is asked, who is told of what it says, and when a name is no longer followed.

use super::*;
use crate::discovery::{Listed, Report, Said};
use crate::telemetry::Resolution;
use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn host(name: &str) -> DiscoveryName {
    DiscoveryName::Host(name.to_owned())
}

fn follower() -> Follower {
    Follower::new(Arc::default(), &DnsSettings::default(), Arc::default())
}

/// A source that lists those addresses one time after the other, each for so many seconds, and then is silent. It says when it was
/// asked.
struct Script<'a> {
    began: Instant,
    asked: &'a Mutex<Vec<u64>>,
    lists: VecDeque<(u8, u32)>,
}

impl Source for Script<'_> {
    async fn ask(&mut self) -> Report {
        self.asked.lock().expect("nobody has panicked").push(self.began.elapsed().as_secs());
        let Some((last, seconds)) = self.lists.pop_front() else { return std::future::pending().await };
        let listed: Vec<Listed> = vec![IpAddr::from([10, 0, 0, last]).into()];
        let (said, again) = (Said::Lists(listed), SECOND * seconds);
        Report { said, outcome: Resolution::Ok, again, ttl: Some(again), left_out: 0, error: None }
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_is_asked_again_when_it_says_and_control_is_told_of_other_lists_only() {
    let follower = follower();
    let (names, asked) = (follower.asking.names.clone(), Mutex::default());
    let name = names.add(&host("shop"));
    let lists = VecDeque::from([(1, 10), (1, 20), (2, 30)]);
    let source = Script { began: Instant::now(), asked: &asked, lists };
    let mut changes = Vec::new();
    let watch = async {
        loop {
            names.changed().await;
            let began = Instant::now();
            changes.push((names.take_changed(), name.list().listed[0].ip.to_string()));
            assert!(began.elapsed() < SECOND);
        }
    };
    let both = async { tokio::join!(follower.asking.ask(&name, source), watch) };
    assert!(timeout(100 * SECOND, both).await.is_err(), "it goes on for ever");
    // The third list has lost the first: it is to be confirmed within two seconds, and the source is silent by then.
    assert_eq!(*asked.lock().expect("nobody has panicked"), [0, 10, 30, 32]);
    let told = |ip: &str| (BTreeSet::from([host("shop")]), ip.to_owned());
    assert_eq!(changes, [told("10.0.0.1"), told("10.0.0.2")]);
}

#[tokio::test(start_paused = true)]
async fn a_first_answer_is_waited_for_no_longer_than_a_look_up_may_take() {
    let follower = follower();
    let limit = follower.asking.tools.dns.timeout;
    let began = Instant::now();
    follower.first_answers().await;
    assert_eq!(began.elapsed(), Duration::ZERO, "there is no name");
    let names = follower.asking.names.clone();
    let [first, second] = ["a", "b"].map(|name| names.add(&host(name)));
    let asked = Mutex::default();
    let source = || Script { began, asked: &asked, lists: [(1, 1000)].into() };
    let waited = async {
        follower.first_answers().await;
        began.elapsed()
    };
    let (waited, _) = tokio::join!(waited, timeout(limit * 2, follower.asking.ask(&first, source())));
    assert!(waited >= limit && waited < limit * 2, "the second has no answer: {waited:?}");
    let again = Instant::now();
    let waited = async {
        follower.first_answers().await;
        again.elapsed()
    };
    let (waited, _) = tokio::join!(waited, timeout(limit * 2, follower.asking.ask(&second, source())));
    assert!(waited < limit, "both have one: {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_is_followed_once_and_until_no_table_has_it() {
    let mut follower = follower();
    let names = [host("a"), host("b"), host("a")];
    follower.follow(names.iter());
    let first = follower.asking.names.get(&host("a")).expect("it is followed");
    follower.follow(names.iter());
    let again = follower.asking.names.get(&host("a")).expect("it is followed");
    assert!(Arc::ptr_eq(&first, &again), "by the same task");
    assert_eq!(follower.tasks.len(), 2);
    follower.keep(|name| *name == host("b"));
    assert!(follower.asking.names.get(&host("a")).is_none());
    assert_eq!(follower.tasks.keys().collect::<Vec<_>>(), [&host("b")]);
}
