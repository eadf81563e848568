//! Any JSON: for what has no type of its own. The text is kept as it came, so that no number loses a digit.

use super::{Message, SchemaBuilder};
use callgate_protocol::schema::Type;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;
use std::str::FromStr;

/// A JSON text, known to be valid. In JSON it is itself; on the wire it is a string.
///
/// Two are equal when their texts are: `1.0` is not `1`.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Checks that `text` is JSON and keeps it as it is, without white space around it.
    pub fn new(text: impl Into<String>) -> Result<Json, InvalidJson> {
        RawValue::from_string(text.into()).map(Json).map_err(InvalidJson)
    }

    /// Writes a value as JSON. Fails for what JSON cannot express, such as a map whose keys are lists.
    pub fn from_value(value: &(impl Serialize + ?Sized)) -> Result<Json, InvalidJson> {
        serde_json::value::to_raw_value(value).map(Json).map_err(InvalidJson)
    }

    /// Reads it as a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, InvalidJson> {
        serde_json::from_str(self.as_str()).map_err(InvalidJson)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

/// Why a text is not JSON, or not the JSON that was asked for.
#[derive(Debug)]
pub struct InvalidJson(serde_json::Error);

impl fmt::Display for InvalidJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for InvalidJson {}

impl Message for Json {
    fn describe(_: &mut SchemaBuilder) -> Type {
        Type::Json
    }
}

impl Default for Json {
    /// `null`.
    fn default() -> Json {
        Json(RawValue::NULL.to_owned())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Json {
    type Err = InvalidJson;

    fn from_str(text: &str) -> Result<Json, InvalidJson> {
        Json::new(text)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.0.serialize(serializer)
        } else {
            serializer.serialize_str(self.as_str())
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        if deserializer.is_human_readable() {
            Box::<RawValue>::deserialize(deserializer).map(Json)
        } else {
            Json::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
        }
    }
}
