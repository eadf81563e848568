//! Values that a request brings as bytes: the body of a route that takes it as it is, and the fields of a form.
//!
//! A form's fields find theirs by name, as the query's parameters do. What a part of a form holds is its field's bytes as they are, or a
//! text that says the value; so a file needs no base64 of its own.

use super::RequestProgram;
use super::encode::{Encoder, MAX_VIOLATIONS, Step};
use super::params::{Given, Params, Source};
use crate::layout::{Layout, Node, NodeId, Suggestions, shown};
use crate::path;
use crate::scalar::Scalar;
use crate::violation::{Pending, Refusal, ViolationKind};
use callgate_protocol::wire::{put_bytes, put_varint};
use std::borrow::Cow;

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormField<'a> {
    /// Its name, nested with dots as the names of query parameters are.
    pub name: Cow<'a, str>,
    /// What it holds.
    pub content: Content<'a>,
}

/// What a field of a form holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A text, as the value of a query parameter is.
    Text(Cow<'a, str>),
    /// Bytes, which are the value of a field of bytes, and the text for any other.
    Bytes(&'a [u8]),
}

impl Content<'_> {
    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Content::Text(text) => text.len(),
            Content::Bytes(bytes) => bytes.len(),
        }
    }

    /// It as a text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Content::Text(text) => Some(text),
            Content::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        }
    }
}

impl FormField<'_> {
    /// Whether whoever filled the form in has left it empty: browsers send such fields too, and it is no value of that type.
    pub(super) fn is_left_empty(&self, layout: &Layout, node: NodeId) -> bool {
        self.content.len() == 0 && !path::can_be_empty(layout, node)
    }
}

impl Params {
    /// Adds what a form gives; what it gives wrongly goes to `violations`.
    pub(super) fn add_form(
        &mut self,
        program: &RequestProgram,
        form: &[FormField<'_>],
        violations: &mut Vec<Pending>,
        suggestions: &mut Suggestions,
    ) {
        for (index, field) in form.iter().enumerate() {
            if violations.len() >= MAX_VIOLATIONS {
                return;
            }
            if program.binds_form(&field.name) || program.leaves_empty(field) {
                continue;
            }
            let pending = self.add_named(program, &field.name, Source::Form(index), suggestions);
            violations.extend(pending.map(|(at, problem)| Pending {
                at,
                refusal: problem.of(format_args!("form field `{}`", shown(&field.name))),
            }));
        }
    }
}

impl RequestProgram {
    /// Whether a field of a form is one that was left empty.
    fn leaves_empty(&self, field: &FormField<'_>) -> bool {
        if field.content.len() > 0 {
            return false;
        }
        let found = path::resolve(&self.layout, self.root, &field.name);
        found.is_ok_and(|found| field.is_left_empty(&self.layout, found.node))
    }
}

impl<'a> Encoder<'a> {
    /// Writes the field that is the body.
    pub(super) fn body_value(&mut self, node: NodeId, given: Given) -> Step {
        match self.program.is_raw() {
            true => self.put_content(node, given, Source::Body, self.input.body),
            false => self.whole_body(node),
        }
    }

    /// Writes a field from bytes that are its value, or a text that says it.
    pub(super) fn put_content(&mut self, node: NodeId, given: Given, source: Source, bytes: &[u8]) -> Step {
        let layout: &'a Layout = self.layout;
        match layout.node(node) {
            Node::Option(inner) => {
                self.out.push(1);
                self.put_content(*inner, given, source, bytes)
            }
            Node::Presence(inner) => {
                self.out.push(2);
                self.put_content(*inner, given, source, bytes)
            }
            Node::Guarded(inner, rules) => {
                self.guarded_given(rules, given, |encoder| encoder.put_content(*inner, given, source, bytes))
            }
            Node::Scalar(Scalar::Bytes) if source == Source::Body && bytes.len() >= self.leaving.at_least => {
                put_varint(self.out, bytes.len() as u64);
                self.leaving.at = Some(self.out.len());
                Ok(())
            }
            Node::Scalar(Scalar::Bytes) => {
                put_bytes(self.out, bytes);
                Ok(())
            }
            _ => match std::str::from_utf8(bytes) {
                Ok(text) => self.value_of(node, given, source, Some(text)),
                Err(error) => {
                    let detail = format!("not UTF-8 behind byte {}", error.valid_up_to());
                    self.refuse_text(given, source, Refusal::new(ViolationKind::NotUtf8, detail))
                }
            },
        }
    }
}
