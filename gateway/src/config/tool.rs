//! `tool` of a route: agents can call it as a tool, by the [Model Context Protocol](https://modelcontextprotocol.io), where a route with `tools` shows it.
//!
//! ```toml
//! tool = true                                                   # its name is the method's, `orders_quote`
//! tool = { name = "price", description = "What an order costs" }
//! tool = { hints = { destructive = true, idempotent = false } }
//! ```
//!
//! A tool has JSON arguments and a JSON result. So a route whose body or reply is something else is none.

use super::call_ref::CallRef;
use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::keys;
use super::local_reply::text_of;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use serde_json::{Value, json};
use std::sync::Arc;
use toml::de::DeValue;

const KEYS: &[Entry] = &[
    Entry::new("name", Shape::Text, "what agents call it by"),
    Entry::new("title", Shape::Text, "what people call it"),
    Entry::new("description", Shape::Text, "what agents are told of it"),
    Entry::new("hints", Shape::Table(HINTS), "what agents may expect where that is something else"),
];
const HINTS: &[Entry] = &[
    Entry::new("read_only", Shape::Boolean, "whether it changes nothing"),
    Entry::new("destructive", Shape::Boolean, "whether it may take something away"),
    Entry::new("idempotent", Shape::Boolean, "whether running it twice does what running it once does"),
    Entry::new("open_world", Shape::Boolean, "whether it deals with more than what its own service has"),
];
/// What `tool` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Boolean, Shape::Table(KEYS)]);
const EXPECTED: &str = "true, or a table such as { name = \"price\", description = \"What an order costs\" }";
/// The longest name, which is what the services take that run models.
const MAX_NAME: usize = 64;
/// The longest text, in bytes.
const MAX_TEXT: usize = 4096;

/// A tool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToolSpec {
    /// What agents call it by.
    pub name: String,
    /// What people call it. `None`: as the method's documentation does.
    pub title: Option<String>,
    /// What agents are told of it. `None`: the method's documentation.
    pub description: Option<String>,
    /// What is said of it that is not known of the method.
    pub hints: ToolHints,
}

/// What agents may expect of a tool. `None`: as the route and its method have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ToolHints {
    /// It changes nothing.
    pub read_only: Option<bool>,
    /// It may take something away.
    pub destructive: Option<bool>,
    /// Running it twice does what running it once does.
    pub idempotent: Option<bool>,
    /// It deals with more than what its own service has.
    pub open_world: Option<bool>,
}

impl ToolSpec {
    /// Reads the key of a route that calls `call`, if it has it.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        call: Option<&CallRef>,
    ) -> Option<Arc<ToolSpec>> {
        let item = section.get(keys::TOOL.name)?;
        let usual = call.and_then(usual_name);
        let (mut name, mut title, mut description, mut hints) = (None, None, None, ToolHints::default());
        match item.value.get_ref() {
            DeValue::Boolean(false) => return None,
            DeValue::Boolean(true) => {}
            _ => {
                let table = reader.table(&item, EXPECTED)?;
                let section = reader.section("`tool`", table, KEYS);
                let said = section.get("name");
                name = said.as_ref().and_then(|item| reader.text(item, "a name", read_name));
                if said.is_some() && name.is_none() {
                    return None;
                }
                let mut text =
                    |key| section.get(key).and_then(|item| reader.text(&item, "a text", text_of(MAX_TEXT)));
                (title, description) = (text("title"), text("description"));
                if let Some(item) = section.get("hints") {
                    hints = read_hints(reader, &item)?;
                }
            }
        }
        // Of a method that could not be read nothing more is said.
        call?;
        let Some(name) = name.or(usual) else {
            let label = "a method by number has none that agents would understand";
            let complaint = Complaint::new("a tool has a name", label);
            return reader.complain(&item, complaint.help("write tool = { name = \"price\" }"));
        };
        Some(Arc::new(ToolSpec { name, title, description, hints }))
    }

    /// What `/routes` shows of it.
    pub fn page(&self) -> Value {
        let ToolHints { read_only, destructive, idempotent, open_world } = self.hints;
        let hints = [
            ("read_only", read_only),
            ("destructive", destructive),
            ("idempotent", idempotent),
            ("open_world", open_world),
        ];
        let said: serde_json::Map<String, Value> =
            hints.into_iter().filter_map(|(name, hint)| Some((name.to_owned(), hint?.into()))).collect();
        json!({ "name": self.name, "title": self.title, "description": self.description, "hints": said })
    }
}

/// The name that a method gives: only letters, digits and `_`, which all agents take.
fn usual_name(call: &CallRef) -> Option<String> {
    let CallRef::Name { service, method } = call else { return None };
    let name: String = format!("{service}_{method}")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .take(MAX_NAME)
        .collect();
    Some(name)
}

fn read_name(text: &str) -> Result<String, Complaint> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    match text.bytes().all(is_plain) && (1..=MAX_NAME).contains(&text.len()) {
        true => Ok(text.to_owned()),
        false => {
            let label = format!("expected letters, digits, `_`, `-` and `.`, at most {MAX_NAME}");
            Err(Complaint::new(format!("`{text}` cannot name a tool"), label))
        }
    }
}

fn read_hints(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<ToolHints> {
    let table = reader.table(item, "a table such as { destructive = true }")?;
    let section = reader.section("`hints`", table, HINTS);
    let mut hint = |key| section.get(key).and_then(|item| reader.boolean(&item));
    Some(ToolHints {
        read_only: hint("read_only"),
        destructive: hint("destructive"),
        idempotent: hint("idempotent"),
        open_world: hint("open_world"),
    })
}

/// What of a route does not go with a tool.
pub(super) struct Refused {
    /// The key that says it.
    pub(super) key: &'static str,
    /// Why.
    pub(super) why: &'static str,
}

/// Reports what does not go with a tool.
pub(super) fn refuse(reader: &mut Reader<'_>, section: &Section<'_>, refused: impl Iterator<Item = Refused>) {
    let Some(tool) = section.get(keys::TOOL.name) else { return };
    for Refused { key, why } in refused {
        let span = section.get(key).map_or_else(|| tool.span(), |item| item.span());
        let title = format!("a route with such a `{key}` is no tool");
        let diagnostic = Diagnostic::new(title).at(reader.source, span, why);
        reader.report(diagnostic.at(
            reader.source,
            tool.key_span.clone(),
            "a tool has JSON arguments and a JSON result",
        ));
    }
}
