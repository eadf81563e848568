//! Which definitions of different methods are the same: those that have the same bytes with all that they refer to.

use crate::Mode;
use callgate_protocol::schema::{Definition, Field, Fingerprint, Logical, MethodSchema, Shape, Type};
use callgate_transcode::{Decimal, Int64};

/// So much may be looked at for it, in bytes of a schema times its definitions. Those of a larger one are nobody else's.
const MAX_WORK: usize = 16 << 20;

/// What a definition is, whichever method it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    fingerprint: Fingerprint,
    /// Its place, where it is only compared with others of its schema.
    place: Option<u32>,
    /// It, or what it refers to, has a number of 64 bits.
    int64: bool,
    /// The same of decimals.
    decimal: bool,
    /// It is the same JSON whether it is read or written.
    same: bool,
}

impl Default for Identity {
    fn default() -> Identity {
        let fingerprint = Fingerprint([0; 16]);
        Identity { fingerprint, place: None, int64: true, decimal: true, same: false }
    }
}

impl Identity {
    #[cfg(test)]
    pub(crate) fn of_bytes(bytes: &[u8]) -> Identity {
        Identity { fingerprint: Fingerprint::of(bytes), ..Identity::default() }
    }

    /// What of a mode makes a difference for it.
    pub(crate) fn mode(self, mode: Mode) -> Mode {
        match mode {
            _ if self.same => Mode::OUT,
            Mode::In(unknown) => Mode::In(unknown),
            Mode::Out(int64, decimal) => Mode::Out(
                if self.int64 { int64 } else { Int64::Number },
                if self.decimal { decimal } else { Decimal::String },
            ),
        }
    }

    /// Those of a schema's definitions.
    pub(crate) fn all(schema: &MethodSchema) -> Vec<Identity> {
        let count = schema.definitions.len() as u32;
        let encoded = schema.encode();
        let shared = schema.definitions.len().saturating_mul(encoded.len()) <= MAX_WORK;
        let whole = Fingerprint::of(&encoded);
        (0..count)
            .map(|index| {
                if shared {
                    Identity::of(schema, index)
                } else {
                    Identity { fingerprint: whole, place: Some(index), ..Identity::default() }
                }
            })
            .collect()
    }

    fn of(schema: &MethodSchema, index: u32) -> Identity {
        let alone = MethodSchema::new(Type::Ref(index), Type::Unit, schema.definitions.clone()).canonical();
        let has = |is: fn(&Type) -> bool| alone.definitions.iter().any(|definition| has(definition, is));
        Identity {
            fingerprint: Fingerprint::of(&alone.encode()),
            place: None,
            int64: has(|ty| matches!(ty, Type::U64 | Type::I64)),
            decimal: has(|ty| matches!(ty, Type::Logical(Logical::DECIMAL, _))),
            same: schema.definition(index).is_some_and(is_list_of_names),
        }
    }
}

/// Whether a definition is an enum of names alone.
fn is_list_of_names(definition: &Definition) -> bool {
    match definition {
        Definition::Enum(def) => {
            def.attributes.tag().is_none() && def.variants.iter().all(|variant| variant.shape == Shape::Unit)
        }
        Definition::Struct(_) => false,
    }
}

fn has(definition: &Definition, is: fn(&Type) -> bool) -> bool {
    let any = |fields: &[Field]| fields.iter().any(|field| within(&field.ty, is));
    match definition {
        Definition::Struct(def) => any(&def.fields),
        Definition::Enum(def) => def.variants.iter().any(|variant| match &variant.shape {
            Shape::Unit => false,
            Shape::Newtype(ty) => within(ty, is),
            Shape::Tuple(types) => types.iter().any(|ty| within(ty, is)),
            Shape::Struct(fields) => any(fields),
        }),
    }
}

/// Whether a type is such, or has such a type in it.
fn within(ty: &Type, is: fn(&Type) -> bool) -> bool {
    is(ty)
        || match ty {
            Type::Option(ty) | Type::List(ty) | Type::Array(ty, _) => within(ty, is),
            Type::Logical(_, ty) | Type::Presence(ty) => within(ty, is),
            Type::Tuple(types) => types.iter().any(|ty| within(ty, is)),
            // Keys are texts, however they are written elsewhere.
            Type::Map(_, value) => within(value, is),
            _ => false,
        }
}
