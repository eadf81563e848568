//! JSON numbers, read once into what integers and floats need, so that most are done without a second look.

use super::{Cursor, Fault};

/// A number of a JSON text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    /// The text it stands in, and from where to where.
    text: &'a str,
    start: usize,
    end: usize,
    /// Whether it begins with a minus.
    pub(crate) negative: bool,
    /// Its digits as an integer, the decimal point left out. Right only when `digits` is at most 19.
    magnitude: u64,
    /// How many digits it has, an exponent's not counted.
    digits: usize,
    /// How many of them are behind the decimal point.
    fraction: usize,
    /// Whether it has neither a decimal point nor an exponent.
    pub(crate) integral: bool,
    exponent: bool,
}

/// As many decimal digits always fit 64 bits.
const EXACT_DIGITS: usize = 19;

impl<'a> Cursor<'a> {
    /// Passes the number whose first byte (a minus or a digit) comes next. Inlined, since what it gives is too large
    /// for registers: a copy through memory took a tenth of a request's time.
    #[inline(always)]
    pub(crate) fn number(&mut self) -> Result<Number<'a>, Fault> {
        let start = self.pos;
        let negative = self.peek() == Some(b'-');
        self.pos += usize::from(negative);
        let mut magnitude = 0;
        let first = self.pos;
        let mut digits = self.digits(&mut magnitude)?;
        if digits > 1 && self.text.as_bytes().get(first) == Some(&b'0') {
            return Err(Fault::other(first, "a number must not begin with a zero before other digits"));
        }
        let (mut fraction, mut exponent) = (0, false);
        let mut next = self.peek();
        if next == Some(b'.') {
            self.pos += 1;
            fraction = self.digits(&mut magnitude)?;
            digits += fraction;
            next = self.peek();
        }
        if let Some(b'e' | b'E') = next {
            exponent = true;
            self.pos += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.pos += 1;
            }
            self.digits(&mut 0)?;
        }
        Ok(Number {
            text: self.text,
            start,
            end: self.pos,
            negative,
            magnitude,
            digits,
            fraction,
            integral: fraction == 0 && !exponent,
            exponent,
        })
    }

    /// Passes at least one digit.
    #[inline(always)]
    fn digits(&mut self, magnitude: &mut u64) -> Result<usize, Fault> {
        let (bytes, start) = (self.text.as_bytes(), self.pos);
        // Kept out of the cursor, which is in memory, while it changes with each digit.
        let mut at = start;
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            *magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        self.pos = at;
        match at - start {
            0 => Err(Fault::expected(start, "a digit")),
            count => Ok(count),
        }
    }
}

impl<'a> Number<'a> {
    /// Reads a text that is one JSON number and nothing else.
    pub(crate) fn of_text(text: &'a str) -> Option<Number<'a>> {
        let mut cursor = Cursor::new(text);
        let number = cursor.number().ok()?;
        (cursor.pos == text.len()).then_some(number)
    }

    /// The number as it stands there.
    #[inline]
    pub(crate) fn token(&self) -> &'a str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    /// The absolute value, if it is an integer of at most 64 bits.
    #[inline]
    pub(crate) fn magnitude(&self) -> Option<u64> {
        if !self.integral {
            None
        } else if self.digits <= EXACT_DIGITS {
            Some(self.magnitude)
        } else {
            long_magnitude(self.token())
        }
    }

    /// The nearest f64. Infinite if the number is out of range.
    #[inline(always)]
    pub(crate) fn to_f64(self) -> f64 {
        // Both operands are exact, so that the one division rounds right (Clinger's fast path).
        const POWERS: [f64; 23] = [
            1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
            1e18, 1e19, 1e20, 1e21, 1e22,
        ];
        if !self.exponent && self.digits <= EXACT_DIGITS && self.magnitude <= 1 << 53 {
            let value = self.magnitude as f64 / POWERS.get(self.fraction).copied().unwrap_or(1.0);
            return if self.negative { -value } else { value };
        }
        rounded(self.token())
    }

    /// The nearest f32, rounded once. Infinite if the number is out of range.
    pub(crate) fn to_f32(self) -> f32 {
        self.token().parse().unwrap_or(f32::INFINITY)
    }
}

// Both take only the token, so that a number that needs neither stays in registers.

#[cold]
fn long_magnitude(token: &str) -> Option<u64> {
    token.strip_prefix('-').unwrap_or(token).parse().ok()
}

#[cold]
fn rounded(token: &str) -> f64 {
    token.parse().unwrap_or(f64::INFINITY)
}
