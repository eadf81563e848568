//! What a byte may be part of, and how far a run of such bytes goes. A run is looked at once and byte for byte.

use crate::refusal::Refusal;

/// `tchar` of RFC 9110, 5.6.2: methods and field names.
const TOKEN: u8 = 1;
/// `pchar` and `/` of RFC 3986, 3.3. A `%` is one of them, whatever follows: who decodes the path says what it means.
const PATH: u8 = 2;
/// What a query may have: all that is visible, but `"`, `<`, `>` and `#`. Browsers send `[ ] { } |` as they are.
const QUERY: u8 = 4;
/// `reg-name` of RFC 3986, 3.2.2, without `%` and without the comma, at which lists are split.
const HOST: u8 = 8;

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = classes_of(byte as u8);
        byte += 1;
    }
    classes
};

const fn classes_of(byte: u8) -> u8 {
    let mut classes = 0;
    let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let sub_delim =
        matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
    if byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.')
        || matches!(byte, b'^' | b'_' | b'`' | b'|' | b'~')
    {
        classes |= TOKEN;
    }
    if unreserved || sub_delim || matches!(byte, b'%' | b':' | b'@' | b'/') {
        classes |= PATH;
    }
    if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'#') {
        classes |= QUERY;
    }
    if unreserved || (sub_delim && byte != b',') {
        classes |= HOST;
    }
    classes
}

const fn is(byte: u8, class: u8) -> bool {
    CLASSES[byte as usize] & class != 0
}

pub(crate) const fn is_token(byte: u8) -> bool {
    is(byte, TOKEN)
}

pub(crate) const fn is_host(byte: u8) -> bool {
    is(byte, HOST)
}

/// A space or a tab: what `OWS` and `BWS` are made of.
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// What a field's value and a quoted string may have: all but controls; a tab is none (RFC 9110, 5.5).
pub(crate) const fn is_text(byte: u8) -> bool {
    !byte.is_ascii_control() || byte == b'\t'
}

/// Four bytes at a time, so that the loop's own work is shared by them.
#[inline(always)]
fn run(bytes: &[u8], class: u8) -> usize {
    let (fours, rest) = bytes.as_chunks::<4>();
    let mut at = 0;
    for four in fours {
        for byte in four {
            if !is(*byte, class) {
                return at;
            }
            at += 1;
        }
    }
    at + rest.iter().take_while(|byte| is(**byte, class)).count()
}

/// How many bytes at the beginning are of a token.
pub(crate) fn token_run(bytes: &[u8]) -> usize {
    run(bytes, TOKEN)
}

/// How many are of a path.
pub(crate) fn path_run(bytes: &[u8]) -> usize {
    run(bytes, PATH)
}

/// How many are of a query.
pub(crate) fn query_run(bytes: &[u8]) -> usize {
    run(bytes, QUERY)
}

/// How many are of a host's name.
pub(crate) fn host_run(bytes: &[u8]) -> usize {
    run(bytes, HOST)
}

/// How many are blanks.
pub(crate) fn blank_run(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len())
}

/// How many are of a field's value. Many bytes at a time, as long as all are visible ASCII or spaces: tokens and cookies are long.
#[inline]
pub(crate) fn text_run(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<32>();
    let mut at = 32 * blocks.iter().take_while(|block| is_plain(block)).count();
    let (words, rest) = bytes[at..].as_chunks::<8>();
    for word in words {
        let plain = leading_plain(u64::from_le_bytes(*word));
        at += plain;
        if plain < 8 {
            if is_text(bytes[at]) {
                return at + mixed_text_run(&bytes[at..]);
            }
            return at;
        }
    }
    at + mixed_text_run(rest)
}

/// The same, byte by byte: tabs and bytes beyond ASCII are rare.
#[inline(never)]
fn mixed_text_run(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is_text(*byte)).unwrap_or(bytes.len())
}

/// Whether all are between the space and `~`. Each is looked at, whatever the others are, so that the compiler can take many at once.
#[inline(always)]
fn is_plain(bytes: &[u8; 32]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & (b' '..=b'~').contains(byte))
}

/// How many of eight bytes, from the lowest on, are between the space and `~`.
#[inline(always)]
const fn leading_plain(word: u64) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // A byte's top bit gets set below the space by subtracting, and from DEL on by adding, but for 0xff, where subtracting leaves it.
    // Carries and borrows come out of such bytes only, so they can deceive about bytes above the lowest of these, and no other.
    let not_plain = (word.wrapping_sub(ONES * 0x20) | word.wrapping_add(ONES)) & (ONES << 7);
    not_plain.trailing_zeros() as usize / 8
}

/// Why a byte that does not belong where it stands is refused: line feeds and controls by themselves, all others for their place. After a
/// carriage return the line has ended too early, whatever follows.
pub(crate) const fn misplaced(byte: u8, otherwise: Refusal) -> Refusal {
    match byte {
        b'\n' => Refusal::BareLf,
        b'\r' => otherwise,
        _ if byte.is_ascii_control() => Refusal::ControlByte,
        _ => otherwise,
    }
}

/// The bytes without the blanks at their ends.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    trim_end(&bytes[blank_run(bytes)..])
}

/// The bytes without the blanks behind them.
pub(crate) fn trim_end(bytes: &[u8]) -> &[u8] {
    let blanks = bytes.iter().rev().take_while(|byte| is_blank(**byte)).count();
    &bytes[..bytes.len() - blanks]
}

/// A range of a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// Heads have at most [`u32::MAX`] bytes.
    pub(crate) fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    /// The bytes that it stands for, in the head that it was made of.
    pub(crate) fn of(self, head: &[u8]) -> &[u8] {
        head.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The same, where all were checked to be ASCII.
    pub(crate) fn text(self, head: &[u8]) -> &str {
        ascii(self.of(head))
    }
}

/// Bytes that were checked to be ASCII, as text.
pub(crate) fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run by what one byte is.
    fn by_byte(bytes: &[u8], is: fn(u8) -> bool) -> usize {
        bytes.iter().position(|byte| !is(*byte)).unwrap_or(bytes.len())
    }

    #[test]
    fn runs_end_at_the_first_byte_of_another_class() {
        for byte in 0..=u8::MAX {
            for (before, behind) in [(b'a', b'b'), (b'a', 0), (b'\t', b'a'), (b'a', 0xff), (0xff, b'a')] {
                for at in 0..20 {
                    let mut bytes = [before; 20];
                    bytes[at..].fill(behind);
                    bytes[at] = byte;
                    assert_eq!(text_run(&bytes), by_byte(&bytes, is_text), "{byte} at {at}");
                    assert_eq!(token_run(&bytes), by_byte(&bytes, is_token), "{byte} at {at}");
                }
            }
        }
        assert_eq!((text_run(b""), token_run(b""), blank_run(b"")), (0, 0, 0));
        assert_eq!(blank_run(b" \t \r"), 3);
    }

    #[test]
    fn classes_are_those_of_the_rfcs() {
        let members =
            |is: fn(u8) -> bool| (0..=u8::MAX).filter(|byte| is(*byte)).map(char::from).collect::<String>();
        let digits = "0123456789";
        let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let lower = "abcdefghijklmnopqrstuvwxyz";
        let token = format!("!#$%&'*+-.{digits}{upper}^_`{lower}|~");
        assert_eq!(members(is_token), token);
        assert_eq!(members(is_host), format!("!$&'()*+-.{digits};={upper}_{lower}~"));
        assert_eq!(
            members(|byte| path_run(&[byte]) == 1),
            format!("!$%&'()*+,-./{digits}:;=@{upper}_{lower}~")
        );
        let query = format!("!$%&'()*+,-./{digits}:;=?@{upper}[\\]^_`{lower}{{|}}~");
        assert_eq!(members(|byte| query_run(&[byte]) == 1), query);
        assert_eq!(members(is_text).chars().count(), 256 - 32);
    }

    #[test]
    fn blanks_around_are_cut_off() {
        for (text, trimmed) in [("", ""), (" \t", ""), ("a", "a"), ("\t a b \t ", "a b")] {
            assert_eq!(trim(text.as_bytes()), trimmed.as_bytes());
        }
    }
}
