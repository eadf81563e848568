//! What serde can do and bincode cannot carry.
use callgate_sdk::Message;
use serde::{Deserialize, Serialize};

mod elsewhere {
    pub fn serialize<S: serde::Serializer>(value: &u8, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u8(*value)
    }
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(d: D) -> Result<u8, D::Error> {
        serde::Deserialize::deserialize(d)
    }
}

#[derive(Serialize, Deserialize)]
struct Inner {
    a: u8,
}

#[derive(Serialize, Deserialize, Message)]
struct Fields {
    #[serde(flatten)]
    flatten: Inner,
    #[serde(skip_serializing_if = "Option::is_none")]
    sometimes: Option<u8>,
    #[serde(skip_serializing)]
    write_only: u8,
    #[serde(default, skip_deserializing)]
    read_only: u8,
    #[serde(with = "elsewhere")]
    with: u8,
    #[serde(serialize_with = "elsewhere::serialize", deserialize_with = "elsewhere::deserialize")]
    both: u8,
    #[serde(rename(serialize = "out", deserialize = "in"))]
    renamed: u8,
    #[serde(rename(serialize = "out_only"))]
    half_renamed: u8,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(tag = "kind")]
enum Tagged {
    A,
}

#[derive(Serialize, Deserialize, Message)]
#[serde(tag = "kind", content = "value")]
enum Adjacent {
    A(u8),
}

#[derive(Serialize, Deserialize, Message)]
#[serde(untagged)]
enum Untagged {
    A(u8),
}

#[derive(Serialize, Deserialize, Message)]
enum Variants {
    A,
    #[serde(skip)]
    Skipped,
    #[serde(with = "elsewhere")]
    With(u8),
    #[serde(rename_all(serialize = "camelCase", deserialize = "snake_case"))]
    Renamed {
        a: u8,
    },
}

#[derive(Serialize, Deserialize, Message)]
#[serde(field_identifier)]
enum Identifier {
    A,
    #[serde(other)]
    Other,
}

#[derive(Clone, Serialize, Deserialize, Message)]
#[serde(from = "u8", into = "u8")]
struct Converted {
    a: u8,
}

impl From<u8> for Converted {
    fn from(a: u8) -> Self {
        Converted { a }
    }
}

impl From<Converted> for u8 {
    fn from(converted: Converted) -> u8 {
        converted.a
    }
}

#[derive(Deserialize, Serialize, Message)]
#[serde(try_from = "u8", remote = "Inner")]
struct Remote {
    #[serde(getter = "Inner::a")]
    a: u8,
}

fn main() {}
