//! JSON strings: found with eight bytes at a time, decoded only where they have escapes, written with the fewest.

use super::{Cursor, Fault};
use std::borrow::Cow;

/// A string of a JSON text as it stands there, without its quotes. Its escapes are known to be sound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawString<'a> {
    /// What is between the quotes.
    pub(crate) raw: &'a str,
    /// Whether it has escapes.
    pub(crate) escaped: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Sets the high bit of each of eight bytes that is a quote, a backslash or a control character; and perhaps that of
/// others, but only above one of those, or where a byte is not ASCII: subtracting borrows.
#[inline]
fn stops(word: u64) -> u64 {
    // This swaps a quote (0x22) and a space (0x20), so that the quote and the controls are all that is below 0x21.
    let low = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    low | backslash
}

/// Whether all of `bytes` are ASCII that a JSON string has as it is.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().all(|byte| matches!(byte, 0x20..0x80) && !matches!(byte, b'"' | b'\\'));
    };
    let hits = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        stops(word) | word
    };
    // The last eight bytes once more, perhaps, instead of the last few one by one.
    let (words, _) = bytes.as_chunks();
    words.iter().fold(hits(last), |all, word| all | hits(word)) & HIGHS == 0
}

/// How many bytes at the start of `bytes` are neither a quote, nor a backslash, nor a control character. Eight bytes a
/// step.
#[inline]
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    let mut run = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let hits = stops(word) & !word & HIGHS;
        if hits != 0 {
            return run + (hits.trailing_zeros() / 8) as usize;
        }
        run += 8;
    }
    run + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

impl<'a> Cursor<'a> {
    /// Passes the string whose opening quote is the next byte.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<RawString<'a>, Fault> {
        let start = self.pos + 1;
        let bytes = self.text.as_bytes();
        let end = start + plain_run(bytes.get(start..).unwrap_or_default());
        if bytes.get(end) != Some(&b'"') {
            return self.string_beyond(start, end);
        }
        self.pos = end + 1;
        Ok(RawString { raw: self.text.get(start..end).unwrap_or_default(), escaped: false })
    }

    /// Passes the string whose opening quote is the next byte, if it has no escapes. How long it is, and the text from there on where
    /// it begins.
    #[inline(always)]
    pub(crate) fn plain_string(&mut self) -> Option<(usize, &'a [u8])> {
        let from = self.text.as_bytes().get(self.pos + 1..)?;
        let length = plain_run(from);
        if from.get(length) != Some(&b'"') {
            return None;
        }
        self.pos += length + 2;
        Some((length, from))
    }

    /// Passes the rest of a string from `end` on, where no plain byte is.
    #[inline(never)]
    fn string_beyond(&mut self, start: usize, mut end: usize) -> Result<RawString<'a>, Fault> {
        let mut escaped = false;
        loop {
            match self.text.as_bytes().get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    end = escape_end(self.text.as_bytes(), end)?;
                }
                Some(_) => {
                    return Err(Fault::other(end, "a control character in a string must be escaped"));
                }
                None => return Err(Fault::expected(end, "the string's closing `\"`")),
            }
            end += plain_run(self.text.as_bytes().get(end..).unwrap_or_default());
        }
        self.pos = end + 1;
        Ok(RawString { raw: self.text.get(start..end).unwrap_or_default(), escaped })
    }

    /// Passes the key that must come next.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<RawString<'a>, Fault> {
        match self.peek() {
            Some(b'"') => self.string(),
            _ => Err(Fault::expected(self.pos, "a member's name in quotes")),
        }
    }
}

/// The offset behind the escape that begins at `at`; a surrogate pair is one escape.
#[cold]
fn escape_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match hex4(bytes, at + 2)? {
            0xd800..=0xdbff => {
                let low = bytes.get(at + 6..at + 8) == Some(b"\\u");
                match low.then(|| hex4(bytes, at + 8)).transpose()? {
                    Some(0xdc00..=0xdfff) => Ok(at + 12),
                    _ => Err(Fault::other(at, "a high surrogate without its low one")),
                }
            }
            0xdc00..=0xdfff => Err(Fault::other(at, "a low surrogate without its high one")),
            _ => Ok(at + 6),
        },
        _ => Err(Fault::expected(at + 1, "an escape (one of `\"\\/bfnrtu`)")),
    }
}

fn hex4(bytes: &[u8], at: usize) -> Result<u32, Fault> {
    let mut value = 0;
    for place in at..at + 4 {
        let digit = bytes.get(place).and_then(|byte| (*byte as char).to_digit(16));
        value = value * 16 + digit.ok_or(Fault::expected(place, "a hexadecimal digit"))?;
    }
    Ok(value)
}

impl<'a> RawString<'a> {
    /// The string it stands for.
    #[inline]
    pub(crate) fn decode(self) -> Cow<'a, str> {
        match self.escaped {
            false => Cow::Borrowed(self.raw),
            true => {
                let mut decoded = Vec::with_capacity(self.raw.len());
                self.decode_into(&mut decoded);
                Cow::Owned(String::from_utf8(decoded).unwrap_or_default())
            }
        }
    }

    /// Appends the string it stands for.
    pub(crate) fn decode_into(self, out: &mut Vec<u8>) {
        let bytes = self.raw.as_bytes();
        let mut at = 0;
        while let Some(run) = bytes.get(at..).map(plain_run) {
            out.extend_from_slice(bytes.get(at..at + run).unwrap_or_default());
            at += run;
            let Some(kind) = bytes.get(at + 1) else { return };
            at += 2;
            let single = match kind {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => {
                    let (decoded, width) = unicode_escape(bytes, at);
                    at += width;
                    decoded
                }
                same => *same as char,
            };
            out.extend_from_slice(single.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

/// The character whose hexadecimal digits begin at `at`, and how many bytes they take. The escape is sound.
fn unicode_escape(bytes: &[u8], at: usize) -> (char, usize) {
    let high = hex4(bytes, at).unwrap_or_default();
    if let Some(single) = char::from_u32(high) {
        return (single, 4);
    }
    let low = hex4(bytes, at + 6).unwrap_or_default();
    let paired = 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
    (char::from_u32(paired).unwrap_or(char::REPLACEMENT_CHARACTER), 10)
}

/// Appends `text` as a JSON string. Only what must be escaped is.
pub(crate) fn put_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    put_escaped(out, text);
    out.push(b'"');
}

/// Appends what stands between the quotes of a JSON string that says `text`: at most six bytes for each of its own.
pub(crate) fn put_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut at = plain_run(bytes);
    out.extend_from_slice(bytes.get(..at).unwrap_or_default());
    while let Some(byte) = bytes.get(at) {
        put_escape(out, *byte);
        let rest = bytes.get(at + 1..).unwrap_or_default();
        let run = plain_run(rest);
        out.extend_from_slice(rest.get(..run).unwrap_or_default());
        at += 1 + run;
    }
}

/// Appends `bytes` as a JSON string. `None` if they are not UTF-8.
#[inline]
pub(crate) fn put_json_utf8(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    // One look at most strings, instead of one for UTF-8 and another for escapes.
    if !is_plain(bytes) {
        put_json_string(out, std::str::from_utf8(bytes).ok()?);
        return Some(());
    }
    out.push(b'"');
    out.extend_from_slice(bytes);
    out.push(b'"');
    Some(())
}

/// Appends the string of so many bytes that `from` begins with. `None` unless it is short, ASCII, and has nothing to escape; then nothing
/// is appended.
#[inline(always)]
pub(crate) fn put_short_string(out: &mut Vec<u8>, from: &[u8], length: usize) -> Option<()> {
    let first: &[u8; 16] = from.first_chunk()?;
    if length > first.len() {
        return None;
    }
    let all = u128::from_le_bytes(*first);
    let (low, high) = (all as u64, (all >> 64) as u64);
    // Of what stands behind the string nothing counts.
    let behind = 128 - 8 * length as u32;
    let marks = u128::from(stops(low) | low) | u128::from(stops(high) | high) << 64;
    if (marks & (u128::from(HIGHS) << 64 | u128::from(HIGHS))).unbounded_shl(behind) != 0 {
        return None;
    }
    out.push(b'"');
    // All sixteen bytes in one step, and cut: a call that copies a few costs more.
    let end = out.len() + length;
    out.extend_from_slice(first);
    out.truncate(end);
    out.push(b'"');
    Some(())
}

#[cold]
fn put_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        other => {
            const HEX: [u8; 16] = *b"0123456789abcdef";
            let digits = [HEX[usize::from(other >> 4)], HEX[usize::from(other & 15)]];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&digits);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_told_at_each_place() {
        let stops = |byte: u8| matches!(byte, 0..0x20 | b'"' | b'\\');
        for (length, first, second) in (0..=20).flat_map(|n| (0..=255).map(move |b| (n, b, b ^ 0x81))) {
            for place in 0..length {
                let mut bytes = vec![b'!'; length];
                bytes[length - 1] = second;
                bytes[place] = first;
                let run = bytes.iter().position(|byte| stops(*byte)).unwrap_or(length);
                assert_eq!(plain_run(&bytes), run, "{bytes:?}");
                assert_eq!(is_plain(&bytes), run == length && bytes.is_ascii(), "{bytes:?}");
            }
        }
    }
}
