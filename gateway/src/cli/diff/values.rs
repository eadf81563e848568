//! Single values as JSON knows them: whether each value of one type is one of another, and what is asked of them beside their type.

use callgate_protocol::schema::{Attributes, Logical, Type};

/// Whether each value of one scalar, as JSON, is one of the other.
pub(super) fn goes_into(writer: &Type, reader: &Type) -> bool {
    if writer == reader || *reader == Type::Json {
        return true;
    }
    if let (Some((least, most)), Some((from, to))) = (range(writer), range(reader)) {
        return from <= least && most <= to;
    }
    match (writer, reader) {
        (Type::F32, Type::F64) => true,
        (writer, Type::F64) => {
            range(writer).is_some_and(|(least, most)| least >= -(1 << 53) && most <= 1 << 53)
        }
        (Type::Ipv4Addr | Type::Ipv6Addr, Type::IpAddr) => true,
        (Type::List(_), Type::Logical(Logical::SET, _)) => false,
        (Type::Logical(Logical::SET, list), Type::List(_)) => goes_into(list, reader),
        (writer, Type::String) => is_text(writer),
        _ => false,
    }
}

/// The values of an integer; of those with 128 bits as much as can be held.
fn range(ty: &Type) -> Option<(i128, i128)> {
    Some(match ty {
        Type::U8 => (0, u8::MAX.into()),
        Type::U16 => (0, u16::MAX.into()),
        Type::U32 => (0, u32::MAX.into()),
        Type::U64 => (0, u64::MAX.into()),
        Type::I8 => (i8::MIN.into(), i8::MAX.into()),
        Type::I16 => (i16::MIN.into(), i16::MAX.into()),
        Type::I32 => (i32::MIN.into(), i32::MAX.into()),
        Type::I64 => (i64::MIN.into(), i64::MAX.into()),
        _ => return None,
    })
}

/// Whether JSON has it as a string, whatever it means.
fn is_text(ty: &Type) -> bool {
    match ty {
        Type::Char | Type::String | Type::Bytes | Type::Uuid | Type::Timestamp | Type::Duration => true,
        Type::IpAddr | Type::Ipv4Addr | Type::Ipv6Addr => true,
        Type::Logical(_, inner) => is_text(inner),
        _ => false,
    }
}

/// What is asked of a field's value now and was not before.
pub(super) fn stricter(old: &Attributes, new: &Attributes) -> Vec<String> {
    let mut found = Vec::new();
    for (name, before, now) in
        [("length", old.length(), new.length()), ("number of entries", old.items(), new.items())]
    {
        let Some(now) = now else { continue };
        let (least, most) = before.map_or((0, u64::MAX), |span| (span.min, span.max.unwrap_or(u64::MAX)));
        if now.min > least || now.max.unwrap_or(u64::MAX) < most {
            found.push(format!("its {name} is bounded more strictly"));
        }
    }
    for (name, before, now) in
        [("least", old.minimum(), new.minimum()), ("greatest", old.maximum(), new.maximum())]
    {
        // Which one is stricter only the type knows; that it is another one is worth a look.
        if now.is_some() && now != before {
            found.push(format!("its {name} value is another"));
        }
    }
    if new.pattern().is_some() && new.pattern() != old.pattern() {
        found.push("its pattern is another".to_owned());
    }
    found
}
