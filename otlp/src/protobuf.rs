//! What spans need of protobuf: fields behind their tags, and messages behind their lengths.
//!
//! What is read is a collector's short answer. It comes from a network: nothing is believed of its lengths.

/// Wire types.
const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

fn tag(out: &mut Vec<u8>, field: u32, wire: u32) {
    varint(out, u64::from(field << 3 | wire));
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A number.
pub(crate) fn number(out: &mut Vec<u8>, field: u32, number: u64) {
    tag(out, field, VARINT);
    varint(out, number);
}

/// Eight bytes.
pub(crate) fn fixed64(out: &mut Vec<u8>, field: u32, number: u64) {
    tag(out, field, FIXED64);
    out.extend_from_slice(&number.to_le_bytes());
}

/// Four bytes.
pub(crate) fn fixed32(out: &mut Vec<u8>, field: u32, number: u32) {
    tag(out, field, FIXED32);
    out.extend_from_slice(&number.to_le_bytes());
}

/// Bytes, a text, or a message that is written already.
pub(crate) fn bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    tag(out, field, BYTES);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A message, which `write` writes.
pub(crate) fn message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    tag(out, field, BYTES);
    let at = out.len();
    // The length stands before the message, and is known behind it. That of most has one byte.
    out.push(0);
    write(out);
    let length = (out.len() - at - 1) as u64;
    if length < 0x80 {
        out[at] = length as u8;
    } else {
        let mut written = Vec::with_capacity(4);
        varint(&mut written, length);
        out.splice(at..=at, written);
    }
}

/// A field that was read.
pub(crate) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

/// The fields of a message with their numbers. It ends at the first byte that is none.
pub(crate) fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    std::iter::from_fn(move || {
        let tag = read_varint(&mut rest)?;
        let field = match (tag & 7) as u32 {
            VARINT => Field::Number(read_varint(&mut rest)?),
            FIXED64 => take(&mut rest, 8).map(|_| Field::Other)?,
            FIXED32 => take(&mut rest, 4).map(|_| Field::Other)?,
            BYTES => {
                let length = usize::try_from(read_varint(&mut rest)?).ok()?;
                Field::Bytes(take(&mut rest, length)?)
            }
            _ => return None,
        };
        Some((tag >> 3, field))
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

fn read_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
