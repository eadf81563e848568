//! Where reading ends early: the message's bounds, and the noting of what is wrong.

use super::encode::{Encoder, MAX_VIOLATIONS, Step, Stop};
use super::params::Source;
use crate::json::{Fault, Problem, push_segment};
use crate::layout::Node;
use crate::violation::{At, Pending, Refusal, ViolationKind};
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};

impl Encoder<'_> {
    #[inline]
    pub(super) fn enter(&mut self) -> Step {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => Err(self.stop(
                self.cursor.pos,
                Refusal::new(ViolationKind::TooDeep, format!("nested deeper than {MAX_DEPTH}")),
            )),
            false => Ok(()),
        }
    }

    /// Ends a container that has no length of its own and began at `start` of `out`: it may be of size zero.
    #[inline]
    pub(super) fn leave(&mut self, start: usize) -> Step {
        self.depth -= 1;
        match self.out.len() {
            length if length == start => self.zero_sized(1),
            length if length - self.begin > self.most => {
                let detail = format!("the request is longer than {} bytes", self.most);
                Err(self.stop(self.cursor.pos, Refusal::new(ViolationKind::TooLarge, detail)))
            }
            _ => Ok(()),
        }
    }

    #[inline]
    pub(super) fn zero_sized(&mut self, more: usize) -> Step {
        self.zero_sized += more;
        match self.zero_sized > MAX_ZERO_SIZED_ITEMS {
            true => {
                let detail = format!("more than {MAX_ZERO_SIZED_ITEMS} values without content");
                Err(self.stop(self.cursor.pos, Refusal::new(ViolationKind::TooLarge, detail)))
            }
            false => Ok(()),
        }
    }

    /// Of a secret value only its own place is told, since places inside of it have its keys for names.
    #[cold]
    fn note(&mut self, at: At, refusal: Refusal) {
        let (at, refusal) = match (self.secret, at) {
            (Some(start), At::Value(_) | At::Member(_) | At::Missing(..)) => {
                (At::Value(start), refusal.hushed())
            }
            (_, at) => (at, refusal),
        };
        self.violations.push(Pending { at, refusal });
    }

    /// Notes a violation after which reading goes on.
    #[cold]
    pub(super) fn refuse(&mut self, at: At, refusal: Refusal) -> Step {
        self.note(at, refusal);
        match self.violations.len() < MAX_VIOLATIONS {
            true => Ok(()),
            false => Err(Stop),
        }
    }

    /// Notes a violation of the value at an offset, after which reading cannot go on.
    #[cold]
    pub(super) fn stop(&mut self, offset: usize, refusal: Refusal) -> Stop {
        self.note(At::Value(offset), refusal);
        Stop
    }

    /// Notes what the cursor found. Behind an error of syntax nothing means anything, so it stands alone.
    #[cold]
    pub(super) fn fault(&mut self, fault: Fault) -> Stop {
        let refusal = fault.refusal(self.cursor.text());
        if fault.is_syntax() {
            self.violations.clear();
        }
        let at = match fault.problem {
            Problem::DuplicateKey(_) => At::Member(fault.at),
            _ => At::Value(fault.at),
        };
        self.note(at, refusal);
        Stop
    }

    /// Notes that the value which comes next is of another type; or that none comes.
    #[cold]
    pub(super) fn wrong_type(&mut self, expected: &str) -> Stop {
        let at = self.cursor.pos;
        let got = match self.cursor.peek() {
            Some(b'"') => "a string",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(b'[') => "an array",
            Some(b'{') => "an object",
            _ => return self.fault(Fault::expected(at, "a value")),
        };
        self.stop(at, Refusal::new(ViolationKind::WrongType, format!("expected {expected}, got {got}")))
    }

    /// The pointer to the field that `steps` lead to, for what is not in the body.
    #[cold]
    pub(super) fn pointer(&self, steps: &[u32]) -> String {
        let mut pointer = String::new();
        let mut node = self.program.root;
        for step in steps {
            if let Node::Struct(table) = self.layout.bare(node)
                && let Some(field) = table.fields.get(*step as usize)
            {
                if !field.flat {
                    push_segment(&mut pointer, &field.name);
                }
                node = field.node;
            }
        }
        pointer
    }

    /// Whose value it is, for messages.
    #[cold]
    pub(super) fn source_name(&self, source: Source) -> String {
        match source {
            Source::Bound(at) => {
                let bound = self.texts.get(at).map(|text| text.bound);
                self.program.bound_name(bound.unwrap_or_default())
            }
            source => self.program.source_name(source, Some(self.input)),
        }
    }
}
