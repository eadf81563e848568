//! What one number, boolean or string is in JSON.

use crate::Mode;
use callgate_protocol::schema::{Logical, Type};
use callgate_transcode::{Decimal, Int64};
use serde_json::{Value, json};

const INTEGER: &str = "^(0|-?[1-9][0-9]*)$";
const DECIMAL: &str = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$";
const TIME: &str = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?$";
const DURATION_IN: &str = r"^[0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h)$";
const DURATION_OUT: &str = r"^[0-9]+(\.[0-9]+)?s$";
const BASE64_IN: &str = "^[A-Za-z0-9+/_-]*={0,2}$";

/// The schema of a type that refers to no other; `None` for one that does.
pub(crate) fn schema(ty: &Type, mode: Mode) -> Option<Value> {
    let integer = |format: &str, min: i64, max: u64| json!({ "type": "integer", "format": format, "minimum": min, "maximum": max });
    Some(match ty {
        Type::Unit => json!({ "type": "null" }),
        Type::Bool => json!({ "type": "boolean" }),
        Type::U8 => integer("uint8", 0, u8::MAX.into()),
        Type::U16 => integer("uint16", 0, u16::MAX.into()),
        Type::U32 => integer("uint32", 0, u32::MAX.into()),
        Type::I8 => integer("int8", i8::MIN.into(), i8::MAX as u64),
        Type::I16 => integer("int16", i16::MIN.into(), i16::MAX as u64),
        Type::I32 => integer("int32", i32::MIN.into(), i32::MAX as u64),
        Type::U64 => long(integer("uint64", 0, u64::MAX), mode),
        Type::I64 => long(integer("int64", i64::MIN, i64::MAX as u64), mode),
        Type::U128 | Type::I128 => very_long(*ty == Type::U128, mode),
        Type::F32 => float("float"),
        Type::F64 => float("double"),
        Type::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        Type::String => json!({ "type": "string" }),
        Type::Bytes if mode.reads() => {
            json!({ "type": "string", "contentEncoding": "base64", "pattern": BASE64_IN })
        }
        Type::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Type::Uuid => json!({ "type": "string", "format": "uuid" }),
        Type::Timestamp => json!({ "type": "string", "format": "date-time" }),
        Type::Duration => {
            let pattern = if mode.reads() { DURATION_IN } else { DURATION_OUT };
            json!({ "type": "string", "pattern": pattern })
        }
        Type::IpAddr => json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }),
        Type::Ipv4Addr => json!({ "type": "string", "format": "ipv4" }),
        Type::Ipv6Addr => json!({ "type": "string", "format": "ipv6" }),
        Type::Json => json!({}),
        Type::Logical(logical, physical) if logical.is_of(physical) => return text(*logical, mode),
        _ => return None,
    })
}

/// A text of a logical type.
fn text(logical: Logical, mode: Mode) -> Option<Value> {
    Some(match logical {
        Logical::DECIMAL => match mode {
            Mode::In(_) => json!({ "type": ["string", "number"], "pattern": DECIMAL }),
            Mode::Out(_, Decimal::String) => json!({ "type": "string", "pattern": DECIMAL }),
            Mode::Out(_, Decimal::Number) => json!({ "type": "number" }),
        },
        Logical::DATE => json!({ "type": "string", "format": "date" }),
        Logical::TIME => json!({ "type": "string", "pattern": TIME }),
        Logical::URL => json!({ "type": "string", "format": "uri" }),
        Logical::EMAIL => json!({ "type": "string", "format": "email" }),
        _ => return None,
    })
}

/// A number of 64 bits: many readers keep numbers in doubles, so it may come as a string.
fn long(mut number: Value, mode: Mode) -> Value {
    match mode {
        Mode::In(_) => {
            number["type"] = json!(["integer", "string"]);
            number["pattern"] = INTEGER.into();
            number
        }
        Mode::Out(Int64::Number, _) => number,
        Mode::Out(Int64::String, _) => {
            json!({ "type": "string", "format": number["format"], "pattern": INTEGER })
        }
    }
}

/// A number of 128 bits. It is a string on the way out, whatever the route says.
fn very_long(unsigned: bool, mode: Mode) -> Value {
    let mut schema = json!({ "type": "string", "pattern": INTEGER });
    if mode.reads() {
        schema["type"] = json!(["integer", "string"]);
        if unsigned {
            schema["minimum"] = 0.into();
        }
    }
    schema
}

fn float(format: &str) -> Value {
    let number = json!({ "type": "number", "format": format });
    json!({ "anyOf": [number, { "type": "string", "enum": ["NaN", "Infinity", "-Infinity"] }] })
}

/// What a key of a map looks like; `None` where every text is one, or where it is no scalar.
pub(crate) fn key(ty: &Type, mode: Mode) -> Option<Value> {
    Some(match ty.understood() {
        Type::Bool => json!({ "enum": ["true", "false"] }),
        Type::String => return None,
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::U128 => {
            json!({ "pattern": "^(0|[1-9][0-9]*)$" })
        }
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::I128 => json!({ "pattern": INTEGER }),
        ty => schema(ty, mode)?,
    })
}

/// A value that is one text of a path or a query: what OpenAPI's tools write so.
pub(crate) fn as_text(ty: &Type) -> Option<Value> {
    Some(match ty {
        Type::U64 | Type::I64 => schema(ty, Mode::OUT)?,
        Type::U128 => json!({ "type": "integer", "minimum": 0 }),
        Type::I128 => json!({ "type": "integer" }),
        Type::F32 => json!({ "type": "number", "format": "float" }),
        Type::F64 => json!({ "type": "number", "format": "double" }),
        Type::Logical(Logical::DECIMAL, _) => json!({ "type": "string", "pattern": DECIMAL }),
        Type::Unit => return None,
        ty => schema(ty, Mode::IN)?,
    })
}
