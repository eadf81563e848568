//! What a request passes, in which order, and what it keeps until its reply was sent.

use super::*;
use crate::config::{Source, Tables};
use crate::failure::ShedReason;
use crate::fields::request;
use crate::routes::Table;

/// A table with a route for each of those texts, which calls nothing; its paths are `/0`, `/1` and so on.
fn table(routes: &[&str]) -> Table {
    after(&Table::empty(), routes)
}

/// The same after another one.
fn after(before: &Table, routes: &[&str]) -> Table {
    let route = |(at, keys): (usize, &&str)| {
        format!("[[routes]]\nmatch = 'GET /{at}'\nrespond = {{}}\n{}\n", keys.replace("; ", "\n"))
    };
    let text: String = routes.iter().enumerate().map(route).collect();
    let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
    Table::next(before, tables, &Default::default(), 1)
}

/// The lines of a request.
type Lines<'l> = &'l [(&'l str, &'l str)];

fn check(table: &Table, route: usize, lines: Lines<'_>, passed: &mut Passed) -> Result<(), Failure> {
    let request = request(lines);
    let arrival = Arrival {
        worker: 0,
        client: None,
        has_certificate: false,
        fields: request.fields(),
        now: Instant::now(),
    };
    table.routes[route].steps.check(&arrival, passed)
}

fn open(table: &Table, route: usize) -> Option<usize> {
    table.routes[route].steps.in_flight().map(InFlight::now)
}

#[test]
fn a_routes_steps_are_shown_in_the_order_in_which_requests_meet_them() {
    let table = table(&["", "max_in_flight = 3; rate_limit = [{ rate = '1/s' }, { rate = '5/m' }]"]);
    let shown = |route: usize| Steps::shown(&table.routes[route].policy);
    assert_eq!(shown(0), [""; 0]);
    assert_eq!(shown(1), ["rate_limit route:1/s, route:5/m", "max_in_flight 3"]);
    assert!(table.routes[0].steps.0.is_none(), "who has none keeps nothing");
}

#[test]
fn a_client_passes_all_lists_before_anything_is_counted() {
    let text = "clients = { allow = ['192.0.2.0/24'] }\n\
                [[routes]]\nmatch = 'GET /0'\nrespond = {}\n\
                [[routes]]\nmatch = 'GET /1'\nrespond = {}\nclients = { deny = ['192.0.2.8/29'] }\nrate_limit = { rate = '1/h' }\n";
    let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
    let table = Table::next(&Table::empty(), tables, &Default::default(), 1);
    let shown = |route: usize| Steps::shown(&table.routes[route].policy);
    assert_eq!(shown(0), ["clients allow 192.0.2.0/24"]);
    assert_eq!(shown(1), ["clients allow 192.0.2.0/24, clients deny 192.0.2.8/29", "rate_limit route:1/h"]);
    let passes = |route: usize, client: Option<[u8; 4]>| {
        let request = request::<&str>(&[]);
        let client = client.map(Into::into);
        let arrival = Arrival {
            worker: 0,
            client,
            has_certificate: false,
            fields: request.fields(),
            now: Instant::now(),
        };
        match table.routes[route].steps.check(&arrival, &mut Passed::default()) {
            Ok(()) => true,
            Err(Failure::ClientNotAllowed) => false,
            Err(other) => panic!("{other:?}"),
        }
    };
    assert!(passes(0, Some([192, 0, 2, 9])) && !passes(0, Some([192, 0, 3, 9])) && !passes(0, None));
    assert!(!passes(1, Some([192, 0, 2, 9])) && !passes(1, Some([192, 0, 3, 1])) && !passes(1, None));
    assert!(passes(1, Some([192, 0, 2, 1])), "those who were turned away have taken no token");
}

#[test]
fn who_is_turned_away_by_one_step_does_not_meet_the_next() {
    let table = table(&["max_in_flight = 1; rate_limit = { rate = '1/h', burst = 1 }"]);
    let (mut first, mut second) = (Passed::default(), Passed::default());
    check(&table, 0, &[], &mut first).expect("a token and a place");
    let refused = check(&table, 0, &[], &mut second);
    assert!(matches!(refused, Err(Failure::RateLimited { policy, .. }) if policy == "route:1/h"));
    assert_eq!(open(&table, 0), Some(1));
}

#[test]
fn a_request_keeps_its_places_until_it_ends_and_those_beyond_the_bound_are_shed() {
    let table = table(&["max_in_flight = 1", "max_in_flight = 2"]);
    let mut first = Passed::default();
    // As a request does that a rewrite sends to another route.
    check(&table, 0, &[], &mut first).expect("a place");
    check(&table, 1, &[], &mut first).expect("a place");
    let shed = check(&table, 0, &[], &mut Passed::default());
    assert!(matches!(shed, Err(Failure::Shed(ShedReason::Route))));
    assert_eq!((open(&table, 0), open(&table, 1)), (Some(1), Some(1)));
    drop(first);
    assert_eq!((open(&table, 0), open(&table, 1)), (Some(0), Some(0)));
}

#[test]
fn a_request_that_is_looked_up_again_takes_its_place_anew_and_no_second_token() {
    let table = table(&["max_in_flight = 1; rate_limit = { rate = '1/h', burst = 1 }"]);
    let mut passed = Passed::default();
    check(&table, 0, &[], &mut passed).expect("a token and a place");
    passed.leave();
    assert_eq!(open(&table, 0), Some(0));
    check(&table, 0, &[], &mut passed).expect("its place");
    assert_eq!(open(&table, 0), Some(1));
}

#[test]
fn a_reply_tells_of_the_limits_of_all_routes_that_its_request_has_met() {
    let table = table(&[
        "rate_limit = { rate = '2/h', burst = 2 }",
        "",
        "rate_limit = { rate = '1/h', burst = 1, by = 'header:x-a' }",
    ]);
    let mut passed = Passed::default();
    for route in 0..3 {
        check(&table, route, &[], &mut passed).expect("a token");
    }
    let told = "\"route:2/h\";r=1;t=1800, \"header:x-a:1/h\";r=0;t=3600";
    assert_eq!(passed.reply_fields().collect::<Vec<_>>(), [("ratelimit", told)]);
    let failed = check(&table, 2, &[("x-a", "1"), ("x-a", "2")], &mut Passed::default());
    assert!(matches!(failed, Err(Failure::RepeatedHeader(name)) if name == "x-a"));
}

#[test]
fn what_a_route_has_counted_goes_on_in_the_next_table() {
    let before = table(&["max_in_flight = 1; rate_limit = { rate = '1/h', burst = 1 }"]);
    let mut first = Passed::default();
    check(&before, 0, &[], &mut first).expect("a token and a place");
    let next = after(&before, &["max_in_flight = 2; rate_limit = { rate = '1/h', burst = 1 }"]);
    assert_eq!(open(&next, 0), Some(1));
    let refused = check(&next, 0, &[], &mut Passed::default());
    assert!(matches!(refused, Err(Failure::RateLimited { .. })), "its token is spent");
    let without = after(&next, &["max_in_flight = 2"]);
    let mut second = Passed::default();
    check(&without, 0, &[], &mut second).expect("a place");
    let shed = check(&without, 0, &[], &mut Passed::default());
    assert!(matches!(shed, Err(Failure::Shed(ShedReason::Route))));
    drop((first, second));
    assert_eq!(open(&without, 0), Some(0));
}
