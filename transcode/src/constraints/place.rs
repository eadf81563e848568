//! Where the walk is, as the segments of a JSON Pointer. They become a text only when something is wrong there.

use crate::json::push_segment;
use crate::layout::Content;
use crate::scalar::Style;
use callgate_protocol::schema::{Definition, MethodSchema, Type};
use callgate_protocol::wire::Reader;

/// One segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Segment<'a> {
    /// A field, a variant, a member.
    Name(&'a str),
    Index(u64),
    /// The key of a map, of this type and encoded.
    Key(&'a Type, &'a [u8]),
}

/// The JSON Pointer (RFC 6901) of these.
pub(super) fn pointer(schema: &MethodSchema, place: &[Segment<'_>]) -> String {
    let mut pointer = String::new();
    for segment in place {
        match segment {
            Segment::Name(name) => push_segment(&mut pointer, name),
            Segment::Index(index) => push_segment(&mut pointer, &index.to_string()),
            Segment::Key(ty, key) => push_segment(&mut pointer, &shown(schema, ty, key).unwrap_or_default()),
        }
    }
    pointer
}

/// A key as JSON has it.
fn shown(schema: &MethodSchema, ty: &Type, key: &[u8]) -> Option<String> {
    let mut reader = Reader::new(key);
    match ty.physical() {
        // A key that is a text is written as it is, not as a JSON string with its escapes.
        Type::String => reader.str().ok().map(str::to_owned),
        Type::Char => reader.char().ok().map(String::from),
        Type::Ref(index) => match schema.definition(*index)? {
            Definition::Enum(def) => {
                let number = usize::try_from(reader.varint(32).ok()?).ok()?;
                def.variants.get(number).map(|variant| variant.name.clone())
            }
            Definition::Struct(_) => None,
        },
        _ => {
            let Content::Scalar(scalar) = Content::of_type(ty) else { return None };
            let mut text = Vec::new();
            scalar.print_key(&mut reader, &mut text, Style::default()).ok()?;
            let text = String::from_utf8(text).ok()?;
            Some(text.trim_matches('"').to_owned())
        }
    }
}
