//! A schema as a later version of its service would have it: fields added, removed, moved, renamed, of other types.

use super::generate::{Random, SCALARS, scalar_value};
use super::value::bincode_of;
use super::{field, option, variant};
use callgate_protocol::check;
use callgate_protocol::schema::{Definition, Field, MethodSchema, Shape, Type, Variant};

const UNSIGNED: [Type; 5] = [Type::U8, Type::U16, Type::U32, Type::U64, Type::U128];
const SIGNED: [Type; 5] = [Type::I8, Type::I16, Type::I32, Type::I64, Type::I128];

/// `rough`: also such changes that not all values bear.
pub(crate) fn evolved(schema: &MethodSchema, random: &mut Random, rough: bool) -> MethodSchema {
    let mut next = schema.clone();
    for definition in &mut next.definitions {
        match definition {
            Definition::Struct(def) => fields(schema, random, rough, &mut def.fields),
            Definition::Enum(def) => variants(schema, random, rough, &mut def.variants),
        }
    }
    let sound = next.clone();
    for definition in &mut next.definitions {
        match definition {
            Definition::Struct(def) => forget_unsound_defaults(&sound, &mut def.fields),
            Definition::Enum(def) => def.variants.iter_mut().for_each(|variant| {
                if let Shape::Struct(fields) = &mut variant.shape {
                    forget_unsound_defaults(&sound, fields);
                }
            }),
        }
    }
    MethodSchema::decode(&next.encode()).unwrap()
}

fn fields(schema: &MethodSchema, random: &mut Random, rough: bool, fields: &mut Vec<Field>) {
    if random.chance(20) {
        let places = fields.len();
        if places > 0 {
            fields.remove(random.below(places));
        }
    }
    for field in fields.iter_mut() {
        field.ty = ty(random, rough, &field.ty, true);
        // Two versions which both call something by an old name of the other are not what JSON can tell apart.
        field.aliases.clear();
        if random.chance(10) {
            let name = format!("new {}", field.name);
            field.aliases.push(std::mem::replace(&mut field.name, name));
        }
    }
    for added in 0..random.below(3) {
        let place = random.below(fields.len() + 1);
        fields.insert(place, new_field(schema, random, rough, added));
    }
    shuffle(random, fields);
}

fn new_field(schema: &MethodSchema, random: &mut Random, rough: bool, number: usize) -> Field {
    let name = format!("added{number}");
    let ty = random.pick(&SCALARS);
    match random.below(3) {
        0 => field(&name, option(ty)),
        1 if rough && random.chance(20) => field(&name, ty),
        _ => {
            let value = scalar_value(random, &ty);
            let default = Some(bincode_of(schema, &ty, &value));
            Field { default, ..field(&name, ty) }
        }
    }
}

fn variants(schema: &MethodSchema, random: &mut Random, rough: bool, variants: &mut Vec<Variant>) {
    let is_key = variants.iter().all(|variant| variant.shape == Shape::Unit);
    for variant in variants.iter_mut() {
        match &mut variant.shape {
            Shape::Unit => {}
            Shape::Newtype(content) => *content = ty(random, rough, content, true),
            Shape::Tuple(types) => types.iter_mut().for_each(|one| *one = ty(random, rough, one, true)),
            Shape::Struct(inner) => fields(schema, random, rough, inner),
        }
    }
    if rough && variants.len() > 1 && random.chance(20) {
        variants.pop();
    }
    if random.chance(30) {
        let shape = if is_key { Shape::Unit } else { Shape::Newtype(random.pick(&SCALARS)) };
        variants.push(variant("Added", shape));
    }
    // The first of all is the one that has no content.
    shuffle(random, variants.get_mut(1..).unwrap_or_default());
}

fn shuffle<T>(random: &mut Random, items: &mut [T]) {
    if random.chance(50) {
        for last in (1..items.len()).rev() {
            items.swap(last, random.below(last + 1));
        }
    }
}

fn ty(random: &mut Random, rough: bool, old: &Type, optional: bool) -> Type {
    let inner = |random: &mut Random, old: &Type| Box::new(ty(random, rough, old, true));
    let next = match old {
        // What JSON calls null is none, whatever it was.
        Type::Unit | Type::Json => return old.clone(),
        // Only a field has presence, and there is no option around it.
        Type::Presence(_) => return old.clone(),
        Type::Option(old) if rough && SCALARS.contains(old) && random.chance(10) => return (**old).clone(),
        Type::Option(old) => return Type::Option(Box::new(ty(random, rough, old, false))),
        Type::List(old) => Type::List(inner(random, old)),
        Type::Array(old, length) => Type::Array(inner(random, old), *length),
        Type::Tuple(types) => Type::Tuple(types.iter().map(|old| *inner(random, old)).collect()),
        Type::Map(key, old) => {
            let value = inner(random, old);
            Type::Map(Box::new(ty(random, rough, key, false)), value)
        }
        integer if UNSIGNED.contains(integer) || SIGNED.contains(integer) => int(random, rough, integer),
        other => other.clone(),
    };
    if optional && random.chance(10) { option(next) } else { next }
}

fn int(random: &mut Random, rough: bool, old: &Type) -> Type {
    if !random.chance(30) {
        return old.clone();
    }
    if rough {
        // JSON has integers of 128 bits in strings, which those of 32 are not read from.
        let least = if matches!(old, Type::U128 | Type::I128) { 3 } else { 0 };
        return random.pick(&[&UNSIGNED[least..], &SIGNED[least..]].concat());
    }
    let wider = |types: &[Type; 5], than: usize| types.get(than + 1).cloned();
    let of = |types: &[Type; 5]| types.iter().position(|ty| ty == old);
    let signed = random.chance(50);
    match (of(&UNSIGNED), of(&SIGNED)) {
        (Some(width), _) if signed => wider(&SIGNED, width),
        (Some(width), _) => wider(&UNSIGNED, width),
        (_, Some(width)) => wider(&SIGNED, width),
        _ => None,
    }
    .unwrap_or_else(|| old.clone())
}

fn forget_unsound_defaults(schema: &MethodSchema, fields: &mut [Field]) {
    for field in fields {
        let is_sound = |default: &Vec<u8>| check::value(schema, &field.ty, default).is_ok();
        if !field.default.as_ref().is_none_or(is_sound) {
            field.default = None;
        }
    }
}
