//! `Message` for the types of the standard library and for UUIDs.
//!
//! Where a type of a field is around another one, as an option is, the field asks of its value what the inner type asks.

use super::{MapKey, Message, SchemaBuilder};
use callgate_protocol::schema::{Attributes, Logical, Type};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

macro_rules! plain {
    ($($rust:ty => $name:ident,)*) => {$(
        impl Message for $rust {
            fn describe(_: &mut SchemaBuilder) -> Type {
                Type::$name
            }
        }
    )*};
}

plain! {
    () => Unit,
    bool => Bool,
    u8 => U8,
    u16 => U16,
    u32 => U32,
    u64 => U64,
    u128 => U128,
    usize => U64,
    i8 => I8,
    i16 => I16,
    i32 => I32,
    i64 => I64,
    i128 => I128,
    isize => I64,
    f32 => F32,
    f64 => F64,
    char => Char,
    String => String,
    Box<str> => String,
    Arc<str> => String,
    Cow<'static, str> => String,
    uuid::Uuid => Uuid,
    Duration => Duration,
    IpAddr => IpAddr,
    Ipv4Addr => Ipv4Addr,
    Ipv6Addr => Ipv6Addr,
}

macro_rules! what_they_contain {
    ($($(#[$doc:meta])? $around:ident: $($also:ident)?,)*) => {$(
        $(#[$doc])?
        impl<T: Message $(+ $also)?> Message for $around<T> {
            fn describe(schema: &mut SchemaBuilder) -> Type {
                T::describe(schema)
            }

            fn attributes(schema: &mut SchemaBuilder) -> Attributes {
                T::attributes(schema)
            }
        }
    )*};
}

what_they_contain! {
    Box:,
    /// What is shared is written each time that it occurs, and each is read as a value of its own.
    Arc: Sync,
}

impl<T: Message> Message for Option<T> {
    fn describe(schema: &mut SchemaBuilder) -> Type {
        Type::Option(Box::new(T::describe(schema)))
    }

    fn attributes(schema: &mut SchemaBuilder) -> Attributes {
        T::attributes(schema)
    }
}

macro_rules! nonzero {
    ($($number:ident => $name:ident,)*) => {$(
        /// In a list or a map zero is refused when the value is read; as a field it has a minimum, which the gateway checks,
        /// where the number has no sign.
        impl Message for NonZero<$number> {
            fn describe(_: &mut SchemaBuilder) -> Type {
                Type::$name
            }

            fn attributes(schema: &mut SchemaBuilder) -> Attributes {
                if $number::MIN != 0 {
                    return Attributes::new();
                }
                let one: $number = 1;
                schema.encoded(&one).map_or_else(Attributes::new, |one| Attributes::new().with_minimum(one))
            }
        }
    )*};
}

nonzero! {
    u8 => U8,
    u16 => U16,
    u32 => U32,
    u64 => U64,
    u128 => U128,
    usize => U64,
    i8 => I8,
    i16 => I16,
    i32 => I32,
    i64 => I64,
    i128 => I128,
    isize => I64,
}

impl<T: Message> Message for Box<[T]> {
    fn describe(schema: &mut SchemaBuilder) -> Type {
        list::<T>(schema)
    }
}

/// A `Vec<u8>` is a list of numbers in JSON, as serde has it; [`Bytes`](crate::Bytes) is base64 and much faster.
impl<T: Message> Message for Vec<T> {
    fn describe(schema: &mut SchemaBuilder) -> Type {
        list::<T>(schema)
    }
}

impl<T: Message> Message for VecDeque<T> {
    fn describe(schema: &mut SchemaBuilder) -> Type {
        list::<T>(schema)
    }
}

impl<T: Message + Ord> Message for BTreeSet<T> {
    fn describe(schema: &mut SchemaBuilder) -> Type {
        set::<T>(schema)
    }
}

impl<T, S> Message for HashSet<T, S>
where
    T: Message + Eq + Hash,
    S: BuildHasher + Default + Send + 'static,
{
    fn describe(schema: &mut SchemaBuilder) -> Type {
        set::<T>(schema)
    }
}

impl<K: MapKey + Ord, V: Message> Message for BTreeMap<K, V> {
    fn describe(schema: &mut SchemaBuilder) -> Type {
        map::<K, V>(schema)
    }
}

impl<K, V, S> Message for HashMap<K, V, S>
where
    K: MapKey + Eq + Hash,
    V: Message,
    S: BuildHasher + Default + Send + 'static,
{
    fn describe(schema: &mut SchemaBuilder) -> Type {
        map::<K, V>(schema)
    }
}

fn list<T: Message>(schema: &mut SchemaBuilder) -> Type {
    Type::List(Box::new(T::describe(schema)))
}

fn set<T: Message>(schema: &mut SchemaBuilder) -> Type {
    Type::Logical(Logical::SET, Box::new(list::<T>(schema)))
}

fn map<K: Message, V: Message>(schema: &mut SchemaBuilder) -> Type {
    let key = K::describe(schema);
    Type::Map(Box::new(key), Box::new(V::describe(schema)))
}

// serde has arrays for these lengths only, not for every `N`.
macro_rules! arrays {
    ($($length:literal)*) => {$(
        impl<T: Message> Message for [T; $length] {
            fn describe(schema: &mut SchemaBuilder) -> Type {
                Type::Array(Box::new(T::describe(schema)), $length)
            }
        }
    )*};
}

arrays!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        impl<$($name: Message),+> Message for ($($name,)+) {
            fn describe(schema: &mut SchemaBuilder) -> Type {
                Type::Tuple(vec![$($name::describe(schema)),+])
            }
        }
    )*};
}

tuples! {
    (A)
    (A B)
    (A B C)
    (A B C D)
    (A B C D E)
    (A B C D E F)
    (A B C D E F G)
    (A B C D E F G H)
    (A B C D E F G H I)
    (A B C D E F G H I J)
    (A B C D E F G H I J K)
    (A B C D E F G H I J K L)
}
