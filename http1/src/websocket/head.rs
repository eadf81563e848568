//! The head of a frame (RFC 6455, 5.2).

use super::Fault;

/// The longest control frame, in bytes.
pub const MAX_CONTROL: usize = 125;

/// The longest head of a frame with a mask, in bytes.
pub(super) const LONGEST: usize = 14;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// A frame's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) opcode: Opcode,
    /// It is the last one of its message.
    pub(super) is_last: bool,
    pub(super) mask: [u8; 4],
    pub(super) length: u64,
}

impl Opcode {
    fn of(nibble: u8) -> Option<Opcode> {
        Some(match nibble {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return None,
        })
    }

    pub(super) fn is_control(self) -> bool {
        self as u8 >= Opcode::Close as u8
    }
}

/// How many bytes the head has that begins so: two before that is known. What is wrong in the first two is seen with them.
pub(super) fn length(begun: &[u8]) -> Result<usize, Fault> {
    let [first, second, ..] = *begun else { return Ok(2) };
    if first & 0x70 != 0 {
        return Err(Fault::Reserved);
    }
    let opcode = Opcode::of(first & 0x0f).ok_or(Fault::Opcode)?;
    if second & 0x80 == 0 {
        return Err(Fault::Unmasked);
    }
    let length = second & 0x7f;
    if opcode.is_control() {
        if first & 0x80 == 0 {
            return Err(Fault::ControlFragment);
        }
        if usize::from(length) > MAX_CONTROL {
            return Err(Fault::ControlTooLong);
        }
    }
    Ok(match length {
        126 => 8,
        127 => 14,
        _ => 6,
    })
}

impl Head {
    /// Reads a head, of which there is as much as [`length`] says.
    pub(super) fn read(bytes: &[u8]) -> Result<Head, Fault> {
        let (length, mask) = match *bytes {
            [_, short, a, b, c, d] => (u64::from(short & 0x7f), [a, b, c, d]),
            [_, _, high, low, a, b, c, d] => {
                let length = u16::from_be_bytes([high, low]);
                if length < 126 {
                    return Err(Fault::Length);
                }
                (u64::from(length), [a, b, c, d])
            }
            [_, _, l0, l1, l2, l3, l4, l5, l6, l7, a, b, c, d] => {
                let length = u64::from_be_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
                if length <= u64::from(u16::MAX) || length >> 63 != 0 {
                    return Err(Fault::Length);
                }
                (length, [a, b, c, d])
            }
            _ => return Err(Fault::Length),
        };
        let first = bytes[0];
        let opcode = Opcode::of(first & 0x0f).ok_or(Fault::Opcode)?;
        Ok(Head { opcode, is_last: first & 0x80 != 0, mask, length })
    }
}
