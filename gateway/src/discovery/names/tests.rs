//! What names keep of what their sources say, and who is told of it.

use super::*;
use crate::config::{Source, Tables};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn host(name: &str) -> DiscoveryName {
    DiscoveryName::Host(name.to_owned())
}

fn listed(last: &[u8]) -> Vec<Listed> {
    last.iter().map(|last| IpAddr::from([10, 0, 0, *last]).into()).collect()
}

/// A good answer, which holds for five seconds.
fn lists(last: &[u8]) -> Report {
    let said = Said::Lists(listed(last));
    Report { said, outcome: Resolution::Ok, again: HOUR, ttl: Some(5 * SECOND), left_out: 0, error: None }
}

/// A source that could say nothing else.
fn fails(said: Said) -> Report {
    let error = Some("silence".to_owned());
    Report { said, outcome: Resolution::Failed, again: SECOND, ttl: None, left_out: 0, error }
}

fn name(remembered: &[u8]) -> Name {
    Name::new(host("shop"), listed(remembered))
}

fn is_ready(future: impl Future<Output = ()>) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
}

#[test]
fn a_list_is_another_one_only_if_it_differs_and_an_error_changes_nothing() {
    let name = name(&[]);
    let hear = |report: Report| (name.hear(report, SECOND).1, name.list().listed.clone());
    assert_eq!(hear(lists(&[1, 2])), (true, listed(&[1, 2])));
    assert_eq!(hear(lists(&[1, 2])), (false, listed(&[1, 2])));
    assert_eq!(hear(fails(Said::Nothing)), (false, listed(&[1, 2])));
    assert_eq!(hear(lists(&[2])), (true, listed(&[2])));
    assert_eq!(hear(fails(Said::Gone)), (true, Vec::new()));
    assert_eq!(hear(fails(Said::Gone)), (false, Vec::new()));
    let counts = Resolution::ALL.map(|outcome| name.stats.count(outcome));
    assert_eq!(counts, [3, 0, 3]);
}

#[test]
fn a_source_is_asked_again_when_it_says_and_soon_while_a_loss_is_not_confirmed() {
    let name = name(&[]);
    let again = |report: Report, min_ttl: Duration| name.hear(report, min_ttl).0;
    assert_eq!(again(lists(&[1, 2, 3]), SECOND), HOUR);
    assert_eq!(again(lists(&[1]), SECOND), CONFIRMED_WITHIN);
    assert_eq!(name.list().unconfirmed, listed(&[2, 3]));
    assert_eq!(again(fails(Said::Nothing), SECOND), SECOND, "the source wants it sooner");
    assert_eq!(again(lists(&[1]), SECOND), HOUR, "confirmed");
    assert_eq!(name.list().unconfirmed, []);
    assert_eq!(again(lists(&[2]), 9 * SECOND), 9 * SECOND, "no more often than may be asked");
}

#[test]
fn people_see_the_last_good_answer_and_what_was_wrong_since() {
    let name = name(&[7]);
    let shown = name.shown();
    assert_eq!((shown.list.listed.clone(), shown.ttl, shown.answered_at), (listed(&[7]), None, None));
    assert!(!name.was_asked());
    name.hear(Report { left_out: 3, ..lists(&[1]) }, SECOND);
    name.hear(fails(Said::Nothing), SECOND);
    let shown = name.shown();
    assert_eq!((shown.left_out, shown.ttl, shown.error.as_deref()), (3, Some(5 * SECOND), Some("silence")));
    assert!(shown.answered_at.is_some_and(|at| at > 1_700_000_000), "{shown:?}");
    name.hear(lists(&[1, 2]), SECOND);
    let shown = name.shown();
    assert_eq!((shown.left_out, shown.error), (0, None));
    assert_eq!((name.scrape().name, name.scrape().addresses), ("shop", 2));
    assert!(name.was_asked());
}

#[test]
fn what_was_remembered_of_a_name_is_in_force_until_it_has_begun() {
    let names = Names::default();
    let one = |name: &str, last: u8| (host(name), listed(&[last]).remove(0));
    names.remember([one("shop", 1), one("shop", 2), one("late", 3)]);
    assert_eq!(names.add(&host("shop")).list().listed, listed(&[1, 2]));
    assert_eq!(names.take_changed(), [host("shop")].into());
    assert_eq!(names.add(&host("new")).list().listed, []);
    assert_eq!(names.take_changed(), BTreeSet::new(), "nothing is known of it");
    names.begin();
    assert_eq!(names.add(&host("late")).list().listed, []);
}

#[test]
fn only_names_that_are_followed_have_lists_and_a_backend_has_those_that_it_names() {
    let names = Names::default();
    for (at, name) in (1..).zip(["shop", "stock", "gone"]) {
        names.add(&host(name)).hear(lists(&[at]), SECOND);
    }
    names.keep(|name| *name != host("gone"));
    assert!(names.get(&host("gone")).is_none());
    let of = |lists: Lists| -> BTreeMap<String, Vec<Listed>> {
        lists.into_iter().map(|(name, list)| (name.to_string(), list.listed.clone())).collect()
    };
    let (shop, stock) = (("shop".to_owned(), listed(&[1])), ("stock".to_owned(), listed(&[2])));
    assert_eq!(of(names.lists()), [shop.clone(), stock].into());
    let text = "[backends.b]\nendpoints = ['dns:shop:1', 'dns:shop:2', 'dns:gone:1', 'stock:1']\n";
    let spec = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound").backends.remove(0);
    assert_eq!(of(names.lists_of(&spec)), [shop].into());
}

#[test]
fn changes_are_told_once_to_each_of_two() {
    let names = Names::default();
    assert!(!is_ready(names.changed()) && !is_ready(names.unkept()));
    names.note_changed([host("a")]);
    names.note_changed([host("b"), host("a")]);
    assert!(is_ready(names.changed()) && is_ready(names.unkept()));
    assert!(!is_ready(names.changed()) && !is_ready(names.unkept()));
    assert_eq!(names.take_changed(), [host("a"), host("b")].into());
    assert_eq!(names.take_changed(), BTreeSet::new());
}
