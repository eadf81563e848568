//! What a server sends: whole frames without a mask, behind what is in a buffer.

use super::close::MAX_REASON;
use super::head::{MAX_CONTROL, Opcode};

/// A text.
pub fn text(out: &mut Vec<u8>, text: &[u8]) {
    frame(out, Opcode::Text, text);
}

/// The head of a text of so many bytes, which follow.
pub fn text_head(out: &mut Vec<u8>, length: usize) {
    head(out, Opcode::Text, length);
}

/// A message of bytes.
pub fn binary(out: &mut Vec<u8>, data: &[u8]) {
    frame(out, Opcode::Binary, data);
}

/// A ping; of its bytes as many as fit.
pub fn ping(out: &mut Vec<u8>, data: &[u8]) {
    frame(out, Opcode::Ping, &data[..data.len().min(MAX_CONTROL)]);
}

/// A pong, likewise.
pub fn pong(out: &mut Vec<u8>, data: &[u8]) {
    frame(out, Opcode::Pong, &data[..data.len().min(MAX_CONTROL)]);
}

/// The last frame. A reason that is too long is cut between two characters. Without a code it is empty.
pub fn close(out: &mut Vec<u8>, code: Option<u16>, reason: &str) {
    let mut payload = Vec::with_capacity(MAX_CONTROL);
    if let Some(code) = code {
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(cut(reason).as_bytes());
    }
    frame(out, Opcode::Close, &payload);
}

/// As much of a reason as fits.
fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(MAX_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

fn frame(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    head(out, opcode, payload.len());
    out.extend_from_slice(payload);
}

fn head(out: &mut Vec<u8>, opcode: Opcode, length: usize) {
    out.push(0x80 | opcode as u8);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ 0..=125), _) => out.push(short),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}
