//! Which of the known types JSON can write as an object's key.
//!
//! The list is that of `MapKeys` of the protocol, which a test compares it with.

use super::{MapKey, Timestamp};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

macro_rules! keys {
    ($($rust:ty)*) => {$(
        impl MapKey for $rust {}
    )*};
}

keys! {
    bool
    u8 u16 u32 u64 u128 usize
    i8 i16 i32 i64 i128 isize
    NonZero<u8> NonZero<u16> NonZero<u32> NonZero<u64> NonZero<u128> NonZero<usize>
    NonZero<i8> NonZero<i16> NonZero<i32> NonZero<i64> NonZero<i128> NonZero<isize>
    char String Box<str> Arc<str> Cow<'static, str>
    uuid::Uuid Timestamp Duration
    IpAddr Ipv4Addr Ipv6Addr
}

impl<T: MapKey> MapKey for Box<T> {}
impl<T: MapKey + Sync> MapKey for Arc<T> {}
