//! Where a redirect or a rewrite leads: a path, or for a redirect a whole URI, with the match's parameters in it.
//!
//! What is wrong with a target whatever the parameters are is refused here. What a parameter may do to it (a `//` that
//! makes another host of a path, a `..`) is [`crate::routes`]'s to prevent, where the values are filled in.

use super::complaint::Complaint;
use super::foreign_paths;
use super::path::{PathTemplate, allowed, percent};
use super::suggest::names_help;
use crate::paths::is_dot_segment;
use std::ops::Range;

/// The longest target, in bytes.
const MAX_TARGET: usize = 2048;

/// A part of a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// This, as it stands.
    Text(String),
    /// The match's parameter of that number: one segment.
    Value(usize),
    /// The match's parameter of that number, which is its tail: one segment or more.
    Tail(usize),
}

/// Where a redirect leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedirectTarget {
    /// As it is written.
    pub text: String,
    /// Scheme and authority, `https://example.com`; empty for a path of the same origin.
    pub origin: String,
    /// The path: it begins with `/`, or is empty behind an origin.
    pub path: Vec<Piece>,
    /// The query behind the `?`, if the target has one; without, the request's is kept.
    pub query: Option<Vec<Piece>>,
    /// The fragment behind the `#`.
    pub fragment: Option<Vec<Piece>>,
}

/// Where a rewrite leads: a path as one that a client sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RewriteTarget {
    /// As it is written.
    pub path: PathTemplate,
    /// The same in parts.
    pub pieces: Vec<Piece>,
}

impl RedirectTarget {
    /// Reads a target with parameters of that match.
    pub(super) fn parse(text: &str, matched: &PathTemplate) -> Result<RedirectTarget, Complaint> {
        check_length(text)?;
        let hash = text.find('#').unwrap_or(text.len());
        let mark = text[..hash].find('?').unwrap_or(hash);
        let start = origin(&text[..mark])?;
        dot_segments(text, start..mark)?;
        foreign_segments(text, start..mark, matched)?;
        let parts = |at: Range<usize>, extra: &str| pieces(text, at, extra, matched);
        Ok(RedirectTarget {
            text: text.to_owned(),
            origin: text[..start].to_owned(),
            path: parts(start..mark, "/")?,
            query: (mark < hash).then(|| parts(mark + 1..hash, "/?")).transpose()?,
            fragment: (hash < text.len()).then(|| parts(hash + 1..text.len(), "/?")).transpose()?,
        })
    }
}

impl RewriteTarget {
    /// Reads a target with parameters of that match.
    pub(super) fn parse(text: &str, matched: &PathTemplate) -> Result<RewriteTarget, Complaint> {
        check_length(text)?;
        if let Some(mark) = text.find('?') {
            return Err(Complaint::new("a rewrite is a path", "the request's query is kept")
                .within(mark..text.len())
                .help("leave the query out"));
        }
        let path = PathTemplate::parse(text)?;
        let pieces = pieces(text, 0..text.len(), "/", matched)?;
        Ok(RewriteTarget { path, pieces })
    }
}

pub(super) fn check_length(text: &str) -> Result<(), Complaint> {
    match text.len() <= MAX_TARGET {
        true => Ok(()),
        false => Err(Complaint::new("a target this long", format!("at most {MAX_TARGET} bytes"))),
    }
}

/// Where scheme and authority end: 0 where there are none.
pub(super) fn origin(text: &str) -> Result<usize, Complaint> {
    let Some(scheme) = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme)) else {
        if text.starts_with("//") {
            return Err(Complaint::new("a host without its scheme", "`//` begins a host's name")
                .within(0..2)
                .help(format!("write `https:{text}`, or a path with one slash")));
        }
        if text.starts_with('/') {
            return Ok(0);
        }
        let complaint = Complaint::new(
            "a redirect leads to a path or a host",
            "expected `/…`, `https://…` or `http://…`",
        );
        return Err(match text.contains(':') {
            true => complaint,
            false => complaint.help(format!("write `/{text}`")),
        });
    };
    let end = text[scheme.len()..].find('/').map_or(text.len(), |at| scheme.len() + at);
    let authority = &text[scheme.len()..end];
    match authority_error(authority) {
        None => Ok(end),
        Some(reason) => {
            let complaint = Complaint::new(format!("`{authority}` is not a host"), reason);
            Err(complaint.within(scheme.len()..end.max(scheme.len() + 1).min(text.len())))
        }
    }
}

/// Why a text is not a host with or without a port (RFC 3986, 3.2). User names are left out: nobody means them.
fn authority_error(text: &str) -> Option<&'static str> {
    if text.contains(['{', '}']) {
        return Some("the client would choose the host: no parameter may stand here");
    }
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return Some("no IPv6 address stands in the brackets");
            }
            ("v6", port)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let good = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if host.is_empty() || !host.chars().all(good) {
        return Some("expected a name or an address, with or without a port");
    }
    let port_fits = port.strip_prefix(':').is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let fits = port.is_empty() || (port.starts_with(':') && port_fits);
    (!fits).then_some("the port is none")
}

/// Refuses `.` and `..` as segments of the path: clients resolve them, to something else.
pub(super) fn dot_segments(text: &str, at: Range<usize>) -> Result<(), Complaint> {
    let mut start = at.start;
    for segment in text[at].split('/') {
        if is_dot_segment(segment) {
            let complaint = Complaint::new("clients resolve dot segments", "leads elsewhere");
            return Err(complaint.within(start..start + segment.len()));
        }
        start += segment.len() + 1;
    }
    Ok(())
}

/// Refuses `:id` for a parameter `id`: it would be sent to the client as it stands.
fn foreign_segments(text: &str, at: Range<usize>, matched: &PathTemplate) -> Result<(), Complaint> {
    let mut start = at.start;
    for segment in text[at].split('/') {
        let end = start + segment.len();
        if let Some(complaint) = foreign_paths::target(segment, start..end, matched.params()) {
            return Err(complaint);
        }
        start = end + 1;
    }
    Ok(())
}

/// Splits a part of a target into its pieces. `extra` are the characters beside a segment's that may stand there.
fn pieces(
    text: &str,
    at: Range<usize>,
    extra: &str,
    matched: &PathTemplate,
) -> Result<Vec<Piece>, Complaint> {
    let mut pieces = Vec::new();
    let mut start = at.start;
    while start < at.end {
        let rest = &text[start..at.end];
        let next = rest.find(['{', '}']).map_or(at.end, |offset| start + offset);
        if next > start {
            literal(text, start..next, extra)?;
            pieces.push(Piece::Text(text[start..next].to_owned()));
            start = next;
            continue;
        }
        let end = rest.strip_prefix('{').and_then(|_| rest.find('}')).ok_or_else(|| {
            Complaint::new("a parameter is written `{name}`", "this brace has no other")
                .within(start..start + 1)
        })?;
        pieces.push(parameter(&rest[1..end], start..start + end + 1, matched)?);
        start += end + 1;
    }
    Ok(pieces)
}

pub(super) fn literal(text: &str, at: Range<usize>, extra: &str) -> Result<(), Complaint> {
    let part = &text[at.clone()];
    let bad = part.char_indices().find(|(_, c)| !allowed(*c) && !extra.contains(*c));
    if let Some((offset, bad)) = bad {
        let mut utf8 = [0; 4];
        let encoded: String = bad.encode_utf8(&mut utf8).bytes().map(|byte| format!("%{byte:02X}")).collect();
        let start = at.start + offset;
        return Err(Complaint::new("a URI has no such character here", "cannot stand as it is")
            .within(start..start + bad.len_utf8())
            .help(format!("write it percent-encoded: `{encoded}`")));
    }
    percent(part, at)
}

/// A parameter by what stands between its braces.
fn parameter(inner: &str, at: Range<usize>, matched: &PathTemplate) -> Result<Piece, Complaint> {
    let name = inner.strip_prefix('*').unwrap_or(inner);
    let Some(number) = matched.params().iter().position(|param| param == name) else {
        let complaint = Complaint::new(
            format!("`match` has no `{{{name}}}`"),
            format!("no such parameter in `{matched}`"),
        )
        .within(at);
        return Err(match names_help(name, matched.params().iter().map(String::as_str)) {
            Some(help) => complaint.help(help),
            None => complaint,
        });
    };
    let is_tail = matched.has_tail() && number + 1 == matched.params().len();
    match (is_tail, inner.len() > name.len()) {
        (true, true) => Ok(Piece::Tail(number)),
        (false, false) => Ok(Piece::Value(number)),
        (true, false) => {
            let complaint = Complaint::new(format!("`{name}` is a tail"), "may be several segments");
            Err(complaint.within(at).help(format!("write `{{*{name}}}`")))
        }
        (false, true) => {
            let complaint = Complaint::new(format!("`{name}` is no tail"), "one segment in `match`");
            Err(complaint.within(at).help(format!("write `{{{name}}}`")))
        }
    }
}
