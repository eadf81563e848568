//! Two types as JSON knows them: what was written and is refused now, and what was read and is another thing now.

use super::values::{goes_into, stricter};
use crate::cli::signature::{is_optional, words};
use callgate_protocol::schema::{
    Definition, EnumDef, Field, Logical, MethodSchema, Shape, StructDef, Type, Variant,
};
use std::collections::HashSet;

/// So many changes of one type are told.
const MOST: usize = 100;

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Written by who knows the old type, read by the new one.
    Written,
    /// Written by the new one, read by who knows the old type.
    Read,
}

/// A change that breaks something.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) pointer: String,
    pub(super) detail: String,
}

/// A type, and the schema that it belongs to.
type Of<'a> = (&'a MethodSchema, &'a Type);

/// What breaks for values that go that way.
pub(super) fn compare(old: Of<'_>, new: Of<'_>, direction: Direction) -> Vec<Change> {
    let mut walk = Walk { old: old.0, new: new.0, direction, met: HashSet::new(), found: Vec::new() };
    walk.types(old.1, new.1, "");
    walk.found
}

struct Walk<'a> {
    old: &'a MethodSchema,
    new: &'a MethodSchema,
    direction: Direction,
    /// Pairs of definitions that were compared: a pair is told once, where it is met first.
    met: HashSet<(u32, u32)>,
    found: Vec<Change>,
}

impl<'a> Walk<'a> {
    fn tell(&mut self, pointer: &str, detail: String) {
        if self.found.len() < MOST {
            self.found.push(Change { pointer: pointer.to_owned(), detail });
        }
    }

    fn types(&mut self, old: &'a Type, new: &'a Type, at: &str) {
        let (old, new) = (old.understood(), new.understood());
        let is_maybe = |ty: &Type| matches!(ty, Type::Option(_) | Type::Presence(_));
        if is_maybe(old) || is_maybe(new) {
            match self.direction {
                Direction::Written if is_maybe(old) && !is_maybe(new) => {
                    self.tell(at, "`null` is refused now".to_owned());
                }
                Direction::Read if !is_maybe(old) && is_maybe(new) => {
                    self.tell(at, "it may be `null` now".to_owned());
                }
                _ => {}
            }
            return self.types(bare(old), bare(new), at);
        }
        match (old, new) {
            (Type::Ref(one), Type::Ref(other)) => self.definitions(*one, *other, at),
            (Type::List(one), Type::List(other)) => self.types(one, other, &format!("{at}/*")),
            (Type::Array(one, length), Type::Array(other, now)) if length == now => {
                self.types(one, other, &format!("{at}/*"));
            }
            (Type::Tuple(one), Type::Tuple(other)) if one.len() == other.len() => {
                for (n, (one, other)) in one.iter().zip(other).enumerate() {
                    self.types(one, other, &format!("{at}/{n}"));
                }
            }
            (Type::Map(key, value), Type::Map(now_key, now_value)) => {
                self.types(key, now_key, at);
                self.types(value, now_value, &format!("{at}/*"));
            }
            (Type::Logical(Logical::SET, one), Type::Logical(Logical::SET, other)) => {
                self.types(one, other, at);
            }
            (old, new) => {
                let (writer, reader) = match self.direction {
                    Direction::Written => (old, new),
                    Direction::Read => (new, old),
                };
                if !goes_into(writer, reader) {
                    let detail = format!("it was {} and is {}", words(self.old, old), words(self.new, new));
                    self.tell(at, detail);
                }
            }
        }
    }

    fn definitions(&mut self, one: u32, other: u32, at: &str) {
        if !self.met.insert((one, other)) {
            return;
        }
        match (self.old.definition(one), self.new.definition(other)) {
            (Some(Definition::Struct(old)), Some(Definition::Struct(new))) => self.structs(old, new, at),
            (Some(Definition::Enum(old)), Some(Definition::Enum(new))) => self.enums(old, new, at),
            _ => self.tell(at, "it was an object of another kind".to_owned()),
        }
    }

    fn structs(&mut self, old: &'a StructDef, new: &'a StructDef, at: &str) {
        self.fields(&old.fields, &new.fields, at);
    }

    fn fields(&mut self, old: &'a [Field], new: &'a [Field], at: &str) {
        for field in old {
            let place = format!("{at}/{}", field.name);
            let Some(now) = new.iter().find(|now| self.knows(now, &field.name)) else {
                self.tell(
                    &place,
                    match self.direction {
                        Direction::Written => "the field is gone, and is refused now".to_owned(),
                        Direction::Read => "the field is gone".to_owned(),
                    },
                );
                continue;
            };
            self.types(&field.ty, &now.ty, &place);
            if self.direction == Direction::Written {
                self.one_field(field, now, &place);
            }
        }
        if self.direction == Direction::Written {
            for now in new.iter().filter(|now| !is_optional(now)) {
                if !old.iter().any(|field| self.knows(now, &field.name)) {
                    self.tell(&format!("{at}/{}", now.name), "a new field that is needed".to_owned());
                }
            }
        }
    }

    /// Whether a field of the new version is found by that name. By an alias only what is written is found.
    fn knows(&self, field: &Field, name: &str) -> bool {
        let by_alias = || field.aliases.iter().any(|alias| alias == name);
        field.name == name || (self.direction == Direction::Written && by_alias())
    }

    /// What is asked of a field that is written.
    fn one_field(&mut self, old: &Field, new: &Field, at: &str) {
        if is_optional(old) && !is_optional(new) {
            self.tell(at, "it may not be left out any more".to_owned());
        }
        for alias in &old.aliases {
            if new.name != *alias && !new.aliases.contains(alias) {
                self.tell(at, format!("its other name `{alias}` is gone"));
            }
        }
        for change in stricter(&old.attributes, &new.attributes) {
            self.tell(at, change);
        }
    }

    fn enums(&mut self, old: &'a EnumDef, new: &'a EnumDef, at: &str) {
        let form = |def: &EnumDef| {
            (def.attributes.tag().map(str::to_owned), def.attributes.content().map(str::to_owned))
        };
        if form(old) != form(new) {
            return self.tell(at, "its variants are written in another form".to_owned());
        }
        let named = |def: &'a EnumDef, name: &str| def.variants.iter().find(|one| one.name == name);
        for variant in &old.variants {
            let aliased = |one: &&Variant| one.aliases.contains(&variant.name);
            let now = named(new, &variant.name).or_else(|| {
                let written = self.direction == Direction::Written;
                new.variants.iter().find(aliased).filter(|_| written)
            });
            match now {
                Some(now) => self.shapes(variant, now, &format!("{at}/{}", variant.name)),
                None if self.direction == Direction::Written => {
                    self.tell(at, format!("the variant `{}` is gone, and is refused now", variant.name));
                }
                None => {}
            }
        }
        if self.direction == Direction::Read {
            for variant in new.variants.iter().filter(|one| named(old, &one.name).is_none()) {
                self.tell(
                    at,
                    format!("there is a new variant `{}`, which clients do not know", variant.name),
                );
            }
        }
    }

    fn shapes(&mut self, old: &'a Variant, new: &'a Variant, at: &str) {
        match (&old.shape, &new.shape) {
            (Shape::Unit, Shape::Unit) => {}
            (Shape::Newtype(one), Shape::Newtype(other)) => self.types(one, other, at),
            (Shape::Tuple(one), Shape::Tuple(other)) if one.len() == other.len() => {
                for (n, (one, other)) in one.iter().zip(other).enumerate() {
                    self.types(one, other, &format!("{at}/{n}"));
                }
            }
            (Shape::Struct(one), Shape::Struct(other)) => self.fields(one, other, at),
            _ => self.tell(at, "it holds something of another form".to_owned()),
        }
    }
}

fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Option(inner) | Type::Presence(inner) => inner.understood(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_protocol::schema::Attributes;

    fn schema(fields: Vec<Field>) -> MethodSchema {
        MethodSchema::new(Type::Ref(0), Type::Unit, vec![Definition::Struct(StructDef::new("Order", fields))])
    }

    /// What is told of one field that was that and is this, for values that go that way.
    fn told(old: Vec<Field>, new: Vec<Field>, direction: Direction) -> Vec<String> {
        let (old, new) = (schema(old), schema(new));
        let found = compare((&old, &Type::Ref(0)), (&new, &Type::Ref(0)), direction);
        found.into_iter().map(|change| format!("{}: {}", change.pointer, change.detail)).collect()
    }

    fn field(ty: Type) -> Vec<Field> {
        vec![Field::new("a", ty)]
    }

    fn option(ty: Type) -> Type {
        Type::Option(Box::new(ty))
    }

    #[test]
    fn a_change_breaks_those_whose_values_go_that_way() {
        use Direction::{Read, Written};
        let list = |ty| Type::List(Box::new(ty));
        for (old, new, written, read) in [
            (Type::U32, Type::U64, None, Some("/a: it was u32 and is u64")),
            (Type::U64, Type::U32, Some("/a: it was u64 and is u32"), None),
            (Type::Uuid, Type::String, None, Some("/a: it was uuid and is string")),
            (Type::U8, option(Type::U8), None, Some("/a: it may be `null` now")),
            (option(Type::U8), Type::U8, Some("/a: `null` is refused now"), None),
            (list(Type::U8), list(Type::U16), None, Some("/a/*: it was u8 and is u16")),
            (Type::U8, Type::U8, None, None),
        ] {
            let of = |direction| told(field(old.clone()), field(new.clone()), direction);
            let expected: Vec<&str> = written.into_iter().collect();
            let mut found = of(Written);
            // What may be left out is told beside.
            found.retain(|text| !text.contains("left out"));
            assert_eq!(found, expected, "{old:?} {new:?}");
            assert_eq!(of(Read), read.into_iter().collect::<Vec<_>>(), "{old:?} {new:?}");
        }
    }

    #[test]
    fn fields_that_come_and_go_break_those_who_know_them() {
        use Direction::{Read, Written};
        let (one, none) = (field(Type::U8), Vec::new());
        let usual = vec![Field { default: Some(vec![1]), ..Field::new("a", Type::U8) }];
        assert_eq!(told(one.clone(), none.clone(), Read), ["/a: the field is gone"]);
        assert_eq!(told(one.clone(), none.clone(), Written), ["/a: the field is gone, and is refused now"]);
        assert_eq!(told(none.clone(), one.clone(), Written), ["/a: a new field that is needed"]);
        assert_eq!(told(none.clone(), one.clone(), Read), [""; 0]);
        assert_eq!(told(none, usual.clone(), Written), [""; 0]);
        assert_eq!(told(usual, one.clone(), Written), ["/a: it may not be left out any more"]);
        let renamed = vec![Field { aliases: vec!["a".to_owned()], ..Field::new("b", Type::U8) }];
        assert_eq!(told(one.clone(), renamed.clone(), Written), [""; 0]);
        assert_eq!(told(one.clone(), renamed, Read), ["/a: the field is gone"]);
        let bounded = vec![Field {
            attributes: Attributes::default().with_maximum(vec![9]),
            ..Field::new("a", Type::U8)
        }];
        assert_eq!(told(one, bounded, Written), ["/a: its greatest value is another"]);
    }

    #[test]
    fn types_that_hold_themselves_are_compared_once() {
        let own = |other: Type| {
            vec![Field::new("next", Type::Option(Box::new(Type::Ref(0)))), Field::new("a", other)]
        };
        assert_eq!(told(own(Type::U8), own(Type::Bool), Direction::Read), ["/a: it was u8 and is bool"]);
    }
}
