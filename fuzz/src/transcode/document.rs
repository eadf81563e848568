//! A message with something of each kind that serde_json writes as we do.

use callgate_protocol::schema::Type;
use callgate_sdk::{Message, SchemaBuilder};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The message.
#[derive(Serialize, Deserialize, Message)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    id: u32,
    small: (u8, i8, i16),
    side: Side,
    urgent: bool,
    note: Option<String>,
    letter: char,
    lines: Vec<Line>,
    grid: [u16; 3],
    rate: Float,
    long: Long,
    huge: Huge,
    names: BTreeMap<String, Line>,
    by_number: BTreeMap<u16, Option<bool>>,
    nothing: (),
    tree: Tree,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(deny_unknown_fields)]
struct Line {
    sku: String,
    #[serde(default)]
    qty: i16,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(deny_unknown_fields)]
enum Side {
    Buy,
    Sell,
    Peg(i8),
    Swap(u8, String),
    Stop { at: u16, until: Option<u32> },
}

/// Nests.
#[derive(Serialize, Deserialize, Message)]
enum Tree {
    Leaf,
    Node(Vec<Tree>),
}

/// A float as docs/json.md has it: rounded once, which the standard library does and serde_json does not, and with texts for what is no
/// number.
struct Float(f64);

impl Message for Float {
    fn describe(_: &mut SchemaBuilder) -> Type {
        Type::F64
    }
}

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_finite() || !serializer.is_human_readable() => serializer.serialize_f64(value),
            value if value.is_nan() => serializer.serialize_str("NaN"),
            value => serializer.serialize_str(if value > 0.0 { "Infinity" } else { "-Infinity" }),
        }
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Float, D::Error> {
        if !deserializer.is_human_readable() {
            return f64::deserialize(deserializer).map(Float);
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let value = match serde_json::from_str::<String>(raw.get()) {
            Ok(text) => match text.as_str() {
                "NaN" => f64::NAN,
                "Infinity" => f64::INFINITY,
                "-Infinity" => f64::NEG_INFINITY,
                _ => return Err(D::Error::custom("no float")),
            },
            Err(_) => raw
                .get()
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite())
                .ok_or_else(|| D::Error::custom("no float"))?,
        };
        Ok(Float(value))
    }
}

/// Reads an integer that may stand in a string.
fn integer<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    if !deserializer.is_human_readable() {
        return T::deserialize(deserializer);
    }
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    let text = serde_json::from_str::<String>(raw.get()).unwrap_or_else(|_| raw.get().to_owned());
    if text.contains(|char: char| !char.is_ascii_digit() && char != '-') {
        return Err(D::Error::custom("no integer"));
    }
    serde_json::from_str(&text).map_err(D::Error::custom)
}

/// A number, or a string of it.
#[derive(Serialize)]
#[serde(transparent)]
struct Long(i64);

impl Message for Long {
    fn describe(_: &mut SchemaBuilder) -> Type {
        Type::I64
    }
}

impl<'de> Deserialize<'de> for Long {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Long, D::Error> {
        integer(deserializer).map(Long)
    }
}

/// A number, or a string of it; written as a string.
struct Huge(u128);

impl Message for Huge {
    fn describe(_: &mut SchemaBuilder) -> Type {
        Type::U128
    }
}

impl Serialize for Huge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&self.0)
        } else {
            serializer.serialize_u128(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Huge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Huge, D::Error> {
        integer(deserializer).map(Huge)
    }
}
