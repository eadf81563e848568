//! Members that are missing, and such that are there twice: what stands for them, and where that is told.

use super::encode::{Encoder, Step, Stop};
use super::params::{Given, Source};
use crate::json::{Cursor, Fault, Problem, push_segment, skip_value};
use crate::layout::{Absent, Field};
use crate::violation::{At, Refusal, ViolationKind};

impl<'a> Encoder<'a> {
    /// A field of which the body says nothing: path and query give it, or its default stands for it, or it is missing `at` a place.
    pub(super) fn missing(
        &mut self,
        field: &'a Field,
        given: Option<Given>,
        at: impl FnOnce(&Self) -> At,
    ) -> Step {
        if let Some(given) = given
            && (self.params.fills(given) || self.is_parted(field, given))
        {
            return self.write_given(field.node, given);
        }
        match &field.absent {
            Absent::None => {
                self.out.push(0);
                Ok(())
            }
            Absent::Default(fixed) => self.fixed(at, fixed),
            Absent::Refused => {
                if let Some(given) = given {
                    return self.unfilled(given);
                }
                let at = at(self);
                let detail = match at {
                    At::Value(_) => "there must be a body: it is this field's value".to_owned(),
                    _ => format!("missing field `{}`", field.name),
                };
                self.refuse(at, Refusal::new(ViolationKind::MissingField, detail))
            }
        }
    }

    /// Whether a field without a default has parts that are bound, of which the request gives none: what is missing is told of these.
    fn is_parted(&self, field: &Field, given: Given) -> bool {
        matches!(field.absent, Absent::Refused) && !self.params.is_leaf(given)
    }

    /// A bound field that needs a value, and for which the request gives none.
    #[cold]
    fn unfilled(&mut self, given: Given) -> Step {
        let source = self.params.sources(given).next().unwrap_or(Source::Body);
        let at = At::Field(self.pointer(self.params.prefix(given)));
        let detail = format!("{} is missing: it is this field's value", self.source_name(source));
        self.refuse(at, Refusal::new(ViolationKind::MissingField, detail))
    }

    /// A member whose field path or query give too, or which is bound.
    #[cold]
    pub(super) fn given_too(&mut self, at: usize, given: Given) -> Step {
        let other = self.params.sources(given).next().unwrap_or(Source::Body);
        let name = self.source_name(other);
        let detail = match other {
            Source::Bound(_) | Source::Absent(_) => format!("the field is filled by {name} only"),
            Source::Path(_) | Source::Query(_) | Source::Form(_) | Source::Body => {
                format!("given twice: in the body and by {name}")
            }
        };
        self.refuse(At::Member(at), Refusal::new(ViolationKind::DuplicateField, detail))?;
        self.skip()
    }

    /// A member that was there before, at `first`.
    #[cold]
    pub(super) fn again(&mut self, at: usize, first: usize) -> Stop {
        let refusal = Fault { at, problem: Problem::DuplicateKey(first) }.refusal(self.cursor.text());
        // Reading ends here, whether or not more could be noted.
        let _ = self.refuse(At::Member(at), refusal);
        Stop
    }

    /// The place of a member that is missing in the object at `at`, or in a struct that is put together without one.
    #[cold]
    pub(super) fn place_of(&self, at: Option<usize>, given: Given, field: &[u32], name: &str) -> At {
        if let Some(at) = at {
            return At::Missing(at, name.to_owned());
        }
        let steps = [self.params.prefix(given), field].concat();
        if steps == self.program.body_field {
            return At::Value(0);
        }
        let mut pointer = self.pointer(self.params.prefix(given));
        push_segment(&mut pointer, name);
        At::Field(pointer)
    }

    /// Where the object at `at` has its first member of a name; all of it up to there was read before.
    #[cold]
    pub(super) fn first_member(&self, at: Option<usize>, is_it: impl Fn(&str) -> bool) -> usize {
        let mut cursor = Cursor::new(self.cursor.text());
        cursor.pos = at.unwrap_or_default();
        let mut found = cursor.pos;
        let mut more = !cursor.open(b'}');
        while more {
            found = cursor.pos;
            let Ok(key) = cursor.key() else { break };
            if is_it(&key.decode()) {
                break;
            }
            let passed = cursor.colon().and_then(|()| skip_value(&mut cursor, 0, &mut Vec::new()));
            more = passed.and_then(|()| cursor.next_member()).unwrap_or(false);
        }
        found
    }
}
