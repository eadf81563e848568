//! `#[derive(Message)]`: serde's attributes, shapes, defaults, documentation, recursion and generics.
#![allow(dead_code, reason = "the types are described, not used")]

mod common;

use callgate_protocol::schema::{Definition, Field, Shape, Type};
use callgate_sdk::{MapKey, Message, SchemaBuilder};
use common::{bincode_of, enum_of, fits, schema_of, struct_of, type_of};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

fn names(fields: &[Field]) -> Vec<&str> {
    fields.iter().map(|field| field.name.as_str()).collect()
}

/// One line of an order.
///
///   Indented.
#[derive(Serialize, Deserialize, Message)]
#[serde(deny_unknown_fields)]
struct Item {
    /// What is bought.
    sku: String,
    #[serde(rename = "qty", alias = "count", alias = "n")]
    quantity: u32,
    r#type: Option<u8>,
    #[serde(skip)]
    seen: bool,
}

#[test]
fn a_struct_is_its_fields_with_their_names_and_documentation() {
    let item = struct_of::<Item>();
    assert_eq!((item.name.as_str(), item.doc.as_str()), ("Item", "One line of an order.\n\n  Indented."));
    assert_eq!(names(&item.fields), ["sku", "qty", "type"]);
    assert_eq!(item.fields[0].doc, "What is bought.");
    assert_eq!(item.fields[1].aliases, ["count", "n"]);
    assert_eq!(item.fields[2].ty, Type::Option(Box::new(Type::U8)));
    assert!(item.fields.iter().all(|field| field.default.is_none()));
    fits(&Item { sku: "a".into(), quantity: 1, r#type: Some(2), seen: true });
}

fn twelve() -> u8 {
    12
}

#[derive(Serialize, Deserialize, Message)]
struct FieldDefaults {
    #[serde(default)]
    zero: u32,
    #[serde(default = "twelve")]
    twelve: u8,
    #[serde(default)]
    text: Option<String>,
    needed: u8,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(default)]
struct AllDefaults {
    name: String,
    #[serde(default = "twelve")]
    size: u8,
    item: Vec<u8>,
    #[serde(skip)]
    hidden: u8,
}

impl Default for AllDefaults {
    fn default() -> Self {
        AllDefaults { name: "none".to_owned(), size: 3, item: vec![1, 2], hidden: 9 }
    }
}

fn small() -> Small {
    Small { size: 5 }
}

#[derive(Serialize, Deserialize, Message)]
#[serde(default = "small")]
struct Small {
    size: u8,
}

#[test]
fn a_default_is_the_encoded_value() {
    let defaults: Vec<_> = struct_of::<FieldDefaults>().fields.into_iter().map(|f| f.default).collect();
    assert_eq!(defaults, [Some(vec![0]), Some(vec![12]), Some(vec![0]), None]);
    let defaults: Vec<_> = struct_of::<AllDefaults>().fields.into_iter().map(|f| f.default).collect();
    assert_eq!(defaults, [Some(b"\x04none".to_vec()), Some(vec![12]), Some(vec![2, 1, 2])]);
    assert_eq!(struct_of::<Small>().fields[0].default, Some(vec![5]));
    fits(&AllDefaults::default());
}

#[derive(Serialize, Deserialize, Message)]
struct Unit;

#[derive(Serialize, Deserialize, Message)]
struct Empty {}

#[derive(Serialize, Deserialize, Message)]
struct EmptyTuple();

#[derive(Serialize, Deserialize, Message, PartialEq, Eq, PartialOrd, Ord)]
struct Sku(String);

#[derive(Serialize, Deserialize, Message)]
struct Price(f64);

#[derive(Serialize, Deserialize, Message)]
struct Pair(u8, Sku);

#[derive(Serialize, Deserialize, Message, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Id<T> {
    number: u64,
    of: PhantomData<T>,
}

#[test]
fn structs_without_named_fields_are_what_they_contain() {
    assert_eq!(type_of::<Unit>(), Type::Unit);
    assert_eq!(type_of::<EmptyTuple>(), Type::Tuple(vec![]));
    assert_eq!(type_of::<Sku>(), Type::String);
    assert_eq!(type_of::<Price>(), Type::F64);
    assert_eq!(type_of::<Pair>(), Type::Tuple(vec![Type::U8, Type::String]));
    assert_eq!(type_of::<Id<Item>>(), Type::U64);
    assert_eq!(struct_of::<Empty>().fields, []);
    fits(&(Unit, Empty {}, EmptyTuple(), Sku("a".into())));
    fits(&(Pair(1, Sku("b".into())), Price(0.5)));
    fits(&Id::<Item> { number: 300, of: PhantomData });
}

/// Every shape.
#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum Every {
    /// No content.
    PlainUnit,
    #[serde(alias = "wrapped")]
    OneValue(u64),
    TwoValues(u8, String),
    NoValues(),
    #[serde(rename = "FIELDS")]
    Fields {
        first_name: String,
        #[serde(default = "twelve")]
        #[serde(rename = "size")]
        the_size: u8,
    },
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    MoreFields {
        first_name: String,
    },
}

#[test]
fn an_enum_is_its_variants() {
    let every = enum_of::<Every>();
    assert_eq!(every.doc, "Every shape.");
    let names: Vec<_> = every.variants.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["plain-unit", "one-value", "two-values", "no-values", "FIELDS", "more-fields"]);
    assert_eq!(every.variants[0].doc, "No content.");
    assert_eq!(every.variants[1].aliases, ["wrapped"]);
    let shapes: Vec<_> = every.variants.iter().map(|v| v.shape.clone()).collect();
    assert_eq!(shapes[0], Shape::Unit);
    assert_eq!(shapes[1], Shape::Newtype(Type::U64));
    assert_eq!(shapes[2], Shape::Tuple(vec![Type::U8, Type::String]));
    assert_eq!(shapes[3], Shape::Tuple(vec![]));
    let Shape::Struct(fields) = &shapes[4] else { panic!("not a struct: {:?}", shapes[4]) };
    assert_eq!((fields[0].name.as_str(), fields[1].name.as_str()), ("firstName", "size"));
    assert_eq!(fields[1].default, Some(vec![12]));
    let Shape::Struct(fields) = &shapes[5] else { panic!("not a struct: {:?}", shapes[5]) };
    assert_eq!(fields[0].name, "FIRST_NAME");
    let first_name = || "n".to_owned();
    fits(&vec![
        Every::PlainUnit,
        Every::OneValue(1 << 40),
        Every::TwoValues(1, "t".into()),
        Every::NoValues(),
        Every::Fields { first_name: first_name(), the_size: 1 },
        Every::MoreFields { first_name: first_name() },
    ]);
}

/// serde_json is the oracle: what it calls a field or a variant is what the schema calls it.
macro_rules! cases {
    ($($module:ident $case:literal;)*) => {$(
        mod $module {
            use super::*;

            #[derive(Serialize, Deserialize, Message, Default)]
            #[serde(rename_all = $case)]
            struct Fields { a: u8, order_id: u8, _lead: u8, trail_: u8, x2_y: u8, two__scores: u8 }

            #[derive(Serialize, Deserialize, Message, Debug, PartialEq, Eq, PartialOrd, Ord)]
            #[serde(rename_all = $case)]
            enum Variants { A, OrderId, HTTPCode, X2y, Snake_case }

            #[test]
            fn names_are_serdes() {
                let json = serde_json::to_value(Fields::default()).expect("the struct can be JSON");
                let serdes: BTreeSet<_> = json.as_object().expect("an object").keys().cloned().collect();
                let ours: BTreeSet<_> = struct_of::<Fields>().fields.into_iter().map(|f| f.name).collect();
                assert_eq!(ours, serdes);
                use Variants::*;
                let serdes = [A, OrderId, HTTPCode, X2y, Snake_case].map(|v| serde_json::to_value(v).expect("a name"));
                let ours: Vec<_> = enum_of::<Variants>().variants.into_iter().map(|v| v.name).collect();
                assert_eq!(ours, serdes);
            }
        }
    )*};
}

#[allow(non_camel_case_types, non_snake_case, reason = "odd names are what is tested")]
mod case {
    use super::*;

    cases! {
        lower "lowercase";
        upper "UPPERCASE";
        pascal "PascalCase";
        camel "camelCase";
        snake "snake_case";
        screaming_snake "SCREAMING_SNAKE_CASE";
        kebab "kebab-case";
        screaming_kebab "SCREAMING-KEBAB-CASE";
    }
}

#[derive(Serialize, Deserialize, Message)]
struct Tree {
    value: u8,
    children: Vec<Tree>,
    forest: Option<Box<Page<Tree>>>,
}

#[derive(Serialize, Deserialize, Message)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

#[derive(Serialize, Deserialize, Message)]
struct Branches(Vec<Branch>);

#[derive(Serialize, Deserialize, Message)]
enum Branch {
    Leaf,
    Fork(Branches),
}

#[test]
fn a_recursive_type_refers_to_itself() {
    let schema = schema_of::<Tree>();
    assert_eq!(schema.response, Type::Ref(1));
    let Some(Definition::Struct(tree)) = schema.definition(1) else { panic!("not a struct") };
    assert_eq!(tree.fields[1].ty, Type::List(Box::new(Type::Ref(1))));
    let Some(Definition::Struct(page)) = schema.definition(2) else { panic!("not a struct") };
    assert_eq!(page.name, "Page<Tree>");
    let leaf = || Tree { value: 1, children: vec![], forest: None };
    fits(&Tree {
        value: 2,
        children: vec![leaf(), leaf()],
        forest: Some(Box::new(Page { items: vec![leaf()], next: None })),
    });
    fits(&Branches(vec![Branch::Leaf, Branch::Fork(Branches(vec![Branch::Leaf]))]));
}

#[test]
fn each_instance_of_a_generic_type_is_its_own_definition() {
    type Both = (Page<u8>, Page<BTreeMap<String, [Option<Item>; 2]>>, Page<u8>);
    let schema = schema_of::<Both>();
    let names: Vec<_> = schema
        .definitions
        .iter()
        .map(|definition| match definition {
            Definition::Struct(def) => def.name.as_str(),
            Definition::Enum(def) => def.name.as_str(),
        })
        .collect();
    assert_eq!(names, ["Nothing", "Page<u8>", "Page<Map<String, [Option<Item>; 2]>>", "Item"]);
    assert_eq!(schema.response, Type::Tuple(vec![Type::Ref(1), Type::Ref(2), Type::Ref(1)]));
}

#[derive(Serialize, Deserialize, Message)]
struct Knot(Vec<Knot>);

#[test]
fn recursion_without_a_definition_is_said_and_not_followed() {
    let mut builder = SchemaBuilder::new();
    let knot = Knot::describe(&mut builder);
    let refused = builder.finish("", Type::Unit, knot).map_err(|problem| problem.to_string());
    let why = refused.expect_err("it has no finite description");
    assert!(why.contains("Knot` contains itself without a struct with named fields"), "{why}");
}

#[derive(Serialize, Deserialize, Message)]
#[serde(rename = "Bag", bound = "T: Message + Default")]
struct Bounded<T, U>
where
    U: Clone,
{
    #[serde(default)]
    thing: T,
    #[serde(skip)]
    nothing: PhantomData<U>,
}

#[derive(Serialize, Deserialize, Message, Default)]
#[serde(default)]
struct Defaulted<T> {
    thing: T,
    #[serde(skip)]
    other: Option<T>,
}

#[test]
fn bounds_are_serdes_and_the_messages() {
    #[derive(Clone)]
    struct NoMessage;
    let bag = struct_of::<Bounded<u8, NoMessage>>();
    assert_eq!((bag.name.as_str(), &bag.fields[0].default), ("Bag<u8>", &Some(vec![0])));
    assert_eq!(struct_of::<Defaulted<bool>>().fields[0].default, Some(vec![0]));
}

#[derive(Serialize, Deserialize, Message, PartialEq, Eq, PartialOrd, Ord)]
enum Color {
    Red,
    Green,
}

#[derive(Serialize, Deserialize, Message, PartialEq, Eq, PartialOrd, Ord)]
struct Wrapped<K>(K);

#[test]
fn enums_without_content_and_newtypes_of_keys_are_keys() {
    fn holds<K: MapKey + Ord>(key: K) {
        fits(&BTreeMap::from([(key, 1)]));
    }
    holds(Color::Green);
    holds(Sku("a".into()));
    holds(Wrapped(Wrapped(Color::Red)));
    holds(Wrapped('c'));
    // `of` asks serde for nothing, so the key's type may be any.
    fn transparent<K: MapKey>() {}
    transparent::<Id<Item>>();
}

#[test]
fn the_bytes_of_a_struct_are_its_fields_one_after_another() {
    let item = Item { sku: "a".into(), quantity: 300, r#type: None, seen: true };
    assert_eq!(bincode_of(&item), [1, b'a', 251, 44, 1, 0]);
    assert_eq!(bincode_of(&Every::TwoValues(7, "x".into())), [2, 7, 1, b'x']);
}

mod types_made_by_macros {
    use super::*;

    macro_rules! make {
        ($name:ident, $ty:ty) => {
            #[derive(Serialize, Deserialize, Message)]
            struct $name {
                field: $ty,
                fixed: u8,
            }
        };
    }
    make!(Made, Vec<u8>);

    #[test]
    fn are_described_too() {
        assert_eq!(struct_of::<Made>().fields.len(), 2);
    }
}
