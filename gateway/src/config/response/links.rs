//! Links to other pages of a result, which the header `Link` tells (RFC 8288).

use super::super::complaint::Complaint;
use super::super::diagnostics::Diagnostic;
use super::super::path::PathTemplate;
use super::super::reader::{Reader, Section};
use super::Fields;
use super::template::{Names, UriTemplate};

/// The most links.
const MAX_LINKS: usize = 8;
/// The longest relation, in bytes.
const MAX_RELATION: usize = 256;

/// A link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkSpec {
    /// Its relation: `next`, or the URI of one of somebody's own. No character of it needs to be quoted.
    pub relation: String,
    /// Where it leads.
    pub target: UriTemplate,
}

/// Reads `links` of `response`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    path: Option<&PathTemplate>,
    fields: &mut Fields,
) -> Vec<LinkSpec> {
    let Some(item) = section.get("links") else { return Vec::new() };
    let expected = "a table such as { next = \"/v1/books?after={next}\" }";
    let Some(table) = reader.table(&item, expected) else { return Vec::new() };
    let mut links = Vec::new();
    for (key, value) in table {
        let one = item.named(key, value);
        if let Some(reason) = relation_error(one.key) {
            let title = format!("`{}` is no relation of a link", one.key);
            let diagnostic = Diagnostic::new(title).at(reader.source, one.key_span.clone(), reason);
            reader.report(diagnostic.help("relations are words such as next, prev, first, last or self"));
            continue;
        }
        let mut names = Names { path, fields, place: one.span() };
        let target = reader.text(&one, "a string such as \"/v1/books?after={next}\"", |text| {
            UriTemplate::parse(text, &mut names)
        });
        links.extend(target.map(|target| LinkSpec { relation: one.key.to_owned(), target }));
    }
    if links.len() > MAX_LINKS {
        let label = format!("{} are too many", links.len());
        reader.complain::<()>(&item, Complaint::new(format!("more than {MAX_LINKS} links"), label));
    }
    links
}

/// Why a text is no relation: a registered one is in lower case, others are URIs (RFC 8288, 3.3).
fn relation_error(text: &str) -> Option<&'static str> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    let is_uri = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    if text.is_empty() || text.len() > MAX_RELATION {
        Some("expected 1 to 256 bytes")
    } else if text.contains(':') {
        (!text.bytes().all(is_uri)).then_some("a relation of your own is a URI")
    } else {
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        (!begins || !text.bytes().all(is_word)).then_some("expected lower case letters, digits, `.` and `-`")
    }
}
