//! What a client can make large before its body is read, and what it is told, at one size and at twice that.

use super::metadata;
use super::problem;
use crate::failure::Failure;
use crate::routes::query_pairs;
use callgate_scaling::{cost, grow_like_their_input};
use callgate_transcode::{Violation, ViolationKind};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

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
            let mut headers = HeaderMap::new();
            for _ in 0..n {
                headers.append("x-list", HeaderValue::from_static("an item"));
            }
            cost(|| metadata::of(&["x-list".into()], &headers, &HeaderValue::from_static("r1")).is_ok())
        }),
        ("headers that go along", 128, |n| {
            let name = |at: usize| format!("x-header-{at:04}");
            let header =
                |at| HeaderName::try_from(name(at)).map(|name| (name, HeaderValue::from_static("value")));
            let headers: HeaderMap = (0..n).filter_map(|at| header(at).ok()).collect();
            let names: Vec<Box<str>> = (0..n).map(|at| name(at).into_boxed_str()).collect();
            cost(|| metadata::of(&names, &headers, &HeaderValue::from_static("r1")).is_ok())
        }),
    ]);
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
            cost(move || problem::response(&Failure::Invalid(all), "r1"))
        }),
        ("a path without a route", 8192, |n| {
            let path = "/\"".repeat(n);
            cost(move || problem::response(&Failure::NoRoute(path), "r1"))
        }),
    ]);
}
