//! Values that are one token in JSON, and how each stands on the wire. Containers are elsewhere.

mod float;
mod form;
mod int;
mod order;
mod print;
mod text;
mod time;

pub use form::TextForm;
pub(crate) use form::decimal::of_number as decimal_of;
pub(crate) use int::Int;
pub(crate) use order::compare;
pub(crate) use print::{Style, put_base64};

use crate::json::Number;
use crate::violation::{Refusal, ViolationKind};
use callgate_protocol::schema::Type;
use callgate_protocol::wire::put_bytes;

/// The type of a value that is one number, boolean or string.
// With a tag of its own, which is jumped by as it is; packed into `Int`'s it would be taken apart for each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Scalar {
    Bool,
    Int(Int),
    F32,
    F64,
    Char,
    String,
    Bytes,
    Uuid,
    Timestamp,
    Duration,
    IpAddr,
    Ipv4Addr,
    Ipv6Addr,
    /// A string of a grammar.
    Text(TextForm),
}

impl Scalar {
    /// What a type of one token is. Containers are for the caller to take before.
    pub(crate) fn of(ty: &Type) -> Scalar {
        match ty {
            Type::Bool => Scalar::Bool,
            Type::U8 => Scalar::Int(Int::U8),
            Type::U16 => Scalar::Int(Int::U16),
            Type::U32 => Scalar::Int(Int::U32),
            Type::U64 => Scalar::Int(Int::U64),
            Type::U128 => Scalar::Int(Int::U128),
            Type::I8 => Scalar::Int(Int::I8),
            Type::I16 => Scalar::Int(Int::I16),
            Type::I32 => Scalar::Int(Int::I32),
            Type::I64 => Scalar::Int(Int::I64),
            Type::I128 => Scalar::Int(Int::I128),
            Type::F32 => Scalar::F32,
            Type::F64 => Scalar::F64,
            Type::Char => Scalar::Char,
            Type::Bytes => Scalar::Bytes,
            Type::Uuid => Scalar::Uuid,
            Type::Timestamp => Scalar::Timestamp,
            Type::Duration => Scalar::Duration,
            Type::IpAddr => Scalar::IpAddr,
            Type::Ipv4Addr => Scalar::Ipv4Addr,
            Type::Ipv6Addr => Scalar::Ipv6Addr,
            _ => Scalar::String,
        }
    }

    /// What it looks like, for messages: "expected …".
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Scalar::Bool => "a boolean",
            Scalar::Int(int) => int.expected(),
            Scalar::F32 | Scalar::F64 => "a number",
            Scalar::Char => "a string of one character",
            Scalar::String => "a string",
            Scalar::Bytes => "a base64 string",
            Scalar::Uuid => "a UUID string",
            Scalar::Timestamp => "an RFC 3339 time stamp, such as \"2026-01-31T12:00:00Z\"",
            Scalar::Duration => "a duration, such as \"1.5s\"",
            Scalar::IpAddr => "an IP address string",
            Scalar::Ipv4Addr => "an IPv4 address string",
            Scalar::Ipv6Addr => "an IPv6 address string",
            Scalar::Text(form) => form.expected(),
        }
    }
}

/// Writes an f64 that a JSON number says.
#[inline(always)]
pub(crate) fn put_f64(number: Number<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let value = number.to_f64();
    if value.is_infinite() {
        return Err(out_of_range(number.token(), "f64"));
    }
    out.extend_from_slice(&value.to_le_bytes());
    Ok(())
}

/// Writes an f32 that a JSON number says.
pub(crate) fn put_f32(number: Number<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let value = number.to_f32();
    if value.is_infinite() {
        return Err(out_of_range(number.token(), "f32"));
    }
    out.extend_from_slice(&value.to_le_bytes());
    Ok(())
}

/// Writes a decimal that a JSON number says.
pub(crate) fn put_decimal(number: Number<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
    match form::decimal::of_number(number.token()) {
        Some(text) => put_bytes(out, text.as_bytes()),
        None => return Err(out_of_range(number.token(), "a decimal of 64 digits")),
    }
    Ok(())
}

#[cold]
fn out_of_range(token: &str, range: &str) -> Refusal {
    let detail = format!("{} is out of range for {range}", crate::layout::shown(token));
    Refusal::new(ViolationKind::OutOfRange, detail)
}
