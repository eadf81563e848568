//! How many steps compiling a schema takes: no more than it has parts, whatever they are.

use super::Layout;
use callgate_protocol::schema::{Definition, EnumDef, Field, MethodSchema, Shape, StructDef, Type, Variant};

fn field(ty: Type) -> Field {
    Field::new("f", ty)
}

fn schema(fields: Vec<Field>, variants: usize) -> MethodSchema {
    let variants = (0..variants).map(|n| Variant::new(n.to_string(), Shape::Unit));
    let keys = EnumDef::new("", variants.collect());
    let definitions = vec![Definition::Struct(StructDef::new("", fields)), Definition::Enum(keys)];
    MethodSchema::new(Type::Ref(0), Type::Unit, definitions)
}

/// As many maps as the enum that keys them has variants.
fn keyed(count: usize) -> MethodSchema {
    let map = Type::Map(Box::new(Type::Ref(1)), Box::new(Type::Bool));
    schema(vec![field(Type::Tuple(vec![map; count]))], count)
}

#[test]
fn an_enum_that_keys_many_maps_is_looked_through_once() {
    for count in [1000, 2000, 16_000] {
        // A map is a node and has one beside it, a variant is a step.
        Layout::within(&keyed(count), 3 * count + 8).expect("no more than a step for each part");
    }
}

#[test]
fn a_schema_with_more_parts_than_may_be_is_refused_and_says_so() {
    let wide = |count| schema(vec![field(Type::Tuple(vec![Type::Bool; count]))], 0);
    Layout::new(&wide(100_000)).expect("it fits");
    let refused = Layout::new(&wide(200_000)).expect_err("it is too large");
    assert_eq!(refused.to_string(), "the schema has more than 131072 types, fields and variants");
}
