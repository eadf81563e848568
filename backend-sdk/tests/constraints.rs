//! `#[message(…)]` on fields: what the schema says then, and that the server checks it before the method runs.

mod common;

use callgate_protocol::schema::{Attributes, Field, Span};
use callgate_sdk::generated::Dispatch;
use callgate_sdk::{
    BadSchema, Bytes, Code, Context, Date, Decimal, Message, Presence, Status, Time, Timestamp, service,
};
use common::{bincode_of, enum_of, fits, struct_of};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const LONGEST: usize = 64;
const LEAST: f64 = 0.5;

#[derive(Serialize, Deserialize, Message)]
struct Percent(u8);

#[derive(Serialize, Deserialize, Message)]
#[serde(transparent)]
struct Name {
    name: String,
}

#[derive(Serialize, Deserialize, Message)]
struct Parcels(NonZero<u32>);

#[derive(Serialize, Deserialize, Message)]
struct All {
    #[message(min = 1, max = 100)]
    number: u32,
    #[message(min = -5)]
    signed: Option<i64>,
    #[message(min = LEAST)]
    float: Presence<f64>,
    #[message(max = 99)]
    newtype: Percent,
    #[message(min = "0.01", unit = "EUR")]
    price: Decimal,
    #[message(min = "2026-01-01", max = "2026-12-31")]
    day: Option<Date>,
    #[message(max = "18:00")]
    time: Time,
    #[message(min = "2026-01-01T00:00:00Z")]
    at: Timestamp,
    #[message(min = "2026-01-01T00:00:00Z")]
    #[serde(with = "callgate_sdk::wire")]
    clock: Option<SystemTime>,
    #[message(max = Duration::from_secs(60))]
    wait: Duration,
    #[message(length(min = 1, max = LONGEST), pattern = "^[a-z]+$", example = "tea")]
    text: String,
    #[message(length(equal = 16))]
    key: Bytes,
    #[message(length(max = 3))]
    name: Option<Name>,
    #[message(items(min = 1))]
    list: Vec<u8>,
    #[message(items(max = 3))]
    set: Option<BTreeSet<u8>>,
    #[message(items(equal = 2), secret)]
    map: BTreeMap<u8, u8>,
    #[message(deprecated = "Use `text`.")]
    old: bool,
    #[deprecated(since = "1.2.0", note = "Nobody reads it.")]
    #[message(example = true)]
    older: bool,
    one: NonZero<u8>,
    #[message(max = 9)]
    few: Option<Arc<NonZero<u32>>>,
    parcels: Parcels,
    any: NonZero<i32>,
    nothing: u8,
}

fn none() -> Attributes {
    Attributes::new()
}

fn span(min: u64, max: Option<u64>) -> Span {
    Span { min, max }
}

#[test]
fn what_is_said_of_a_field_is_in_the_schema() {
    let least = |text: &str| none().with_minimum(bincode_of(&text));
    let moment: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time stamp");
    let expected = [
        ("number", none().with_minimum([1]).with_maximum([100])),
        ("signed", none().with_minimum(bincode_of(&-5i64))),
        ("float", none().with_minimum(bincode_of(&0.5))),
        ("newtype", none().with_maximum([99])),
        ("price", least("0.01").with_unit("EUR")),
        ("day", least("2026-01-01").with_maximum(bincode_of(&"2026-12-31"))),
        ("time", none().with_maximum(bincode_of(&"18:00"))),
        ("at", none().with_minimum(bincode_of(&moment))),
        ("clock", none().with_minimum(bincode_of(&moment))),
        ("wait", none().with_maximum(bincode_of(&Duration::from_secs(60)))),
        (
            "text",
            none().with_length(span(1, Some(64))).with_pattern("^[a-z]+$").with_example(bincode_of(&"tea")),
        ),
        ("key", none().with_length(span(16, Some(16)))),
        ("name", none().with_length(span(0, Some(3)))),
        ("list", none().with_items(span(1, None))),
        ("set", none().with_items(span(0, Some(3)))),
        ("map", none().with_items(span(2, Some(2))).with_secret()),
        ("old", none().with_deprecated("Use `text`.")),
        ("older", none().with_deprecated("Nobody reads it.").with_example([1])),
        ("one", none().with_minimum([1])),
        ("few", none().with_minimum([1]).with_maximum([9])),
        ("parcels", none().with_minimum([1])),
        ("any", none()),
        ("nothing", none()),
    ];
    let fields: Vec<Field> = struct_of::<All>().fields;
    for (field, (name, attributes)) in fields.iter().zip(&expected) {
        assert_eq!((field.name.as_str(), &field.attributes), (*name, attributes));
    }
    assert_eq!(fields.len(), expected.len());
}

/// Not used any more.
#[derive(Serialize, Deserialize, Message)]
#[deprecated = "Take `Way`."]
enum OldWay {
    #[message(deprecated = "Too slow.")]
    Foot,
    Car {
        #[message(min = 1)]
        wheels: u8,
    },
}

#[test]
#[allow(deprecated)]
fn types_and_variants_may_be_deprecated_and_variants_fields_have_constraints() {
    let way = enum_of::<OldWay>();
    assert_eq!(way.attributes, none().with_deprecated("Take `Way`."));
    assert_eq!(way.variants[0].attributes, none().with_deprecated("Too slow."));
    assert_eq!(way.variants[1].attributes, none());
    let callgate_protocol::schema::Shape::Struct(fields) = &way.variants[1].shape else { panic!("{way:?}") };
    assert_eq!(fields[0].attributes, none().with_minimum([1]));
}

#[derive(Serialize, Deserialize, Message)]
#[message(tag = "type")]
enum Pet {
    Cat { lives: u8 },
    Dog,
}

#[derive(Serialize, Deserialize, Message)]
#[message(tag = "type", content = "data")]
enum Sign {
    Text(String),
    Pair(u8, u8),
}

#[derive(Serialize, Deserialize, Message)]
struct Owner {
    name: String,
    #[message(flatten)]
    address: Address,
}

#[derive(Serialize, Deserialize, Message)]
struct Address {
    street: String,
}

#[test]
fn tags_and_flattened_fields_are_in_the_schema_and_not_on_the_wire() {
    assert_eq!(enum_of::<Pet>().attributes, none().with(Attributes::TAG, "type"));
    assert_eq!(
        enum_of::<Sign>().attributes,
        none().with(Attributes::TAG, "type").with(Attributes::CONTENT, "data")
    );
    assert_eq!(struct_of::<Owner>().fields[1].attributes, none().with(Attributes::FLATTEN, []));
    assert_eq!(fits(&Pet::Cat { lives: 9 }), [0, 9]);
    assert_eq!(fits(&Pet::Dog), [1]);
    assert_eq!(fits(&Sign::Pair(1, 2)), [1, 1, 2]);
    assert_eq!(fits(&Sign::Text("a".into())), [0, 1, b'a']);
    let owner = Owner { name: "a".into(), address: Address { street: "b".into() } };
    assert_eq!(fits(&owner), [1, b'a', 1, b'b']);
}

#[derive(Debug, Serialize, Deserialize, Message)]
struct Order {
    #[message(length(min = 1, max = 5), pattern = "^[a-z]+$")]
    sku: String,
    #[message(min = 1, max = 100)]
    qty: u32,
    #[message(min = "0.01")]
    price: Option<Decimal>,
    parcels: NonZero<u8>,
}

#[service]
trait Shop {
    async fn order(&self, orders: Vec<Order>, at: Date) -> Result<u32, Status>;
}

struct Open;

impl Shop for Open {
    async fn order(&self, orders: Vec<Order>, _at: Date) -> Result<u32, Status> {
        Ok(orders.iter().map(|order| order.qty).sum())
    }
}

fn call(orders: &[(&str, u32, Option<&str>, u8)]) -> Result<(), Status> {
    let payload = bincode_of(&(orders, "2026-11-29"));
    Arc::new(ShopServer::new(Open)).call(0, Context::background(), &payload, None).map(drop)
}

#[test]
fn the_server_checks_all_constraints_before_the_method_runs() {
    call(&[("tea", 1, Some("0.01"), 1), ("milk", 100, None, 255)]).expect("the bounds are inside");
    let status = call(&[("tea", 0, None, 1)]).expect_err("a quantity of 0");
    assert_eq!(
        (status.code, &*status.message),
        (Code::InvalidArgument, "`/orders/0/qty`: must be at least 1")
    );
    assert_eq!(
        status.details.as_deref(),
        Some(r#"{"errors":[{"pointer":"/orders/0/qty","detail":"must be at least 1"}]}"#)
    );
    let status = call(&[("tea", 1, None, 1), ("No tea", 101, Some("0"), 0)]).expect_err("all of it is wrong");
    assert_eq!((status.code, &*status.message), (Code::InvalidArgument, "the arguments have 4 errors"));
    let details: serde_json::Value = serde_json::from_str(&status.details.unwrap_or_default()).expect("JSON");
    let pointers: Vec<_> =
        details["errors"].as_array().into_iter().flatten().map(|e| &e["pointer"]).collect();
    assert_eq!(pointers, ["/orders/1/sku", "/orders/1/qty", "/orders/1/price", "/orders/1/parcels"]);
}

#[test]
fn a_text_that_is_not_of_its_form_never_reaches_the_method() {
    let payload = bincode_of(&(Vec::<u8>::new(), "2026-02-30"));
    let status = Arc::new(ShopServer::new(Open)).call(0, Context::background(), &payload, None).map(drop);
    let status = status.expect_err("there is no such day");
    assert_eq!(
        (status.code, &*status.message),
        (
            Code::InvalidArgument,
            "the arguments of shop.order cannot be read: not a date: no such day in that month"
        )
    );
}

macro_rules! refused {
    ($($name:ident { $(#[$attr:meta])* $field:ident: $ty:ty } => $expected:expr;)*) => {
        $(
            #[derive(Serialize, Deserialize, Message)]
            struct $name {
                $(#[$attr])*
                $field: $ty,
            }
        )*

        #[service]
        trait Refused {
            $(
                #[allow(non_snake_case)]
                async fn $field(&self, argument: $name) -> Result<(), Status>;
            )*
        }

        struct Nobody;

        impl Refused for Nobody {
            $(
                async fn $field(&self, _: $name) -> Result<(), Status> {
                    Ok(())
                }
            )*
        }

        #[test]
        fn what_cannot_be_checked_is_an_error_when_the_server_starts() {
            let server = RefusedServer::new(Nobody);
            let problems = server.methods().iter().map(|method| method.schema().map(drop));
            let expected = [$($expected),*];
            for (problem, expected) in problems.zip(expected) {
                let problem: &BadSchema = problem.expect_err("it cannot be described");
                assert_eq!(problem.to_string(), expected);
            }
        }
    };
}

refused! {
    Lookahead { #[message(pattern = "(?=a)")] a: String }
        => "the pattern of `a`: look-around, including look-ahead and look-behind, is not supported";
    TooLarge { #[message(pattern = r"^\w{1,500}$")] b: String }
        => "the pattern of `b`: it is larger than 262144 bytes when it is compiled";
    NoDecimal { #[message(min = "1,5")] c: Decimal }
        => "`min`: \"1,5\" is no `callgate_sdk::message::text::Decimal`: not a decimal number: expected digits and at most one \
            decimal point";
    NoSpan { #[message(length(min = LONGEST + 1, max = LONGEST))] d: String }
        => "`length`: the most is less than the least, 65";
}
