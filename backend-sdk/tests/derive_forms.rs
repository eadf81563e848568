//! `#[derive(Message)]` where types are out of the ordinary: generic, recursive through every container, of one name,
//! with raw names, made for one method and used by another.
#![allow(dead_code, reason = "the types are described, not used")]

mod common;

use callgate_protocol::schema::{Definition, Shape, Type};
use callgate_sdk::{Message, SchemaBuilder, Status, service};
use common::{bincode_of, enum_of, fits, schema_of, struct_of, type_of};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

fn definitions<T: Message>() -> Vec<String> {
    let name = |definition: &Definition| match definition {
        Definition::Struct(def) => def.name.clone(),
        Definition::Enum(def) => def.name.clone(),
    };
    schema_of::<T>().definitions.iter().map(name).filter(|name| name != "Nothing").collect()
}

#[derive(Serialize, Deserialize, Message)]
enum Either<L, R = L> {
    Left(L),
    Right { value: R, more: Vec<Either<L, R>> },
    Neither,
}

#[test]
fn an_enum_may_be_generic() {
    assert_eq!(definitions::<(Either<u8>, Either<u8, String>)>(), ["Either<u8, u8>", "Either<u8, String>"]);
    let either = enum_of::<Either<u8, String>>();
    let Shape::Struct(fields) = &either.variants[1].shape else { panic!("{either:?}") };
    assert_eq!(fields[1].ty, Type::List(Box::new(Type::Ref(1))));
    let inner = vec![Either::Left(1), Either::Neither];
    fits(&Either::<u8, String>::Right { value: "v".into(), more: inner });
}

#[derive(Default, Serialize, Deserialize, Message)]
struct Knot {
    list: Vec<Knot>,
    option: Option<Box<Knot>>,
    map: BTreeMap<String, Knot>,
    hash_map: HashMap<u8, Box<Knot>>,
    pairs: Vec<(u8, Knot)>,
    array: Box<[Option<Knot>; 2]>,
    through: Through<Knot>,
}

#[derive(Serialize, Deserialize, Message)]
struct Through<T>(Vec<T>);

impl<T> Default for Through<T> {
    fn default() -> Self {
        Through(Vec::new())
    }
}

#[test]
fn a_type_may_contain_itself_through_every_container() {
    assert_eq!(definitions::<Knot>(), ["Knot"]);
    let knot = Knot::default;
    fits(&Knot {
        list: vec![knot()],
        option: Some(Box::new(knot())),
        map: BTreeMap::from([("k".into(), knot())]),
        hash_map: HashMap::from([(1, Box::new(knot()))]),
        pairs: vec![(1, knot())],
        array: Box::new([None, Some(knot())]),
        through: Through(vec![knot()]),
    });
}

#[derive(Serialize, Deserialize, Message)]
struct Ping {
    pong: Option<Box<Pong>>,
}

#[derive(Serialize, Deserialize, Message)]
enum Pong {
    Done,
    Again(Ping),
}

#[test]
fn two_types_may_contain_each_other() {
    assert_eq!(definitions::<Ping>(), ["Ping", "Pong"]);
    assert_eq!(definitions::<(Pong, Ping)>(), ["Pong", "Ping"]);
    fits(&Ping { pong: Some(Box::new(Pong::Again(Ping { pong: None }))) });
}

mod one {
    #[derive(serde::Serialize, serde::Deserialize, callgate_sdk::Message)]
    pub(crate) struct Point {
        pub(crate) x: u8,
    }
}

mod other {
    #[derive(serde::Serialize, serde::Deserialize, callgate_sdk::Message)]
    pub(crate) struct Point {
        pub(crate) x: f64,
        pub(crate) y: f64,
    }
}

#[test]
fn two_types_of_one_name_are_two_definitions() {
    let schema = schema_of::<(one::Point, other::Point, one::Point)>();
    assert_eq!(schema.response, Type::Tuple(vec![Type::Ref(1), Type::Ref(2), Type::Ref(1)]));
    assert_eq!(definitions::<(one::Point, other::Point)>(), ["Point", "Point"]);
    fits(&(one::Point { x: 1 }, other::Point { x: 0.5, y: 1.5 }));
}

fn seven() -> u8 {
    7
}

/// Raw names, by which Rust's own words may be used.
#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase", rename_all_fields = "SCREAMING-KEBAB-CASE")]
#[allow(non_camel_case_types, reason = "raw names are lower case")]
enum r#enum {
    r#type,
    WithFields {
        r#match: u8,
        r#some_loop: u8,
        #[serde(default = "seven")]
        r#const: u8,
        #[serde(default)]
        list_of: Vec<u8>,
    },
    #[serde(rename_all = "camelCase")]
    Own {
        r#some_loop: u8,
    },
}

#[test]
fn raw_names_are_plain_in_json_and_defaults_may_stand_in_variants() {
    let raw = enum_of::<r#enum>();
    assert_eq!(raw.name, "enum");
    let names: Vec<_> = raw.variants.iter().map(|variant| variant.name.as_str()).collect();
    assert_eq!(names, ["type", "withFields", "own"]);
    let Shape::Struct(fields) = &raw.variants[1].shape else { panic!("{raw:?}") };
    let names: Vec<_> = fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["MATCH", "SOME-LOOP", "CONST", "LIST-OF"]);
    let defaults: Vec<_> = fields.iter().map(|field| field.default.clone()).collect();
    assert_eq!(defaults, [None, None, Some(vec![7]), Some(vec![0])]);
    let value = r#enum::WithFields { r#match: 1, r#some_loop: 2, r#const: 3, list_of: vec![4] };
    let json = serde_json::to_value(&value).expect("can be JSON");
    let keys: Vec<_> = json["withFields"].as_object().expect("an object").keys().cloned().collect();
    assert!(fields.iter().all(|field| keys.contains(&field.name)), "{keys:?}");
    let Shape::Struct(fields) = &raw.variants[2].shape else { panic!("{raw:?}") };
    assert_eq!(fields[0].name, "someLoop");
    fits(&value);
}

#[derive(Serialize, Deserialize, Message)]
struct Matrix<T> {
    rows: [[T; 3]; 2],
    none: [T; 0],
    most: [u8; 32],
}

/// The number may be a parameter if serde need not know arrays of it.
#[derive(Serialize, Deserialize, Message)]
struct Sized<const N: usize> {
    values: Vec<[u16; 4]>,
}

#[test]
fn arrays_have_their_lengths() {
    let matrix = struct_of::<Matrix<i32>>();
    let row = Type::Array(Box::new(Type::I32), 3);
    assert_eq!(matrix.fields[0].ty, Type::Array(Box::new(row), 2));
    fits(&Matrix { rows: [[1, 2, 3], [4, 5, 6]], none: [], most: [9; 32] });
    fits(&(Sized::<1> { values: vec![[1; 4]] }, Sized::<2> { values: vec![] }));
}

#[derive(Serialize, Deserialize, Message)]
#[serde(default, rename_all = "camelCase")]
struct Settings<T: Default> {
    user_name: String,
    #[serde(rename = "n", alias = "number")]
    count: T,
    sub: Option<Box<Settings<T>>>,
}

impl<T: Default> Default for Settings<T> {
    fn default() -> Self {
        Settings { user_name: "nobody".into(), count: T::default(), sub: None }
    }
}

#[test]
fn a_containers_default_is_that_of_each_field() {
    let settings = struct_of::<Settings<u64>>();
    let defaults: Vec<_> = settings.fields.iter().map(|field| field.default.clone()).collect();
    assert_eq!(defaults, [Some(bincode_of(&"nobody")), Some(vec![0]), Some(vec![0])]);
    assert_eq!((settings.fields[1].name.as_str(), settings.fields[1].aliases.len()), ("n", 1));
    fits(&Settings { user_name: "u".into(), count: 300u64, sub: Some(Box::default()) });
}

#[service]
trait Twice {
    async fn give(&self) -> Result<one::Point, Status>;
    async fn take(&self, point: one::Point, other: other::Point) -> Result<one::Point, Status>;
    async fn change(&self, point: one::Point) -> Result<Vec<one::Point>, Status>;
}

struct Here;

impl Twice for Here {
    async fn give(&self) -> Result<one::Point, Status> {
        Ok(one::Point { x: 1 })
    }
    async fn take(&self, point: one::Point, _: other::Point) -> Result<one::Point, Status> {
        Ok(point)
    }
    async fn change(&self, point: one::Point) -> Result<Vec<one::Point>, Status> {
        Ok(vec![point])
    }
}

#[test]
fn a_type_is_described_for_each_method_that_uses_it() {
    let server = TwiceServer::new(Here);
    let methods = callgate_sdk::service::Dispatch::methods(&server);
    let schemas: Vec<_> =
        methods.iter().map(|method| &method.schema().expect("can be described").schema).collect();
    assert_eq!(schemas[0].response, Type::Ref(1));
    assert_eq!((&schemas[1].response, schemas[1].definitions.len()), (&Type::Ref(1), 3));
    assert_eq!(schemas[2].response, Type::List(Box::new(schemas[2].request.clone())));
}

#[test]
fn a_builder_may_be_used_for_many_types() {
    let mut builder = SchemaBuilder::new();
    assert_eq!(one::Point::describe(&mut builder), one::Point::describe(&mut builder));
    assert_eq!(type_of::<Box<Option<()>>>(), Type::Option(Box::new(Type::Unit)));
}
