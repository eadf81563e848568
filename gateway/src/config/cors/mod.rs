//! `cors` of a file or a route: which pages of other origins may read its replies, and which requests browsers let them make.
//!
//! ```toml
//! cors = { origins = ["https://app.example.com", "https://*.example.com"], credentials = true, max_age = "10m" }
//! ```
//!
//! Which methods and headers there are the route table says; `methods` and `headers` say it otherwise.

mod origin;

pub use origin::{Origin, Origins};
pub(super) use origin::{SHAPE as ORIGINS, read as read_origins};

use super::complaint::Complaint;
use super::metadata::is_token;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use super::units::show_duration;
use crate::method::Method;
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use toml::de::DeValue;

const METHODS: Shape = Shape::List(&Shape::Words(&["GET", "POST", "PUT", "PATCH", "DELETE"]), 0..=usize::MAX);
const KEYS: &[Entry] = &[
    Entry::needed("origins", origin::SHAPE, "the origins of pages that may come"),
    Entry::new("methods", METHODS, "the only methods that browsers ask leave for"),
    Entry::new(
        "headers",
        Shape::texts(MAX_NAMES),
        "the headers that pages may send beside those that all may",
    ),
    Entry::new("credentials", Shape::Boolean, "whether browsers send cookies and other credentials along"),
    Entry::new("max_age", Shape::Duration(MAX_AGES), "how long a browser need not ask again"),
    Entry::new("expose", Shape::texts(MAX_NAMES), "the headers of replies that pages may read"),
];
/// What `cors` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Only(false), Shape::Table(KEYS)]);
const EXAMPLE: &str = "a table such as { origins = [\"https://app.example.com\"] }, or false";
const MAX_AGES: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(24 * 3600);
/// The most headers of a list.
const MAX_NAMES: usize = 64;

/// What a route says of pages of other origins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum RouteCors {
    /// Nothing: what its file says, if anything, holds.
    #[default]
    Unsaid,
    /// `false`: browsers keep its replies from them, whatever its file says.
    Off,
    /// They may come.
    On(Arc<CorsSpec>),
}

/// Which pages may come, and what they may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CorsSpec {
    /// Where they are from.
    pub origins: Origins,
    /// The only methods that they may use; by default all that their path has.
    pub methods: Option<Vec<Method>>,
    /// The headers that they may send, in lower case; by default those that their route reads.
    pub headers: Option<Vec<String>>,
    /// Browsers send cookies and credentials with their requests. Never where all origins may come.
    pub credentials: bool,
    /// How long browsers may keep what a preflight has said, up to 24 h; by default they decide.
    pub max_age: Option<Duration>,
    /// The headers of replies that they may read beside those that all may, in lower case.
    pub expose: Vec<String>,
}

impl RouteCors {
    /// What holds, if pages may come.
    pub fn spec(&self) -> Option<&Arc<CorsSpec>> {
        match self {
            RouteCors::On(spec) => Some(spec),
            RouteCors::Unsaid | RouteCors::Off => None,
        }
    }

    /// The same, or what the file says where this says nothing.
    pub(super) fn or(self, file: &RouteCors) -> RouteCors {
        match self {
            RouteCors::Unsaid => file.clone(),
            said => said,
        }
    }

    /// Reads `cors`.
    pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> RouteCors {
        if let DeValue::Boolean(false) = item.value.get_ref() {
            return RouteCors::Off;
        }
        if let DeValue::Boolean(true) = item.value.get_ref() {
            let complaint = Complaint::new("`cors` says which pages may come", "it says of none");
            let help = "write cors = { origins = [\"https://app.example.com\"] }, or [\"*\"] for all";
            reader.complain::<()>(item, complaint.help(help));
            return RouteCors::Unsaid;
        }
        let spec = reader.table(item, EXAMPLE).and_then(|table| {
            let section = reader.section("`cors`", table, KEYS);
            CorsSpec::read(reader, &section, item)
        });
        spec.map_or(RouteCors::Unsaid, |spec| RouteCors::On(Arc::new(spec)))
    }
}

impl CorsSpec {
    fn read(reader: &mut Reader<'_>, section: &Section<'_>, whole: &Item<'_>) -> Option<CorsSpec> {
        let origins = match section.get("origins") {
            Some(item) => origin::read(reader, &item),
            None => {
                let complaint = Complaint::new("`cors` needs `origins`", "which pages may come?");
                reader.complain(whole, complaint.help("write origins = [\"https://app.example.com\"]"))
            }
        };
        let spec = CorsSpec {
            methods: section.get("methods").and_then(|item| read_methods(reader, &item)),
            headers: section.get("headers").map(|item| read_names(reader, &item)),
            credentials: section
                .get("credentials")
                .and_then(|item| reader.boolean(&item))
                .unwrap_or_default(),
            max_age: section.get("max_age").and_then(|item| reader.duration(&item)),
            expose: section.get("expose").map(|item| read_names(reader, &item)).unwrap_or_default(),
            origins: origins?,
        };
        if let (Origins::Any, true, Some(item)) =
            (&spec.origins, spec.credentials, section.get("credentials"))
        {
            let complaint =
                Complaint::new("credentials go to pages that are listed, and not to all", "`origins` is `*`");
            let note = "any page could act for whoever is logged in; browsers refuse it, too";
            reader.complain::<()>(
                &item,
                complaint.note(note).help("list the origins, or leave `credentials` out"),
            );
        }
        Some(spec)
    }

    /// Whether the same is said to all pages.
    pub fn is_for_all(&self) -> bool {
        matches!(self.origins, Origins::Any)
    }

    /// What pages of the admin port show of it.
    pub fn page(&self) -> Value {
        json!({
            "origins": self.origins.texts(),
            "methods": self.methods.as_ref().map(|all| all.iter().map(|one| one.as_str()).collect::<Vec<_>>()),
            "headers": self.headers,
            "credentials": self.credentials,
            "max_age": self.max_age.map(show_duration),
            "expose": self.expose,
        })
    }
}

fn read_methods(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<Method>> {
    let all = reader.texts(item, "[\"GET\", \"POST\"]", |text| {
        text.parse().map_err(|_| {
            let complaint = Complaint::new(
                format!("`{text}` is no method of a route"),
                "expected GET, POST, PUT, PATCH or DELETE",
            );
            match text {
                "*" => complaint.help("leave `methods` out: then pages may use all that a path has"),
                "HEAD" => complaint.help("`GET` brings it"),
                "OPTIONS" => complaint.help("remove it: preflights are answered anyway"),
                _ => complaint,
            }
        })
    })?;
    reader.twice("the method", all.iter().map(|(method, span)| (method, span)));
    Some(all.into_iter().map(|(method, _)| method).collect())
}

fn read_names(reader: &mut Reader<'_>, item: &Item<'_>) -> Vec<String> {
    let key = item.key;
    let all = reader.texts(item, "[\"x-tenant\"]", |text| {
        if text == "*" {
            let complaint = Complaint::new(format!("`{key}` lists headers"), "`*` is none");
            return Err(match key {
                "headers" => {
                    complaint.help("leave `headers` out: then those may be sent that the route reads")
                }
                _ => complaint.help("name those that pages read"),
            });
        }
        if text.is_empty() || !text.bytes().all(is_token) {
            return Err(Complaint::new(format!("`{text}` is not a header's name"), "no header is called so"));
        }
        Ok(text.to_ascii_lowercase())
    });
    let all = all.unwrap_or_default();
    reader.twice("the header", all.iter().map(|(name, span)| (name, span)));
    if all.len() > MAX_NAMES {
        let label = format!("{} are too many", all.len());
        reader.complain::<()>(item, Complaint::new(format!("more than {MAX_NAMES} headers"), label));
    }
    all.into_iter().map(|(name, _)| name).collect()
}
