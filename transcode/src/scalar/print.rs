//! Wire → JSON for scalars.

use super::float::{print_f32, print_f64};
use super::{Int, Scalar, TextForm, text, time};
use crate::json::{put_json_string, put_json_utf8, put_short_string};
use crate::response::DecodeReason;
use crate::{Decimal, Int64};
use base64::Engine;
use callgate_protocol::check::Reason;
use callgate_protocol::wire::{Reader, WireError};
use std::fmt::Display;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// How scalars are written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    pub(crate) int64: Int64,
    pub(crate) decimal: Decimal,
    /// Whether the text matters to nobody: then a value that JSON cannot show is none the worse.
    pub(crate) discard: bool,
}

type Step = Result<(), DecodeReason>;

impl Scalar {
    /// Reads one value and appends it as a JSON value. It is inlined, and what it calls is not, so that the walk comes
    /// straight to the one function that a value needs.
    #[inline(always)]
    pub(crate) fn print(self, reader: &mut Reader<'_>, out: &mut Vec<u8>, style: Style) -> Step {
        match self {
            Scalar::String => print_string(reader, out)?,
            Scalar::Bool => out.extend_from_slice(if reader.bool()? { b"true" } else { b"false" }),
            Scalar::Int(int) => match int.is_printed_as_text(style) {
                false => int.print(reader, out)?,
                true => int.print_quoted(reader, out)?,
            },
            Scalar::F32 => print_f32(out, f32::from_le_bytes(reader.array()?)),
            Scalar::F64 => print_f64(out, f64::from_le_bytes(reader.array()?)),
            _ => self.print_rare(reader, out, style)?,
        }
        Ok(())
    }

    /// The same for values that need no second look, as most do. `None` if it is not one of those, or is wrong; then nothing is
    /// appended, and of `reader` nobody knows how far it is.
    ///
    /// It is inlined with all that it calls, since the reader would be in memory otherwise.
    #[inline(always)]
    pub(crate) fn print_plain(self, reader: &mut Reader<'_>, out: &mut Vec<u8>, style: Style) -> Option<()> {
        match self {
            Scalar::String => {
                let length = usize::try_from(reader.length().ok()?).ok()?;
                put_short_string(out, reader.rest(), length)?;
                reader.take(length).ok()?;
            }
            Scalar::Bool => out.extend_from_slice(if reader.bool().ok()? { b"true" } else { b"false" }),
            Scalar::Int(int) if !int.is_printed_as_text(style) => int.print_at(reader, out).ok()?,
            Scalar::F64 => print_f64(out, f64::from_le_bytes(reader.array().ok()?)),
            _ => return None,
        }
        Some(())
    }

    /// Reads one value and appends it as the key of a JSON object.
    pub(crate) fn print_key(self, reader: &mut Reader<'_>, out: &mut Vec<u8>, style: Style) -> Step {
        let start = out.len();
        self.print(reader, out, style)?;
        if out.get(start) != Some(&b'"') {
            out.insert(start, b'"');
            out.push(b'"');
        }
        Ok(())
    }

    #[inline(never)]
    fn print_rare(self, reader: &mut Reader<'_>, out: &mut Vec<u8>, style: Style) -> Step {
        match self {
            Scalar::Char => put_json_string(out, reader.char()?.encode_utf8(&mut [0; 4])),
            Scalar::Bytes => print_base64(out, reader.bytes()?),
            Scalar::Uuid => print_uuid(out, reader.bytes()?)?,
            Scalar::Timestamp => {
                let seconds = reader.zigzag(64)?;
                let nanos = nanos(reader)?;
                let printed = time::print_timestamp(out, seconds, nanos);
                if printed.is_none() && !style.discard {
                    return Err(DecodeReason::YearOutOfRange);
                }
            }
            Scalar::Duration => {
                let seconds = reader.varint(64)?;
                let nanos = nanos(reader)?;
                time::print_duration(out, seconds, nanos);
            }
            Scalar::IpAddr => match reader.varint(32)? {
                0 => print_quoted(out, Ipv4Addr::from(reader.array::<4>()?)),
                1 => print_quoted(out, Ipv6Addr::from(reader.array::<16>()?)),
                _ => return Err(Reason::UnknownVariant.into()),
            },
            Scalar::Text(form) => print_text(form, reader, out, style)?,
            Scalar::Ipv4Addr => print_quoted(out, Ipv4Addr::from(reader.array::<4>()?)),
            // `print` has taken all others.
            _ => print_quoted(out, Ipv6Addr::from(reader.array::<16>()?)),
        }
        Ok(())
    }
}

impl Int {
    /// Whether it is written as a string: those of 128 bits whatever the route says, as no JSON reader has such numbers.
    #[inline(always)]
    fn is_printed_as_text(self, style: Style) -> bool {
        matches!(self, Int::U128 | Int::I128) || (self.is_read_from_strings() && style.int64 == Int64::String)
    }

    #[inline(never)]
    fn print_quoted(self, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Step {
        out.push(b'"');
        self.print(reader, out)?;
        out.push(b'"');
        Ok(())
    }

    #[inline(never)]
    fn print(self, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Step {
        self.print_at(reader, out)
    }

    #[inline(always)]
    fn print_at(self, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Step {
        match self {
            Int::U8 => print_unsigned(out, u64::from(reader.u8()?)),
            Int::U16 => print_unsigned(out, reader.varint(16)?),
            Int::U32 => print_unsigned(out, reader.varint(32)?),
            Int::U64 => print_unsigned(out, reader.varint(64)?),
            Int::I8 => print_signed(out, i64::from(reader.u8()? as i8)),
            Int::I16 => print_signed(out, reader.zigzag(16)?),
            Int::I32 => print_signed(out, reader.zigzag(32)?),
            Int::I64 => print_signed(out, reader.zigzag(64)?),
            Int::U128 => print_any(out, reader.varint128()?),
            Int::I128 => print_any(out, reader.zigzag128()?),
        }
        Ok(())
    }
}

#[inline(never)]
fn print_string(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Step {
    put_json_utf8(out, reader.bytes()?).ok_or(WireError::InvalidUtf8)?;
    Ok(())
}

fn print_text(form: TextForm, reader: &mut Reader<'_>, out: &mut Vec<u8>, style: Style) -> Step {
    let text = form.check_printed(reader.bytes()?, style)?;
    match (form, style.decimal) {
        _ if style.discard => {}
        (TextForm::Decimal, Decimal::Number) => out.extend_from_slice(text.as_bytes()),
        _ => put_json_string(out, text),
    }
    Ok(())
}

impl TextForm {
    /// Checks a text of a result before it is written. Whether one is of the form that is not shown matters to nobody.
    pub(crate) fn check_printed(self, bytes: &[u8], style: Style) -> Result<&str, DecodeReason> {
        let text = std::str::from_utf8(bytes).map_err(|_| WireError::InvalidUtf8)?;
        match style.discard {
            true => Ok(text),
            false => match self.check(text) {
                Ok(()) => Ok(text),
                Err(_) => Err(DecodeReason::InvalidText(self)),
            },
        }
    }
}

/// Appends an integer. Counts and quantities often have one digit, which needs no buffer.
#[inline]
fn print_unsigned(out: &mut Vec<u8>, value: u64) {
    match value < 10 {
        true => out.push(b'0' + value as u8),
        false => print_any(out, value),
    }
}

#[inline]
fn print_signed(out: &mut Vec<u8>, value: i64) {
    match u64::try_from(value) {
        Ok(value) => print_unsigned(out, value),
        Err(_) => print_any(out, value),
    }
}

#[inline(never)]
fn print_any(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn nanos(reader: &mut Reader<'_>) -> Result<u32, DecodeReason> {
    match reader.varint(32)? {
        nanos @ 0..=999_999_999 => Ok(nanos as u32),
        _ => Err(Reason::NanosOutOfRange.into()),
    }
}

fn print_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    put_base64(out, bytes);
    out.push(b'"');
}

/// Appends the base64 of `bytes`. Parts whose lengths are multiples of three make the same text as the whole does.
pub(crate) fn put_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    // Four characters for three bytes, a started three counting whole.
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    if let Some(room) = out.get_mut(start..) {
        // The room is exactly what the encoding takes.
        let _ = text::BASE64.encode_slice(bytes, room);
    }
}

fn print_uuid(out: &mut Vec<u8>, bytes: &[u8]) -> Step {
    let bytes: [u8; 16] = bytes.try_into().map_err(|_| Reason::BadUuid)?;
    const HEX: [u8; 16] = *b"0123456789abcdef";
    out.push(b'"');
    for (index, byte) in bytes.into_iter().enumerate() {
        if let 4 | 6 | 8 | 10 = index {
            out.push(b'-');
        }
        let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
        out.extend_from_slice(&digits);
    }
    out.push(b'"');
    Ok(())
}

fn print_quoted(out: &mut Vec<u8>, value: impl Display) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "\"{value}\"");
}
