//! What a client can make large before its body is read, and what it is told, at one size and at twice that.

use super::deadline::{Clocks, deadline};
use super::metadata::{self, Origin};
use super::problem;
use super::request_id::RequestId;
use crate::clients::{AddressText, ForwardedHeader, Networks};
use crate::config::ErrorTypes;
use crate::failure::Failure;
use crate::fields::{self, FORWARDED, FieldName, X_FORWARDED_FOR, request};
use crate::routes::query_pairs;
use crate::worker::RequestIds;
use callgate_scaling::{cost, grow_like_their_input};
use callgate_transcode::{Violation, ViolationKind};
use std::time::Duration;
use tokio::time::Instant;

const NOBODY: Origin<'_> = Origin { id: b"r1", client: None, named_by: None, trace: None };

#[test]
fn queries_and_headers_cost_what_they_say() {
    grow_like_their_input(&[
        ("pairs of a query", 512, |n| {
            let query = (0..n).map(|at| format!("name{at}=value&")).collect::<String>();
            cost(|| query_pairs(&query).map(|pairs| pairs.len()))
        }),
        ("percents of a query", 4096, |n| {
            let query = format!("{}={}", "%41".repeat(n), "+%2B".repeat(n));
            cost(|| query_pairs(&query).map(|pairs| pairs.len()))
        }),
        ("lines of a header that goes along", 256, |n| {
            let request = request(&vec![("x-list", "an item"); n]);
            cost(|| metadata::of(&["x-list".into()], request.fields(), &NOBODY).is_ok())
        }),
        ("headers that go along", 128, |n| {
            let names: Vec<String> = (0..n).map(|at| format!("x-header-{at:04}")).collect();
            let lines: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "value")).collect();
            let request = request(&lines);
            let names: Vec<FieldName> = names.iter().map(|name| name.as_str().into()).collect();
            cost(|| metadata::of(&names, request.fields(), &NOBODY).is_ok())
        }),
    ]);
}

#[test]
fn reading_a_field_allocates_nothing() {
    let request = request(&[
        ("X-Request-Id", "abc-1"),
        ("Grpc-Timeout", "5S"),
        ("X-Tenant", "blue"),
        ("Cookie", "a=1"),
        ("Cookie", "b=2"),
        ("X-Forwarded-For", "192.0.2.1, 10.0.0.1"),
        ("Forwarded", "for=\"[2001:db8::1]:5\", for=10.0.0.1;by=\"a, b\""),
    ]);
    let (fields, now, ids) = (request.fields(), Instant::now(), RequestIds::new());
    let clocks = Clocks { began: now, came: now, now };
    let [tenant, cookie] = ["x-tenant", "cookie"].map(FieldName::from);
    let trusted = Networks::new(vec!["10.0.0.0/8".parse().expect("a network")]);
    let client = |header: ForwardedHeader, name: &FieldName| {
        cost(|| header.client(fields::each(fields, name), None, &trusted).map(AddressText::of).is_some())
    };
    for (what, cost) in [
        ("a client by X-Forwarded-For", client(ForwardedHeader::XForwardedFor, &X_FORWARDED_FOR)),
        ("a client by Forwarded", client(ForwardedHeader::Forwarded, &FORWARDED)),
        ("an id that is taken", cost(|| RequestId::take_or_make(&ids, fields))),
        ("a deadline", cost(|| deadline(fields, clocks, Duration::from_secs(9)).is_ok())),
        ("a field that a table names", cost(|| fields::line(fields, &tenant).is_ok())),
        ("a list", cost(|| fields::members(fields, &cookie).count())),
    ] {
        assert_eq!(cost.allocations, 0, "{what}");
    }
}

#[test]
fn what_a_client_is_told_costs_what_is_said() {
    grow_like_their_input(&[
        ("violations", 32, |n| {
            let violation = |at| Violation {
                kind: ViolationKind::UnknownField,
                pointer: format!("/items/{at}"),
                detail: "is \"wrong\"".repeat(50),
                line: Some(1),
                column: Some(at),
            };
            let all: Vec<Violation> = (0..n as u32).map(violation).collect();
            cost(move || problem::reply(&Failure::Invalid(all), &ErrorTypes::default(), "r1"))
        }),
        ("a path without a route", 8192, |n| {
            let path = "/\"".repeat(n);
            cost(move || problem::reply(&Failure::NoRoute(path), &ErrorTypes::default(), "r1"))
        }),
    ]);
}
