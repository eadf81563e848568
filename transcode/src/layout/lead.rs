//! What stands before a member's value, rendered ahead: `{"name":` for the first field and `,"name":` for the others.
//!
//! A name is short, and a call that copies or compares a few bytes costs more than doing so with sixteen at once: all of
//! them are written and then cut to length, or compared under a mask.

use crate::json::put_json_string;

const WIDTH: usize = 16;

#[derive(Debug)]
pub(crate) struct Lead {
    /// `"name":`
    key: Box<[u8]>,
    /// The brace or the comma and as much of the key as there is room for, with zeros behind it if it is shorter.
    start: [u8; WIDTH],
    /// As much of the key as `start` has, and all ones where that is.
    short: u128,
    mask: u128,
}

impl Lead {
    pub(super) fn new(opening: u8, name: &str) -> Lead {
        let mut key = Vec::new();
        put_json_string(&mut key, name);
        key.push(b':');
        let (mut start, mut mask) = ([0; WIDTH], [0; WIDTH]);
        for (place, byte) in std::iter::once(&opening).chain(&key).take(WIDTH).enumerate() {
            (start[place], mask[place]) = (*byte, 0xff);
        }
        let (short, mask) = (u128::from_le_bytes(start) >> 8, u128::from_le_bytes(mask) >> 8);
        Lead { key: key.into_boxed_slice(), start, short, mask }
    }

    /// Appends it.
    #[inline]
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let before = out.len();
        out.extend_from_slice(&self.start);
        match self.key.get(WIDTH - 1..) {
            Some(rest) => out.extend_from_slice(rest),
            None => out.truncate(before + 1 + self.key.len()),
        }
    }

    /// How many bytes [`put`](Self::put) appends.
    pub(crate) fn len(&self) -> usize {
        1 + self.key.len()
    }

    /// The same as two parts: the brace or the comma, and the key with its colon.
    pub(crate) fn parts(&self) -> (u8, &[u8]) {
        (self.start[0], &self.key)
    }

    /// The length of the key if `bytes` begin with it.
    #[inline]
    pub(crate) fn key_length(&self, bytes: &[u8]) -> Option<usize> {
        let found = match bytes.first_chunk() {
            Some(first) => {
                let same = (u128::from_le_bytes(*first) ^ self.short) & self.mask == 0;
                same && (self.key.len() < WIDTH || bytes.starts_with(&self.key))
            }
            None => bytes.starts_with(&self.key),
        };
        found.then_some(self.key.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_where_it_stands_and_nowhere_else() {
        for length in 0..40 {
            let name = "abcdefghijklmnopqrstuvwxyz0123456789ABCD".get(..length).unwrap_or_default();
            let lead = Lead::new(b',', name);
            let key = format!("\"{name}\":");
            for behind in ["", "1", "\"a value that is longer\"}"] {
                let text = format!("{key}{behind}");
                assert_eq!(lead.key_length(text.as_bytes()), Some(key.len()), "{text}");
                // Each byte of it counts.
                for place in 0..key.len() {
                    let mut other = text.clone().into_bytes();
                    other[place] ^= 1;
                    assert_eq!(lead.key_length(&other), None, "{text}: {place}");
                }
                let short = text.as_bytes().get(..key.len() - 1).unwrap_or_default();
                assert_eq!(lead.key_length(short), None, "{text}");
            }
            let mut out = b"before".to_vec();
            lead.put(&mut out);
            assert_eq!(out, format!("before,{key}").into_bytes());
            assert_eq!(lead.len(), 1 + key.len());
        }
    }
}
