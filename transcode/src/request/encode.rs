//! The walk over the body: one value read, one value written. Nothing is kept but what stands in `out` already.

use super::ahead::Ahead;
use super::bound::BoundText;
use super::params::{Given, Params};
use super::{RequestInput, RequestProgram};
use crate::binding::Body;
use crate::json::{Cursor, Key, RawString, skip_value};
use crate::layout::{Fixed, Layout, Node, NodeId, Suggestions};
use crate::violation::{At, Pending, Refusal, Violation, ViolationKind, located};
use callgate_protocol::limits::{MAX_DEPTH, MAX_MESSAGE};
use callgate_protocol::wire::put_bytes;

/// So many violations are told; a hostile body could have one for each byte.
pub(crate) const MAX_VIOLATIONS: usize = 64;

/// Reading cannot go on; the violation is noted.
#[derive(Debug)]
pub(super) struct Stop;

pub(super) type Step = Result<(), Stop>;

/// Where a member stands in `out` that came out of the fields' order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Slot {
    pub(super) const EMPTY: Slot = Slot { start: usize::MAX, end: 0 };
}

/// Whether a body that is a field's bytes as they are is left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    /// If it has so many bytes.
    pub(super) at_least: usize,
    /// Where it belongs, when it was.
    pub(super) at: Option<usize>,
}

impl Leaving {
    pub(super) const NOTHING: Leaving = Leaving { at_least: usize::MAX, at: None };
}

pub(super) struct Encoder<'a> {
    pub(super) program: &'a RequestProgram,
    pub(super) layout: &'a Layout,
    pub(super) input: &'a RequestInput<'a>,
    pub(super) params: &'a Params,
    /// What the request gives for bound fields.
    pub(super) texts: &'a [BoundText<'a>],
    pub(super) cursor: Cursor<'a>,
    pub(super) out: &'a mut Vec<u8>,
    /// Where the message begins in `out`, and how long it may become.
    pub(super) begin: usize,
    pub(super) most: usize,
    pub(super) depth: usize,
    pub(super) zero_sized: usize,
    /// Scratch of the objects that are open and not in order.
    pub(super) slots: Vec<Slot>,
    /// Scratch of the objects that are open and whose keys are to be compared at their end.
    pub(super) keys: Vec<Key>,
    /// Where containers end that were passed in search of a tag.
    pub(super) ahead: Ahead,
    pub(super) violations: Vec<Pending>,
    /// Where the secret value begins that is being read: nothing of it is repeated.
    pub(super) secret: Option<usize>,
    /// What is left of the request's allowance for suggestions.
    pub(super) suggestions: Suggestions,
    pub(super) leaving: Leaving,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(
        program: &'a RequestProgram,
        input: &'a RequestInput<'a>,
        params: &'a Params,
        texts: &'a [BoundText<'a>],
        body: &'a str,
        out: &'a mut Vec<u8>,
    ) -> Self {
        let length = match &program.binding.body {
            Body::Raw(_) => input.body.len(),
            _ if input.form.is_empty() => body.len(),
            _ => input.form.iter().map(|field| field.content.len()).sum(),
        };
        if !program.is_raw() {
            out.reserve(length);
        }
        // Missing fields take bytes that the body does not pay for, so a small body could ask for much. No type of
        // value that is there takes eight times its JSON.
        let most = (MAX_MESSAGE as usize).max(length.saturating_mul(8));
        Encoder {
            program,
            layout: &program.layout,
            input,
            params,
            texts,
            cursor: Cursor::new(body),
            begin: out.len(),
            most,
            out,
            depth: 0,
            zero_sized: 0,
            slots: Vec::new(),
            keys: Vec::new(),
            ahead: Ahead::default(),
            violations: Vec::new(),
            secret: None,
            suggestions: Suggestions::new(),
            leaving: Leaving::NOTHING,
        }
    }

    pub(super) fn leaving(self, leaving: Leaving) -> Encoder<'a> {
        Encoder { leaving, ..self }
    }

    /// Encodes the request. `violations` are known already, and `suggestions` are left after them. Gives where the body belongs, if it
    /// was left out.
    pub(super) fn run(
        mut self,
        violations: Vec<Pending>,
        suggestions: Suggestions,
    ) -> Result<Option<usize>, Vec<Violation>> {
        self.violations = violations;
        self.suggestions = suggestions;
        // A stop has left its reason there.
        let _ = self.request();
        let left = self.leaving.at;
        self.told().map(|()| left)
    }

    /// Encodes the body as one value of that type.
    pub(super) fn item(mut self, node: NodeId) -> Result<(), Vec<Violation>> {
        // A stop has left its reason there.
        let _ = self.whole_body(node);
        self.told()
    }

    /// All that was wrong.
    fn told(&mut self) -> Result<(), Vec<Violation>> {
        self.violations.truncate(MAX_VIOLATIONS);
        match self.violations.is_empty() {
            true => Ok(()),
            false => Err(located(self.cursor.text(), std::mem::take(&mut self.violations))),
        }
    }

    /// Encodes one field alone, from what is given for it; or says why it cannot be.
    pub(super) fn only(mut self, node: NodeId, given: Given) -> Result<(), String> {
        // A stop has left its reason there.
        let _ = self.write_given(node, given);
        match self.violations.into_iter().next() {
            None => Ok(()),
            Some(pending) => Err(pending.refusal.detail),
        }
    }

    fn request(&mut self) -> Step {
        let body = self.cursor.text();
        let given = self.params.all();
        let Some(table) = self.program.root_struct() else {
            return Ok(());
        };
        match self.program.binding.body {
            Body::Whole if !body.is_empty() => {
                self.cursor.space();
                self.structure(table, given)?;
                self.cursor.end().map_err(|fault| self.fault(fault))
            }
            Body::None if !body.is_empty() => {
                let detail = "there must be no body: the route takes none";
                self.refuse(At::Value(0), Refusal::new(ViolationKind::UnexpectedBody, detail))?;
                self.assembled(table, given)
            }
            _ => self.assembled(table, given),
        }
    }

    /// Reads the body where it is one field's value.
    pub(super) fn whole_body(&mut self, node: NodeId) -> Step {
        self.cursor.space();
        self.value(node)?;
        self.cursor.end().map_err(|fault| self.fault(fault))
    }

    /// Reads and writes one value.
    #[inline(always)]
    pub(super) fn value(&mut self, node: NodeId) -> Step {
        match self.layout.node(node) {
            // Most values. They do not need the frame of the others, which costs as much as a small one itself.
            Node::Scalar(scalar) => self.scalar(*scalar),
            node => self.compound(node),
        }
    }

    #[inline(never)]
    fn compound(&mut self, node: &'a Node) -> Step {
        match node {
            Node::Scalar(scalar) => self.scalar(*scalar),
            Node::Struct(table) => self.structure(table, Given::NONE),
            Node::Option(inner) => match self.cursor.peek() {
                Some(b'n') => {
                    self.out.push(0);
                    self.literal("null")
                }
                _ => {
                    self.out.push(1);
                    self.value(*inner)
                }
            },
            Node::Presence(inner) => self.presence(*inner),
            Node::Guarded(inner, rules) => self.guarded_value(*inner, rules),
            Node::List(item) => self.list(*item),
            Node::Set(item) => self.set(*item),
            Node::Enum(table) => self.enumeration(table),
            Node::Map(key, value) => self.map(*key, *value),
            Node::Json => self.json(),
            Node::Array(item, length) => self.array(*item, *length),
            Node::Tuple(items) => self.tuple(items),
            Node::Unit => match self.cursor.peek() {
                Some(b'n') => {
                    self.literal("null")?;
                    self.zero_sized(1)
                }
                _ => Err(self.wrong_type("`null`")),
            },
        }
    }

    #[inline(never)]
    fn presence(&mut self, inner: NodeId) -> Step {
        match self.cursor.peek() {
            Some(b'n') => {
                self.out.push(1);
                self.literal("null")
            }
            _ => {
                self.out.push(2);
                self.value(inner)
            }
        }
    }

    fn json(&mut self) -> Step {
        let start = self.cursor.pos;
        self.skip()?;
        put_bytes(self.out, self.cursor.since(start).as_bytes());
        Ok(())
    }

    /// Passes and checks any value.
    pub(super) fn skip(&mut self) -> Step {
        skip_value(&mut self.cursor, self.depth, &mut self.keys).map_err(|fault| self.fault(fault))
    }

    #[inline]
    pub(super) fn string(&mut self) -> Result<RawString<'a>, Stop> {
        match self.cursor.string() {
            Ok(string) => Ok(string),
            Err(fault) => Err(self.fault(fault)),
        }
    }

    #[inline]
    pub(super) fn literal(&mut self, word: &'static str) -> Step {
        self.cursor.literal(word).map_err(|fault| self.fault(fault))
    }

    /// Writes what stands for a missing field.
    pub(super) fn fixed(&mut self, at: impl FnOnce(&Self) -> At, fixed: &Fixed) -> Step {
        if self.depth + fixed.depth > MAX_DEPTH {
            let at = at(self);
            let detail = format!("its default makes the request nest deeper than {MAX_DEPTH}");
            return self.refuse(at, Refusal::new(ViolationKind::TooDeep, detail)).and(Err(Stop));
        }
        self.out.extend_from_slice(&fixed.bytes);
        self.zero_sized(fixed.zero_sized)
    }
}
