//! What endpoints and lists come to as members, and what stays the same object.

use super::*;
use crate::backends::Backend;
use crate::config::{DiscoveryName, HashBy, HashSpec, Source, Tables};
use crate::discovery::List;
use crate::telemetry::Standing;

const ENDPOINTS: &str =
    r#"{ address = "dns:shop:7101", drain = true }, "127.0.0.2:7101", "dns:more:7101", "dns:shop:7102""#;

fn spec(endpoints: &str) -> BackendSpec {
    let text = format!("[backends.shop]\nendpoints = [{endpoints}]\n");
    Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables").backends.remove(0)
}

fn list(addresses: &[&str]) -> List {
    let ips = addresses.iter().map(|text| text.parse::<std::net::IpAddr>().expect("an address"));
    List::of(ips.map(Listed::from).collect())
}

fn lists(all: &[(&str, &[&str])]) -> Lists {
    let one = |(host, addresses): &(&str, &[&str])| {
        (DiscoveryName::Host((*host).to_owned()), Arc::new(list(addresses)))
    };
    all.iter().map(one).collect()
}

/// The members, with whether they drain.
fn shown(backend: &Backend) -> Vec<(String, bool)> {
    backend.members().iter().map(|one| (one.endpoint.addr.to_string(), one.drains())).collect()
}

fn addresses(backend: &Backend) -> Vec<String> {
    shown(backend).into_iter().map(|(addr, _)| addr).collect()
}

#[test]
fn a_name_stands_for_all_that_it_lists_which_inherits_what_is_said_of_it() {
    let answers = lists(&[("shop", &["127.0.0.1", "127.0.0.2", "::1"]), ("more", &["127.0.0.1"])]);
    let expected = [
        ("127.0.0.1:7101", true),
        ("[::1]:7101", true),
        ("127.0.0.2:7101", false),
        ("127.0.0.1:7102", false),
        ("127.0.0.2:7102", false),
        ("[::1]:7102", false),
    ];
    let backend = Backend::new(spec(ENDPOINTS), &answers, None, 1);
    assert_eq!(shown(&backend), expected.map(|(addr, drains)| (addr.to_owned(), drains)));
    let none = Backend::new(spec(ENDPOINTS), &Lists::default(), None, 1);
    assert_eq!(addresses(&none), ["127.0.0.2:7101"], "a name without an answer stands for none");
}

#[test]
fn the_records_of_a_service_say_port_weight_and_priority_of_its_instances() {
    let at = |last: u8, port, weight, priority| Listed {
        port: Some(port),
        weight: Some(weight),
        priority,
        ..std::net::IpAddr::from([10, 0, 0, last]).into()
    };
    let of = |listed: &[Listed]| {
        Lists::from([(DiscoveryName::Service("_shop._tcp".to_owned()), Arc::new(List::of(listed.to_vec())))])
    };
    let endpoints = r#"{ address = "srv:_shop._tcp", zone = "z" }, { address = "10.0.0.2:2", weight = 9 }"#;
    let lists = of(&[at(1, 1, 5, 0), at(1, 2, 7, 1), at(2, 2, 5, 0)]);
    let backend = Backend::new(spec(endpoints), &lists, None, 1);
    let shown = |backend: &Backend| -> Vec<(String, u32, u16, Option<String>)> {
        let members = backend.members();
        let one = |one: &Member| {
            (one.endpoint.addr.to_string(), one.weight, one.priority, one.zone.as_deref().map(str::to_owned))
        };
        members.iter().map(one).collect()
    };
    let z = || Some("z".to_owned());
    let expected = [
        ("10.0.0.1:1".to_owned(), 5, 0, z()),
        ("10.0.0.1:2".to_owned(), 7, 1, z()),
        ("10.0.0.2:2".to_owned(), 9, 0, None),
    ];
    assert_eq!(shown(&backend), expected);
    let endpoint = backend.endpoints().remove(0);
    assert!(backend.follow(&of(&[at(1, 1, 6, 2), at(1, 2, 7, 1)]), 1), "another weight, another priority");
    assert_eq!(shown(&backend)[0], ("10.0.0.1:1".to_owned(), 6, 2, z()));
    assert!(Arc::ptr_eq(&endpoint, &backend.endpoints()[0]));
}

#[test]
fn where_a_list_changes_all_other_members_are_the_same_objects() {
    let first = lists(&[("more", &["10.0.0.1", "10.0.0.2"])]);
    let backend = Backend::new(spec(ENDPOINTS), &first, None, 1);
    let (id, before) = (backend.id, backend.members_now());
    before.all[2].endpoint.drained_by_admin.store(true, Relaxed);
    assert!(backend.follow(&lists(&[("more", &["10.0.0.2", "10.0.0.3"])]), 1));
    let after = backend.members_now();
    assert_eq!((backend.id, after.generation), (id, before.generation + 1));
    let texts = ["127.0.0.2:7101", "10.0.0.2:7101", "10.0.0.3:7101"];
    assert_eq!(shown(&backend), texts.map(|text| (text.to_owned(), text == "10.0.0.2:7101")));
    assert!(Arc::ptr_eq(&before.all[0].endpoint, &after.all[0].endpoint));
    assert!(Arc::ptr_eq(&before.all[2].endpoint, &after.all[1].endpoint), "with its connections");
    assert!(backend.follow(&first, 1));
    assert!(!Arc::ptr_eq(&before.all[1].endpoint, &backend.members().all[1].endpoint), "it has come anew");
}

#[test]
fn lists_that_change_no_member_change_nothing() {
    let answers = lists(&[("more", &["127.0.0.2"]), ("unlisted", &["10.0.0.1"])]);
    let backend = Backend::new(spec(ENDPOINTS), &Lists::default(), None, 1);
    let before = backend.members_now();
    assert!(!backend.follow(&answers, 1), "the address is listed by itself");
    assert!(Arc::ptr_eq(&before, &backend.members_now()));
}

#[test]
fn what_vanishes_with_most_others_stays_until_that_is_confirmed_if_its_connections_answer() {
    let before = list(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    let of = |list: &List| Lists::from([(DiscoveryName::Host("more".to_owned()), Arc::new(list.clone()))]);
    let backend = Backend::new(spec(ENDPOINTS), &of(&before), None, 1);
    let members = backend.members_now();
    let connect = |place: usize| members.all[place].endpoint.stats.0.of(0);
    connect(1).connections.increment();
    connect(2).connections.increment();
    connect(2).health.stands(Standing::Silent);
    let after = before.next(list(&["10.0.0.9"]).listed);
    assert!(backend.follow(&of(&after), 1));
    assert_eq!(addresses(&backend), ["127.0.0.2:7101", "10.0.0.9:7101", "10.0.0.1:7101"]);
    assert!(Arc::ptr_eq(&members.all[1].endpoint, &backend.members().all[2].endpoint));
    let confirmed = after.next(list(&["10.0.0.9"]).listed);
    assert!(backend.follow(&of(&confirmed), 1));
    assert_eq!(addresses(&backend), ["127.0.0.2:7101", "10.0.0.9:7101"]);
}

#[test]
fn what_a_table_no_longer_lists_is_gone_at_once() {
    let before = Backend::new(spec("'10.0.0.1:1', '10.0.0.2:1'"), &Lists::default(), None, 1);
    for endpoint in before.endpoints() {
        endpoint.stats.0.of(0).connections.increment();
    }
    let after = Backend::new(spec("'10.0.0.3:1'"), &Lists::default(), Some(&before), 1);
    assert_eq!(addresses(&after), ["10.0.0.3:1"]);
}

#[test]
fn a_ring_is_there_where_calls_are_spread_by_keys_and_stays_while_the_members_do() {
    let hash = BackendSpec { balance: by_client(), ..spec(ENDPOINTS) };
    let backend = Backend::new(hash.clone(), &Lists::default(), None, 1);
    let ring = backend.members().ring.clone().expect("a ring");
    let again = Backend::new(BackendSpec { retry_budget: 7, ..hash }, &Lists::default(), Some(&backend), 1);
    assert!(again.members().ring.as_ref().is_some_and(|other| Arc::ptr_eq(&ring, other)));
    assert!(Backend::new(spec(ENDPOINTS), &Lists::default(), None, 1).members().ring.is_none());
}

fn by_client() -> Balance {
    Balance::Hash(HashSpec { by: HashBy::Client, load_factor: None })
}

#[test]
fn an_endpoint_that_is_connected_to_otherwise_keeps_its_drain_and_its_calls_in_flight() {
    let before = Backend::new(spec(r#""10.0.0.1:7101""#), &Lists::default(), None, 1);
    let old = before.endpoints().remove(0);
    old.drained_by_admin.store(true, Relaxed);
    assert!(old.in_flight.take(7));
    let changed = BackendSpec { max_age: std::time::Duration::from_secs(77), ..before.spec.clone() };
    assert!(!before.spec.connects_like(&changed));
    let after = Backend::new(changed, &Lists::default(), Some(&before), 1);
    let new = after.endpoints().remove(0);
    assert!(!Arc::ptr_eq(&old, &new));
    assert!(new.drained_by_admin.load(Relaxed));
    assert_eq!(new.in_flight.get(), 1);
    old.in_flight.give_back();
    assert_eq!(new.in_flight.get(), 0, "it is one count");
}
