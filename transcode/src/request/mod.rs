//! JSON → bincode: path, query and body of an HTTP request as a method's request message, in one pass over the body.

mod ahead;
mod bound;
mod bounds;
mod containers;
mod content;
mod encode;
mod flat;
mod given;
mod guarded;
mod items;
mod missing;
mod object;
mod params;
mod plain;
mod scalars;
mod tagged;

use crate::binding::{Body, RequestBinding, UnknownFields};
use crate::json;
use crate::layout::{Layout, Node, NodeId, Struct, Suggestions};
use crate::path::{self, Resolved};
use crate::violation::{BindError, Violation};
use callgate_protocol::schema::MethodSchema;
pub use content::{Content, FormField};
pub(crate) use encode::MAX_VIOLATIONS;
use encode::{Encoder, Leaving};
use params::{Params, Source};
use regex::Regex;
use std::borrow::Cow;
use std::sync::Arc;

/// What of an HTTP request becomes a message.
#[derive(Clone, Copy, Debug)]
pub struct RequestInput<'a> {
    /// The path parameters' values, percent-decoded, in the order of [`RequestBinding::path`].
    pub path: &'a [Cow<'a, str>],
    /// The query's pairs of name and value, decoded, in their order.
    pub query: &'a [(Cow<'a, str>, Cow<'a, str>)],
    /// What headers, cookies and the connection give for each of [`RequestBinding::bound`], in that order; those that are filled
    /// otherwise are not looked at.
    pub bound: &'a [Option<Cow<'a, str>>],
    /// The body. Empty is as `{}` for [`Body::Whole`] and a missing field for [`Body::Field`].
    pub body: &'a [u8],
    /// The body's fields instead, where it is a form.
    pub form: &'a [FormField<'a>],
}

/// Encodes requests of one method as one route binds them.
#[derive(Debug)]
pub struct RequestProgram {
    layout: Arc<Layout>,
    root: NodeId,
    binding: RequestBinding,
    /// The path's parameters, and the body where it is a field.
    params: Params,
    /// Where each bound field is.
    bound: Vec<Resolved>,
    /// The fields that lead to the one which is the body.
    body_field: Vec<u32>,
    /// The layout's, each with scratch of its own: searching in the layout's own would meet other workers there.
    patterns: Vec<Regex>,
}

impl RequestProgram {
    /// Compiles the program, with a layout of its own.
    ///
    /// # Errors
    /// Those of [`Layout::new`] and [`bind`](Self::bind).
    pub fn compile(schema: &MethodSchema, binding: &RequestBinding) -> Result<RequestProgram, BindError> {
        RequestProgram::bind(Arc::new(Layout::new(schema)?), binding)
    }

    /// Makes the program of a layout, which is little work: as much as the binding has names and the method has
    /// patterns.
    ///
    /// # Errors
    /// The binding does not suit the method: it names a field that does not exist, binds one twice, binds a path
    /// parameter to a field that no single text can be the value of, or has a value or default that is none of its field's.
    pub fn bind(layout: Arc<Layout>, binding: &RequestBinding) -> Result<RequestProgram, BindError> {
        let root = layout.request;
        let Node::Struct(_) = layout.node(root) else {
            return Err(BindError("the schema's request is not a struct".to_owned()));
        };
        let mut program = RequestProgram {
            patterns: layout.patterns.clone(),
            layout,
            root,
            binding: binding.clone(),
            params: Params::default(),
            bound: Vec::new(),
            body_field: Vec::new(),
        };
        program.bind_path()?;
        program.bind_bound()?;
        program.bind_body()?;
        program.params.sort();
        Ok(program)
    }

    fn bind_path(&mut self) -> Result<(), BindError> {
        for (index, name) in self.binding.path.iter().enumerate() {
            let found = path::resolve_or_tell(&self.layout, self.root, name)
                .map_err(|error| BindError(format!("path parameter `{name}`: {error}")))?;
            if !path::is_text(&self.layout, found.node) {
                return Err(BindError(format!(
                    "path parameter `{name}`: the field is not a number, boolean, string or enum, so that no part of a \
                     path can be its value"
                )));
            }
            if let Some(other) = self.params.overlapping(&found.steps) {
                let other = self.source_name(other, None);
                return Err(BindError(format!(
                    "path parameter `{name}` fills a field that {other} fills already"
                )));
            }
            self.params.add(&found.steps, Source::Path(index));
        }
        Ok(())
    }

    fn bind_body(&mut self) -> Result<(), BindError> {
        let name = match &self.binding.body {
            Body::Whole | Body::None => return Ok(()),
            Body::RawItems => return items::check_raw(&self.layout),
            Body::Field(name) | Body::Raw(name) => name,
        };
        let found = path::resolve_or_tell(&self.layout, self.root, name)
            .map_err(|error| BindError(format!("the body's field `{name}`: {error}")))?;
        if self.is_raw() && !path::is_content(&self.layout, found.node) {
            return Err(BindError(format!(
                "the body's field `{name}`: the field is no bytes and no text, so that a raw body cannot be its value"
            )));
        }
        let other = self.params.overlapping(&found.steps).map(|source| self.source_name(source, None));
        if let Some(other) = other.or_else(|| self.bound_around(&found.steps).map(|at| self.bound_name(at))) {
            return Err(BindError(format!("the body's field `{name}` overlaps with what {other} fills")));
        }
        self.params.add(&found.steps, Source::Body);
        self.body_field = found.steps;
        Ok(())
    }

    /// Appends the request's bincode to `out`. What is written always passes [`callgate_protocol::check::value`]. On an
    /// error `out` may hold garbage behind its earlier length.
    ///
    /// # Errors
    /// All missing and unknown fields, up to 64, and the first value that is wrong; or the first error of syntax alone.
    pub fn encode(&self, input: &RequestInput<'_>, out: &mut Vec<u8>) -> Result<(), Vec<Violation>> {
        self.encode_leaving(input, out, usize::MAX).map(drop)
    }

    /// The same, but a body that is a field's bytes as they are, and is no shorter than that, is left out where nothing is asked of the
    /// field but its type. Gives where in `out` it belongs then.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_leaving(
        &self,
        input: &RequestInput<'_>,
        out: &mut Vec<u8>,
        at_least: usize,
    ) -> Result<Option<usize>, Vec<Violation>> {
        let leaving = Leaving { at_least, ..Leaving::NOTHING };
        let body = match self.binding.body {
            Body::None if self.ignores_unknown() => "",
            Body::Raw(_) | Body::RawItems => "",
            _ => json::utf8(input.body).map_err(|violation| vec![violation])?,
        };
        let fixed = &self.params;
        let nothing_joins = input.query.is_empty() && self.bound.is_empty() && input.form.is_empty();
        if nothing_joins && (!body.is_empty() || self.body_field.is_empty() || self.is_raw()) {
            let encoder = Encoder::new(self, input, fixed, &[], body, out).leaving(leaving);
            return encoder.run(Vec::new(), Suggestions::new());
        }
        let mut params = fixed.clone();
        if body.is_empty() && !self.is_raw() {
            params.remove_body();
        }
        let (mut violations, mut suggestions) = (Vec::new(), Suggestions::new());
        let texts = self.gather(input, &mut params);
        params.add_query(self, input.query, &mut violations, &mut suggestions);
        params.add_form(self, input.form, &mut violations, &mut suggestions);
        params.sort();
        Encoder::new(self, input, &params, &texts, body, out).leaving(leaving).run(violations, suggestions)
    }

    fn root_struct(&self) -> Option<&Struct> {
        match self.layout.node(self.root) {
            Node::Struct(table) => Some(table),
            _ => None,
        }
    }

    fn ignores_unknown(&self) -> bool {
        self.binding.unknown_fields == UnknownFields::Ignore
    }

    fn is_raw(&self) -> bool {
        matches!(self.binding.body, Body::Raw(_))
    }

    /// Whose value it is, for messages.
    fn source_name(&self, source: Source, input: Option<&RequestInput<'_>>) -> String {
        match source {
            Source::Path(index) => {
                let name = self.binding.path.get(index).map(String::as_str);
                format!("path parameter `{}`", name.unwrap_or_default())
            }
            Source::Query(index) => {
                let name = input.and_then(|input| input.query.get(index)).map(|(name, _)| &**name);
                format!("query parameter `{}`", crate::layout::shown(name.unwrap_or_default()))
            }
            Source::Form(index) => {
                let name = input.and_then(|input| input.form.get(index)).map(|field| &*field.name);
                format!("form field `{}`", crate::layout::shown(name.unwrap_or_default()))
            }
            Source::Body => "the body".to_owned(),
            // Of a text only its request knows which field it is for.
            Source::Bound(_) => "the route itself".to_owned(),
            Source::Absent(index) => self.bound_name(index),
        }
    }
}
