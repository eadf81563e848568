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

/// A member of an object.
#[derive(Clone)]
struct Part {
    text: String,
    /// Whether it is an entry of a map that takes what is left.
    is_entry: bool,
}

impl Part {
    fn of(text: String) -> Part {
        Part { text, is_entry: false }
    }
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
                let parts = self.entries(key, ty, entries);
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
        let parts = self.members(fields, items, true);
        self.object(parts)
    }

    /// An object of these members, in any order; but the entries of a map among them stay in theirs.
    fn object(&mut self, mut parts: Vec<Part>) -> String {
        let mut entries: Vec<Part> = parts.iter().filter(|part| part.is_entry).cloned().collect();
        if self.chance(50) {
            for last in (1..parts.len()).rev() {
                let other = self.messy.as_mut().unwrap().below(last + 1);
                parts.swap(last, other);
            }
        }
        let mut in_order = entries.drain(..);
        let parts = parts.into_iter().map(|part| if part.is_entry { in_order.next().unwrap() } else { part });
        let texts = parts.map(|part| part.text).collect();
        self.joined('{', texts, '}')
    }

    /// The members that fields are, those of flattened ones among them. `omit`: what the reader knows may be missing.
    fn members(&mut self, fields: &[Field], items: &[Value], omit: bool) -> Vec<Part> {
        let mut parts = Vec::new();
        for (field, item) in fields.iter().zip(items) {
            if field.attributes.is_flattened() {
                parts.extend(match (&field.ty, item) {
                    (_, Value::Option(None)) => Vec::new(),
                    // It is there only if one of its members is.
                    (Type::Option(ty), Value::Option(Some(item))) => self.beside(ty, item, false),
                    (ty, item) => self.beside(ty, item, omit),
                });
                continue;
            }
            let omissible = match &field.default {
                Some(default) => bincode_of(self.schema, &field.ty, item) == *default,
                None => *item == Value::Option(None),
            };
            // A field that is absent is missing, and can be said in no other way.
            if *item == Value::Absent || (omit && omissible && self.chance(60)) {
                continue;
            }
            let value = self.value(&field.ty, item);
            let name = match field.aliases.first() {
                Some(alias) if self.chance(50) => alias.clone(),
                _ => field.name.clone(),
            };
            parts.push(Part::of(self.member(&name, value)));
        }
        parts
    }

    /// The members of a struct or a map that stand beside others.
    fn beside(&mut self, ty: &Type, value: &Value, omit: bool) -> Vec<Part> {
        match (ty, value) {
            (Type::Map(key, ty), Value::Map(entries)) => {
                let entries = self.entries(key, ty, entries).into_iter();
                entries.map(|text| Part { text, is_entry: true }).collect()
            }
            (Type::Ref(index), Value::Items(items)) => match self.schema.definition(*index).unwrap() {
                Definition::Struct(def) => self.members(&def.fields.clone(), items, omit),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn entries(&mut self, key: &Type, ty: &Type, entries: &[(Value, Value)]) -> Vec<String> {
        let mut parts = Vec::new();
        for (k, v) in entries {
            let value = self.value(ty, v);
            let key = self.text(key, k);
            parts.push(self.member(&key, value));
        }
        parts
    }

    fn variant(&mut self, index: u32, number: u32, content: &[Value]) -> String {
        let Some(Definition::Enum(def)) = self.schema.definition(index) else { panic!("no enum") };
        let variant = def.variants[number as usize].clone();
        let attributes = def.attributes.clone();
        if let (Some(tag), None) = (attributes.tag(), attributes.content()) {
            let name = self.string(&variant.name);
            let mut parts = vec![Part::of(self.member(tag, name))];
            parts.extend(match &variant.shape {
                Shape::Unit | Shape::Tuple(_) => Vec::new(),
                Shape::Newtype(ty) => self.beside(ty, &content[0], true),
                Shape::Struct(fields) => self.members(fields, content, true),
            });
            return self.object(parts);
        }
        let value = match &variant.shape {
            Shape::Unit if self.chance(30) => Some("null".to_owned()),
            Shape::Unit => None,
            Shape::Newtype(Type::Option(_)) if content[0] == Value::Option(None) && self.chance(30) => {
                attributes.tag().is_none().then(|| "null".to_owned())
            }
            Shape::Newtype(ty) => Some(self.value(ty, &content[0])),
            Shape::Tuple(types) => {
                Some(self.value(&Type::Tuple(types.clone()), &Value::Items(content.to_vec())))
            }
            Shape::Struct(fields) => Some(self.fields(fields, content)),
        };
        if let (Some(tag), Some(member)) = (attributes.tag(), attributes.content()) {
            let name = self.string(&variant.name);
            let mut parts = vec![Part::of(self.member(tag, name))];
            parts.extend(value.map(|value| Part::of(self.member(member, value))));
            return self.object(parts);
        }
        let Some(value) = value else { return self.string(&variant.name) };
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
