//! Integers: exact from text to wire, never through a float.

use super::out_of_range;
use crate::json::Number;
use crate::layout::shown;
use crate::violation::Refusal;
use callgate_protocol::wire::{put_varint, put_varint128, put_zigzag, put_zigzag128};

/// An integer's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Int {
    U8,
    U16,
    U32,
    U64,
    U128,
    I8,
    I16,
    I32,
    I64,
    I128,
}

impl Int {
    /// Whether it is read from strings too, since not every JSON writer can write it as a number.
    pub(crate) fn is_read_from_strings(self) -> bool {
        matches!(self, Int::U64 | Int::I64 | Int::U128 | Int::I128)
    }

    pub(super) fn expected(self) -> &'static str {
        match self.is_read_from_strings() {
            true => "an integer (a number or a string)",
            false => "an integer",
        }
    }

    fn name_and_range(self) -> (&'static str, String) {
        match self {
            Int::U8 => ("u8", format!("0 to {}", u8::MAX)),
            Int::U16 => ("u16", format!("0 to {}", u16::MAX)),
            Int::U32 => ("u32", format!("0 to {}", u32::MAX)),
            Int::U64 => ("u64", format!("0 to {}", u64::MAX)),
            Int::U128 => ("u128", format!("0 to {}", u128::MAX)),
            Int::I8 => ("i8", format!("{} to {}", i8::MIN, i8::MAX)),
            Int::I16 => ("i16", format!("{} to {}", i16::MIN, i16::MAX)),
            Int::I32 => ("i32", format!("{} to {}", i32::MIN, i32::MAX)),
            Int::I64 => ("i64", format!("{} to {}", i64::MIN, i64::MAX)),
            Int::I128 => ("i128", format!("{} to {}", i128::MIN, i128::MAX)),
        }
    }

    /// Writes the integer that a JSON number says.
    #[inline(always)]
    pub(crate) fn put(self, number: Number<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self.put_plain(number, out) {
            Some(()) => Ok(()),
            None => self.put_rare(number.token(), number.integral, out),
        }
    }

    /// The same for a number that is an integer of at most 64 bits, as most are. `None` if it is not, or out of range; then nothing is
    /// written.
    #[inline(always)]
    pub(crate) fn put_plain(self, number: Number<'_>, out: &mut Vec<u8>) -> Option<()> {
        self.put_small(number.negative, number.magnitude()?, out)
    }

    /// `None` if it is out of range.
    #[inline(always)]
    fn put_small(self, negative: bool, magnitude: u64, out: &mut Vec<u8>) -> Option<()> {
        let most = match self {
            Int::U8 => u64::from(u8::MAX),
            Int::U16 => u64::from(u16::MAX),
            Int::U32 => u64::from(u32::MAX),
            Int::U64 | Int::U128 => u64::MAX,
            Int::I8 => i8::MAX as u64,
            Int::I16 => i16::MAX as u64,
            Int::I32 => i32::MAX as u64,
            Int::I64 | Int::I128 => i64::MAX as u64,
        };
        let is_signed = matches!(self, Int::I8 | Int::I16 | Int::I32 | Int::I64 | Int::I128);
        // One more below zero than above it; unsigned, only zero may have a minus.
        let most = match (negative, is_signed) {
            (false, _) => most,
            (true, true) => most + 1,
            (true, false) => 0,
        };
        if magnitude > most {
            return None;
        }
        // In two's complement this is right for the least value too.
        let signed = if negative { magnitude.wrapping_neg() } else { magnitude } as i64;
        match (self, is_signed) {
            (Int::U8 | Int::I8, _) => out.push(signed as u8),
            // The varint of a small 128-bit integer is that of the same 64-bit one.
            (_, false) => put_varint(out, magnitude),
            (_, true) => put_zigzag(out, signed),
        }
        Some(())
    }

    #[cold]
    fn put_rare(self, token: &str, integral: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        if !integral {
            return Err(Refusal::value(format!("expected an integer, got {}", shown(token))));
        }
        match (self, token.parse::<u128>(), token.parse::<i128>()) {
            (Int::U128, Ok(value), _) => put_varint128(out, value),
            (Int::I128, _, Ok(value)) => put_zigzag128(out, value),
            _ => {
                let (name, range) = self.name_and_range();
                return Err(out_of_range(token, &format!("{name} ({range})")));
            }
        }
        Ok(())
    }

    /// Writes the integer that `text` says, which must be written as JSON writes integers.
    pub(crate) fn put_text(self, text: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match Number::of_text(text) {
            Some(number) => self.put(number, out),
            None => Err(Refusal::value(format!("expected an integer, got \"{}\"", shown(text)))),
        }
    }
}
