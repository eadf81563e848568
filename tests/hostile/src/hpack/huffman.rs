//! The Huffman code of RFC 7541, Appendix B, as far as servers use it for field lines: printable ASCII.
//!
//! The code is canonical: codes of one length follow each other in the order of their symbols. So their lengths say everything.

/// The symbols of each length in bits.
const SYMBOLS: &[(u32, &str)] = &[
    (5, "012aceiost"),
    (6, " %-./3456789=A_bdfghlmnpru"),
    (7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"),
    (8, "&*,;XZ"),
    (10, "!\"()?"),
    (11, "'+|"),
    (12, "#>"),
    (13, "\0$@[]~"),
    (14, "^}"),
    (15, "<`{"),
];

/// Reads a string.
pub(super) fn decode(coded: &[u8]) -> Result<Vec<u8>, String> {
    let mut bits = coded.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let mut text = Vec::new();
    loop {
        let (mut code, mut length, mut padding) = (0_u32, 0, true);
        let symbol = loop {
            let Some(bit) = bits.next() else {
                // What is left is padding: at most seven bits, all of them set (RFC 7541, 5.2).
                let is_sound = length < 8 && padding;
                return if is_sound { Ok(text) } else { Err("a string's padding".to_owned()) };
            };
            (code, length) = (code << 1 | u32::from(bit), length + 1);
            padding &= bit == 1;
            if let Some(symbol) = symbol(code, length)? {
                break symbol;
            }
        };
        text.push(symbol);
    }
}

/// The symbol of that code; none if it is longer.
fn symbol(code: u32, length: u32) -> Result<Option<u8>, String> {
    let (mut first, mut at) = (0, 0);
    for (bits, symbols) in SYMBOLS {
        first <<= bits - at;
        at = *bits;
        let count = symbols.len() as u32;
        if length == at {
            return Ok(code
                .checked_sub(first)
                .and_then(|place| symbols.as_bytes().get(place as usize))
                .copied());
        }
        first += count;
    }
    if length > at { Err("a symbol that is not printable".to_owned()) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn strings_of_rfc_7541_c_4_are_read() {
        let coded = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
        assert_eq!(decode(&coded).unwrap(), b"www.example.com");
        assert_eq!(decode(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).unwrap(), b"no-cache");
        assert_eq!(decode(&[0x64, 0x02]).unwrap(), b"302");
    }

    #[test]
    fn padding_is_shorter_than_a_byte_and_all_ones() {
        assert_eq!(decode(&[0x1f]).unwrap(), b"a");
        for coded in [&[0xff][..], &[0x1f, 0xff], &[0x18], &[0x1e]] {
            assert!(decode(coded).is_err(), "{coded:x?}");
        }
    }
}
