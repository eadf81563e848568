//! `values.json`: a value of every type as bincode itself writes it, and bytes that are no value.

mod cases;

use crate::schema::{enumeration, plain_field, structure, text};
use crate::{check, hex, kept, unhex};
use callgate_protocol::check::{self as guard, Reason};
use callgate_protocol::schema::{Attributes, Definition, Field, MethodSchema, Shape, Type};
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Vectors {
    values: Vec<Entry>,
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    r#type: String,
    /// The schema of a method whose response is of the type.
    schema: String,
    value: Value,
    hex: String,
}

#[derive(Serialize)]
struct Refused {
    name: &'static str,
    r#type: String,
    schema: String,
    hex: String,
    reason: String,
}

fn method(response: Type) -> MethodSchema {
    let point = || plain_field("point", Type::Ref(1));
    let shapes = vec![
        ("Unit", Shape::Unit),
        ("Newtype", Shape::Newtype(Type::U8)),
        ("Tuple", Shape::Tuple(vec![Type::U8, Type::Bool])),
        ("Struct", Shape::Struct(vec![point()])),
    ];
    let next = Type::Option(Box::new(Type::Ref(4)));
    let definitions: Vec<Definition> = vec![
        structure("Empty", vec![]),
        structure("Point", vec![plain_field("x", Type::I32), plain_field("y", Type::I32)]),
        enumeration("Way", shapes),
        enumeration("Colour", vec![("Red", Shape::Unit), ("Blue", Shape::Unit)]),
        structure("Node", vec![plain_field("value", Type::U8), plain_field("next", next)]),
        structure("Change", vec![presence("title", Type::String), presence("pages", Type::U32)]),
        structure(
            "Placed",
            vec![
                plain_field("id", Type::U8),
                flat("at", Type::Ref(1)),
                flat("meta", Type::Option(Box::new(Type::Ref(7)))),
                flat("rest", rest()),
                plain_field("last", Type::Bool),
            ],
        ),
        structure("Meta", vec![plain_field("by", Type::String)]),
        tagged(
            enumeration(
                "Payment",
                vec![
                    ("cash", Shape::Unit),
                    ("card", Shape::Newtype(Type::Ref(7))),
                    ("voucher", Shape::Struct(vec![plain_field("code", Type::U8)])),
                    ("other", Shape::Newtype(rest())),
                ],
            ),
            Attributes::new().with_tag("type"),
        ),
        tagged(
            enumeration(
                "Area",
                vec![
                    ("none", Shape::Unit),
                    ("round", Shape::Newtype(Type::U8)),
                    ("square", Shape::Tuple(vec![Type::U8, Type::U8])),
                ],
            ),
            Attributes::new().with_tag("kind").with_content("of"),
        ),
    ];
    MethodSchema::new(Type::Ref(0), response, definitions)
}

fn rest() -> Type {
    Type::Map(Box::new(Type::String), Box::new(Type::U8))
}

fn flat(name: &str, ty: Type) -> Field {
    Field { attributes: Attributes::new().with_flatten(), ..plain_field(name, ty) }
}

fn tagged(mut definition: Definition, attributes: Attributes) -> Definition {
    if let Definition::Enum(def) = &mut definition {
        def.attributes = attributes;
    }
    definition
}

fn presence(name: &str, ty: Type) -> Field {
    plain_field(name, Type::Presence(Box::new(ty)))
}

fn entry(name: &'static str, ty: Type, value: Value, oracle: impl Serialize) -> Entry {
    let bytes =
        bincode::serde::encode_to_vec(oracle, bincode::config::standard()).expect("bincode writes it");
    Entry { name, r#type: text(&ty), schema: hex(&method(ty).encode()), value, hex: hex(&bytes) }
}

fn refused() -> Vec<Refused> {
    use Type::*;
    use callgate_protocol::schema::Logical as Decimal;
    let deep = 128;
    let cases: [(&'static str, Type, Vec<u8>); 21] = [
        ("bool: neither 0 nor 1", Bool, vec![2]),
        ("option: neither 0 nor 1", Option(Box::new(U8)), vec![2, 0]),
        ("u16 with the marker of 4 bytes", U16, vec![252, 1, 0, 0, 0]),
        ("marker 255", U64, vec![255]),
        ("a byte too few", U32, vec![251, 1]),
        ("a byte too many", U8, vec![1, 2]),
        ("char: a surrogate", Char, vec![0xed, 0xa0, 0x80]),
        ("char: not the shortest UTF-8", Char, vec![0xc0, 0x80]),
        ("string: not UTF-8", String, vec![1, 0xff]),
        ("string: longer than the message", String, vec![253, 255, 255, 255, 255, 255, 255, 255, 255]),
        ("uuid of 15 bytes", Uuid, [vec![15], vec![0; 15]].concat()),
        ("timestamp with 10^9 nanoseconds", Timestamp, vec![0, 252, 0, 202, 154, 59]),
        ("IP address of a third kind", IpAddr, vec![2, 0, 0, 0, 0]),
        ("enum: no such variant", Ref(2), vec![4]),
        ("presence: neither absent nor null nor a value", Ref(5), vec![0, 3]),
        (
            "a logical type whose physical value is not one",
            Logical(Decimal::DECIMAL, Box::new(String)),
            vec![1],
        ),
        ("map: a key twice", Map(Box::new(U8), Box::new(Bool)), vec![3, 7, 0, 8, 0, 7, 1]),
        ("map: 200 keys and one of them again", Map(Box::new(U8), Box::new(Unit)), {
            [vec![201], (0..200).rev().collect(), vec![100]].concat()
        }),
        ("268 million units", List(Box::new(Unit)), vec![252, 0, 0, 0, 16]),
        (
            "65,536 units in an array, which is itself one more value without bytes",
            Array(Box::new(Unit), 65_536),
            vec![],
        ),
        ("129 structs, one in the other", Ref(4), [[7, 1].repeat(deep), vec![7, 0]].concat()),
    ];
    let entry = |(name, ty, bytes): (&'static str, Type, Vec<u8>)| {
        let schema = method(ty);
        let reason = guard::value(&schema, &schema.response, &bytes).expect_err(name).reason;
        Refused {
            name,
            r#type: text(&schema.response),
            schema: hex(&schema.encode()),
            hex: hex(&bytes),
            reason: match reason {
                Reason::Wire(error) => error.to_string(),
                other => format!("{other:?}"),
            },
        }
    };
    cases.into_iter().map(entry).collect()
}

#[test]
fn values_are_what_bincode_writes_and_the_guard_lets_through() {
    let values = [cases::integers(), cases::scalars(), cases::composed(), cases::grown(), cases::shaped()]
        .into_iter()
        .flatten()
        .collect();
    check("values.json", &Vectors { values, refused: refused() });
    let vectors = kept("values.json");
    for (list, sound) in [("values", true), ("refused", false)] {
        for entry in vectors[list].as_array().expect("a list") {
            let schema = MethodSchema::decode(&unhex(&entry["schema"])).expect("a vector's schema is sound");
            let verdict = guard::value(&schema, &schema.response, &unhex(&entry["hex"]));
            assert_eq!(verdict.is_ok(), sound, "{}", entry["name"]);
        }
    }
}
