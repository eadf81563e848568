//! Which types can be the keys of a JSON object. Whoever checks a schema and whoever compiles one ask the same here.

use super::{Definition, MethodSchema, Shape, Type};

/// Which types of a schema JSON can write as an object's key. All enums are looked through when it is made: looked through
/// anew for every map, a large one would cost its size each time.
#[derive(Clone, Debug)]
pub struct MapKeys {
    /// By definition: whether it is an enum whose variants are all units.
    of_units: Vec<bool>,
}

impl MapKeys {
    /// The keys of a schema.
    pub fn of(schema: &MethodSchema) -> MapKeys {
        MapKeys { of_units: schema.definitions.iter().map(Definition::is_of_units).collect() }
    }

    /// Whether values of this type can be keys of a JSON object: bool, integers, char, strings, and what JSON writes
    /// as a string (UUID, time stamp, duration, IP address, an enum whose variants are all units).
    pub fn allow(&self, ty: &Type) -> bool {
        match ty.physical() {
            Type::Bool | Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::U128 => true,
            Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::I128 => true,
            Type::Char | Type::String | Type::Uuid | Type::Timestamp | Type::Duration => true,
            Type::IpAddr | Type::Ipv4Addr | Type::Ipv6Addr => true,
            Type::Ref(index) => self.of_units.get(*index as usize) == Some(&true),
            _ => false,
        }
    }
}

impl Definition {
    /// Whether it is an enum whose variants are all units.
    fn is_of_units(&self) -> bool {
        match self {
            Definition::Struct(_) => false,
            Definition::Enum(def) => def.variants.iter().all(|variant| variant.shape == Shape::Unit),
        }
    }
}
