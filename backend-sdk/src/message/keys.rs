//! Which of the known types JSON can write as an object's key.
//!
//! The list is that of `MapKeys` of the protocol, which a test compares it with.

use super::{MapKey, Timestamp};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
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
    char String
    uuid::Uuid Timestamp Duration
    IpAddr Ipv4Addr Ipv6Addr
}

impl<T: MapKey> MapKey for Box<T> {}
