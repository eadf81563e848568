//! The number by which a method is called on the wire.

use std::fmt;

/// A method's number: the same in every process that offers or calls the method.
///
/// By default the 32-bit FNV-1a hash of `service.method`; a service may pin another by hand. Zero is never a Call ID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u32);

impl CallId {
    /// The default number of a method: FNV-1a (32 bits) over the bytes of `service`, a full stop, and `method`.
    /// Should the hash be zero it becomes 1. It is `const`, so that a service's collisions are compile errors.
    pub const fn of(service: &str, method: &str) -> CallId {
        let hash = fnv1a(fnv1a(fnv1a(0x811c_9dc5, service.as_bytes()), b"."), method.as_bytes());
        CallId(if hash == 0 { 1 } else { hash })
    }

    /// A number chosen by hand; `None` for zero, which is reserved.
    pub const fn pinned(number: u32) -> Option<CallId> {
        if number == 0 { None } else { Some(CallId(number)) }
    }

    /// The number itself.
    pub const fn get(self) -> u32 {
        self.0
    }
}

const fn fnv1a(mut hash: u32, bytes: &[u8]) -> u32 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_number_is_fnv1a_of_the_full_name() {
        // Reference values of FNV-1a: the empty string, and "a".
        assert_eq!(fnv1a(0x811c_9dc5, b""), 0x811c_9dc5);
        assert_eq!(fnv1a(0x811c_9dc5, b"a"), 0xe40c_292c);
        assert_eq!(CallId::of("calc", "add").get(), fnv1a(0x811c_9dc5, b"calc.add"));
    }

    #[test]
    fn it_is_shown_as_a_number_of_eight_digits() {
        let id = CallId::pinned(0xabc).expect("not zero");
        assert_eq!((id.to_string(), format!("{id:?}")), ("0x00000abc".to_owned(), "0x00000abc".to_owned()));
    }

    #[test]
    fn zero_cannot_be_pinned() {
        assert_eq!(CallId::pinned(0), None);
        assert_eq!(CallId::pinned(7).map(CallId::get), Some(7));
    }
}
