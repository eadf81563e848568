//! The transcoder in both directions, on a small and on a large quote, against the way that it replaces: serde_json into
//! a struct, and bincode out of it.
//!
//!     cargo bench -p callgate-transcode

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark may fail so")]

use callgate_protocol::schema::{Definition, Field, MethodSchema, StructDef, Type};
use callgate_transcode::{RequestBinding, RequestInput, RequestProgram, ResponseBinding, ResponseProgram};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::hint::black_box;

const ORDER_ID: &str = "0197f3c2-5d8e-7b60-9a41-c3f2e8d51b07";

/// Items of a quote, and what to call it: about 270 bytes, and about 60 KB.
const SIZES: [(&str, usize); 2] = [("small", 5), ("large", 1290)];

#[derive(Serialize, Deserialize)]
struct Order {
    customer: String,
    express: bool,
    items: Vec<Item>,
    note: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    sku: String,
    qty: u32,
    unit_price: f64,
}

#[derive(Serialize, Deserialize)]
struct Quote {
    order_id: String,
    total: f64,
    lines: Vec<Line>,
    express: bool,
}

#[derive(Serialize, Deserialize)]
struct Line {
    sku: String,
    qty: u32,
    amount: f64,
}

/// `orders.quote` of examples/shop.
fn schema() -> MethodSchema {
    let list = |index| Type::List(Box::new(Type::Ref(index)));
    let request = [
        ("order_id", Type::String),
        ("customer", Type::String),
        ("express", Type::Bool),
        ("items", list(1)),
        ("note", Type::Option(Box::new(Type::String))),
    ];
    let quote =
        [("order_id", Type::String), ("total", Type::F64), ("lines", list(3)), ("express", Type::Bool)];
    let definitions = vec![
        structure("Request", request),
        structure("Item", [("sku", Type::String), ("qty", Type::U32), ("unit_price", Type::F64)]),
        structure("Quote", quote),
        structure("Line", [("sku", Type::String), ("qty", Type::U32), ("amount", Type::F64)]),
    ];
    MethodSchema::new(Type::Ref(0), Type::Ref(2), definitions)
}

fn structure<const N: usize>(name: &str, fields: [(&str, Type); N]) -> Definition {
    let field = |(name, ty): (&str, Type)| Field::new(name, ty);
    let fields = fields.into_iter().map(field).collect();
    Definition::Struct(StructDef::new(name, fields))
}

/// Prices that make sums as floating point makes them.
fn price(number: usize) -> f64 {
    [4.5, 19.99, 4.35, 120.0, 0.25][number % 5]
}

fn order(items: usize) -> String {
    let item = |number: usize| {
        let (sku, qty, price) = (10_001 + number, 1 + number % 9, price(number));
        format!(r#"{{"sku":"SKU-{sku}","qty":{qty},"unit_price":{price:?}}}"#)
    };
    let items: Vec<String> = (0..items).map(item).collect();
    format!(r#"{{"customer":"ada","express":false,"items":[{}]}}"#, items.join(","))
}

fn quote(items: usize) -> Quote {
    let line = |number: usize| {
        let qty = 1 + number as u32 % 9;
        Line { sku: format!("SKU-{}", 10_001 + number), qty, amount: f64::from(qty) * price(number) }
    };
    let lines: Vec<Line> = (0..items).map(line).collect();
    let total = lines.iter().map(|line| line.amount).sum();
    Quote { order_id: ORDER_ID.to_owned(), total, lines, express: false }
}

/// What is measured writes into a buffer that is there, as into a connection's.
fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: String, mut write: impl FnMut(&mut Vec<u8>)) {
    let mut out = Vec::with_capacity(128 * 1024);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            out.clear();
            write(&mut out);
            black_box(out.len())
        });
    });
}

fn requests(criterion: &mut Criterion) {
    let binding = RequestBinding { path: vec!["order_id".to_owned()], ..RequestBinding::default() };
    let program = RequestProgram::compile(&schema(), &binding).unwrap();
    let path = [Cow::Borrowed(ORDER_ID)];
    let mut group = criterion.benchmark_group("request");
    for (size, items) in SIZES {
        let body = order(items);
        let ours = |out: &mut Vec<u8>| {
            let input = RequestInput {
                path: &path,
                query: &[],
                bound: &[],
                body: black_box(body.as_bytes()),
                form: &[],
            };
            program.encode(&input, out).unwrap();
        };
        let theirs = |out: &mut Vec<u8>| {
            let order: Order = serde_json::from_slice(black_box(body.as_bytes())).unwrap();
            let message = (ORDER_ID, &order.customer, order.express, &order.items, &order.note);
            bincode::serde::encode_into_std_write(message, out, bincode::config::standard()).unwrap();
        };
        assert_same(ours, theirs);
        group.throughput(Throughput::Bytes(body.len() as u64));
        measure(&mut group, format!("{size}/program"), ours);
        measure(&mut group, format!("{size}/serde_json, struct, bincode"), theirs);
    }
    group.finish();
}

fn responses(criterion: &mut Criterion) {
    let program = ResponseProgram::compile(&schema(), &ResponseBinding::default()).unwrap();
    let mut group = criterion.benchmark_group("response");
    for (size, items) in SIZES {
        let message = bincode::serde::encode_to_vec(quote(items), bincode::config::standard()).unwrap();
        let ours = |out: &mut Vec<u8>| program.decode(black_box(&message), out).unwrap();
        let theirs = |out: &mut Vec<u8>| {
            let config = bincode::config::standard();
            let (quote, _): (Quote, _) =
                bincode::serde::decode_from_slice(black_box(&message), config).unwrap();
            serde_json::to_writer(out, &quote).unwrap();
        };
        let json = assert_same(ours, theirs);
        group.throughput(Throughput::Bytes(json as u64));
        measure(&mut group, format!("{size}/program"), ours);
        measure(&mut group, format!("{size}/bincode, struct, serde_json"), theirs);
    }
    group.finish();
}

/// The comparison says something only if both do the same; returns how many bytes both write.
fn assert_same(ours: impl Fn(&mut Vec<u8>), theirs: impl Fn(&mut Vec<u8>)) -> usize {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    ours(&mut first);
    theirs(&mut second);
    assert_eq!(first, second);
    first.len()
}

criterion_group!(benches, requests, responses);
criterion_main!(benches);
