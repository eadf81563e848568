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
