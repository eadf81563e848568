//! Finding a key that an object has twice: pairwise while the keys are few, by sorting when they are many, so that a
//! hostile object costs n log n and not n².

use super::RawString;
use std::borrow::Cow;

/// A key of an open object. Where its bytes are depends on who keeps it: in the text, or in what was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// Where its bytes begin.
    pub(crate) start: usize,
    /// Where they end.
    pub(crate) end: usize,
    /// The offset of its opening quote in the text.
    pub(crate) at: usize,
    /// Whether the bytes have escapes that must be decoded before they are compared.
    pub(crate) escaped: bool,
}

impl Key {
    /// The key `raw`, whose opening quote is at `at`, as a range of the text.
    pub(crate) fn in_text(at: usize, raw: RawString<'_>) -> Key {
        Key { start: at + 1, end: at + 1 + raw.raw.len(), at, escaped: raw.escaped }
    }
}

/// Up to so many keys are compared pairwise.
const FEW: usize = 8;

/// The later and the earlier of two keys with the same bytes.
#[inline]
pub(crate) fn duplicate(keys: &mut [Key], bytes: &[u8]) -> Option<(Key, Key)> {
    let of = |key: &Key| bytes.get(key.start..key.end).unwrap_or_default();
    if keys.len() <= FEW {
        for (index, key) in keys.iter().enumerate() {
            if let Some(first) = keys.iter().take(index).find(|first| of(first) == of(key)) {
                return Some((*key, *first));
            }
        }
        return None;
    }
    keys.sort_unstable_by(|a, b| of(a).cmp(of(b)).then(a.at.cmp(&b.at)));
    keys.windows(2).find_map(|pair| match pair {
        [first, second] if of(first) == of(second) => Some((*second, *first)),
        _ => None,
    })
}

/// The same for keys that are ranges of a JSON text, where two spellings may be the same key.
#[inline]
pub(crate) fn duplicate_in_text(keys: &mut [Key], text: &str) -> Option<(Key, Key)> {
    match keys.iter().any(|key| key.escaped) {
        false => duplicate(keys, text.as_bytes()),
        true => duplicate_decoded(keys, text),
    }
}

#[cold]
fn duplicate_decoded(keys: &[Key], text: &str) -> Option<(Key, Key)> {
    let decode = |key: &Key| -> Cow<'_, str> {
        let raw = text.get(key.start..key.end).unwrap_or_default();
        let escaped = key.escaped;
        RawString { raw, escaped }.decode()
    };
    let mut decoded: Vec<_> = keys.iter().map(|key| (decode(key), *key)).collect();
    decoded.sort_unstable_by(|(a, first), (b, second)| a.cmp(b).then(first.at.cmp(&second.at)));
    decoded.windows(2).find_map(|pair| match pair {
        [(a, first), (b, second)] if a == b => Some((*second, *first)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places of the two keys that are the same, among keys of a letter each.
    fn found(letters: &str) -> Option<(usize, usize)> {
        let key = |at| Key { start: at, end: at + 1, at, escaped: false };
        let mut keys: Vec<Key> = (0..letters.len()).map(key).collect();
        duplicate(&mut keys, letters.as_bytes()).map(|(second, first)| (second.at, first.at))
    }

    #[test]
    fn of_few_keys_the_first_that_repeats_one_is_told_and_of_many_the_first_by_the_alphabet() {
        for (letters, expected) in [
            ("", None),
            ("a", None),
            ("abcdefgh", None),
            ("aa", Some((1, 0))),
            ("baba", Some((2, 0))),
            ("abcdefga", Some((7, 0))),
            ("abcdefghi", None),
            ("bcbcdefgh", Some((2, 0))),
            ("cbbcdefgh", Some((2, 1))),
            ("hgfedcbaa", Some((8, 7))),
        ] {
            assert_eq!(found(letters), expected, "{letters}");
        }
    }

    #[test]
    fn two_spellings_are_one_key() {
        let text = r#"{"é":1,"\u00e9":2}"#;
        let raw = |start: usize, end: usize, escaped| RawString { raw: &text[start..end], escaped };
        let second = text.find('\\').unwrap_or_default();
        let mut keys =
            [Key::in_text(1, raw(2, 4, false)), Key::in_text(second - 1, raw(second, second + 6, true))];
        assert_eq!((keys[0].start, keys[0].end, keys[0].at), (2, 4, 1));
        let found = duplicate_in_text(&mut keys, text).map(|(second, first)| (second.at, first.at));
        assert_eq!(found, Some((second - 1, 1)));
    }
}
