//! The bytes of an example.

use super::pattern;
use callgate_protocol::schema::{Attributes, Definition, EnumDef, Field, Logical, MethodSchema, Shape, Type};
use callgate_protocol::wire::{put_bytes, put_char, put_varint, put_varint128, put_zigzag, put_zigzag128};

/// So many values an example has at most, whatever the types are: a few that hold each other twice would be very many.
const MOST_VALUES: usize = 10_000;

/// So many bytes of texts and repeated items.
const LONGEST: usize = 64 * 1024;

/// 2026-01-31T08:30:00Z.
const TIME: i64 = 1_769_848_200;

/// The bytes of an example of a type. `None` where it has none.
pub(super) fn of(schema: &MethodSchema, ty: &Type) -> Option<Vec<u8>> {
    let mut making = Making { schema, open: Vec::new(), left: MOST_VALUES };
    let mut out = Vec::new();
    making.put(ty, &Wishes::default(), &mut out)?;
    Some(out)
}

/// What is known of a value beside its type.
#[derive(Clone, Copy, Default)]
struct Wishes<'a> {
    /// The field's name, which is what its text is.
    name: &'a str,
    attributes: Option<&'a Attributes>,
}

struct Making<'a> {
    schema: &'a MethodSchema,
    /// The definitions that are being written: none of them stands within itself.
    open: Vec<u32>,
    left: usize,
}

impl Making<'_> {
    /// Appends a value. Where there is none, `out` is as it was.
    fn put(&mut self, ty: &Type, wishes: &Wishes<'_>, out: &mut Vec<u8>) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        let before = out.len();
        let done = if out.len() > LONGEST { None } else { self.put_any(ty, wishes, out) };
        if done.is_none() {
            out.truncate(before);
        }
        done
    }

    fn put_any(&mut self, ty: &Type, wishes: &Wishes<'_>, out: &mut Vec<u8>) -> Option<()> {
        match ty {
            Type::Option(inner) => self.maybe(1, inner, wishes, out),
            Type::Presence(inner) => self.maybe(2, inner, wishes, out),
            Type::Logical(logical, inner) => match text_of(*logical).filter(|_| logical.is_of(inner)) {
                Some(text) if wishes.bound().is_none() => put_bytes(out, text.as_bytes()),
                _ => return self.put(inner, wishes, out),
            },
            Type::List(item) => self.items(item, None, wishes, out)?,
            Type::Map(key, value) => self.items(key, Some(value), wishes, out)?,
            Type::Array(item, length) => {
                (0..*length).try_for_each(|_| self.put(item, &Wishes::default(), out))?;
            }
            Type::Tuple(types) => types.iter().try_for_each(|ty| self.put(ty, &Wishes::default(), out))?,
            Type::Ref(index) => {
                if self.open.contains(index) {
                    return None;
                }
                self.open.push(*index);
                let done = self.definition(*index, out);
                self.open.pop();
                done?;
            }
            scalar => match wishes.bound() {
                Some(bound) => out.extend_from_slice(bound),
                None => put_scalar(scalar, wishes, out)?,
            },
        }
        Some(())
    }

    /// A value that may be missing, if it can be there.
    fn maybe(&mut self, given: u8, inner: &Type, wishes: &Wishes<'_>, out: &mut Vec<u8>) {
        let before = out.len();
        out.push(given);
        if self.put(inner, wishes, out).is_none() {
            out.truncate(before);
            out.push(0);
        }
    }

    /// As many items as there have to be, or one; none where there cannot be one and there need not be. Of a map they have a value, too.
    fn items(
        &mut self,
        item: &Type,
        value: Option<&Type>,
        wishes: &Wishes<'_>,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let span = wishes.attributes.and_then(Attributes::items);
        let least = span.map_or(0, |span| span.min);
        let most = span.and_then(|span| span.max).unwrap_or(u64::MAX);
        // The same key or item twice would be none: more than one is asked of lists, as a rule.
        let count = if value.is_none() { least.max(1).min(most) } else { 1.min(most) };
        let mut one = Vec::new();
        let made = self.put(item, &Wishes { name: singular(wishes.name), ..Wishes::default() }, &mut one);
        let made = made
            .and_then(|()| value.into_iter().try_for_each(|ty| self.put(ty, &Wishes::default(), &mut one)));
        let length = usize::try_from(count).ok()?.checked_mul(one.len().max(1))?;
        match made {
            Some(()) if length <= LONGEST => {
                put_varint(out, count);
                (0..count).for_each(|_| out.extend_from_slice(&one));
                Some(())
            }
            _ if least == 0 => {
                put_varint(out, 0);
                Some(())
            }
            _ => None,
        }
    }

    fn definition(&mut self, index: u32, out: &mut Vec<u8>) -> Option<()> {
        match self.schema.definition(index)? {
            Definition::Struct(def) => self.fields(&def.fields, out),
            Definition::Enum(def) => self.variant(def, out),
        }
    }

    fn fields(&mut self, fields: &[Field], out: &mut Vec<u8>) -> Option<()> {
        fields.iter().try_for_each(|field| {
            if let Some(example) = field.attributes.example() {
                out.extend_from_slice(example);
                return Some(());
            }
            let wishes = Wishes { name: &field.name, attributes: Some(&field.attributes) };
            let made = self.put(&field.ty, &wishes, out);
            made.or_else(|| field.default.as_ref().map(|default| out.extend_from_slice(default)))
        })
    }

    /// The first variant that can be written, those that are not to be used any more after all others.
    fn variant(&mut self, def: &EnumDef, out: &mut Vec<u8>) -> Option<()> {
        let is_old = |at: &usize| def.variants[*at].attributes.deprecated().is_some();
        let (old, new): (Vec<usize>, Vec<usize>) = (0..def.variants.len()).partition(is_old);
        let before = out.len();
        new.into_iter().chain(old).find_map(|at| {
            out.truncate(before);
            put_varint(out, at as u64);
            match &def.variants[at].shape {
                Shape::Unit => Some(()),
                Shape::Newtype(ty) => self.put(ty, &Wishes::default(), out),
                Shape::Tuple(types) => types.iter().try_for_each(|ty| self.put(ty, &Wishes::default(), out)),
                Shape::Struct(fields) => self.fields(fields, out),
            }
        })
    }
}

impl<'a> Wishes<'a> {
    /// The least value that it may have, or the greatest.
    fn bound(&self) -> Option<&'a [u8]> {
        let attributes = self.attributes?;
        attributes.minimum().or_else(|| attributes.maximum())
    }

    /// A text of the length, or of the pattern.
    fn text(&self) -> Option<String> {
        let attributes = self.attributes;
        if let Some(pattern) = attributes.and_then(Attributes::pattern) {
            return pattern::text(pattern);
        }
        let usual = if self.name.is_empty() { "text" } else { self.name };
        let Some(span) = attributes.and_then(Attributes::length) else { return Some(usual.to_owned()) };
        let least = usize::try_from(span.min).ok().filter(|least| *least <= LONGEST)?;
        let most = span.max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
        let length = usual.chars().count().max(least).min(most);
        Some(usual.chars().cycle().take(length).collect())
    }
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').filter(|name| name.len() > 1).unwrap_or(name)
}

fn text_of(logical: Logical) -> Option<&'static str> {
    Some(match logical {
        Logical::DECIMAL => "9.95",
        Logical::DATE => "2026-01-31",
        Logical::TIME => "08:30",
        Logical::URL => "https://example.com/",
        Logical::EMAIL => "ada@example.com",
        _ => return None,
    })
}

fn put_scalar(ty: &Type, wishes: &Wishes<'_>, out: &mut Vec<u8>) -> Option<()> {
    match ty {
        Type::Unit => {}
        Type::Bool | Type::U8 | Type::I8 => out.push(1),
        Type::U16 | Type::U32 | Type::U64 => put_varint(out, 1),
        Type::U128 => put_varint128(out, 1),
        Type::I16 | Type::I32 | Type::I64 => put_zigzag(out, 1),
        Type::I128 => put_zigzag128(out, 1),
        Type::F32 => out.extend_from_slice(&1.5_f32.to_le_bytes()),
        Type::F64 => out.extend_from_slice(&1.5_f64.to_le_bytes()),
        Type::Char => put_char(out, 'a'),
        Type::String | Type::Bytes => put_bytes(out, wishes.text()?.as_bytes()),
        Type::Uuid => {
            out.push(16);
            out.extend_from_slice(&0x0193_5a1c_8f2e_7c4d_9b1a_2f3c_4d5e_6f70_u128.to_be_bytes());
        }
        Type::Timestamp => {
            put_zigzag(out, TIME);
            put_varint(out, 0);
        }
        Type::Duration => {
            put_varint(out, 1);
            put_varint(out, 500_000_000);
        }
        Type::IpAddr => out.extend_from_slice(&[0, 192, 0, 2, 1]),
        Type::Ipv4Addr => out.extend_from_slice(&[192, 0, 2, 1]),
        Type::Ipv6Addr => {
            out.extend_from_slice(&0x2001_0db8_0000_0000_0000_0000_0000_0001_u128.to_be_bytes())
        }
        Type::Json => put_bytes(out, b"{}"),
        // They are made elsewhere.
        _ => return None,
    }
    Some(())
}
