//! `openapi` of a route: the document of what clients can ask here. What is in it the module `openapi` says.

use super::{Item, Key, Kind, PathTemplate, ROUTES, Reader, text_of, true_or_table};
use crate::config::shape::{Entry, Shape, words};
use serde_json::{Value, json};
use std::fmt;

const KEYS: &[Entry] = &[
    Entry::new("title", Shape::Text, "what the document is called"),
    Entry::new("description", Shape::Text, "what people are told first"),
    Entry::new("routes", Shape::Words(&words(&ROUTES)), "which routes it has"),
];
const EXPECTED: &str = "true, or a table such as { title = \"Shop\", routes = \"all\" }";
/// The longest text, in bytes.
const MAX_TEXT: usize = 4096;

/// Which document it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenApiSpec {
    /// What it is called.
    pub title: String,
    /// What people are told first.
    pub description: Option<String>,
    /// It has the routes of all files, and not of its own alone.
    pub all: bool,
}

impl fmt::Display for OpenApiSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.all { "openapi of all files" } else { "openapi" })
    }
}

impl Kind for OpenApiSpec {
    const KEY: Key = Key::of_every_route("openapi", "they get the document of what can be asked here");
    const SHAPE: Shape = Shape::OneOf(&[Shape::Only(true), Shape::Table(KEYS)]);

    fn read(reader: &mut Reader<'_>, item: &Item<'_>, _: Option<&PathTemplate>) -> Option<OpenApiSpec> {
        let usual = OpenApiSpec { title: "API".to_owned(), description: None, all: false };
        let Some(table) = true_or_table(reader, item, EXPECTED)? else { return Some(usual) };
        let section = reader.section("`openapi`", table, KEYS);
        let mut text = |key| section.get(key).map(|item| reader.text(&item, "a text", text_of(MAX_TEXT)));
        let (title, description) = (text("title"), text("description"));
        let all = section.get("routes").map(|item| reader.choice(&item, &ROUTES));
        Some(OpenApiSpec {
            title: title.unwrap_or(Some(usual.title))?,
            description: description.map_or(Some(None), |text| text.map(Some))?,
            all: all.unwrap_or(Some(false))?,
        })
    }

    fn status(&self) -> u16 {
        200
    }

    fn shown(&self) -> Value {
        json!({ "title": self.title, "routes": if self.all { "all" } else { "file" } })
    }
}
