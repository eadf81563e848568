//! Makes the ids of requests that bring none: 32 hexadecimal digits, random.

use std::cell::RefCell;

/// The two digits of every byte.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut all = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    all
};

/// The generator of a worker.
pub struct RequestIds(RefCell<fastrand::Rng>);

impl RequestIds {
    /// One of its own, seeded at random.
    #[expect(clippy::new_without_default, reason = "a default would hide that it is seeded at random")]
    pub fn new() -> RequestIds {
        RequestIds(RefCell::new(fastrand::Rng::new()))
    }

    /// The digits of a new id.
    pub fn make(&self) -> [u8; 32] {
        let number = self.0.borrow_mut().u128(..).to_le_bytes();
        let mut text = [0; 32];
        for (digits, byte) in text.chunks_exact_mut(2).zip(number) {
            digits.copy_from_slice(&HEX[usize::from(byte)]);
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
