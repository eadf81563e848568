//! What constraints, sets, presence and logical types cost at one size and at twice that: in requests that break none, in
//! requests that break all, in results, and when a schema is compiled.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Attributes, Field, Logical, MethodSchema, Span, Type};
use callgate_protocol::wire::{put_bytes, put_varint};
use callgate_scaling::{Cost, cost, grow_like_their_input};
use callgate_transcode::{
    Body, Layout, RequestBinding, RequestInput, RequestProgram, ResponseBinding, ResponseProgram,
};
use std::borrow::Cow;
use support::{binding, field, list, method, method_of, presence, ruled, set, structure, text};

fn request(
    schema: &MethodSchema,
    binding: &RequestBinding,
    query: &[(&str, String)],
    body: &str,
    taken: bool,
) -> Cost {
    let program = RequestProgram::compile(schema, binding).unwrap();
    let query: Vec<_> = query.iter().map(|(name, value)| (Cow::from(*name), Cow::from(value))).collect();
    let input = RequestInput { path: &[], query: &query, bound: &[], body: body.as_bytes(), form: &[] };
    // The first search of a program makes what it keeps.
    let _ = program.encode(&input, &mut Vec::new());
    cost(|| {
        let mut out = Vec::new();
        let result = program.encode(&input, &mut out);
        assert_eq!(result.is_ok(), taken, "{result:?}");
        (result, out)
    })
}

fn body(schema: &MethodSchema, body: &str, taken: bool) -> Cost {
    request(schema, &RequestBinding::default(), &[], body, taken)
}

fn asks() -> Attributes {
    Attributes::new()
}

/// So many fields that each have constraints, and a pattern of their own.
fn strict(n: usize) -> MethodSchema {
    let strict = |at: usize| {
        let attributes = asks().with_length(Span { min: 2, max: Some(9) }).with_pattern(&format!("^k{at}$"));
        ruled(&format!("f{at:06}"), Type::String, attributes)
    };
    method(vec![structure((0..n).map(strict).collect())])
}

fn object(n: usize, member: impl Fn(usize) -> String) -> String {
    format!("{{{}}}", (0..n).map(member).collect::<Vec<_>>().join(","))
}

fn array(n: usize, item: impl Fn(usize) -> String) -> String {
    format!("[{}]", (0..n).map(item).collect::<Vec<_>>().join(","))
}

fn of_v(json: &str) -> String {
    format!("{{\"v\":{json}}}")
}

fn one(ty: Type, attributes: Attributes) -> MethodSchema {
    method(vec![structure(vec![ruled("v", ty, attributes)])])
}

#[test]
fn constraints_cost_what_the_request_does() {
    grow_like_their_input(&[
        ("fields with constraints", 128, |n| {
            body(&strict(n), &object(n, |at| format!("\"f{at:06}\":\"k{at}\"")), true)
        }),
        ("fields with constraints that are broken", 32, |n| {
            body(&strict(n), &object(n, |at| format!("\"f{at:06}\":\"x{at}\"")), false)
        }),
        ("a long text against a pattern", 64 * 1024, |n| {
            let schema = one(Type::String, asks().with_pattern(r"^(\w+[ ,]?)*$"));
            body(&schema, &of_v(&format!("\"{}\"", "some words, ".repeat(n / 12))), false)
        }),
        ("a long text against a pattern of many states", 16 * 1024, |n| {
            // No automaton of few states finds what is 200 characters before the end.
            let schema = one(Type::String, asks().with_pattern("[01]*1[01]{200}x"));
            let digits = (0..n).map(|at| if at.count_ones() % 3 == 0 { '1' } else { '0' });
            body(&schema, &of_v(&format!("\"{}\"", digits.collect::<String>())), false)
        }),
        ("many texts against one pattern", 512, |n| {
            let item = structure(vec![ruled("a", Type::String, asks().with_pattern("^[a-z]+$"))]);
            let schema = method(vec![structure(vec![field("v", list(Type::Ref(1)))]), item]);
            body(&schema, &of_v(&array(n, |_| "{\"a\":\"abc\"}".to_owned())), true)
        }),
        ("the length of a text", 64 * 1024, |n| {
            let schema = one(Type::String, asks().with_length(Span { min: 0, max: Some(10) }));
            body(&schema, &of_v(&format!("\"{}\"", "é".repeat(n))), false)
        }),
        ("digits of a decimal", 16 * 1024, |n| {
            body(&method_of(text(Logical::DECIMAL)), &of_v(&format!("0.{}", "1".repeat(n))), false)
        }),
        ("digits of a decimal in a string", 16 * 1024, |n| {
            body(&method_of(text(Logical::DECIMAL)), &of_v(&format!("\"{}\"", "1".repeat(n))), false)
        }),
        ("an exponent", 4096, |n| {
            body(&method_of(text(Logical::DECIMAL)), &of_v(&format!("1e{}", "9".repeat(n))), false)
        }),
        ("a URL", 16 * 1024, |n| {
            body(&method_of(text(Logical::URL)), &of_v(&format!("\"a:{}\"", "b".repeat(n))), true)
        }),
    ]);
}

#[test]
fn sets_cost_what_the_request_does() {
    grow_like_their_input(&[
        ("items of a set", 1024, |n| {
            body(&method_of(set(Type::U32)), &of_v(&array(n, |at| at.to_string())), true)
        }),
        ("items of a set that begin alike", 512, |n| {
            let long = "x".repeat(100);
            body(&method_of(set(Type::String)), &of_v(&array(n, |at| format!("\"{long}{at:06}\""))), true)
        }),
        ("items of a set that are all the same", 4096, |n| {
            body(&method_of(set(Type::U32)), &of_v(&array(n, |_| "1".to_owned())), false)
        }),
        ("sets of sets", 256, |n| {
            body(&method_of(set(set(Type::U32))), &of_v(&array(n, |at| format!("[{at},{}]", at + 1))), true)
        }),
        ("query pairs for a set", 512, |n| {
            let query: Vec<_> = (0..n).map(|at| ("v", at.to_string())).collect();
            request(&method_of(set(Type::U32)), &binding(&[], Body::None), &query, "", true)
        }),
    ]);
}

/// A body of a megabyte that names one item again and again takes no more than the body and its list would.
#[test]
fn a_set_whose_items_are_the_same_keeps_few_of_them() {
    let items = of_v(&array(500_000, |_| "1".to_owned()));
    let of_list = body(&method_of(list(Type::U8)), &items, true);
    let of_set = body(&method_of(set(Type::U8)), &items, false);
    assert!(of_set.peak < of_list.peak + 64 * 1024, "{of_set}, a list: {of_list}");
}

#[test]
fn results_cost_what_they_say() {
    fn shown(schema: &MethodSchema, message: &[u8]) -> Cost {
        let program = ResponseProgram::compile(schema, &ResponseBinding::default()).unwrap();
        cost(|| {
            let mut out = Vec::new();
            program.decode(message, &mut out).unwrap();
            out
        })
    }
    fn sparse(n: usize) -> MethodSchema {
        method(vec![structure((0..n).map(|at| field(&format!("f{at:06}"), presence(Type::U8))).collect())])
    }
    grow_like_their_input(&[
        ("fields that are absent", 4096, |n| shown(&sparse(n), &vec![0; n])),
        ("every second field absent", 512, |n| {
            shown(
                &sparse(n),
                &(0..n).flat_map(|at| if at % 2 == 0 { vec![0] } else { vec![2, 7] }).collect::<Vec<_>>(),
            )
        }),
        ("dates", 512, |n| {
            let mut message = Vec::new();
            put_varint(&mut message, n as u64);
            (0..n).for_each(|_| put_bytes(&mut message, b"2026-01-31"));
            shown(&method_of(list(text(Logical::DATE))), &message)
        }),
        ("a URL", 16 * 1024, |n| {
            let mut message = Vec::new();
            put_bytes(&mut message, format!("a:{}", "\"".repeat(n)).as_bytes());
            shown(&method_of(text(Logical::URL)), &message)
        }),
    ]);
}

#[test]
fn compiling_costs_what_the_schema_does() {
    grow_like_their_input(&[
        ("patterns", 64, |n| {
            let schema = strict(n);
            cost(|| Layout::new(&schema).unwrap())
        }),
        ("fields with one pattern", 512, |n| {
            let fields: Vec<Field> = (0..n)
                .map(|at| ruled(&format!("f{at:06}"), Type::String, asks().with_pattern(r"^\w+$")))
                .collect();
            let schema = method(vec![structure(fields)]);
            cost(|| Layout::new(&schema).unwrap())
        }),
        ("a route's program for patterns", 64, |n| {
            let layout = std::sync::Arc::new(Layout::new(&strict(n)).unwrap());
            cost(|| RequestProgram::bind(layout, &RequestBinding::default()).unwrap())
        }),
    ]);
}

/// All the patterns that a schema may have room for, each of which becomes as large as it may.
#[test]
fn no_patterns_of_a_schema_take_more_than_64_mib() {
    for pattern in [r"(?i)\w\w\pL{2}", r"\w{1,9}", "a{1000}", r"(?i)[\w--\d]", ".{0,255}", r"\pL\pN\pP\pS"] {
        let repeated = pattern.repeat(1000 / pattern.len());
        for pattern in [pattern, &repeated] {
            let count = 60_000 / (pattern.len() + 12);
            let field = |at: usize| {
                let pattern = format!("{pattern}{at}");
                ruled(&format!("f{at}"), Type::String, asks().with_pattern(&pattern))
            };
            let schema = method(vec![structure((0..count).map(field).collect())]);
            let cost = cost(|| Layout::new(&schema));
            assert!(cost.peak < 64 << 20, "{pattern} {count} times: {cost}");
        }
    }
}
