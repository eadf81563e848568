//! Makes the ids of requests that bring none: 32 hexadecimal digits, random.

use callgate_protocol::hex;
use std::cell::RefCell;

/// The generator of a worker.
pub struct RequestIds(RefCell<fastrand::Rng>);

impl RequestIds {
    /// One of its own, seeded at random.
    #[expect(clippy::new_without_default, reason = "a default would hide that it is seeded at random")]
    pub fn new() -> RequestIds {
        RequestIds(RefCell::new(fastrand::Rng::new()))
    }

    /// A number by chance.
    #[inline]
    pub fn number(&self) -> u64 {
        self.0.borrow_mut().u64(..)
    }

    /// The digits of a new id.
    pub fn make(&self) -> [u8; 32] {
        let mut text = [0; 32];
        for digits in text.chunks_exact_mut(16) {
            let number = self.number();
            digits[..8].copy_from_slice(&hex(number as u32));
            digits[8..].copy_from_slice(&hex((number >> 32) as u32));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_differ_and_are_hexadecimal() {
        let ids = RequestIds::new();
        let (one, other) = (ids.make(), ids.make());
        assert_ne!(one, other);
        assert!(one.iter().all(u8::is_ascii_hexdigit));
    }
}
