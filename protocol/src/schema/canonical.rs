//! The one way to write a schema: definitions in the order of first use, unused ones left out, values in their one form. Two
//! processes that describe the same types get the same bytes, and so the same fingerprint.

use super::normal::Normalizer;
use super::{Attributes, Definition, EnumDef, Field, MethodSchema, Shape, StructDef, Type, Variant};

/// The canonical form of a schema.
pub(super) fn of(schema: &MethodSchema) -> MethodSchema {
    let order = Order::of(schema);
    let mut writer = Writer { values: Normalizer::new(schema), order: &order };
    let definition = |number: &u32| writer.definition(&schema.definitions[*number as usize]);
    let definitions = order.used.iter().map(definition).collect();
    MethodSchema {
        doc: schema.doc.clone(),
        request: order.renumbered(&schema.request),
        request_items: schema.request_items.as_ref().map(|ty| order.renumbered(ty)),
        response: order.renumbered(&schema.response),
        error: schema.error.as_ref().map(|ty| order.renumbered(ty)),
        definitions,
        attributes: schema.attributes.clone(),
    }
}

/// In which order definitions are first used, from the request on, each one's own content before what follows it.
struct Order {
    /// The old numbers, in the new order.
    used: Vec<u32>,
    /// By old number, the new one.
    numbers: Vec<Option<u32>>,
}

impl Order {
    fn of(schema: &MethodSchema) -> Order {
        let mut order = Order { used: Vec::new(), numbers: vec![None; schema.definitions.len()] };
        // Definitions may be a chain of thousands, so what is still to be visited is a list and no recursion.
        let mut waiting = Vec::new();
        let roots = [Some(&schema.request), schema.request_items.as_ref(), Some(&schema.response)];
        for root in roots.into_iter().chain([schema.error.as_ref()]).flatten() {
            references(root, &mut waiting);
        }
        waiting.reverse();
        while let Some(number) = waiting.pop() {
            if let Some(new @ None) = order.numbers.get_mut(number as usize) {
                *new = Some(order.used.len() as u32);
                order.used.push(number);
                let before = waiting.len();
                references_of(&schema.definitions[number as usize], &mut waiting);
                waiting[before..].reverse();
            }
        }
        order
    }

    /// The type with the new numbers.
    fn renumbered(&self, ty: &Type) -> Type {
        let inner = |ty: &Type| Box::new(self.renumbered(ty));
        match ty {
            Type::Option(ty) => Type::Option(inner(ty)),
            Type::List(ty) => Type::List(inner(ty)),
            Type::Array(ty, length) => Type::Array(inner(ty), *length),
            Type::Tuple(types) => Type::Tuple(types.iter().map(|ty| self.renumbered(ty)).collect()),
            Type::Map(key, value) => Type::Map(inner(key), inner(value)),
            Type::Logical(logical, ty) => Type::Logical(*logical, inner(ty)),
            Type::Presence(ty) => Type::Presence(inner(ty)),
            // A schema that was checked has no reference that leads nowhere; in another one it keeps leading nowhere.
            Type::Ref(number) => {
                Type::Ref(self.numbers.get(*number as usize).copied().flatten().unwrap_or(u32::MAX))
            }
            scalar => scalar.clone(),
        }
    }
}

fn references_of(definition: &Definition, into: &mut Vec<u32>) {
    let fields = |fields: &[Field], into: &mut Vec<u32>| fields.iter().for_each(|f| references(&f.ty, into));
    let def = match definition {
        Definition::Struct(def) => return fields(&def.fields, into),
        Definition::Enum(def) => def,
    };
    for variant in &def.variants {
        match &variant.shape {
            Shape::Unit => {}
            Shape::Newtype(ty) => references(ty, into),
            Shape::Tuple(types) => types.iter().for_each(|ty| references(ty, into)),
            Shape::Struct(of) => fields(of, into),
        }
    }
}

fn references(ty: &Type, into: &mut Vec<u32>) {
    match ty {
        Type::Option(ty) | Type::List(ty) | Type::Array(ty, _) => references(ty, into),
        Type::Logical(_, ty) | Type::Presence(ty) => references(ty, into),
        Type::Tuple(types) => types.iter().for_each(|ty| references(ty, into)),
        Type::Map(key, value) => {
            references(key, into);
            references(value, into);
        }
        Type::Ref(number) => into.push(*number),
        _ => {}
    }
}

struct Writer<'a> {
    values: Normalizer<'a>,
    order: &'a Order,
}

impl Writer<'_> {
    fn definition(&mut self, definition: &Definition) -> Definition {
        match definition {
            Definition::Struct(def) => Definition::Struct(StructDef {
                name: def.name.clone(),
                doc: def.doc.clone(),
                fields: self.fields(&def.fields),
                attributes: def.attributes.clone(),
            }),
            Definition::Enum(def) => Definition::Enum(EnumDef {
                name: def.name.clone(),
                doc: def.doc.clone(),
                variants: def.variants.iter().map(|variant| self.variant(variant)).collect(),
                attributes: def.attributes.clone(),
            }),
        }
    }

    fn variant(&mut self, variant: &Variant) -> Variant {
        let shape = match &variant.shape {
            Shape::Unit => Shape::Unit,
            Shape::Newtype(ty) => Shape::Newtype(self.order.renumbered(ty)),
            Shape::Tuple(types) => Shape::Tuple(types.iter().map(|ty| self.order.renumbered(ty)).collect()),
            Shape::Struct(fields) => Shape::Struct(self.fields(fields)),
        };
        Variant { shape, ..variant.clone() }
    }

    fn fields(&mut self, fields: &[Field]) -> Vec<Field> {
        fields.iter().map(|field| self.field(field)).collect()
    }

    fn field(&mut self, field: &Field) -> Field {
        Field {
            name: field.name.clone(),
            aliases: field.aliases.clone(),
            doc: field.doc.clone(),
            ty: self.order.renumbered(&field.ty),
            default: field.default.as_ref().map(|default| self.values.value(&field.ty, default)),
            attributes: self.attributes(field),
        }
    }

    /// A field's attributes; some of them are values.
    fn attributes(&mut self, field: &Field) -> Attributes {
        let mut attributes = field.attributes.clone();
        for (tag, ty) in [
            (Attributes::EXAMPLE, &field.ty),
            (Attributes::MINIMUM, field.ty.content()),
            (Attributes::MAXIMUM, field.ty.content()),
        ] {
            if let Some(value) = field.attributes.get(tag) {
                attributes = attributes.with(tag, self.values.value(ty, value));
            }
        }
        attributes
    }
}
