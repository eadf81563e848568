//! Templates of headers and links: text with names in braces, each of which stands for a value. `{id}` is a field of the result,
//! nested with dots; `{path.id}` a parameter of the route's path, `{query.limit}` one of the request's query.
//!
//! What is wrong with a template whatever the values are is refused here. What a value may do to it (break a line, a `..`, another host)
//! is the front's to prevent, where values are filled in.

use super::super::complaint::Complaint;
use super::super::field;
use super::super::path::PathTemplate;
use super::super::suggest::names_help;
use super::super::target::{check_length, dot_segments, literal, origin};
use super::Fields;
use std::ops::Range;

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ValueSource {
    /// The field of the result with this number among those that the route picks.
    Field(usize),
    /// The parameter of the path with this number.
    Path(usize),
    /// The first parameter of the query with this name.
    Query(String),
}

/// A part of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// This, as it stands.
    Text(String),
    /// A value. In a path it is one segment.
    Value(ValueSource),
    /// A value that keeps its slashes: `{*file}`, in a path.
    Tail(ValueSource),
}

/// The template of a text in visible ASCII.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextTemplate(pub Vec<Part>);

/// The template of a URI.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UriTemplate {
    /// One value is all of it.
    pub whole: Option<ValueSource>,
    /// Scheme and authority, `https://example.com`; empty for a path of the same origin.
    pub origin: String,
    /// The path: it begins with `/`, or is empty behind an origin.
    pub path: Vec<Part>,
    /// The parts of the query between its `&`.
    pub query: Vec<Pair>,
    /// What stands behind the `#`.
    pub fragment: Vec<Part>,
}

/// A part of a query: `limit={query.limit}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// What it is made of.
    pub parts: Vec<Part>,
    /// It is left out where one of its values is missing: it has one of the request's query.
    pub optional: bool,
}

/// What names in templates may stand for.
pub(super) struct Names<'a> {
    /// The route's path, if that could be read.
    pub(super) path: Option<&'a PathTemplate>,
    pub(super) fields: &'a mut Fields,
    /// Where the template is written.
    pub(super) place: Range<usize>,
}

impl TextTemplate {
    pub(super) fn parse(text: &str, names: &mut Names<'_>) -> Result<TextTemplate, Complaint> {
        check_length(text)?;
        let visible = |c: char| c.is_ascii_graphic() || c == ' ' || c == '\t';
        if let Some((at, bad)) = text.char_indices().find(|(_, c)| !visible(*c)) {
            return Err(Complaint::new("a header's value is visible ASCII", "this character is not")
                .within(at..at + bad.len_utf8()));
        }
        if text.trim() != text || text.is_empty() {
            let label = "expected a text without spaces at either end";
            return Err(Complaint::new("a header cannot say this", label));
        }
        parts(text, 0..text.len(), true, &|_| Ok(()), names).map(TextTemplate)
    }
}

impl UriTemplate {
    pub(super) fn parse(text: &str, names: &mut Names<'_>) -> Result<UriTemplate, Complaint> {
        check_length(text)?;
        if text.starts_with('{') {
            return whole(text, names);
        }
        if !["/", "https://", "http://"].iter().any(|begin| text.starts_with(begin)) {
            let label = "expected `/…`, `https://…` or one field alone, such as `{url}`";
            return Err(Complaint::new("a path or a host begins where something is", label));
        }
        let hash = text.find('#').unwrap_or(text.len());
        let mark = text[..hash].find('?').unwrap_or(hash);
        let start = origin(&text[..mark])?;
        dot_segments(text, start..mark)?;
        let path = parts(text, start..mark, false, &|at| literal(text, at, "/"), names)?;
        let mut query = Vec::new();
        let mut at = mark + 1;
        while mark < hash && at <= hash {
            let end = text[at..hash].find('&').map_or(hash, |offset| at + offset);
            let parts = parts(text, at..end, false, &|at| literal(text, at, "/?"), names)?;
            let of_query = |part: &Part| matches!(part, Part::Value(ValueSource::Query(_)));
            query.push(Pair { optional: parts.iter().any(of_query), parts });
            at = end + 1;
        }
        let fragment = if hash < text.len() {
            parts(text, hash + 1..text.len(), false, &|at| literal(text, at, "/?"), names)?
        } else {
            Vec::new()
        };
        let tail = |part: &Part| matches!(part, Part::Tail(_));
        if query.iter().flat_map(|pair| &pair.parts).chain(&fragment).any(tail) {
            let label = "only a path has slashes to keep";
            return Err(Complaint::new("`{*…}` stands in a path", label).within(mark..text.len()));
        }
        Ok(UriTemplate { whole: None, origin: text[..start].to_owned(), path, query, fragment })
    }
}

/// A template that is one value: a URI that the method gives.
fn whole(text: &str, names: &mut Names<'_>) -> Result<UriTemplate, Complaint> {
    match parts(text, 0..text.len(), false, &|_| Ok(()), names)?.as_slice() {
        [Part::Value(source @ ValueSource::Field(_))] => {
            Ok(UriTemplate { whole: Some(source.clone()), ..UriTemplate::default() })
        }
        [Part::Value(_)] => {
            let label = "the client would choose where it is led";
            Err(Complaint::new("a parameter cannot be a whole URI", label).help(format!("write `/{text}`")))
        }
        _ => {
            let complaint = Complaint::new(
                "a value alone is a whole URI",
                "something follows it, and nobody knows where it leads",
            );
            Err(complaint.help(format!("write `/{text}` for a path")))
        }
    }
}

/// Takes a part of a template apart. `literal` says what is wrong with text of it. `doubled`: two braces are one that means nothing.
fn parts(
    text: &str,
    at: Range<usize>,
    doubled: bool,
    literal: &dyn Fn(Range<usize>) -> Result<(), Complaint>,
    names: &mut Names<'_>,
) -> Result<Vec<Part>, Complaint> {
    let mut parts = Vec::new();
    let mut start = at.start;
    while start < at.end {
        let rest = &text[start..at.end];
        let next = rest.find(['{', '}']).unwrap_or(rest.len());
        if next > 0 {
            literal(start..start + next)?;
            push_text(&mut parts, &rest[..next]);
            start += next;
            continue;
        }
        if doubled && (rest.starts_with("{{") || rest.starts_with("}}")) {
            push_text(&mut parts, &rest[..1]);
            start += 2;
            continue;
        }
        let end = rest.strip_prefix('{').and_then(|_| rest.find('}')).ok_or_else(|| {
            let complaint = Complaint::new("a value is written `{name}`", "this brace has no other");
            let complaint = complaint.within(start..start + 1);
            if doubled { complaint.help("a brace that is text is written twice") } else { complaint }
        })?;
        let inner = &rest[1..end];
        let place = start..start + end + 1;
        parts.push(match inner.strip_prefix('*') {
            None => Part::Value(source(inner, place, names)?),
            Some(_) if doubled => {
                let label = "text keeps its slashes anyway";
                return Err(Complaint::new("`{*…}` stands in a path", label).within(place));
            }
            Some(name) => Part::Tail(source(name, place, names)?),
        });
        start += end + 1;
    }
    Ok(parts)
}

fn push_text(parts: &mut Vec<Part>, more: &str) {
    match parts.last_mut() {
        Some(Part::Text(text)) => text.push_str(more),
        _ => parts.push(Part::Text(more.to_owned())),
    }
}

/// What a name in braces stands for.
fn source(name: &str, at: Range<usize>, names: &mut Names<'_>) -> Result<ValueSource, Complaint> {
    if let Some(name) = name.strip_prefix("query.") {
        let good = |c: char| c.is_alphanumeric() || "_-.[]".contains(c);
        return match !name.is_empty() && name.chars().all(good) {
            true => Ok(ValueSource::Query(name.to_owned())),
            false => Err(Complaint::new("a query's parameter needs a name", "this is none").within(at)),
        };
    }
    let params = names.path.map(PathTemplate::params).unwrap_or_default();
    if let Some(name) = name.strip_prefix("path.") {
        if names.path.is_none() {
            // Which parameters there are nobody knows where the match could not be read.
            return Ok(ValueSource::Path(0));
        }
        return params.iter().position(|param| param == name).map(ValueSource::Path).ok_or_else(|| {
            let title = format!("`match` has no `{{{name}}}`");
            let path = names.path.map(PathTemplate::as_str).unwrap_or_default();
            let complaint = Complaint::new(title, format!("no such parameter in `{path}`")).within(at);
            match names_help(name, params.iter().map(String::as_str)) {
                Some(help) => complaint.help(help),
                None => complaint,
            }
        });
    }
    if let Some(reason) = field::error(name) {
        let complaint = Complaint::new("a name in braces is a field of the result", reason).within(at);
        return Err(complaint.help("`{path.name}` and `{query.name}` are parameters of the request"));
    }
    let place = names.place.clone();
    names.fields.number(name, &[], place).map(ValueSource::Field).map_err(|complaint| complaint.within(at))
}
