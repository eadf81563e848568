//! The place of a call in a trace, as [W3C Trace Context](https://www.w3.org/TR/trace-context/#traceparent-header) has it: which trace
//! it belongs to, and which span has made it.
//!
//! The metadata entry `traceparent` has it as text. The gateway and the SDK read and write it here. Ids come from whoever makes them: this
//! crate has no source of chance.

use crate::hex::hex;

/// The flag that whoever has made the span records the trace.
const SAMPLED: u8 = 1;

/// How long the text is, of version 0.
const LENGTH: usize = 55;

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// The trace's id, never 0.
    pub trace: u128,
    /// The span's id, never 0.
    pub span: u64,
    flags: u8,
}

/// The text of a place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceparentText([u8; LENGTH]);

impl Traceparent {
    /// A place with these ids, none of which may be 0.
    pub fn new(trace: u128, span: u64, is_sampled: bool) -> Traceparent {
        Traceparent { trace, span, flags: if is_sampled { SAMPLED } else { 0 } }
    }

    /// Reads the text: of a later version the part that version 0 has.
    pub fn read(text: &[u8]) -> Option<Traceparent> {
        let (head, rest) = text.split_first_chunk::<LENGTH>()?;
        let [version, trace, span, flags] = [0..2, 3..35, 36..52, 53..55].map(|range| number(&head[range]));
        let dashes = [2, 35, 52].iter().all(|at| head[*at] == b'-');
        let version = version?;
        let ends = if version == 0 { rest.is_empty() } else { rest.is_empty() || rest[0] == b'-' };
        let (trace, span) = (trace?, u64::try_from(span?).ok()?);
        let flags = u8::try_from(flags?).ok()?;
        let sound = dashes && ends && version != 0xff && trace != 0 && span != 0;
        sound.then_some(Traceparent { trace, span, flags })
    }

    /// Whether whoever has made the span records the trace.
    pub fn is_sampled(self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Another span of the same trace, with its flags.
    pub fn with_span(self, span: u64) -> Traceparent {
        Traceparent { span, ..self }
    }

    /// Its text, of version 0.
    pub fn text(self) -> TraceparentText {
        let Traceparent { trace, span, flags } = self;
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        text[3..11].copy_from_slice(&hex((trace >> 96) as u32));
        text[11..19].copy_from_slice(&hex((trace >> 64) as u32));
        text[19..27].copy_from_slice(&hex((trace >> 32) as u32));
        text[27..35].copy_from_slice(&hex(trace as u32));
        text[36..44].copy_from_slice(&hex((span >> 32) as u32));
        text[44..52].copy_from_slice(&hex(span as u32));
        text[53..].copy_from_slice(&[flags >> 4, flags & 0xf].map(|digit| DIGITS[usize::from(digit)]));
        TraceparentText(text)
    }
}

impl TraceparentText {
    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same.
    pub fn as_str(&self) -> &str {
        // It is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Hexadecimal digits, at most 32 of them; capital letters are none.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number: u128, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(text: &str) -> Option<Traceparent> {
        Traceparent::read(text.as_bytes())
    }

    #[test]
    fn what_is_read_is_written_again() {
        let place = read(GOOD).expect("is one");
        assert_eq!((place.trace, place.span), (0x4bf92f3577b34da6a3ce929d0e0e4736, 0xf067aa0ba902b7));
        assert!(place.is_sampled());
        assert_eq!(place.text().as_str(), GOOD);
        let unsampled = Traceparent::new(place.trace, place.span, false);
        assert!(!unsampled.is_sampled());
        assert_eq!(read(unsampled.text().as_str()), Some(unsampled));
        let flagged = GOOD.replace("-01", "-03");
        assert_eq!(
            read(&flagged).expect("is one").with_span(7).text().as_str(),
            flagged.replace("00f067aa0ba902b7", "0000000000000007")
        );
    }

    #[test]
    fn what_is_none_is_not_read_and_of_a_later_version_what_is_known() {
        let later = GOOD.replacen("00", "01", 1);
        assert_eq!(read(&later), read(GOOD));
        assert_eq!(read(&format!("{later}-more")), read(GOOD));
        for bad in [
            "".to_owned(),
            "00".into(),
            GOOD.to_uppercase(),
            format!("{GOOD}-more"),
            format!("{later}more"),
            GOOD.replacen("00", "ff", 1),
            GOOD.replacen("00", "0", 1),
            GOOD.replace("4bf9", "4bg9"),
            GOOD.replace("4bf9", "+bf9"),
            GOOD.replace('-', "_"),
            GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            GOOD.replace("-01", "-1"),
            "é".repeat(40),
        ] {
            assert_eq!(read(&bad), None, "{bad}");
        }
    }
}
