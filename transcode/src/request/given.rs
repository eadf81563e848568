//! Fields of which the body says nothing: written from what path, query and bindings give, which are texts, or from the whole body.

use super::containers::put_unit_variant;
use super::content::Content;
use super::encode::{Encoder, Leaving, Step};
use super::params::{Given, Source};
use crate::json::document;
use crate::layout::{Node, NodeId, Rules};
use crate::tail::{close_count, open_count};
use crate::violation::{At, Refusal, ViolationKind};
use callgate_protocol::wire::put_bytes;

impl Encoder<'_> {
    /// Writes a field of which the body says nothing.
    pub(super) fn write_given(&mut self, node: NodeId, given: Given) -> Step {
        if self.params.is_leaf(given) {
            return match self.params.sources(given).next() {
                Some(Source::Body) if given.count() == 1 => self.body_value(node, given),
                Some(Source::Body) => self.given_twice(given),
                _ => self.write_texts(node, given),
            };
        }
        match self.layout.node(node) {
            Node::Option(inner) => {
                self.out.push(1);
                self.write_given(*inner, given)
            }
            Node::Presence(inner) => {
                self.out.push(2);
                self.write_given(*inner, given)
            }
            Node::Guarded(inner, rules) => {
                self.guarded_given(rules, given, |encoder| encoder.write_given(*inner, given))
            }
            Node::Struct(table) => self.assembled(table, given),
            _ => Ok(()),
        }
    }

    #[cold]
    fn given_twice(&mut self, given: Given) -> Step {
        let mut names: Vec<String> = self.params.sources(given).map(|s| self.source_name(s)).collect();
        // The first two that differ, if any do: a list has several of one name.
        if names.iter().any(|name| *name != names[0]) {
            names.dedup();
        }
        names.truncate(2);
        let at = At::Field(self.pointer(self.params.prefix(given)));
        let detail = format!("given twice: by {}", names.join(" and by "));
        self.refuse(at, Refusal::new(ViolationKind::DuplicateField, detail))
    }

    /// Writes a field from what path and query give for it.
    fn write_texts(&mut self, node: NodeId, given: Given) -> Step {
        if given.count() > 1 && (!crate::path::is_text_list(self.layout, node) || self.is_mixed(given)) {
            return self.given_twice(given);
        }
        match self.layout.node(node) {
            Node::Option(inner) => {
                self.out.push(1);
                self.write_texts(*inner, given)
            }
            Node::Presence(inner) => {
                self.out.push(2);
                self.write_texts(*inner, given)
            }
            Node::Guarded(inner, rules) => {
                self.guarded_given(rules, given, |encoder| encoder.write_texts(*inner, given))
            }
            Node::List(item) => self.texts(*item, given, false),
            Node::Set(item) => self.texts(*item, given, true),
            _ => {
                let first = self.params.sources(given).next();
                first.map_or(Ok(()), |source| self.text(node, given, source))
            }
        }
    }

    fn texts(&mut self, item: NodeId, given: Given, is_set: bool) -> Step {
        self.enter()?;
        let (start, known) = (open_count(self.out), self.violations.len());
        let mut starts = Vec::new();
        let mut count = 0;
        for source in self.params.sources(given) {
            if self.has_no_items(source) {
                continue;
            }
            count += 1;
            if is_set {
                starts.push(self.out.len());
            }
            self.text(item, given, source)?;
        }
        if self.violations.len() == known && self.has_twin(&starts) {
            self.refuse_given(given, Refusal::constraint("the same item twice"))?;
        }
        close_count(self.out, start, count);
        self.leave(start)
    }

    /// Whether some of it is of the form and some is not.
    fn is_mixed(&self, given: Given) -> bool {
        let is_form = |source| matches!(source, Source::Form(_));
        let mut sources = self.params.sources(given).map(is_form);
        let first = sources.next();
        sources.any(|other| Some(other) != first)
    }

    /// Whether a source gives a list without items, and no item.
    fn has_no_items(&self, source: Source) -> bool {
        matches!(source, Source::Bound(at) if self.texts.get(at).is_some_and(|text| text.text.is_none()))
    }

    /// Writes a field with rules from what path and query give for it, or for parts of it.
    pub(super) fn guarded_given(
        &mut self,
        rules: &Rules,
        given: Given,
        write: impl FnOnce(&mut Self) -> Step,
    ) -> Step {
        // Rules are asked of what was written.
        let leaving = std::mem::replace(&mut self.leaving, Leaving::NOTHING);
        let step = self.guarded(rules, write, |encoder, refusal| encoder.refuse_given(given, refusal));
        self.leaving = leaving;
        step
    }

    /// Notes a violation of a field that path or query give.
    #[cold]
    fn refuse_given(&mut self, given: Given, refusal: Refusal) -> Step {
        let source = self.params.sources(given).next().unwrap_or(Source::Body);
        self.refuse_text(given, source, refusal)
    }

    #[cold]
    pub(super) fn refuse_text(&mut self, given: Given, source: Source, refusal: Refusal) -> Step {
        let at = At::Field(self.pointer(self.params.prefix(given)));
        let source = self.source_name(source);
        self.refuse(at, refusal.of(source))
    }

    /// Writes the value that one parameter's text says.
    fn text(&mut self, node: NodeId, given: Given, source: Source) -> Step {
        let input = self.input;
        let text = match source {
            Source::Path(index) => input.path.get(index).map(|value| &**value),
            Source::Query(index) => input.query.get(index).map(|(_, value)| &**value),
            Source::Bound(at) => self.texts.get(at).and_then(|text| text.text),
            Source::Form(index) => match input.form.get(index).map(|field| &field.content) {
                Some(Content::Bytes(bytes)) => return self.put_content(node, given, source, bytes),
                Some(Content::Text(text)) => Some(&**text),
                None => None,
            },
            Source::Body | Source::Absent(_) => None,
        };
        self.value_of(node, given, source, text)
    }

    /// The same for the text itself, if there is one.
    pub(super) fn value_of(
        &mut self,
        node: NodeId,
        given: Given,
        source: Source,
        text: Option<&str>,
    ) -> Step {
        let start = self.out.len();
        let written = match (text, self.layout.node(node)) {
            (None, _) => Err(Refusal::new(ViolationKind::MissingField, "no value is given")),
            (Some(_), Node::Option(inner)) => {
                self.out.push(1);
                return self.value_of(*inner, given, source, text);
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
                self.out.truncate(start);
                let refusal = if self.secret.is_some() { refusal.hushed() } else { refusal };
                self.refuse_text(given, source, refusal)
            }
        }
    }
}
