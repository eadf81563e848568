//! JSON of strangers: an object that says each thing once, and is not deep.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// So deep may objects and lists lie within the outermost object.
const DEPTH: usize = 16;

/// Reads an object. serde_json takes the last of several members of one name, and others take the first: here that is an error, at
/// any depth. So is all that follows the object.
pub(crate) fn object(json: &[u8]) -> serde_json::Result<Map<String, Value>> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let object = Once { depth: DEPTH }.deserialize(&mut reader)?;
    reader.end()?;
    match object {
        Value::Object(object) => Ok(object),
        _ => Err(de::Error::custom("this is not an object")),
    }
}

/// A value in which no object has a member twice.
#[derive(Clone, Copy)]
struct Once {
    /// How many more levels there may be.
    depth: usize,
}

impl Once {
    fn inner<E: de::Error>(self) -> Result<Once, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("this is too deep"))?;
        Ok(Once { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Once {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(de::Error::custom("a member stands here twice"));
            }
            object.insert(name, members.next_value_seed(inner)?);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_serde_json_reads_it() {
        let json = r#" {"a":[1,-2,2.5,true,null,{"b":"\u00e9"}],"b":{}} "#;
        assert_eq!(object(json.as_bytes()).ok(), serde_json::from_str(json).ok());
    }

    #[test]
    fn what_says_a_thing_twice_is_deep_or_is_more_or_less_than_an_object_is_none() {
        let nested = |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(object(nested(DEPTH - 1).as_bytes()).is_ok());
        for json in [
            nested(DEPTH),
            nested(100_000),
            "{\"a\":".repeat(100_000),
            r#"{"a":1,"a":1}"#.into(),
            r#"{"a":1,"\u0061":1}"#.into(),
            r#"{"x":[{"a":1,"b":2,"a":3}]}"#.into(),
            "".into(),
            "{}{}".into(),
            "{} x".into(),
            "[]".into(),
            "null".into(),
            "{\"a\":1,}".into(),
            "{'a':1}".into(),
            "\u{feff}{}".into(),
            r#"{"a":"\ud800"}"#.into(),
            r#"{"a":1e999}"#.into(),
            r#"{"a":NaN}"#.into(),
            r#"{"a":01}"#.into(),
        ] {
            assert!(object(json.as_bytes()).is_err(), "{}", &json[..json.len().min(60)]);
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
    }
}
