//! Hexadecimal digits, as ids are written.

/// The eight digits of a number, made side by side: each in a byte of its own.
#[inline]
pub fn hex(number: u32) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let spread = u64::from(number);
    let spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff;
    let spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff;
    let digits = (spread | spread << 4) & (0x0f * ONES);
    // Of those from ten on, six more reach sixteen.
    let letters = (digits + 6 * ONES) >> 4 & ONES;
    (digits + u64::from(b'0') * ONES + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(number: u32) {
            prop_assert_eq!(hex(number).to_vec(), format!("{number:08x}").into_bytes());
        }
    }
}
