//! One of everything that the macros describe, and a method that is described by hand because the macros have no words for what
//! it says. `tests/vectors/verify/every.py` says the same in another language.

use callgate_protocol::CallId;
use callgate_protocol::schema::{Attributes, Field, MethodSchema, Shape, Type, Variant};
use callgate_sdk::message::SchemaBuilder;
use callgate_sdk::service::Method;
use callgate_sdk::{
    BadSchema, Bytes, Code, Date, Decimal, Json, Message, Presence, Status, Stream, Streaming, Timestamp,
    Uuid, service,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;
use std::time::Duration;

/// Every type that has no parts.
#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Plain {
    unit: (),
    bool: bool,
    u8: u8,
    u16: u16,
    u32: u32,
    u64: u64,
    u128: u128,
    usize: usize,
    i8: i8,
    i16: i16,
    i32: i32,
    i64: i64,
    i128: i128,
    isize: isize,
    f32: f32,
    f64: f64,
    char: char,
    string: String,
    bytes: Bytes,
    uuid: Uuid,
    timestamp: Timestamp,
    duration: Duration,
    ip: IpAddr,
    ipv4: Ipv4Addr,
    ipv6: Ipv6Addr,
    json: Json,
}

/// Every type with parts.
#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Composed {
    option: Option<u8>,
    boxed: Box<u8>,
    list: Vec<u8>,
    deque: VecDeque<u8>,
    set: HashSet<u8>,
    sorted_set: BTreeSet<u8>,
    map: HashMap<String, u8>,
    sorted_map: BTreeMap<u32, bool>,
    array: [u8; 3],
    tuple: (u8, bool),
    nested: Vec<Option<BTreeMap<Colour, [Vec<u8>; 2]>>>,
    newtype: Sku,
    pair: Pair,
    marker: Marker,
    empty: Empty,
}

#[derive(Serialize, Deserialize, Message, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Colour {
    Red,
    Blue,
}

#[derive(Serialize, Deserialize, Message, PartialEq, Eq, Hash)]
pub(crate) struct Sku(String);

#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Pair(u8, Sku);

#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Marker;

#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Empty {}

/// Every shape of a variant.
///
/// With two paragraphs.
#[derive(Serialize, Deserialize, Message)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Delivery {
    /// Nobody brings it.
    PickUp,
    #[serde(alias = "box")]
    Locker(u64),
    Drone(f64, f64),
    #[serde(rename_all = "camelCase")]
    Post {
        /// Where to.
        street_name: String,
        #[serde(rename = "zip", alias = "plz", alias = "code")]
        zip_code: Colour,
    },
}

/// A tree, by way of another type.
#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Tree {
    value: u8,
    children: Vec<Tree>,
    forest: Option<Box<Page<Tree>>>,
}

#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

fn ten() -> u16 {
    10
}

fn prices() -> HashMap<String, u64> {
    ["pear", "fig", "apple", "plum", "quince"]
        .into_iter()
        .zip(1..)
        .map(|(name, n)| (name.to_owned(), n))
        .collect()
}

fn groups() -> HashMap<u16, HashSet<String>> {
    (0..300).step_by(60).map(|n| (n, ["b", "aa", "a", ""].map(str::to_owned).into())).collect()
}

#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Defaults {
    #[serde(default)]
    zero: u32,
    #[serde(default = "ten")]
    ten: u16,
    #[serde(default)]
    text: Option<String>,
    #[serde(default = "prices")]
    prices: HashMap<String, u64>,
    #[serde(default = "groups")]
    groups: HashMap<u16, HashSet<String>>,
    needed: bool,
}

/// What is to be changed.
#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Patch {
    title: Presence<String>,
    #[serde(default)]
    tags: Presence<BTreeSet<String>>,
}

/// What is paid back.
#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Refund {
    #[message(min = "0.01", unit = "EUR")]
    amount: Decimal,
    #[message(items(min = 1, max = 300), example = Some(vec![9]))]
    parts: Option<Vec<u8>>,
    on: Date,
}

/// How it is paid.
#[derive(Serialize, Deserialize, Message)]
#[message(tag = "type", content = "data")]
#[serde(rename_all = "snake_case")]
pub(crate) enum Payment {
    #[message(deprecated = "Nobody has any.")]
    Cash,
    Card(Card),
}

#[derive(Serialize, Deserialize, Message)]
#[message(deprecated = "Cards are gone.")]
pub(crate) struct Card {
    #[message(secret)]
    number: String,
    #[message(flatten)]
    rest: BTreeMap<String, u8>,
}

/// Why nothing is paid back.
pub(crate) enum Refused {}

fn refused(schema: &mut SchemaBuilder) -> Type {
    schema.enumeration::<Refused>("Refused", &[], "Why nothing is paid back.", |schema| {
        let coded =
            |variant: Variant, code| Variant { attributes: Attributes::new().with_code(code), ..variant };
        let left = vec![Field::new("left", u64::describe(schema))];
        vec![
            coded(Variant::new("NoSuchOrder", Shape::Unit), Code::NotFound),
            coded(Variant::new("TooMuch", Shape::Struct(left)), Code::OutOfRange),
        ]
    })
}

/// A method with errors and attributes, as nobody can write it with the macro.
fn by_hand() -> Result<MethodSchema, BadSchema> {
    let mut schema = SchemaBuilder::new();
    // In another order than that of first use.
    let error = refused(&mut schema);
    let response = Plain::describe(&mut schema);
    let argument = Refund::describe(&mut schema);
    let request = schema
        .request("PayBackRequest", vec![Field::new("refund", argument), Field::new("at_once", Type::Bool)]);
    let method = MethodSchema::new(request, response, Vec::new());
    schema.complete(MethodSchema {
        doc: "Pays back.".to_owned(),
        request_items: Some(Type::Bytes),
        error: Some(error),
        attributes: Attributes::new().with_deprecated("Use refund."),
        ..method
    })
}

pub(crate) static BY_HAND: Method = Method {
    service: "every",
    name: "pay_back",
    call_id: CallId::of("every", "pay_back"),
    idempotent: false,
    streams: callgate_sdk::service::Directions { caller: false, service: false },
    describe: by_hand,
    cache: OnceLock::new(),
};

#[service]
pub(crate) trait Every {
    /// Takes nothing and gives nothing.
    async fn nothing(&self) -> Result<(), Status>;
    async fn plain(&self, plain: Plain) -> Result<Plain, Status>;
    /// Takes two arguments.
    ///
    /// One may be missing.
    async fn arguments(
        &self,
        /// The first.
        first: u8,
        second: Option<String>,
    ) -> Result<String, Status>;
    async fn composed(&self, composed: Composed) -> Result<(), Status>;
    async fn deliver(&self, by: Delivery) -> Result<Vec<Delivery>, Status>;
    async fn grow(&self, tree: Tree) -> Result<Option<Box<Tree>>, Status>;
    async fn page(&self, of: Page<Colour>, names: Page<String>) -> Result<Page<HashSet<Sku>>, Status>;
    async fn defaults(&self, defaults: Defaults) -> Result<Tree, Status>;
    async fn patch(&self, patch: Patch) -> Result<Patch, Status>;
    async fn refund(&self, refund: Refund) -> Result<(), Status>;
    async fn pay(&self, by: Payment) -> Result<Card, Status>;
    /// Takes a stream.
    async fn gather(&self, most: u8, trees: Streaming<Tree>) -> Result<Pair, Status>;
    /// Gives one.
    async fn watch(&self, by: Delivery) -> Result<impl Stream<Item = Result<Composed, Status>>, Status>;
    /// Does both.
    async fn follow(
        &self,
        colours: Streaming<Colour>,
    ) -> Result<impl Stream<Item = Result<Page<Colour>, Status>>, Status>;
}

pub(crate) struct Nobody;

macro_rules! nobody {
    (
        plain { $($method:ident($($ty:ty),*) -> $reply:ty;)* }
        streams { $($stream:ident($taken:ty) -> $item:ty;)* }
    ) => {
        impl Every for Nobody {
            $(async fn $method(&self, $(_: $ty),*) -> Result<$reply, Status> {
                Err(Status::unimplemented("nobody is here"))
            })*
            $(async fn $stream(
                &self,
                _: $taken,
            ) -> Result<impl Stream<Item = Result<$item, Status>>, Status> {
                Err::<Streaming<$item>, _>(Status::unimplemented("nobody is here"))
            })*
        }
    };
}

nobody! {
    plain {
        nothing() -> ();
        plain(Plain) -> Plain;
        arguments(u8, Option<String>) -> String;
        composed(Composed) -> ();
        deliver(Delivery) -> Vec<Delivery>;
        grow(Tree) -> Option<Box<Tree>>;
        page(Page<Colour>, Page<String>) -> Page<HashSet<Sku>>;
        defaults(Defaults) -> Tree;
        patch(Patch) -> Patch;
        refund(Refund) -> ();
        pay(Payment) -> Card;
        gather(u8, Streaming<Tree>) -> Pair;
    }
    streams {
        watch(Delivery) -> Composed;
        follow(Streaming<Colour>) -> Page<Colour>;
    }
}
