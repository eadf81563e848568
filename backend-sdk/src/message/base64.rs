//! Base64 (RFC 4648, section 4) for bytes in text formats; the reader takes the URL-safe alphabet and no padding too.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The standard form, padded.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().enumerate().fold(0, |group, (i, byte)| group | (u32::from(*byte) << (16 - 8 * i)));
        for i in 0..4 {
            match i <= chunk.len() {
                true => text.push(ALPHABET[(group >> (18 - 6 * i)) as usize & 63] as char),
                false => text.push('='),
            }
        }
    }
    text
}

/// Reads either alphabet, padded or not; `None` for anything else, left-over bits among it.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let padded = text.as_bytes();
    let digits = match padded {
        [digits @ .., b'=', b'='] | [digits @ .., b'='] if padded.len().is_multiple_of(4) => digits,
        digits => digits,
    };
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let mut group = 0;
        for (i, digit) in chunk.iter().enumerate() {
            group |= value(*digit)? << (18 - 6 * i);
        }
        let whole = group.to_be_bytes();
        let (read, left_over) = whole[1..].split_at(chunk.len() * 6 / 8);
        if chunk.len() == 1 || left_over.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(read);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in vectors {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
            assert_eq!(decode(text.trim_end_matches('=')).as_deref(), Some(bytes.as_bytes()));
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for text in ["A", "Zg=", "Zh==", "Zg==Zg==", "Z g=", "====", "Zm9v=", "é"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(20_261_103), ..ProptestConfig::default() })]

        #[test]
        fn bytes_survive_both_alphabets(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
            let text = encode(&bytes);
            let url_safe = text.replace('+', "-").replace('/', "_");
            prop_assert_eq!(decode(&text), Some(bytes.clone()));
            prop_assert_eq!(decode(&url_safe), Some(bytes));
        }
    }
}
