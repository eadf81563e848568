//! SHA-256, by which credentials and keys are found and told apart without being kept.

use aws_lc_rs::digest::{self, Context, SHA256};
use std::fmt;

/// A SHA-256. It is shown as 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// That of some bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest::taken(digest::digest(&SHA256, bytes))
    }

    /// That of several parts, each with its length before it, so that no byte can pass from one to the next.
    pub(crate) fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        Digest::taken(context.finish())
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Digest> {
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
        }
        Some(Digest(bytes))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn taken(digest: digest::Digest) -> Digest {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Digest(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn it_is_sha_256_and_is_read_as_it_is_shown() {
        assert_eq!(Digest::of(b"abc").to_string(), OF_ABC);
        assert_eq!(Digest::from_hex(OF_ABC), Some(Digest::of(b"abc")));
        assert_eq!(Digest::from_hex(&OF_ABC.to_uppercase()), Some(Digest::of(b"abc")));
        for wrong in [
            "",
            "ba",
            &OF_ABC[1..],
            &OF_ABC.replace('b', "g"),
            &format!("+{}", &OF_ABC[1..]),
            &"é".repeat(32),
        ] {
            assert_eq!(Digest::from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn parts_are_not_the_bytes_in_a_row() {
        let one = Digest::of_parts([b"ab".as_slice(), b"c"]);
        assert_ne!(one, Digest::of_parts([b"a".as_slice(), b"bc"]));
        assert_ne!(one, Digest::of_parts([b"abc".as_slice()]));
    }
}
