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

fn run(bytes: &[u8], class: u8) -> usize {
    bytes.iter().position(|byte| !is(*byte, class)).unwrap_or(bytes.len())
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

/// How many are blanks.
pub(crate) fn blank_run(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len())
}

/// How many are of a field's value. Eight bytes at a time.
pub(crate) fn text_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        if has_control(u64::from_le_bytes(*word))
            && let Some(at) = word.iter().position(|byte| !is_text(*byte))
        {
            return 8 * index + at;
        }
    }
    let at = rest.iter().position(|byte| !is_text(*byte)).unwrap_or(rest.len());
    bytes.len() - rest.len() + at
}

/// Whether one of eight bytes is below the space, or is DEL. Tabs count.
const fn has_control(word: u64) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = ONES << 7;
    // The top bit of a byte is set where subtracting has borrowed. A borrow can reach the byte above and set a bit there too, but only
    // when the byte below is a control itself.
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let no_del = word ^ (ONES * 0x7f);
    let del = no_del.wrapping_sub(ONES) & !no_del;
    (below_space | del) & TOPS != 0
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
        std::str::from_utf8(self.of(head)).unwrap_or_default()
    }
}
