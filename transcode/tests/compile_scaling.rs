//! What reading and compiling a schema costs, counted in allocated bytes: it grows with the schema's length, whatever the
//! schema is made of, and never beyond a multiple of it.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::limits::{MAX_DEFAULTS, MAX_NAME, MAX_SCHEMA_PARTS};
use callgate_protocol::schema::{Definition, Field, MethodSchema, Shape, Type, Variant};
use callgate_protocol::wire::put_varint;
use callgate_scaling::Cost;
use callgate_transcode::{Layout, RequestBinding, RequestProgram, ResponseBinding, ResponseProgram};
use std::sync::Arc;
use support::{default_field, enumeration, field, list, structure, variant};

/// A byte of a schema may take so many of memory while it is read and compiled. The worst are types of one byte, each of which
/// becomes a node.
const MOST_PER_BYTE: u64 = 160;

/// A name of the greatest length, whose JSON is six times as long.
fn long_name() -> String {
    "\u{1}".repeat(MAX_NAME)
}

fn schema(definitions: Vec<Definition>) -> MethodSchema {
    MethodSchema::new(Type::Ref(0), Type::Ref(0), definitions)
}

fn names(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("{n:x}"))
}

fn fields(count: usize, ty: &Type) -> Vec<Field> {
    names(count).map(|name| field(&name, ty.clone())).collect()
}

fn variants(count: usize, shape: &Shape) -> Vec<Variant> {
    names(count).map(|name| variant(&name, shape.clone())).collect()
}

fn of_tuple(types: Vec<Type>) -> MethodSchema {
    schema(vec![structure(vec![field("t", Type::Tuple(types))])])
}

/// Empty structs of one long-named field each, as the default of another: an array takes no byte in the default, a list
/// of structs with a byte takes one for each.
fn default_of_structs(ty: Type, inner: Type, default: &[u8]) -> MethodSchema {
    let within = structure(vec![field(&long_name(), inner)]);
    schema(vec![structure(vec![default_field("d", ty, default)]), within, structure(vec![])])
}

fn aliased(count: usize) -> MethodSchema {
    let field = Field { aliases: names(count).collect(), ..field("name", Type::U8) };
    schema(vec![structure(vec![field])])
}

/// As many maps as the enum that keys them has variants.
fn keyed(count: usize) -> MethodSchema {
    let map = Type::Map(Box::new(Type::Ref(1)), Box::new(Type::Bool));
    let keys = enumeration(variants(count, &Shape::Unit));
    schema(vec![structure(vec![field("t", Type::Tuple(vec![map; count]))]), keys])
}

fn long_default(count: usize) -> MethodSchema {
    let mut default = Vec::new();
    put_varint(&mut default, count as u64);
    default.resize(default.len() + count, 1);
    default_of_structs(list(Type::Ref(1)), Type::Bool, &default)
}

fn many_defaults(count: usize) -> MethodSchema {
    let fields = names(count).map(|name| default_field(&name, Type::Bool, &[1])).collect();
    schema(vec![structure(fields)])
}

type Kind = (&'static str, fn(usize) -> MethodSchema);

/// What an instance can make large in a schema.
const KINDS: [Kind; 13] = [
    ("documentation", |n| MethodSchema { doc: "d".repeat(n), ..schema(vec![structure(vec![])]) }),
    ("fields", |n| schema(vec![structure(fields(n, &Type::U8))])),
    ("long names", |n| schema(vec![structure(vec![field(&"\u{1}".repeat(n / 8), Type::U8)])])),
    ("aliases", aliased),
    ("definitions", |n| schema(vec![structure(vec![]); n])),
    ("variants", |n| schema(vec![structure(vec![]), enumeration(variants(n, &Shape::Unit))])),
    ("variants with fields", |n| {
        let shape = Shape::Struct(vec![field("f", Type::U8)]);
        schema(vec![structure(vec![]), enumeration(variants(n, &shape))])
    }),
    ("a wide tuple", |n| of_tuple(vec![Type::Unit; n])),
    ("maps keyed by an enum", keyed),
    ("a default of empty structs", |n| {
        default_of_structs(Type::Array(Box::new(Type::Ref(1)), n as u32), Type::Ref(2), &[])
    }),
    ("a default of structs with a byte", long_default),
    ("many defaults", many_defaults),
    ("the same in a variant", |n| {
        let Definition::Struct(def) = many_defaults(n).definitions.remove(0) else { unreachable!() };
        schema(vec![structure(vec![]), enumeration(vec![variant("V", Shape::Struct(def.fields))])])
    }),
];

/// Reads a schema and compiles it, as is done with what an instance has sent.
fn cost(encoded: &[u8]) -> Cost {
    callgate_scaling::cost(|| {
        let schema = MethodSchema::decode(encoded).unwrap();
        RequestProgram::compile(&schema, &RequestBinding::default()).unwrap();
    })
}

#[test]
fn memory_and_allocations_double_at_most_when_a_schema_does() {
    for (what, kind) in KINDS {
        let [once, twice] = [1000, 2000].map(|n| cost(&kind(n).encode()));
        let pairs = [
            ("bytes at once", once.peak, twice.peak),
            ("bytes", once.bytes, twice.bytes),
            ("allocations", once.allocations, twice.allocations),
        ];
        for (measured, once, twice) in pairs {
            assert!(twice * 10 <= once * 22, "{what}: {once} {measured}, and {twice} for twice as much");
        }
    }
}

#[test]
fn memory_is_bounded_by_a_multiple_of_the_schemas_length() {
    for (what, kind) in KINDS {
        for n in [1, 30, 2000] {
            let encoded = kind(n).encode();
            let (most, cost) = (MOST_PER_BYTE * encoded.len() as u64, cost(&encoded));
            assert!(
                cost.peak <= most,
                "{what}: {} bytes of schema took {} of memory",
                encoded.len(),
                cost.peak
            );
        }
    }
}

/// The largest schemas of each kind. Each took up to gigabytes before the bounds were there.
#[test]
fn no_schema_that_is_accepted_takes_more_than_64_mib() {
    let parts = MAX_SCHEMA_PARTS;
    let largest =
        [("fields", 32_000), ("aliases", parts - 5), ("definitions", parts - 3), ("variants", 65_000)];
    let others = [("a wide tuple", parts - 6), ("maps keyed by an enum", 16_000), ("many defaults", 32_000)];
    let defaults =
        [("a default of empty structs", 32_767), ("a default of structs with a byte", MAX_DEFAULTS - 3)];
    for (what, n) in largest.into_iter().chain(others).chain(defaults) {
        let (_, kind) = KINDS.into_iter().find(|(name, _)| *name == what).unwrap();
        let cost = cost(&kind(n).encode());
        assert!(cost.peak <= 64 << 20, "{what}: {} bytes", cost.peak);
    }
}

/// It is done on a worker, by the first call of each route: of 10,000 routes, each would else take the whole schema again.
#[test]
fn what_a_route_takes_of_a_compiled_schema_does_not_grow_with_the_schema() {
    let binding = RequestBinding { path: vec!["1".to_owned(), "2".to_owned()], ..RequestBinding::default() };
    let bound = [10, 20_000].map(|n| {
        let layout = Arc::new(Layout::new(&schema(vec![structure(fields(n, &Type::U8))])).unwrap());
        let bound = callgate_scaling::cost(|| {
            RequestProgram::bind(layout.clone(), &binding).unwrap();
            ResponseProgram::bind(layout.clone(), &ResponseBinding::default()).unwrap();
        });
        (bound.allocations, bound.bytes)
    });
    assert_eq!(bound[0], bound[1]);
    assert!(bound[0].1 < 1024, "{} bytes", bound[0].1);
}
