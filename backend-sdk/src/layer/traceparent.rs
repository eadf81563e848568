//! `traceparent`, as [W3C Trace Context](https://www.w3.org/TR/trace-context/#traceparent-header) has it: which trace a call
//! belongs to, and which span of it made the call.

use std::fmt;

/// The flag that the caller may have recorded the trace.
const SAMPLED: u8 = 1;

/// A place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traceparent {
    pub(super) trace: u128,
    pub(super) span: u64,
    flags: u8,
}

impl Traceparent {
    /// Reads the header. Of a later version the part that version 0 has.
    pub(super) fn read(header: &str) -> Option<Traceparent> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version = u8::try_from(hex(version, 2)?).ok()?;
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace, span) = (hex(trace, 32)?, u64::try_from(hex(span, 16)?).ok()?);
        let flags = u8::try_from(hex(flags, 2)?).ok()?;
        (trace != 0 && span != 0).then_some(Traceparent { trace, span, flags })
    }

    /// The first span of a trace of its own.
    pub(super) fn root() -> Traceparent {
        Traceparent { trace: fastrand::u128(1..), span: fastrand::u64(1..), flags: SAMPLED }
    }

    /// A span that this one has caused.
    pub(super) fn child(self) -> Traceparent {
        Traceparent { span: fastrand::u64(1..), ..self }
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Traceparent { trace, span, flags } = self;
        write!(f, "00-{trace:032x}-{span:016x}-{flags:02x}")
    }
}

/// So many hexadecimal digits; capital letters are none.
fn hex(digits: &str, count: usize) -> Option<u128> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let right = digits.len() == count && digits.bytes().all(is_digit);
    right.then(|| u128::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_read_is_written_again() {
        let read = Traceparent::read(GOOD).expect("is one");
        assert_eq!((read.trace, read.span), (0x4bf92f3577b34da6a3ce929d0e0e4736, 0xf067aa0ba902b7));
        assert_eq!(read.to_string(), GOOD);
        let root = Traceparent::root();
        assert_eq!(Traceparent::read(&root.to_string()), Some(root));
    }

    #[test]
    fn a_child_is_another_span_of_the_same_trace_with_its_flags() {
        let parent = Traceparent::read(&GOOD.replace("-01", "-00")).expect("is one");
        let child = parent.child();
        assert_eq!((child.trace, child.flags), (parent.trace, 0));
        assert_ne!((child.span, child.span), (parent.span, 0));
    }

    #[test]
    fn what_is_none_is_not_read_and_of_a_later_version_what_is_known() {
        let later = GOOD.replacen("00", "01", 1) + "-more";
        assert_eq!(Traceparent::read(&later), Traceparent::read(GOOD));
        for bad in [
            "".to_owned(),
            "00".into(),
            GOOD.to_uppercase(),
            format!("{GOOD}-more"),
            GOOD.replacen("00", "ff", 1),
            GOOD.replacen("00", "0", 1),
            GOOD.replace("4bf9", "4bg9"),
            GOOD.replace("4bf9", "+bf9"),
            GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            GOOD.replace("-01", "-1"),
        ] {
            assert_eq!(Traceparent::read(&bad), None, "{bad}");
        }
    }
}
