//! Tagged enums and flattened fields against serde's own: what serde_json writes and reads of types with `#[serde(tag)]`,
//! `#[serde(content)]` and `#[serde(flatten)]`, and what bincode writes of the same types without these.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Attributes, Definition, EnumDef, MethodSchema, Shape, Type};
use proptest::prelude::*;
use proptest::sample::Index;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use support::generate::runs;
use support::{decode, encode, field, method, option, ruled, structure, variant, whole};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Event {
    id: u64,
    // Serde gives a map what is left also what structs in structs have taken, so those are not beside the map.
    #[serde(flatten)]
    to: Place,
    #[serde(flatten)]
    meta: Option<Meta>,
    home: Home,
    payment: Payment,
    areas: Vec<Area>,
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
    last: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Home {
    #[serde(flatten)]
    address: Address,
    since: u16,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Address {
    street: String,
    #[serde(flatten)]
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    city: Option<String>,
    zip: (u8, u8),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Meta {
    by: String,
    at: Option<i32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Payment {
    Cash,
    Card(Meta),
    Voucher {
        code: String,
        #[serde(flatten)]
        place: Place,
        next: Option<Box<Payment>>,
    },
    Other(BTreeMap<String, String>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of")]
enum Area {
    Empty,
    Round(f64),
    Square(f64, f64),
    Named { name: String },
    Perhaps(Option<u8>),
}

/// The same types as the wire has them.
mod wire {
    use serde::Serialize;
    use std::collections::BTreeMap;

    #[derive(Serialize)]
    pub(super) struct Event {
        pub(super) id: u64,
        pub(super) to: Place,
        pub(super) meta: Option<Meta>,
        pub(super) home: (Address, u16),
        pub(super) payment: Payment,
        pub(super) areas: Vec<Area>,
        pub(super) rest: BTreeMap<String, i64>,
        pub(super) last: bool,
    }

    #[derive(Serialize)]
    pub(super) struct Address {
        pub(super) street: String,
        pub(super) place: Place,
    }

    #[derive(Serialize)]
    pub(super) struct Place {
        pub(super) city: Option<String>,
        pub(super) zip: (u8, u8),
    }

    #[derive(Serialize)]
    pub(super) struct Meta {
        pub(super) by: String,
        pub(super) at: Option<i32>,
    }

    #[derive(Serialize)]
    pub(super) enum Payment {
        Cash,
        Card(Meta),
        Voucher { code: String, place: Place, next: Option<Box<Payment>> },
        Other(BTreeMap<String, String>),
    }

    #[derive(Serialize)]
    pub(super) enum Area {
        Empty,
        Round(f64),
        Square(f64, f64),
        Named { name: String },
        Perhaps(Option<u8>),
    }
}

impl From<Event> for wire::Event {
    fn from(of: Event) -> Self {
        wire::Event {
            id: of.id,
            to: of.to.into(),
            meta: of.meta.map(Into::into),
            home: (
                wire::Address { street: of.home.address.street, place: of.home.address.place.into() },
                of.home.since,
            ),
            payment: of.payment.into(),
            areas: of.areas.into_iter().map(Into::into).collect(),
            rest: of.rest,
            last: of.last,
        }
    }
}

impl From<Place> for wire::Place {
    fn from(Place { city, zip }: Place) -> Self {
        wire::Place { city, zip }
    }
}

impl From<Meta> for wire::Meta {
    fn from(Meta { by, at }: Meta) -> Self {
        wire::Meta { by, at }
    }
}

impl From<Payment> for wire::Payment {
    fn from(of: Payment) -> Self {
        match of {
            Payment::Cash => wire::Payment::Cash,
            Payment::Card(meta) => wire::Payment::Card(meta.into()),
            Payment::Voucher { code, place, next } => wire::Payment::Voucher {
                code,
                place: place.into(),
                next: next.map(|next| Box::new((*next).into())),
            },
            Payment::Other(all) => wire::Payment::Other(all),
        }
    }
}

impl From<Area> for wire::Area {
    fn from(of: Area) -> Self {
        match of {
            Area::Empty => wire::Area::Empty,
            Area::Round(radius) => wire::Area::Round(radius),
            Area::Square(a, b) => wire::Area::Square(a, b),
            Area::Named { name } => wire::Area::Named { name },
            Area::Perhaps(number) => wire::Area::Perhaps(number),
        }
    }
}

fn flat(name: &str, ty: Type) -> callgate_protocol::schema::Field {
    ruled(name, ty, Attributes::new().with_flatten())
}

fn tagged(attributes: Attributes, variants: Vec<(&str, Shape)>) -> Definition {
    let variants = variants.into_iter().map(|(name, shape)| variant(name, shape)).collect();
    Definition::Enum(EnumDef { attributes, ..EnumDef::new("E", variants) })
}

fn schema() -> MethodSchema {
    let map = |value: Type| Type::Map(Box::new(Type::String), Box::new(value));
    method(vec![
        structure(vec![
            field("id", Type::U64),
            flat("to", Type::Ref(2)),
            flat("meta", option(Type::Ref(3))),
            field("home", Type::Ref(6)),
            field("payment", Type::Ref(4)),
            field("areas", Type::List(Box::new(Type::Ref(5)))),
            flat("rest", map(Type::I64)),
            field("last", Type::Bool),
        ]),
        structure(vec![field("street", Type::String), flat("place", Type::Ref(2))]),
        structure(vec![
            field("city", option(Type::String)),
            field("zip", Type::Tuple(vec![Type::U8, Type::U8])),
        ]),
        structure(vec![field("by", Type::String), field("at", option(Type::I32))]),
        tagged(
            Attributes::new().with_tag("type"),
            vec![
                ("Cash", Shape::Unit),
                ("Card", Shape::Newtype(Type::Ref(3))),
                (
                    "Voucher",
                    Shape::Struct(vec![
                        field("code", Type::String),
                        flat("place", Type::Ref(2)),
                        field("next", option(Type::Ref(4))),
                    ]),
                ),
                ("Other", Shape::Newtype(map(Type::String))),
            ],
        ),
        tagged(
            Attributes::new().with_tag("kind").with_content("of"),
            vec![
                ("Empty", Shape::Unit),
                ("Round", Shape::Newtype(Type::F64)),
                ("Square", Shape::Tuple(vec![Type::F64, Type::F64])),
                ("Named", Shape::Struct(vec![field("name", Type::String)])),
                ("Perhaps", Shape::Newtype(option(Type::U8))),
            ],
        ),
        structure(vec![flat("address", Type::Ref(1)), field("since", Type::U16)]),
    ])
}

fn places() -> impl Strategy<Value = Place> {
    (any::<Option<String>>(), any::<(u8, u8)>()).prop_map(|(city, zip)| Place { city, zip })
}

fn metas() -> impl Strategy<Value = Meta> {
    (any::<String>(), any::<Option<i32>>()).prop_map(|(by, at)| Meta { by, at })
}

fn payments() -> impl Strategy<Value = Payment> {
    let others = proptest::collection::btree_map("[a-z\"\\\\]{0,3}", any::<String>(), 0..3);
    let leaf =
        prop_oneof![Just(Payment::Cash), metas().prop_map(Payment::Card), others.prop_map(Payment::Other),];
    leaf.prop_recursive(4, 8, 1, |inner| {
        (any::<String>(), places(), proptest::option::of(inner.prop_map(Box::new)))
            .prop_map(|(code, place, next)| Payment::Voucher { code, place, next })
    })
}

fn areas() -> impl Strategy<Value = Area> {
    // Such as serde_json reads back exactly.
    let number = || any::<i32>().prop_map(|number| f64::from(number) / 4.0);
    prop_oneof![
        Just(Area::Empty),
        number().prop_map(Area::Round),
        (number(), number()).prop_map(|(a, b)| Area::Square(a, b)),
        any::<String>().prop_map(|name| Area::Named { name }),
        any::<Option<u8>>().prop_map(Area::Perhaps),
    ]
}

fn events() -> impl Strategy<Value = Event> {
    let home = (any::<String>(), places(), any::<u16>());
    let home = home.prop_map(|(street, place, since)| Home { address: Address { street, place }, since });
    let rest = proptest::collection::btree_map("[x-z\u{e9}\n]{0,3}", any::<i64>(), 0..20);
    let all = (
        any::<u64>(),
        places(),
        proptest::option::of(metas()),
        home,
        payments(),
        proptest::collection::vec(areas(), 0..3),
        rest,
        any::<bool>(),
    );
    all.prop_map(|(id, to, meta, home, payment, areas, rest, last)| Event {
        id,
        to,
        meta,
        home,
        payment,
        areas,
        rest,
        last,
    })
}

/// The same document with the members of each object in another order, as a tape says.
fn shuffled(value: &serde_json::Value, tape: &mut impl Iterator<Item = Index>) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let mut parts: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", serde_json::json!(name), shuffled(value, tape)))
                .collect();
            for last in (1..parts.len()).rev() {
                parts.swap(last, tape.next().unwrap().index(last + 1));
            }
            format!("{{{}}}", parts.join(","))
        }
        serde_json::Value::Array(items) => {
            let parts: Vec<String> = items.iter().map(|item| shuffled(item, tape)).collect();
            format!("[{}]", parts.join(","))
        }
        scalar => scalar.to_string(),
    }
}

proptest! {
    #![proptest_config(runs(1_500))]

    #[test]
    fn what_serde_json_writes_and_reads_is_what_we_write_and_read(
        event in events(), tape in proptest::collection::vec(any::<Index>(), 1..100),
    ) {
        let schema = schema();
        let wire = wire::Event::from(event.clone());
        let bytes = bincode::serde::encode_to_vec(wire, bincode::config::standard()).unwrap();
        let json = serde_json::to_string(&event).unwrap();
        prop_assert_eq!(decode(&schema, &bytes), Ok(json.clone()));

        let mut tape = tape.into_iter().cycle();
        let other = shuffled(&serde_json::from_str(&json).unwrap(), &mut tape);
        for json in [&json, &other] {
            // Only what serde reads as the same value.
            prop_assert_eq!(&serde_json::from_str::<Event>(json).unwrap(), &event);
            let encoded = encode(&whole(&schema), json.as_bytes()).unwrap();
            let back = decode(&schema, &encoded).unwrap();
            prop_assert_eq!(serde_json::from_str::<Event>(&back).unwrap(), event.clone(), "{}", json);
            // The entries of a map stand in the order in which they came, and so may the order of the bytes be another.
            prop_assert_eq!(encoded.len(), bytes.len(), "{}", json);
        }
        prop_assert_eq!(encode(&whole(&schema), json.as_bytes()), Ok(bytes));
    }

    /// Documents with a member less, or one that is renamed: where serde refuses, we do; where it does not, we agree.
    #[test]
    fn what_serde_json_refuses_we_refuse(event in events(), at in any::<Index>(), rename in any::<bool>()) {
        // Serde takes an optional struct for none when it cannot read it; we say what is wrong with it.
        let event = Event { meta: None, ..event };
        let json = serde_json::to_string(&event).unwrap();
        let names: Vec<_> = ["\"street\"", "\"zip\"", "\"type\"", "\"kind\"", "\"of\"", "\"code\"", "\"payment\"", "\"by\""]
            .into_iter()
            .filter(|name| json.contains(&format!("{name}:")))
            .collect();
        let name = names[at.index(names.len())];
        let broken = match rename {
            true => json.replacen(&format!("{name}:"), "\"xx\":", 1),
            false => json.replacen(&format!("{name}:"), &format!("{name}:1,{name}:"), 1),
        };
        let theirs = serde_json::from_str::<Event>(&broken);
        let ours = encode(&whole(&schema()), broken.as_bytes());
        if theirs.is_err() {
            prop_assert!(ours.is_err(), "{}", broken);
        }
    }
}
