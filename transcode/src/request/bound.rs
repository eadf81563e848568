//! Fields that a route binds: filled from where it says, and from nowhere else, whether or not the request gives anything there.
//!
//! So that a client cannot fill such a field in another way, each has its place among what is given even where nothing is: then
//! the body and the query are refused there as they are beside a path parameter.

use super::encode::Encoder;
use super::params::{Params, Source};
use super::{RequestInput, RequestProgram};
use crate::binding::{BoundField, FieldSource};
use crate::layout::NodeId;
use crate::path::{self, Resolved};
use crate::violation::BindError;

/// A text that fills a bound field, or is one of the items that do.
#[derive(Clone, Copy, Debug)]
pub(super) struct BoundText<'a> {
    /// The field's index among those that are bound.
    pub(super) bound: usize,
    /// The text; `None` for a list without items.
    pub(super) text: Option<&'a str>,
}

impl RequestProgram {
    pub(super) fn bind_bound(&mut self) -> Result<(), BindError> {
        for index in 0..self.binding.bound.len() {
            let bound = &self.binding.bound[index];
            let name = &bound.field;
            let found = path::resolve_or_tell(&self.layout, self.root, name)
                .map_err(|error| BindError(format!("`{name}` of `bind`: {error}")))?;
            if let Some(why) = self.unfit(bound, found.node) {
                return Err(BindError(format!("`{name}` of `bind`: {why}")));
            }
            let other = self.params.overlapping(&found.steps).map(|source| self.source_name(source, None));
            let other = other.or_else(|| self.bound_around(&found.steps).map(|at| self.bound_name(at)));
            if let Some(other) = other {
                return Err(BindError(format!("`{name}` of `bind`: {other} fills that field already")));
            }
            let constant = match &bound.source {
                FieldSource::Value(text) => Some((text, "value")),
                _ => bound.default.as_ref().map(|text| (text, "default")),
            };
            let node = found.node;
            self.bound.push(found);
            if let Some((text, what)) = constant {
                self.try_constant(index, node, text).map_err(|why| {
                    BindError(format!(
                        "`{}` of `bind`: its {what} will not do: {why}",
                        self.binding.bound[index].field
                    ))
                })?;
            }
        }
        Ok(())
    }

    /// Why a field cannot be filled from there.
    fn unfit(&self, bound: &BoundField, node: NodeId) -> Option<&'static str> {
        let (is_text, is_list) = (path::is_text(&self.layout, node), path::is_text_list(&self.layout, node));
        let repeats = matches!(bound.source, FieldSource::Query(_) | FieldSource::Form(_));
        match bound.split {
            Some(_) if !is_list => {
                Some("`split` makes a list, and the field is no list of numbers, booleans, strings or enums")
            }
            None if is_list && !repeats => {
                Some("the field is a list: `split` says what stands between its items, as in split = \",\"")
            }
            None if !is_text && !is_list => {
                Some("the field is not a number, boolean, string or enum, so that no text can be its value")
            }
            _ => None,
        }
    }

    /// Encodes a value that the route itself has, so that no request meets one that will not do.
    fn try_constant(&self, index: usize, node: NodeId, text: &str) -> Result<(), String> {
        let (mut params, mut texts, mut out) = (Params::default(), Vec::new(), Vec::new());
        put_texts(index, &self.binding.bound[index], text, &mut texts);
        (0..texts.len()).for_each(|at| params.add(&self.bound[index].steps, Source::Bound(at)));
        let input = RequestInput { path: &[], query: &[], bound: &[], body: b"", form: &[] };
        let given = params.for_field(self.bound[index].steps.len());
        Encoder::new(self, &input, &params, &texts, "", &mut out).only(node, given)
    }

    /// What a request gives for the fields that are bound; where that is nothing, this is noted in their place.
    pub(super) fn gather<'a>(&'a self, input: &RequestInput<'a>, params: &mut Params) -> Vec<BoundText<'a>> {
        let mut texts = Vec::new();
        for (index, (bound, found)) in self.binding.bound.iter().zip(&self.bound).enumerate() {
            let Resolved { steps, node } = found;
            let (before, mut has_content) = (texts.len(), false);
            match &bound.source {
                FieldSource::Query(name) => {
                    for (_, value) in input.query.iter().filter(|(given, _)| given == name) {
                        put_texts(index, bound, value, &mut texts);
                    }
                }
                FieldSource::Value(text) => put_texts(index, bound, text, &mut texts),
                FieldSource::Form(name) => {
                    let named = input.form.iter().enumerate().filter(|(_, field)| field.name == *name);
                    for (at, field) in named.filter(|(_, field)| !field.is_left_empty(&self.layout, *node)) {
                        match field.content.text().filter(|_| bound.split.is_some()) {
                            Some(text) => put_texts(index, bound, text, &mut texts),
                            None => {
                                params.add(steps, Source::Form(at));
                                has_content = true;
                            }
                        }
                    }
                }
                FieldSource::Header(_)
                | FieldSource::Cookie(_)
                | FieldSource::Filename(_)
                | FieldSource::PartType(_)
                | FieldSource::Client
                | FieldSource::Method
                | FieldSource::Path
                | FieldSource::Claim(_) => {
                    if let Some(Some(text)) = input.bound.get(index) {
                        put_texts(index, bound, text, &mut texts);
                    }
                }
            }
            if let Some(default) = bound.default.as_ref().filter(|_| texts.len() == before && !has_content) {
                put_texts(index, bound, default, &mut texts);
            }
            if texts.len() == before && !has_content {
                params.add(steps, Source::Absent(index));
            }
            (before..texts.len()).for_each(|at| params.add(steps, Source::Bound(at)));
        }
        texts
    }

    /// Whether a bound field is filled from the query's parameter of that name.
    pub(super) fn binds_query(&self, name: &str) -> bool {
        let is_it = |bound: &BoundField| matches!(&bound.source, FieldSource::Query(own) if own == name);
        self.binding.bound.iter().any(is_it)
    }

    /// Whether a bound field is filled from the form's field of that name.
    pub(super) fn binds_form(&self, name: &str) -> bool {
        let is_it = |bound: &BoundField| matches!(&bound.source, FieldSource::Form(own) if own == name);
        self.binding.bound.iter().any(is_it)
    }

    /// A bound field that is the same as that one, or around it, or inside of it.
    pub(super) fn bound_around(&self, steps: &[u32]) -> Option<usize> {
        self.bound.iter().position(|own| own.steps.starts_with(steps) || steps.starts_with(&own.steps))
    }

    /// What fills a bound field, for messages.
    pub(super) fn bound_name(&self, index: usize) -> String {
        match self.binding.bound.get(index).map(|bound| &bound.source) {
            Some(FieldSource::Query(name)) => format!("query parameter `{name}`"),
            Some(FieldSource::Header(name)) => format!("header `{name}`"),
            Some(FieldSource::Cookie(name)) => format!("cookie `{name}`"),
            Some(FieldSource::Form(name)) => format!("form field `{name}`"),
            Some(FieldSource::Filename(Some(part))) => format!("the file name of part `{part}`"),
            Some(FieldSource::Filename(None)) => "the file name in header `content-disposition`".to_owned(),
            Some(FieldSource::PartType(part)) => format!("the content type of part `{part}`"),
            Some(FieldSource::Client) => "the client's address".to_owned(),
            Some(FieldSource::Method) => "the request's method".to_owned(),
            Some(FieldSource::Path) => "the request's path".to_owned(),
            Some(FieldSource::Claim(name)) => format!("the caller's claim `{name}`"),
            Some(FieldSource::Value(_)) | None => "the route itself".to_owned(),
        }
    }
}

/// Adds the items of a text, or the text. Members of a header's list have no blanks around them and are never empty (RFC 9110, 5.6.1).
fn put_texts<'a>(index: usize, bound: &BoundField, text: &'a str, texts: &mut Vec<BoundText<'a>>) {
    let mut put = |text| texts.push(BoundText { bound: index, text });
    let Some(between) = bound.split else {
        return put(Some(text));
    };
    let is_header = matches!(bound.source, FieldSource::Header(_));
    let items = text.split(between).map(|item| if is_header { item.trim_matches([' ', '\t']) } else { item });
    let mut items = items.filter(|item| !is_header || !item.is_empty()).peekable();
    if text.is_empty() || items.peek().is_none() {
        return put(None);
    }
    items.for_each(|item| put(Some(item)));
}
