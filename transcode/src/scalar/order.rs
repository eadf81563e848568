//! The order of encoded values, for those types that have one which people expect: numbers, dates and times.

use super::{Int, Scalar};
use callgate_protocol::wire::{Reader, WireError};
use std::cmp::Ordering;

/// The order of two encoded values of one type by what they stand for. `None` where the type has no order, one of them is no
/// value of it, or one is a float that is no number.
pub(crate) fn compare(scalar: Scalar, a: &[u8], b: &[u8]) -> Option<Ordering> {
    let (mut a, mut b) = (Reader::new(a), Reader::new(b));
    match scalar {
        Scalar::Int(int) => int.compare(&mut a, &mut b).ok(),
        Scalar::F32 => f32::from_le_bytes(a.array().ok()?).partial_cmp(&f32::from_le_bytes(b.array().ok()?)),
        Scalar::F64 => f64::from_le_bytes(a.array().ok()?).partial_cmp(&f64::from_le_bytes(b.array().ok()?)),
        Scalar::Timestamp => {
            let moment = |reader: &mut Reader<'_>| Some((reader.zigzag(64).ok()?, reader.varint(32).ok()?));
            Some(moment(&mut a)?.cmp(&moment(&mut b)?))
        }
        Scalar::Duration => {
            let span = |reader: &mut Reader<'_>| Some((reader.varint(64).ok()?, reader.varint(32).ok()?));
            Some(span(&mut a)?.cmp(&span(&mut b)?))
        }
        Scalar::Text(form) => form.compare(a.str().ok()?, b.str().ok()?),
        _ => None,
    }
}

impl Int {
    fn compare(self, a: &mut Reader<'_>, b: &mut Reader<'_>) -> Result<Ordering, WireError> {
        Ok(match self {
            Int::U8 => a.u8()?.cmp(&b.u8()?),
            Int::U16 => a.varint(16)?.cmp(&b.varint(16)?),
            Int::U32 => a.varint(32)?.cmp(&b.varint(32)?),
            Int::U64 => a.varint(64)?.cmp(&b.varint(64)?),
            Int::U128 => a.varint128()?.cmp(&b.varint128()?),
            Int::I8 => (a.u8()? as i8).cmp(&(b.u8()? as i8)),
            Int::I16 => a.zigzag(16)?.cmp(&b.zigzag(16)?),
            Int::I32 => a.zigzag(32)?.cmp(&b.zigzag(32)?),
            Int::I64 => a.zigzag(64)?.cmp(&b.zigzag(64)?),
            Int::I128 => a.zigzag128()?.cmp(&b.zigzag128()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::TextForm;
    use super::*;

    #[test]
    fn values_are_ordered_by_what_they_stand_for() {
        use Ordering::{Equal, Greater, Less};
        for (scalar, a, b, expected) in [
            (Scalar::Int(Int::U8), "9", "10", Less),
            (Scalar::Int(Int::I8), "-1", "1", Less),
            (Scalar::Int(Int::U16), "300", "299", Greater),
            (Scalar::Int(Int::I16), "-300", "-299", Less),
            (Scalar::Int(Int::U32), "70000", "250", Greater),
            (Scalar::Int(Int::I32), "-1", "0", Less),
            (Scalar::Int(Int::U64), "18446744073709551615", "0", Greater),
            (Scalar::Int(Int::I64), "-9223372036854775808", "9223372036854775807", Less),
            (Scalar::Int(Int::U128), "340282366920938463463374607431768211455", "7", Greater),
            (Scalar::Int(Int::I128), "-170141183460469231731687303715884105728", "-7", Less),
            (Scalar::F32, "1.5", "1.25", Greater),
            (Scalar::F64, "-0.0", "0", Equal),
            (Scalar::F64, "-Infinity", "-1e300", Less),
            (Scalar::Timestamp, "1969-12-31T23:59:59.5Z", "1970-01-01T00:00:00Z", Less),
            (Scalar::Timestamp, "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z", Equal),
            (Scalar::Timestamp, "2026-01-01T00:00:00.2Z", "2026-01-01T00:00:00.10Z", Greater),
            (Scalar::Duration, "1m", "59.999s", Greater),
            (Scalar::Duration, "1ms", "1000us", Equal),
            (Scalar::Text(TextForm::Decimal), "10.0", "9.99", Greater),
            (Scalar::Text(TextForm::Decimal), "1.50", "1.5", Equal),
            (Scalar::Text(TextForm::Date), "2026-09-30", "2026-10-01", Less),
            (Scalar::Text(TextForm::Time), "08:30", "08:30:00.0", Equal),
            (Scalar::Text(TextForm::Time), "08:30:00.5", "08:30:00.25", Greater),
        ] {
            let encoded = |text| {
                let mut out = Vec::new();
                scalar.put_text(text, &mut out).map(|()| out).expect("it is a value")
            };
            assert_eq!(compare(scalar, &encoded(a), &encoded(b)), Some(expected), "{scalar:?} {a} {b}");
        }
    }

    #[test]
    fn what_has_no_order_has_none() {
        let nan = f64::NAN.to_le_bytes();
        assert_eq!(compare(Scalar::F64, &nan, &1.0_f64.to_le_bytes()), None);
        assert_eq!(compare(Scalar::String, b"\x01a", b"\x01b"), None);
        assert_eq!(compare(Scalar::Text(TextForm::Url), b"\x03a:b", b"\x03a:c"), None);
        assert_eq!(compare(Scalar::Int(Int::U32), b"", b"\x01"), None);
        assert_eq!(compare(Scalar::Text(TextForm::Date), b"\x01x", b"\x0a2026-01-01"), None);
    }
}
