//! The paths of a document. OpenAPI knows a path by its shape, whatever its parameters are called, and for all hosts; so the first route
//! of a shape names its parameters, and a second one of the same shape and method has no place.

use crate::config::{Matcher, PathTemplate};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The paths so far.
#[derive(Default)]
pub(super) struct Paths {
    all: Map<String, Value>,
    /// By shape: the path, its parameters' names, and its methods.
    shapes: HashMap<String, Shape>,
    omitted: Vec<String>,
}

struct Shape {
    path: String,
    params: Vec<String>,
    methods: Vec<&'static str>,
}

/// Where a route has its place.
pub(super) struct Place {
    path: String,
    /// What its path's parameters are called there, in their order.
    pub(super) params: Vec<String>,
}

impl Paths {
    /// The place of a route; `None` if another one has it.
    pub(super) fn place(&mut self, matcher: &Matcher) -> Option<Place> {
        let shape = self.shapes.entry(shape(&matcher.path)).or_insert_with(|| Shape {
            path: template(&matcher.path),
            params: matcher.path.params().to_vec(),
            methods: Vec::new(),
        });
        if shape.methods.contains(&matcher.method.as_str()) {
            return None;
        }
        shape.methods.push(matcher.method.as_str());
        Some(Place { path: shape.path.clone(), params: shape.params.clone() })
    }

    pub(super) fn put(&mut self, place: Place, method: &str, operation: Value) {
        let item = self.all.entry(place.path).or_insert_with(|| Value::Object(Map::new()));
        item[method.to_ascii_lowercase()] = operation;
    }

    /// Notes a route that has no place.
    pub(super) fn leave_out(&mut self, name: String) {
        self.omitted.push(name);
    }

    /// The paths, and what is left out.
    pub(super) fn finish(self) -> (Value, Value) {
        (self.all.into(), self.omitted.into())
    }
}

/// A path as OpenAPI writes it: a tail is a parameter like others there.
fn template(path: &PathTemplate) -> String {
    path.as_str().replace("{*", "{")
}

/// A path without the names of its parameters.
fn shape(path: &PathTemplate) -> String {
    let segments = path.segments().map(|segment| match segment.split_once('}') {
        Some((_, suffix)) => format!("{{}}{suffix}"),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}
