//! `tools` of a route: agents find the tools here that routes declare, and call them, by the
//! [Model Context Protocol](https://modelcontextprotocol.io). How that is spoken the front says.

use super::super::complaint::Complaint;
use super::super::cors::{ORIGINS, Origins, read_origins};
use super::super::matcher::Matcher;
use super::super::reader::Section;
use super::super::shape::{Entry, Shape, words};
use super::{Item, Key, Kind, PathTemplate, ROUTES, Reader, text_of, true_or_table};
use crate::method::Method;
use serde_json::{Value, json};
use std::fmt;

const KEYS: &[Entry] = &[
    Entry::new("name", Shape::Text, "what the server is called"),
    Entry::new("instructions", Shape::Text, "what agents are told first"),
    Entry::new("routes", Shape::Words(&words(&ROUTES)), "which tools are shown"),
    Entry::new("origins", ORIGINS, "pages of browsers that may ask"),
];
const EXPECTED: &str = "true, or a table such as { name = \"shop\", routes = \"all\" }";
/// The longest text, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// Which tools are shown, and to whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToolsSpec {
    /// What the server is called.
    pub name: String,
    /// What agents are told first.
    pub instructions: Option<String>,
    /// It has the tools of all files, and not of its own alone.
    pub all: bool,
    /// Pages of these origins may ask.
    pub origins: Option<Origins>,
}

impl fmt::Display for ToolsSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.all { "tools of all files" } else { "tools" })
    }
}

impl Kind for ToolsSpec {
    const KEY: Key = Key::of_every_route("tools", "agents find the tools here, and call them");
    const SHAPE: Shape = Shape::OneOf(&[Shape::Only(true), Shape::Table(KEYS)]);

    fn read(reader: &mut Reader<'_>, item: &Item<'_>, _: Option<&PathTemplate>) -> Option<ToolsSpec> {
        let usual = ToolsSpec { name: "callgate".to_owned(), instructions: None, all: false, origins: None };
        let Some(table) = true_or_table(reader, item, EXPECTED)? else { return Some(usual) };
        let section = reader.section("`tools`", table, KEYS);
        let mut text = |key| section.get(key).map(|item| reader.text(&item, "a text", text_of(MAX_TEXT)));
        let (name, instructions) = (text("name"), text("instructions"));
        let all = section.get("routes").map(|item| reader.choice(&item, &ROUTES));
        let origins = section.get("origins").map(|item| read_origins(reader, &item));
        Some(ToolsSpec {
            name: name.unwrap_or(Some(usual.name))?,
            instructions: instructions.map_or(Some(None), |text| text.map(Some))?,
            all: all.unwrap_or(Some(false))?,
            origins: origins.map_or(Some(None), |origins| origins.map(Some))?,
        })
    }

    fn status(&self) -> u16 {
        200
    }

    fn shown(&self) -> Value {
        let routes = if self.all { "all" } else { "file" };
        json!({ "name": self.name, "routes": routes, "origins": self.origins.as_ref().map(Origins::texts) })
    }
}

/// Reports a route with `tools` for requests of another method than POST. The others it answers 405, as the protocol has it.
pub(in crate::config) fn check(reader: &mut Reader<'_>, section: &Section<'_>, matcher: Option<&Matcher>) {
    let Some(item) = section.get(ToolsSpec::KEY.name) else { return };
    if let Some(matcher) = matcher.filter(|matcher| matcher.method != Method::Post) {
        let label = format!("this is a route for {}", matcher.method);
        let complaint = Complaint::new("agents ask with POST", label);
        reader.complain::<()>(&item, complaint.help("write match = \"POST /mcp\""));
    }
}
