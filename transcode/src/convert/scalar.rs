//! Values of one token that are the same on both sides: passed, checked and copied.

use super::Op;
use super::error::Done;
use callgate_protocol::check::Reason;
use callgate_protocol::schema::Type;
use callgate_protocol::wire::Reader;

/// Passes a value of one token, and checks it as whoever decodes it would.
pub(super) fn pass(reader: &mut Reader<'_>, ty: &Type) -> Done {
    match ty {
        Type::Bool => drop(reader.bool()?),
        Type::U8 | Type::I8 => drop(reader.u8()?),
        Type::U16 | Type::I16 => drop(reader.varint(16)?),
        Type::U32 | Type::I32 => drop(reader.varint(32)?),
        Type::U64 | Type::I64 => drop(reader.varint(64)?),
        Type::U128 | Type::I128 => drop(reader.varint128()?),
        Type::F32 | Type::Ipv4Addr => drop(reader.take(4)?),
        Type::F64 => drop(reader.take(8)?),
        Type::Ipv6Addr => drop(reader.take(16)?),
        Type::Char => drop(reader.char()?),
        Type::String | Type::Json => reader.skip_str()?,
        Type::Bytes => drop(reader.bytes()?),
        Type::Uuid => match reader.bytes()?.len() {
            16 => {}
            _ => return Err(Reason::BadUuid.into()),
        },
        Type::Timestamp | Type::Duration => {
            reader.varint(64)?;
            if reader.varint(32)? > 999_999_999 {
                return Err(Reason::NanosOutOfRange.into());
            }
        }
        Type::IpAddr => match reader.varint(32)? {
            0 => drop(reader.take(4)?),
            1 => drop(reader.take(16)?),
            _ => return Err(Reason::UnknownVariant.into()),
        },
        // Only values of one token are copied.
        _ => {}
    }
    Ok(())
}

/// The size of values that are sound whatever their bytes, so that many of them are copied in one step.
pub(super) fn plain_width(op: &Op) -> Option<u64> {
    match op {
        Op::Copy(Type::U8 | Type::I8) => Some(1),
        Op::Copy(Type::F32 | Type::Ipv4Addr) => Some(4),
        Op::Copy(Type::F64) => Some(8),
        Op::Copy(Type::Ipv6Addr) => Some(16),
        _ => None,
    }
}
