//! Values of the body that are one token.

use super::encode::{Encoder, Step};
use crate::scalar::{Int, Scalar, TextForm, put_decimal, put_f32, put_f64};
use crate::tail::put_length_before;
use crate::violation::{Refusal, ViolationKind};
use callgate_protocol::wire::put_bytes;

impl Encoder<'_> {
    /// It is inlined, and what it calls is not, so that the walk comes straight to the one function that a value needs.
    #[inline(always)]
    pub(super) fn scalar(&mut self, scalar: Scalar) -> Step {
        match scalar {
            Scalar::String => self.plain_string(),
            Scalar::Int(int) => self.integer(int),
            Scalar::F32 | Scalar::F64 => self.float(scalar),
            Scalar::Bool => self.boolean(),
            _ => self.text_scalar(scalar),
        }
    }

    #[inline(never)]
    fn plain_string(&mut self) -> Step {
        if self.cursor.peek() != Some(b'"') {
            return Err(self.wrong_type(Scalar::String.expected()));
        }
        let string = self.string()?;
        match string.escaped {
            false => put_bytes(self.out, string.raw.as_bytes()),
            true => {
                let start = self.out.len();
                string.decode_into(self.out);
                put_length_before(self.out, start);
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn integer(&mut self, int: Int) -> Step {
        let Some(b'-' | b'0'..=b'9') = self.cursor.peek() else {
            return self.text_scalar(Scalar::Int(int));
        };
        let at = self.cursor.pos;
        match self.cursor.number() {
            Ok(number) => int.put(number, self.out).map_err(|refusal| self.stop(at, refusal)),
            Err(fault) => Err(self.fault(fault)),
        }
    }

    #[inline(never)]
    fn float(&mut self, scalar: Scalar) -> Step {
        let Some(b'-' | b'0'..=b'9') = self.cursor.peek() else {
            return self.text_scalar(scalar);
        };
        let at = self.cursor.pos;
        let written = match (self.cursor.number(), scalar) {
            (Ok(number), Scalar::F32) => put_f32(number, self.out),
            (Ok(number), _) => put_f64(number, self.out),
            (Err(fault), _) => return Err(self.fault(fault)),
        };
        written.map_err(|refusal| self.stop(at, refusal))
    }

    #[inline(never)]
    fn boolean(&mut self) -> Step {
        match self.cursor.peek() {
            Some(b't') => {
                self.out.push(1);
                self.literal("true")
            }
            Some(b'f') => {
                self.out.push(0);
                self.literal("false")
            }
            _ => self.text_scalar(Scalar::Bool),
        }
    }

    /// Reads a value that is a string in JSON and something else on the wire.
    #[inline(never)]
    fn text_scalar(&mut self, scalar: Scalar) -> Step {
        let at = self.cursor.pos;
        match (self.cursor.peek(), scalar) {
            (Some(b'"'), _) => {}
            (Some(b'-' | b'0'..=b'9'), Scalar::Text(TextForm::Decimal)) => return self.decimal(),
            _ => return Err(self.wrong_type(scalar.expected())),
        }
        let text = self.string()?.decode();
        let wrong_type = |detail| Err(Refusal::new(ViolationKind::WrongType, detail));
        let result = match scalar {
            Scalar::Bool => wrong_type("expected a boolean, got a string"),
            Scalar::Int(int) if !int.is_read_from_strings() => {
                wrong_type("expected an integer, got a string")
            }
            Scalar::F32 | Scalar::F64 => match scalar.put_special(&text, self.out) {
                true => Ok(()),
                false => {
                    wrong_type("expected a number (or \"NaN\", \"Infinity\", \"-Infinity\"), got a string")
                }
            },
            _ => scalar.put_text(&text, self.out),
        };
        result.map_err(|refusal| self.stop(at, refusal))
    }

    fn decimal(&mut self) -> Step {
        let at = self.cursor.pos;
        let number = self.cursor.number().map_err(|fault| self.fault(fault))?;
        put_decimal(number, self.out).map_err(|refusal| self.stop(at, refusal))
    }
}
