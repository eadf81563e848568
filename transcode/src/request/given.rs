//! Fields of which the body says nothing: written from what path and query give, which are texts, or from the whole body.

use super::containers::put_unit_variant;
use super::encode::{Encoder, Step};
use super::params::{Given, Source};
use crate::json::document;
use crate::layout::{Node, NodeId};
use crate::tail::{close_count, open_count};
use crate::violation::{At, Refusal, ViolationKind};
use callgate_protocol::wire::put_bytes;

impl Encoder<'_> {
    /// Writes a field of which the body says nothing.
    pub(super) fn write_given(&mut self, node: NodeId, given: Given) -> Step {
        if self.params.is_leaf(given) {
            return match self.params.sources(given).next() {
                Some(Source::Body) if given.count() == 1 => self.whole_body(node),
                Some(Source::Body) => self.given_twice(given),
                _ => self.write_texts(node, given),
            };
        }
        match self.layout.node(node) {
            Node::Option(inner) => {
                self.out.push(1);
                self.write_given(*inner, given)
            }
            Node::Struct(table) => self.assembled(table, given),
            _ => Ok(()),
        }
    }

    #[cold]
    fn given_twice(&mut self, given: Given) -> Step {
        let names: Vec<String> = self.params.sources(given).take(2).map(|s| self.source_name(s)).collect();
        let at = At::Field(self.pointer(self.params.prefix(given)));
        let detail = format!("given twice: by {}", names.join(" and by "));
        self.refuse(at, Refusal::new(ViolationKind::DuplicateField, detail))
    }

    /// Writes a field from what path and query give for it.
    fn write_texts(&mut self, node: NodeId, given: Given) -> Step {
        if given.count() > 1 && !crate::path::is_text_list(self.layout, node) {
            return self.given_twice(given);
        }
        match self.layout.node(node) {
            Node::Option(inner) => {
                self.out.push(1);
                self.write_texts(*inner, given)
            }
            Node::List(item) => {
                let item = *item;
                self.enter()?;
                let start = open_count(self.out);
                for source in self.params.sources(given) {
                    self.text(item, given, source)?;
                }
                close_count(self.out, start, given.count() as u64);
                self.leave(start)
            }
            _ => {
                let first = self.params.sources(given).next();
                first.map_or(Ok(()), |source| self.text(node, given, source))
            }
        }
    }

    /// Writes the value that one parameter's text says.
    fn text(&mut self, node: NodeId, given: Given, source: Source) -> Step {
        let input = self.input;
        let text = match source {
            Source::Path(index) => input.path.get(index).map(|value| &**value),
            Source::Query(index) => input.query.get(index).map(|(_, value)| &**value),
            Source::Body => None,
        };
        let written = match (text, self.layout.node(node)) {
            (None, _) => Err(Refusal::new(ViolationKind::MissingField, "no value is given")),
            (Some(_), Node::Option(inner)) => {
                self.out.push(1);
                return self.text(*inner, given, source);
            }
            (Some(text), Node::Scalar(scalar)) => scalar.put_text(text, self.out),
            (Some(text), Node::Enum(table)) => put_unit_variant(table, text, self.out, &mut self.suggestions),
            (Some(text), _) => match document(text, self.depth) {
                Ok(()) => {
                    put_bytes(self.out, text.as_bytes());
                    Ok(())
                }
                Err(fault) => Err(fault.refusal(text).of("not JSON")),
            },
        };
        match written {
            Ok(()) => Ok(()),
            Err(refusal) => {
                let at = At::Field(self.pointer(self.params.prefix(given)));
                let source = self.source_name(source);
                self.refuse(at, refusal.of(source))
            }
        }
    }
}
