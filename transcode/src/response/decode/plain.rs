//! The fields of a struct one after another, of which most are a short string, a number or a boolean.
//!
//! Those are read in one loop, which keeps its place in the message in a register. What is anything else, or wrong, is left as it is to
//! the walk over any value.

use super::{Decoder, Step};
use crate::layout::{Field, Node};

impl<'a> Decoder<'a> {
    /// Writes all fields with what stands before each.
    #[inline]
    pub(super) fn fields(&mut self, fields: &'a [Field]) -> Step {
        let mut reader = self.reader.clone();
        for field in fields {
            field.lead.put(self.out);
            let mut ahead = reader.clone();
            let printed = match self.layout.node(field.node) {
                Node::Scalar(scalar) => scalar.print_plain(&mut ahead, self.out, self.style),
                _ => None,
            };
            reader = match printed {
                Some(()) => ahead,
                None => {
                    self.reader = reader;
                    self.value(field.node)?;
                    self.reader.clone()
                }
            };
        }
        self.reader = reader;
        Ok(())
    }
}
