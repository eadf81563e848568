//! The wire form has what the bytes of messages depend on, and names, and nothing else.

use super::canonical_tests::types_of;
use super::tests::{field, one_field, schema, structure};
use super::*;
use crate::Code;

/// A schema with something of everything, so that each part can be changed.
fn rich() -> MethodSchema {
    let list = Type::List(Box::new(Type::Ref(1)));
    let strings = Type::Logical(Logical::SET, Box::new(Type::List(Box::new(Type::String))));
    let amount = Field { default: Some(vec![1]), aliases: vec!["n".into()], ..field("amount", Type::U32) };
    let mut request = StructDef::new("Request", vec![amount, field("items", list), field("tags", strings)]);
    request.doc = "What is asked for.".into();
    let item = StructDef::new("Item", vec![field("x", Type::U32), field("y", Type::U32)]);
    let note = field("note", Type::Presence(Box::new(Type::String)));
    let choice = EnumDef::new(
        "Choice",
        vec![
            Variant::new("Plain", Shape::Unit),
            Variant::new("One", Shape::Newtype(Type::Logical(Logical::DECIMAL, Box::new(Type::String)))),
            Variant::new("Two", Shape::Tuple(vec![Type::U8, Type::Bool])),
            Variant::new("Named", Shape::Struct(vec![note])),
        ],
    );
    MethodSchema {
        doc: "Does it.".into(),
        request_items: Some(Type::U64),
        error: Some(Type::Ref(2)),
        response: Type::Option(Box::new(Type::U8)),
        definitions: vec![Definition::Struct(request), Definition::Struct(item), Definition::Enum(choice)],
        ..schema(vec![])
    }
}

fn struct_of(schema: &mut MethodSchema, number: usize) -> &mut StructDef {
    match &mut schema.definitions[number] {
        Definition::Struct(def) => def,
        Definition::Enum(_) => panic!("{number} is an enum"),
    }
}

fn enum_of(schema: &mut MethodSchema) -> &mut EnumDef {
    match &mut schema.definitions[2] {
        Definition::Enum(def) => def,
        Definition::Struct(_) => panic!("it is a struct"),
    }
}

fn note(schema: &mut MethodSchema) -> &mut Field {
    match &mut enum_of(schema).variants[3].shape {
        Shape::Struct(fields) => &mut fields[0],
        other => panic!("it is {other:?}"),
    }
}

type Change = (&'static str, fn(&mut MethodSchema));

#[test]
fn the_wire_fingerprint_ignores_what_no_byte_depends_on() {
    let changes: [Change; 18] = [
        ("the doc of the method", |s| s.doc.clear()),
        ("the doc of a struct", |s| struct_of(s, 0).doc.clear()),
        ("the doc of an enum", |s| enum_of(s).doc.push('d')),
        ("the doc of a field", |s| struct_of(s, 1).fields[0].doc.push('d')),
        ("the doc of a variant", |s| enum_of(s).variants[0].doc.push('d')),
        ("the doc of a variant's field", |s| note(s).doc.push('d')),
        ("the name of a struct", |s| struct_of(s, 1).name.push('s')),
        ("the name of an enum", |s| enum_of(s).name.clear()),
        ("the aliases of a field", |s| struct_of(s, 0).fields[0].aliases.clear()),
        ("the aliases of a variant", |s| enum_of(s).variants[0].aliases.push("p".into())),
        ("a default", |s| struct_of(s, 0).fields[0].default = None),
        ("a variant's field's default", |s| note(s).default = Some(vec![0])),
        ("attributes of the method", |s| s.attributes = Attributes::new().with_deprecated("")),
        ("attributes of a struct", |s| struct_of(s, 0).attributes = Attributes::new().with(99, [1])),
        ("attributes of an enum", |s| enum_of(s).attributes = Attributes::new().with(99, [1])),
        ("attributes of a field", |s| {
            struct_of(s, 1).fields[0].attributes = Attributes::new().with_maximum([9])
        }),
        ("attributes of a variant", |s| {
            enum_of(s).variants[0].attributes = Attributes::new().with_code(Code::NotFound);
        }),
        ("an unused definition", |s| s.definitions.push(structure(vec![]))),
    ];
    for (what, change) in changes {
        let (before, mut after) = (rich(), rich());
        change(&mut after);
        assert_ne!(before.fingerprint(), after.fingerprint(), "{what}");
        assert_eq!(before.wire_form(), after.wire_form(), "{what}");
    }
    // Logical types count as the physical ones, wherever they stand and however many.
    let logical =
        |ty: &Type| Type::Logical(Logical(98), Box::new(Type::Logical(Logical(99), Box::new(ty.clone()))));
    let mut wrapped = rich();
    for definition in &mut wrapped.definitions {
        for ty in types_of(definition) {
            *ty = match &*ty {
                Type::Presence(inner) => Type::Presence(Box::new(logical(inner))),
                Type::List(inner) => Type::List(Box::new(logical(inner))),
                ty => logical(ty),
            };
        }
    }
    wrapped.response = logical(&wrapped.response);
    wrapped.request_items = wrapped.request_items.as_ref().map(logical);
    assert_eq!(MethodSchema::decode(&wrapped.encode()), Ok(wrapped.clone()));
    assert_eq!(wrapped.wire_form(), rich().wire_form());
}

#[test]
fn the_wire_fingerprint_sees_all_that_bytes_depend_on() {
    let changes: [Change; 24] = [
        ("nothing", |_| {}),
        ("a field's name", |s| struct_of(s, 1).fields[0].name.push('s')),
        ("an argument's name", |s| struct_of(s, 0).fields[0].name.push('s')),
        ("a variant's name", |s| enum_of(s).variants[0].name.push('s')),
        ("the name of a variant's field", |s| note(s).name.push('s')),
        ("two fields of one type that change places", |s| struct_of(s, 1).fields.swap(0, 1)),
        ("two arguments that change places", |s| struct_of(s, 0).fields.swap(0, 1)),
        ("two variants that change places", |s| enum_of(s).variants.swap(0, 1)),
        ("a field more", |s| struct_of(s, 1).fields.push(field("z", Type::Unit))),
        ("a field less", |s| drop(struct_of(s, 1).fields.pop())),
        ("a variant more", |s| enum_of(s).variants.push(Variant::new("More", Shape::Unit))),
        ("a field's type", |s| struct_of(s, 1).fields[0].ty = Type::I32),
        ("an argument's type", |s| struct_of(s, 0).fields[0].ty = Type::U16),
        ("the type of a variant's content", |s| enum_of(s).variants[1].shape = Shape::Newtype(Type::Bytes)),
        ("a variant's shape", |s| enum_of(s).variants[1].shape = Shape::Tuple(vec![Type::String])),
        ("a physical type under a logical one", |s| {
            let list = Box::new(Type::List(Box::new(Type::Bytes)));
            struct_of(s, 0).fields[2].ty = Type::Logical(Logical::SET, list);
        }),
        ("presence", |s| note(s).ty = Type::Option(Box::new(Type::String))),
        ("what has presence", |s| note(s).ty = Type::Presence(Box::new(Type::Bytes))),
        ("the response", |s| s.response = Type::U8),
        ("no items", |s| s.request_items = None),
        ("other items", |s| s.request_items = Some(Type::U32)),
        ("no error", |s| s.error = None),
        ("a response in place of items", |s| s.response = s.request_items.take().expect("it has some")),
        ("the length of an array", |s| s.response = Type::Array(Box::new(Type::U8), 2)),
    ];
    let mut seen = std::collections::HashMap::new();
    for (what, change) in changes {
        let mut after = rich();
        change(&mut after);
        assert_eq!(MethodSchema::decode(&after.encode()), Ok(after.clone()), "{what}");
        if let Some(other) = seen.insert(after.wire_fingerprint(), what) {
            panic!("{what} and {other} have one fingerprint");
        }
    }
}

#[test]
fn no_schema_has_the_bytes_of_a_wire_form() {
    assert_eq!(MethodSchema::decode(&rich().wire_form()), Err(SchemaError::UnknownFormat(0)));
    let plain = one_field(Type::U8);
    let mut bare = plain.clone();
    struct_of(&mut bare, 0).name.clear();
    assert_eq!(plain.wire_form()[1..], bare.encode()[1..]);
}
