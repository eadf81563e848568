//! Integers of any type, by their value.

use callgate_protocol::schema::Type;
use callgate_protocol::wire::{Reader, WireError, put_varint128, put_zigzag128};
use std::fmt;

/// An integer's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Int {
    /// 8, 16, 32, 64 or 128.
    bits: u32,
    signed: bool,
}

/// An integer's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    negative: bool,
    magnitude: u128,
}

impl Int {
    /// The type, if it is one of an integer.
    pub(super) fn of(ty: &Type) -> Option<Int> {
        let (bits, signed) = match ty {
            Type::U8 => (8, false),
            Type::U16 => (16, false),
            Type::U32 => (32, false),
            Type::U64 => (64, false),
            Type::U128 => (128, false),
            Type::I8 => (8, true),
            Type::I16 => (16, true),
            Type::I32 => (32, true),
            Type::I64 => (64, true),
            Type::I128 => (128, true),
            _ => return None,
        };
        Some(Int { bits, signed })
    }

    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<Value, WireError> {
        let signed = match (self.bits, self.signed) {
            (8, false) => return Ok(Value::unsigned(reader.u8()?.into())),
            (128, false) => return Ok(Value::unsigned(reader.varint128()?)),
            (bits, false) => return Ok(Value::unsigned(reader.varint(bits)?.into())),
            (8, true) => (reader.u8()? as i8).into(),
            (128, true) => reader.zigzag128()?,
            (bits, true) => reader.zigzag(bits)?.into(),
        };
        Ok(Value { negative: signed < 0, magnitude: signed.unsigned_abs() })
    }

    /// `false`, and nothing is written, if the value is not in the type's range.
    pub(super) fn put(self, value: Value, out: &mut Vec<u8>) -> bool {
        let Value { negative, magnitude } = value;
        let greatest = u128::MAX >> (128 - self.bits) >> u32::from(self.signed);
        // One more below zero than above it.
        let most = match (negative, self.signed) {
            (false, _) => greatest,
            (true, true) => greatest + 1,
            (true, false) => 0,
        };
        if magnitude > most {
            return false;
        }
        // In two's complement this is right for the least value too.
        let signed = if negative { magnitude.wrapping_neg() } else { magnitude } as i128;
        match (self.bits, self.signed) {
            (8, _) => out.push(signed as u8),
            // The varint of a small integer is the same in every width.
            (_, false) => put_varint128(out, magnitude),
            (_, true) => put_zigzag128(out, signed),
        }
        true
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.signed { 'i' } else { 'u' }, self.bits)
    }
}

impl Value {
    fn unsigned(magnitude: u128) -> Value {
        Value { negative: false, magnitude }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.negative { "-" } else { "" }, self.magnitude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [Type; 10] = [
        Type::U8,
        Type::U16,
        Type::U32,
        Type::U64,
        Type::U128,
        Type::I8,
        Type::I16,
        Type::I32,
        Type::I64,
        Type::I128,
    ];

    fn put(ty: &Type, value: Value) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        Int::of(ty)?.put(value, &mut out).then_some(out)
    }

    #[test]
    fn the_ends_of_each_type_are_in_it_and_what_is_beyond_is_not() {
        for ty in &TYPES {
            let Int { bits, signed } = Int::of(ty).expect("it is an integer");
            let greatest = u128::MAX >> (128 - bits) >> u32::from(signed);
            let least = if signed { greatest + 1 } else { 0 };
            for (negative, most) in [(false, greatest), (true, least)] {
                let value = Value { negative, magnitude: most };
                let bytes = put(ty, value).expect("it is in range");
                let mut reader = Reader::new(&bytes);
                let read = Int::of(ty).expect("it is an integer").read(&mut reader);
                assert_eq!(read.map(|value| value.magnitude), Ok(most), "{ty:?}");
                assert_eq!(reader.remaining(), 0);
                if let Some(magnitude) = most.checked_add(1) {
                    assert_eq!(put(ty, Value { negative, magnitude }), None, "{ty:?}");
                }
            }
        }
    }

    #[test]
    fn a_value_has_the_bytes_that_bincode_writes_for_the_type() {
        let config = bincode::config::standard();
        for number in [0i64, 1, -1, 100, -100, 250, 251, -126, 65_535, 65_536, -70_000, i64::MAX, i64::MIN] {
            let value = Value { negative: number < 0, magnitude: number.unsigned_abs().into() };
            let encoded = |bytes: Result<Vec<u8>, _>| Some(bytes.expect("bincode writes integers"));
            assert_eq!(put(&Type::I64, value), encoded(bincode::serde::encode_to_vec(number, config)));
            let wide = bincode::serde::encode_to_vec(i128::from(number), config);
            assert_eq!(put(&Type::I128, value), encoded(wide));
            let narrow = i16::try_from(number).ok().map(|n| bincode::serde::encode_to_vec(n, config));
            assert_eq!(put(&Type::I16, value), narrow.and_then(encoded));
            let unsigned = u32::try_from(number).ok().map(|n| bincode::serde::encode_to_vec(n, config));
            assert_eq!(put(&Type::U32, value), unsigned.and_then(encoded));
            let byte = i8::try_from(number).ok().map(|n| vec![n as u8]);
            assert_eq!(put(&Type::I8, value), byte);
        }
    }
}
