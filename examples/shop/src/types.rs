//! A message with a field of every type. `types.json`, beside this package's `Cargo.toml`, is one in JSON.

use callgate_sdk::{Bytes, Json, Message, Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// A value of every type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct AllTypes {
    /// What is one value.
    pub scalars: Scalars,
    /// What JSON writes as a string.
    pub strings: Strings,
    /// What contains other values.
    pub containers: Containers,
    /// Types of one's own.
    pub own: Own,
    /// Fields that may be missing.
    pub defaults: Defaults,
}

/// Numbers, truth values, text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Scalars {
    pub unit: (),
    pub bool: bool,
    pub u8: u8,
    pub u16: u16,
    pub u32: u32,
    pub u64: u64,
    pub u128: u128,
    pub usize: usize,
    pub i8: i8,
    pub i16: i16,
    pub i32: i32,
    pub i64: i64,
    pub i128: i128,
    pub isize: isize,
    pub f32: f32,
    pub f64: f64,
    pub char: char,
    pub string: String,
}

/// What JSON writes as a string, and JSON itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Strings {
    /// Base64.
    pub bytes: Bytes,
    /// Hyphenated.
    pub uuid: Uuid,
    /// RFC 3339.
    pub timestamp: Timestamp,
    /// Seconds: `1.5s`.
    pub duration: Duration,
    /// Of either kind.
    pub ip: IpAddr,
    /// Dotted.
    pub ipv4: Ipv4Addr,
    /// With colons.
    pub ipv6: Ipv6Addr,
    /// Anything.
    pub json: Json,
}

/// Options, lists, arrays, tuples, sets, maps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Containers {
    pub option: Option<u32>,
    pub list: Vec<String>,
    pub numbers: Vec<u8>,
    pub queue: VecDeque<i32>,
    pub set: BTreeSet<char>,
    pub hash_set: HashSet<u16>,
    pub array: [f32; 3],
    pub tuple: (bool, u8, String),
    pub map: BTreeMap<String, Vec<u32>>,
    pub by_number: BTreeMap<i64, bool>,
    pub by_color: HashMap<Color, Option<String>>,
    pub by_sku: BTreeMap<Sku, u32>,
    pub boxed: Box<u64>,
}

/// Structs and enums: recursive, generic, in every shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[serde(rename_all = "camelCase")]
pub struct Own {
    /// An enum without content.
    pub color: Color,
    /// Every shape of a variant.
    pub shapes: Vec<Shape>,
    /// A type that contains itself.
    pub family_tree: Tree,
    /// A generic type.
    pub numbers: Page<u32>,
    /// The same with another argument.
    pub skus: Page<Sku>,
    /// A tuple struct.
    pub point: Point,
    /// A struct without content.
    pub nothing: Nothing,
}

/// A color; can be a map's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Message)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Color {
    Red,
    Green,
    DeepBlue,
}

/// An article's number: a string with a name, and a map's key like one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Message)]
pub struct Sku(pub String);

/// Every shape of a variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub enum Shape {
    /// `"Empty"`.
    Empty,
    /// `{"Circle": 1.5}`.
    Circle(f64),
    /// `{"Rectangle": [2.0, 3.0]}`.
    Rectangle(f64, f64),
    /// `{"Polygon": {"corners": [[0, 0]], "closed": true}}`.
    Polygon {
        /// Where it bends.
        corners: Vec<Point>,
        /// Whether the last corner is followed by the first; it is if it is not said.
        #[serde(default = "yes")]
        closed: bool,
    },
}

/// `[1, 2]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Message)]
pub struct Point(pub i32, pub i32);

/// `null`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Message)]
pub struct Nothing;

/// A type that contains itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Message)]
pub struct Tree {
    /// Its name.
    pub name: String,
    /// Those below; none if they are not said.
    #[serde(default)]
    pub children: Vec<Tree>,
}

/// A part of a longer list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Message)]
pub struct Page<T> {
    /// The part.
    pub items: Vec<T>,
    /// Where the next one begins.
    pub next: Option<u64>,
}

/// Each field may be missing: `{}` is a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Message)]
#[serde(default)]
pub struct Defaults {
    /// 0 if missing.
    pub zero: u32,
    /// `"unnamed"` if missing.
    pub name: String,
    /// `true` if missing.
    #[serde(alias = "isEnabled")]
    pub enabled: bool,
    /// None if missing.
    pub note: Option<String>,
    /// Not part of the message.
    #[serde(skip)]
    pub internal: u64,
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults { zero: 0, name: "unnamed".to_owned(), enabled: true, note: None, internal: 0 }
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// serde_json reads everything but durations as the gateway does.
    #[test]
    fn the_sample_is_a_value_of_every_type() {
        let text = include_str!("../types.json").replace("\"90.5s\"", r#"{"secs": 90, "nanos": 500000000}"#);
        let all: AllTypes = serde_json::from_str(&text).expect("the sample is valid");
        assert_eq!(all.scalars.u64, u64::MAX);
        assert_eq!(all.strings.bytes.as_slice(), b"callgate");
        assert_eq!(all.own.shapes.len(), 5);
        assert_eq!(all.defaults, Defaults::default());
    }
}
