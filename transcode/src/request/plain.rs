//! Members as most writers write them: in the order of the fields, and each a string without escapes, a number or a boolean.
//!
//! They are read in one loop, which keeps its place in the body in a register. What is anything else, or wrong, is left as it is to
//! those that read any member, and say what is wrong with one.

use super::encode::{Encoder, Stop};
use super::object::Open;
use crate::json::Cursor;
use crate::layout::Node;
use crate::scalar::Scalar;
use callgate_protocol::wire::put_varint;

impl<'a> Encoder<'a> {
    /// Reads such members from the one at the cursor on. Whether they were the last ones; if not, the next one is at the cursor.
    #[inline]
    pub(super) fn plain_members(&mut self, open: &mut Open<'a>) -> Result<bool, Stop> {
        // Until one comes out of order, the likely field is the next one.
        if open.unordered.is_some() || open.likely < open.free {
            return Ok(false);
        }
        let mut cursor = self.cursor.clone();
        let mut next = open.likely;
        let mut fault = None;
        let mut is_end = false;
        while let Some(field) = open.table.fields.get(next) {
            let Node::Scalar(scalar) = self.layout.node(field.node) else { break };
            let Some(length) = field.lead.key_length(cursor.rest()) else { break };
            let mut value = cursor.clone();
            value.pos += length;
            value.space();
            if put_plain(*scalar, &mut value, self.out).is_none() {
                break;
            }
            next += 1;
            match value.next_member() {
                Ok(true) => {}
                Ok(false) => is_end = true,
                Err(wrong) => fault = Some(wrong),
            }
            cursor = value;
            if is_end || fault.is_some() {
                break;
            }
        }
        self.cursor = cursor;
        (open.done, open.likely) = (next, next);
        match fault {
            None => Ok(is_end),
            Some(fault) => Err(self.fault(fault)),
        }
    }
}

/// Reads a plain value and writes it. `None` if it is none; then nothing is written.
///
/// It is inlined with all that it calls, since the cursor would be in memory otherwise.
#[inline(always)]
fn put_plain(scalar: Scalar, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Option<()> {
    match (scalar, cursor.peek()?) {
        (Scalar::String, b'"') => {
            let (length, from) = cursor.plain_string()?;
            put_varint(out, length as u64);
            put_start(out, from, length);
            Some(())
        }
        (Scalar::Int(int), b'-' | b'0'..=b'9') => int.put_plain(cursor.number().ok()?, out),
        (Scalar::F64, b'-' | b'0'..=b'9') => {
            let value = cursor.number().ok()?.to_f64();
            value.is_finite().then(|| out.extend_from_slice(&value.to_le_bytes()))
        }
        (Scalar::Bool, b't') if cursor.eat(b"true") => {
            out.push(1);
            Some(())
        }
        (Scalar::Bool, b'f') if cursor.eat(b"false") => {
            out.push(0);
            Some(())
        }
        _ => None,
    }
}

/// Appends so many bytes from the start of `from`.
#[inline(always)]
fn put_start(out: &mut Vec<u8>, from: &[u8], length: usize) {
    match from.first_chunk::<16>() {
        // All sixteen bytes in one step, and cut: a call that copies a few costs more.
        Some(first) if length <= first.len() => {
            let end = out.len() + length;
            out.extend_from_slice(first);
            out.truncate(end);
        }
        _ => out.extend_from_slice(from.get(..length).unwrap_or_default()),
    }
}
