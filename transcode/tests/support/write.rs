//! The JSON of a value, written plainly for comparison, or in any of the ways in which people write it.

use super::generate::Random;
use super::value::{Value, bincode_of};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use callgate_protocol::schema::{Definition, Field, Logical, MethodSchema, Shape, Type};
use chrono::{DateTime, FixedOffset, SecondsFormat};

/// `messy` is the source of whitespace, order, omissions, spellings; without it the text is what we write ourselves.
pub(crate) struct Writer<'a> {
    pub(crate) schema: &'a MethodSchema,
    pub(crate) messy: Option<Random>,
}

impl Writer<'_> {
    fn chance(&mut self, percent: usize) -> bool {
        self.messy.as_mut().is_some_and(|random| random.chance(percent))
    }

    fn space(&mut self) -> &'static str {
        match &mut self.messy {
            Some(random) => random.pick(&["", "", "", " ", "\n", "\t\r\n  "]),
            None => "",
        }
    }

    fn joined(&mut self, open: char, parts: Vec<String>, close: char) -> String {
        let mut text = String::from(open);
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text += self.space();
            text += part;
            text += self.space();
        }
        text.push(close);
        text
    }

    fn string(&mut self, text: &str) -> String {
        if self.chance(30) {
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04X}"));
            return format!("\"{}\"", units.collect::<String>());
        }
        serde_json::to_string(text).unwrap()
    }

    fn member(&mut self, name: &str, value: String) -> String {
        let (before, behind) = (self.space(), self.space());
        format!("{}{before}:{behind}{value}", self.string(name))
    }

    pub(crate) fn value(&mut self, ty: &Type, value: &Value) -> String {
        match (ty, value) {
            (Type::Logical(Logical::DECIMAL, _), Value::String(text)) if self.chance(30) => text.clone(),
            (Type::Logical(_, ty), value) => self.value(ty, value),
            (Type::Presence(_), Value::Null) => "null".to_owned(),
            (Type::Presence(ty), Value::Present(value)) => self.value(ty, value),
            (Type::Json, Value::String(text)) => text.clone(),
            (_, Value::Option(None)) => "null".to_owned(),
            (Type::Option(ty), Value::Option(Some(value))) => self.value(ty, value),
            (Type::List(ty) | Type::Array(ty, _), Value::Items(items)) => {
                let parts = items.iter().map(|item| self.value(ty, item)).collect();
                self.joined('[', parts, ']')
            }
            (Type::Tuple(types), Value::Items(items)) => {
                let parts = types.iter().zip(items).map(|(ty, item)| self.value(ty, item)).collect();
                self.joined('[', parts, ']')
            }
            (Type::Map(key, ty), Value::Map(entries)) => {
                let mut parts = Vec::new();
                for (k, v) in entries {
                    let value = self.value(ty, v);
                    let key = self.text(key, k);
                    parts.push(self.member(&key, value));
                }
                self.joined('{', parts, '}')
            }
            (Type::Ref(index), value) => match (self.schema.definition(*index).unwrap(), value) {
                (Definition::Struct(def), Value::Items(items)) => self.fields(&def.fields.clone(), items),
                (_, Value::Variant(number, content)) => self.variant(*index, *number, content),
                other => panic!("{other:?}"),
            },
            (Type::Bool, _) | (Type::Unit, _) => self.text(ty, value),
            (_, Value::F32(v)) if v.is_finite() => serde_json::to_string(v).unwrap(),
            (_, Value::F64(v)) if v.is_finite() => serde_json::to_string(v).unwrap(),
            (Type::U128 | Type::I128, _) if !self.chance(30) => format!("\"{}\"", self.text(ty, value)),
            (Type::U64 | Type::I64, _) if self.chance(30) => format!("\"{}\"", self.text(ty, value)),
            (_, Value::Unsigned(_) | Value::Signed(_)) => self.text(ty, value),
            _ => {
                let text = self.text(ty, value);
                self.string(&text)
            }
        }
    }

    fn fields(&mut self, fields: &[Field], items: &[Value]) -> String {
        let mut parts = Vec::new();
        for (field, item) in fields.iter().zip(items) {
            let omissible = match &field.default {
                Some(default) => bincode_of(self.schema, &field.ty, item) == *default,
                None => *item == Value::Option(None),
            };
            // A field that is absent is missing, and can be said in no other way.
            if *item == Value::Absent || (omissible && self.chance(60)) {
                continue;
            }
            let value = self.value(&field.ty, item);
            let name = match field.aliases.first() {
                Some(alias) if self.chance(50) => alias.clone(),
                _ => field.name.clone(),
            };
            parts.push(self.member(&name, value));
        }
        if self.chance(50) {
            for last in (1..parts.len()).rev() {
                let other = self.messy.as_mut().unwrap().below(last + 1);
                parts.swap(last, other);
            }
        }
        self.joined('{', parts, '}')
    }

    fn variant(&mut self, index: u32, number: u32, content: &[Value]) -> String {
        let Some(Definition::Enum(def)) = self.schema.definition(index) else { panic!("no enum") };
        let variant = def.variants[number as usize].clone();
        let value = match &variant.shape {
            Shape::Unit if self.chance(30) => "null".to_owned(),
            Shape::Unit => return self.string(&variant.name),
            Shape::Newtype(ty) => self.value(ty, &content[0]),
            Shape::Tuple(types) => self.value(&Type::Tuple(types.clone()), &Value::Items(content.to_vec())),
            Shape::Struct(fields) => self.fields(fields, content),
        };
        let member = self.member(&variant.name, value);
        self.joined('{', vec![member], '}')
    }

    /// The value as a text: in a string, as a key, or as a number.
    pub(crate) fn text(&mut self, ty: &Type, value: &Value) -> String {
        match value {
            Value::Unit => "null".to_owned(),
            Value::Bool(v) => v.to_string(),
            Value::Unsigned(v) => v.to_string(),
            Value::Signed(v) => v.to_string(),
            Value::F32(v) => special(f64::from(*v)),
            Value::F64(v) => special(*v),
            Value::Char(v) => v.to_string(),
            Value::String(v) => v.clone(),
            Value::Bytes(v) => match &mut self.messy {
                None => BASE64_STANDARD.encode(v),
                Some(random) => match random.below(4) {
                    0 => BASE64_STANDARD.encode(v),
                    1 => BASE64_STANDARD_NO_PAD.encode(v),
                    2 => BASE64_URL_SAFE.encode(v),
                    _ => BASE64_URL_SAFE_NO_PAD.encode(v),
                },
            },
            Value::Uuid(v) => {
                let uuid = uuid::Uuid::from_bytes(*v);
                match self.chance(50) {
                    true => uuid.simple().to_string().to_uppercase(),
                    false => uuid.hyphenated().to_string(),
                }
            }
            Value::Timestamp(seconds, nanos) => {
                let time = DateTime::from_timestamp(*seconds, *nanos).unwrap();
                let local = time.with_timezone(&FixedOffset::east_opt(-5 * 3600 - 1800).unwrap());
                let text = local.to_rfc3339_opts(SecondsFormat::AutoSi, false);
                match self.chance(50) && text.len() <= 35 && !text.starts_with('-') {
                    true => text,
                    false => time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
                }
            }
            Value::Duration(seconds, nanos) => {
                let total = u128::from(*seconds) * 1_000_000_000 + u128::from(*nanos);
                match self.chance(50) {
                    true => format!("{}.{:06}ms", total / 1_000_000, total % 1_000_000),
                    false => match nanos {
                        0 => format!("{seconds}s"),
                        _ => format!("{seconds}.{}s", format!("{nanos:09}").trim_end_matches('0')),
                    },
                }
            }
            Value::Ip(v) => v.to_string(),
            Value::V4(v) => v.to_string(),
            Value::V6(v) => v.to_string(),
            Value::Variant(number, _) => match ty {
                Type::Ref(index) => match self.schema.definition(*index) {
                    Some(Definition::Enum(def)) => def.variants[*number as usize].name.clone(),
                    _ => panic!("no enum"),
                },
                _ => panic!("no reference"),
            },
            other => panic!("{other:?}"),
        }
    }
}

fn special(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value > 0.0 {
        "Infinity".to_owned()
    } else {
        "-Infinity".to_owned()
    }
}
