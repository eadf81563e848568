//! What a request passes, in which order, and what it keeps until its reply was sent.

use super::*;
use crate::auth::KnownPeer;
use crate::config::{Source, Tables};
use crate::failure::{Flaw, ShedReason};
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
    let (request, known) = (request(lines), KnownPeer::default());
    let arrival = Arrival {
        worker: 0,
        client: None,
        peer: Peer { certificate: None, user: None, known: &known },
        verified: &Verified::default(),
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
        let (request, known) = (request::<&str>(&[]), KnownPeer::default());
        let client = client.map(Into::into);
        let arrival = Arrival {
            worker: 0,
            client,
            peer: Peer { certificate: None, user: None, known: &known },
            verified: &Verified::default(),
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

/// Two authenticators, and routes of all kinds.
const WHO: &str = "[auth.local]\ntype = 'unix'\nusers = [1001, 1002]\n[auth.all]\ntype = 'unix'\n\
    [[routes]]\nmatch = 'GET /0'\nrespond = {}\nauth = 'local'\n\
    [[routes]]\nmatch = 'GET /1'\nrespond = {}\nauth = ['local', 'anonymous']\n\
    [[routes]]\nmatch = 'GET /2'\nrespond = {}\nauth = 'anonymous'\n\
    [[routes]]\nmatch = 'GET /3'\nrespond = {}\nauth = ['local', 'all']\n\
    [[routes]]\nmatch = 'GET /4'\nrespond = {}\nauth = ['local', 'anonymous']\nrequire = { claims = { uid = [7, 1001] } }\n\
    [[routes]]\nmatch = 'GET /5'\nrespond = {}\nauth = 'local'\nrequire = { scopes = ['a:b', 'c'] }\n\
    [[routes]]\nmatch = 'GET /6'\nrespond = {}\nauth = ['local', 'anonymous']\nrate_limit = { rate = '1/h', by = 'identity' }\n";

fn who() -> Table {
    let tables = Tables::parse(vec![Source::new("t.toml", WHO)]).expect("sound tables");
    Table::next(&Table::empty(), tables, &Default::default(), 1)
}

/// What becomes of a request of that user: who calls, or what is said of the failure and in `WWW-Authenticate`.
fn calls(
    table: &Table,
    route: usize,
    user: Option<u32>,
    passed: &mut Passed,
) -> Result<Option<String>, String> {
    let (request, known) = (request::<&str>(&[]), KnownPeer::default());
    let peer = Peer { certificate: None, user, known: &known };
    let verified = Verified::default();
    let arrival = Arrival {
        worker: 0,
        client: None,
        peer,
        verified: &verified,
        fields: request.fields(),
        now: Instant::now(),
    };
    match table.routes[route].steps.check(&arrival, passed) {
        Ok(()) => Ok(passed
            .identified()
            .map(|who| format!("{}:{}", who.authenticator.spec.name, who.identity.name()))),
        Err(failure) => Err(failure.reason().name().to_owned()),
    }
}

#[test]
fn a_caller_is_who_the_first_authenticator_says_and_a_bad_one_is_refused_where_nothing_would_do() {
    let table = who();
    let says = |route: usize, user| calls(&table, route, user, &mut Passed::default());
    let known = |who: &str| Ok(Some(who.to_owned()));
    let (none, bad) = (Err("no_credentials".to_owned()), Err("bad_credentials".to_owned()));
    assert_eq!(
        [says(0, Some(1001)), says(0, Some(7)), says(0, None)],
        [known("local:1001"), bad.clone(), none.clone()]
    );
    assert_eq!(
        [says(1, Some(1001)), says(1, Some(7)), says(1, None)],
        [known("local:1001"), bad.clone(), Ok(None)]
    );
    assert_eq!([says(2, Some(1001)), says(2, None)], [Ok(None), Ok(None)]);
    assert!(table.routes[2].steps.0.is_none(), "nobody is asked");
    assert_eq!([says(3, Some(1002)), says(3, Some(7))], [known("local:1002"), known("all:7")]);
    assert_eq!([says(3, Some(65534)), says(3, None)], [bad, none.clone()]);
    assert_eq!(
        [says(4, Some(1001)), says(4, None)],
        [known("local:1001"), none],
        "nothing fits what is required"
    );
    assert_eq!(says(4, Some(1002)), Err("insufficient_claims".to_owned()));
    assert_eq!(says(5, Some(1001)), Err("insufficient_scope".to_owned()));
    assert_eq!(
        Steps::shown(&table.routes[4].policy),
        ["auth local, anonymous", "require claim uid 7 or 1001"]
    );
}

#[test]
fn each_caller_has_a_bucket_and_those_who_are_not_known_share_one() {
    let table = who();
    let says = |user| calls(&table, 6, user, &mut Passed::default()).err();
    let limited = Some("rate_limited".to_owned());
    assert_eq!([says(Some(1001)), says(Some(1001)), says(Some(1002))], [None, limited.clone(), None]);
    assert_eq!([says(None), says(None)], [None, limited]);
}

#[test]
fn who_calls_is_asked_again_after_a_new_table_and_counted_once() {
    let table = who();
    let mut passed = Passed::default();
    assert!(calls(&table, 6, Some(1001), &mut passed).is_ok());
    passed.leave();
    assert!(calls(&table, 6, Some(1001), &mut passed).is_ok(), "its token is not taken twice");
    passed.leave();
    assert_eq!(calls(&table, 6, Some(7), &mut passed), Err("bad_credentials".to_owned()));
    assert!(passed.identified().is_none());
}

#[test]
fn an_authenticator_that_says_the_same_is_the_same_in_the_next_table() {
    let first = who();
    let tables = |text: &str| Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
    let second = Table::next(&first, tables(&WHO.replace("[1001, 1002]", "[1001]")), &Default::default(), 1);
    let find = |table: &Table, name: &str| table.authenticators.find(name).expect("it is there").clone();
    assert!(std::sync::Arc::ptr_eq(&find(&first, "all"), &find(&second, "all")));
    assert_ne!(find(&first, "local").id, find(&second, "local").id);
    assert!(std::sync::Arc::ptr_eq(&find(&first, "local").stats, &find(&second, "local").stats));
    assert_eq!(calls(&second, 0, Some(1002), &mut Passed::default()), Err("bad_credentials".to_owned()));
}

/// Two authenticators that ask a method, and one that does not.
const ASKED: &str = "[backends.b]\nendpoints = ['127.0.0.1:1']\n\
    [auth.one]\ntype = 'rpc'\ncall = 's.a'\nbind = { t = { header = 'x-a' } }\n\
    [auth.two]\ntype = 'rpc'\ncall = 's.a'\nbind = { t = { value = 'x' } }\n[auth.user]\ntype = 'unix'\n\
    [[routes]]\nmatch = 'GET /0'\nrespond = {}\nauth = ['two', 'user', 'anonymous']\n\
    [[routes]]\nmatch = 'GET /1'\nrespond = {}\nauth = ['one', 'anonymous']\n\
    [[routes]]\nmatch = 'GET /2'\nrespond = {}\nauth = ['two', 'one', 'user']\n";

#[test]
fn what_somebody_else_knows_is_waited_for_and_counts_for_its_request() {
    let tables = Tables::parse(vec![Source::new("t.toml", ASKED)]).expect("sound tables");
    let table = Table::next(&Table::empty(), tables, &Default::default(), 1);
    let ada = || Ok(std::sync::Arc::new(callgate_auth::Identity::new("ada")));
    let known = |who: &str| Ok(Some(who.to_owned()));
    let failed = |reason: &str| Err(reason.to_owned());
    for (route, user, verdict, expected) in [
        (0, None, ada(), known("two:ada")),
        (0, Some(7), Err(Flaw::Unknown), known("user:7")),
        (0, None, Err(Flaw::Unknown), failed("bad_credentials")),
        (0, None, Err(Flaw::Forbidden), failed("caller_refused")),
        // Nobody is let in for nobody could say who it is.
        (0, None, Err(Flaw::Late), failed("auth_unavailable")),
        (0, Some(65534), Err(Flaw::Forbidden), failed("caller_refused")),
        (0, Some(65534), Err(Flaw::Away), failed("auth_unavailable")),
        (2, Some(7), Err(Flaw::Busy), known("user:7")),
        (2, None, Err(Flaw::BadAnswer), failed("auth_unavailable")),
        (2, None, Err(Flaw::Unavailable), failed("auth_unavailable")),
    ] {
        let mut passed = Passed::default();
        assert_eq!(calls(&table, route, user, &mut passed), Ok(None), "it waits");
        let (authenticator, pending) = passed.take_pending().expect("it waits");
        assert_eq!((&*authenticator.spec.name, pending), ("two", Pending::Question));
        passed.hears(&authenticator, verdict.clone());
        passed.leave();
        assert_eq!(calls(&table, route, user, &mut passed), expected, "{route} {user:?} {verdict:?}");
        assert!(!passed.waits() && passed.has_waited());
    }
    let mut passed = Passed::default();
    assert_eq!(calls(&table, 1, None, &mut passed), Ok(None));
    assert!(!passed.waits(), "it shows nothing that could be asked about");
}
