//! What compiling a conversion costs, and what running one does, at one size and at twice that.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Definition, Field, MethodSchema, Shape, Type};
use callgate_protocol::wire::put_varint;
use callgate_scaling::{Cost, cost, grow_like_their_input};
use callgate_transcode::Converter;
use support::{default_field, enumeration, field, list, option, structure, variant};

fn schema(definitions: Vec<Definition>) -> MethodSchema {
    MethodSchema::new(Type::Ref(0), Type::Ref(0), definitions)
}

fn compiled(from: &MethodSchema, to: &MethodSchema) -> Cost {
    cost(|| Converter::compile((from, &from.response), (to, &to.response)).unwrap())
}

fn fields(names: impl Iterator<Item = usize>, ty: &Type) -> Vec<Field> {
    names.map(|n| field(&format!("f{n}"), ty.clone())).collect()
}

fn moved_fields(n: usize) -> Cost {
    let version = |fields| schema(vec![structure(fields)]);
    compiled(&version(fields(0..n, &Type::U8)), &version(fields((0..n).rev(), &Type::U16)))
}

fn added_fields(n: usize) -> Cost {
    let added = (0..n).map(|n| default_field(&format!("f{n}"), Type::U8, &[1]));
    compiled(&schema(vec![structure(vec![])]), &schema(vec![structure(added.collect())]))
}

fn moved_variants(n: usize) -> Cost {
    let version = |names: Vec<usize>| {
        let variants = names.into_iter().map(|n| variant(&format!("V{n}"), Shape::Newtype(Type::U8)));
        schema(vec![structure(vec![field("v", Type::Ref(1))]), enumeration(variants.collect())])
    };
    compiled(&version((0..n).collect()), &version((0..n).rev().collect()))
}

fn chained_definitions(n: usize) -> Cost {
    let definition =
        |at: usize| structure(vec![field("next", option(Type::Ref((at as u32 + 1) % n as u32)))]);
    let chain = schema((0..n).map(definition).collect());
    compiled(&chain, &chain)
}

/// One type of the caller's meets each of the instance's.
fn one_that_meets_many(n: usize) -> Cost {
    let definition =
        |at: usize| structure(vec![field("next", option(Type::Ref((at as u32 + 1) % n as u32)))]);
    let own = schema(vec![structure(vec![field("next", option(Type::Ref(0)))])]);
    compiled(&own, &schema((0..n).map(definition).collect()))
}

#[test]
fn compiling_costs_no_more_than_the_two_schemas_are_long() {
    grow_like_their_input(&[
        ("fields that have moved", 1000, moved_fields),
        ("fields with defaults that are added", 1000, added_fields),
        ("variants that have moved", 1000, moved_variants),
        ("definitions in a circle", 1000, chained_definitions),
        ("one definition that meets many", 1000, one_that_meets_many),
    ]);
}

fn run(from: &MethodSchema, to: &MethodSchema, message: &[u8]) -> Cost {
    let converter = Converter::compile((from, &from.response), (to, &to.response)).unwrap();
    let mut out = Vec::new();
    cost(|| converter.run(message, &mut out, usize::MAX).unwrap())
}

fn lists(count: usize, item: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    put_varint(&mut message, count as u64);
    message.extend(item.repeat(count));
    message
}

fn list_of(item: Definition) -> MethodSchema {
    schema(vec![structure(vec![field("v", list(Type::Ref(1)))]), item])
}

fn moved_items(n: usize) -> Cost {
    let version = |names: [&str; 3]| list_of(structure(names.map(|name| field(name, Type::U8)).to_vec()));
    run(&version(["a", "b", "c"]), &version(["c", "a", "b"]), &lists(n, &[1, 2, 3]))
}

fn dropped_items(n: usize) -> Cost {
    let kept = structure(vec![field("b", Type::U8)]);
    let written = structure(vec![field("a", list(Type::String)), field("b", Type::U8)]);
    run(&list_of(written), &list_of(kept), &lists(n, b"\x01\x03abc\x01"))
}

fn defaults_for_items(n: usize) -> Cost {
    let wanted = structure(vec![field("a", Type::U8), default_field("s", Type::String, b"\x08defaults")]);
    run(&list_of(structure(vec![field("a", Type::U8)])), &list_of(wanted), &lists(n, &[1]))
}

/// Each struct that has moved holds the next.
fn nested(levels: usize) -> Cost {
    let version = |names: [&str; 2]| {
        let one = |name: &str| match name {
            "n" => field(name, Type::U8),
            _ => field(name, option(Type::Ref(0))),
        };
        schema(vec![structure(names.map(one).to_vec())])
    };
    let message = [[7, 1].repeat(levels - 1), vec![7, 0]].concat();
    run(&version(["n", "next"]), &version(["next", "n"]), &message)
}

#[test]
fn running_costs_no_more_than_the_message_is_long() {
    grow_like_their_input(&[
        ("structs that have moved", 10_000, moved_items),
        ("fields that are dropped", 10_000, dropped_items),
        ("defaults", 10_000, defaults_for_items),
        ("structs that have moved in each other", 60, nested),
    ]);
}
