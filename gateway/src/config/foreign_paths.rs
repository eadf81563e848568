//! Paths as other gateways and frameworks write them: parameters of express, Flask, Spring, Go and others, wildcards, regular
//! expressions, whole URLs; and endpoints likewise. Some would pass for literals that no request ever has; all are told how it is written here.

use super::complaint::Complaint;
use super::field;
use crate::host::without_port;
use crate::method::Method;
use std::ops::Range;

const PARAMETERS: &str = "`{name}` takes one segment, and `{*name}` at the end all that is left";

/// What is wrong with a path as a whole, before its segments are looked at.
pub(super) fn whole(raw: &str) -> Result<(), Complaint> {
    if let Some(mark) = raw.find('?').filter(|at| !in_braces(raw, *at)) {
        let optional = raw[..mark].rsplit('/').next().is_some_and(|last| last.starts_with(':'));
        if !optional && !raw.starts_with(['~', '^']) {
            return Err(Complaint::new("a path has no query", "this is not part of the path")
                .within(mark..raw.len())
                .help("query parameters fill the fields of their names; nothing needs to be declared"));
        }
    }
    if let Some((_, version)) = raw.split_once(' ').filter(|(_, rest)| rest.starts_with("HTTP/")) {
        return Err(Complaint::new("nothing stands behind the path", "of all versions of HTTP")
            .within(raw.len() - version.len()..raw.len())
            .help("remove it"));
    }
    if raw.starts_with('/') {
        return Ok(());
    }
    let complaint = Complaint::new("a path begins with `/`", "this does not").within(0..raw.len());
    Err(match raw {
        _ if raw.starts_with(['~', '^', '(']) || raw.starts_with("= ") => {
            complaint.note("there are no regular expressions and no modifiers").help(PARAMETERS)
        }
        "*" | "**" => complaint.help("`/{*rest}` takes every path but `/`"),
        _ => match of_url(raw) {
            Some((host, path)) => complaint.note("a route matches a path, not a whole URL").help(format!(
                "write `{path}`; hosts = [\"{host}\"] beside `match` takes requests of that host only"
            )),
            None if raw.starts_with([':', '{', '<', '[', '*']) => complaint.help(PARAMETERS),
            None => complaint.help(format!("write `/{raw}`")),
        },
    })
}

/// The host and the path of a URL, if the text is one.
fn of_url(raw: &str) -> Option<(&str, &str)> {
    let rest = raw.split_once("://").map(|(_, rest)| rest);
    let host = |text: &str| {
        let host = text.split('/').next().unwrap_or_default();
        host.starts_with("localhost") || host.contains('.') || host.contains(':')
    };
    let rest = rest.or_else(|| Some(raw).filter(|raw| raw.contains('/') && host(raw)))?;
    let at = rest.find('/').unwrap_or(rest.len());
    let path = if at < rest.len() { &rest[at..] } else { "/" };
    Some((without_port(&rest[..at]), path))
}

/// Whether a place in a path is within braces.
fn in_braces(raw: &str, at: usize) -> bool {
    let open = raw[..at].rfind('{');
    open.is_some_and(|open| !raw[open..at].contains('}')) && raw[at..].contains('}')
}

/// What is wrong with a segment that is written as elsewhere; `None` where nothing is.
pub(super) fn segment(text: &str, at: Range<usize>, last: bool) -> Option<Complaint> {
    let parameter = |name: &str, tail: bool| {
        let plain = name.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let end = plain.find(|c: char| !c.is_alphanumeric() && !"_-.".contains(c)).unwrap_or(plain.len());
        let name = Some(&plain[..end]).filter(|name| field::error(name).is_none());
        let complaint =
            Complaint::new("a parameter is written in braces", "not a parameter here").within(at.clone());
        match (name, tail && last) {
            (Some(name), true) => complaint.help(format!("write `{{*{name}}}`: all that is left")),
            (Some(name), false) => complaint.help(format!("write `{{{name}}}`")),
            (None, true) => complaint.help("write `{*rest}`: all that is left, as the field `rest`"),
            (None, false) => complaint.help(PARAMETERS),
        }
    };
    if let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return braces(inner, at.clone(), last);
    }
    if let Some(name) = text.strip_prefix(':') {
        // `:path*` and `:path+` of path-to-regexp.
        return Some(parameter(name, name.ends_with(['*', '+'])));
    }
    if text.starts_with('<') && text.ends_with('>') {
        let inner = text.trim_matches(['<', '>']);
        let (kind, name) = inner.rsplit_once(':').unwrap_or(("", inner));
        return Some(parameter(name, kind == "path"));
    }
    if text.starts_with('[') && text.ends_with(']') {
        return Some(parameter(text, text.contains("...")));
    }
    if text.starts_with('*') || text.ends_with('*') {
        return Some(parameter(text.trim_start_matches('*'), true)).map(|complaint| {
            match text.starts_with('*') {
                true => complaint,
                false => Complaint::new("a path has no wildcards", "a `*` is no pattern here")
                    .within(at.clone())
                    .help(PARAMETERS),
            }
        });
    }
    let shaped =
        text.starts_with("(?") || text.contains("\\d") || text.contains("[0-9") || text.contains(".*");
    shaped.then(|| {
        Complaint::new("a path has no regular expressions", "not a pattern here")
            .within(at.clone())
            .help(PARAMETERS)
    })
}

/// What stands between braces elsewhere: patterns, types, defaults, marks of tails and of optional segments.
fn braces(inner: &str, at: Range<usize>, last: bool) -> Option<Complaint> {
    let complain = |title: &str, label: &str| Some(Complaint::new(title, label).within(at.clone()));
    let named = |name: &str| field::error(name).is_none();
    if inner == "$" {
        return complain("a path ends where it ends", "nothing needs to say so")
            .map(|complaint| complaint.help("remove it"));
    }
    let ends = [":.*", ":.+", "=**", "...", "+", "*"];
    let tails = ends.iter().map(|end| inner.strip_suffix(end));
    let tails = tails.chain(["...", "**"].iter().map(|start| inner.strip_prefix(start)));
    if let Some(name) = tails.flatten().find(|name| named(name)) {
        let complaint = complain("a tail is written `{*name}`", "all that is left?");
        return complaint.map(|complaint| match last {
            true => complaint.help(format!("write `{{*{name}}}`")),
            false => complaint.help("it stands at the end of a path"),
        });
    }
    if let Some(name) = inner.strip_suffix('?').filter(|name| named(name)) {
        let complaint = complain("no parameter is optional", "a path has it or has it not");
        return complaint
            .map(|complaint| complaint.help(format!("write `{{{name}}}`, and a second route without it")));
    }
    let (name, _) = inner.split_once([':', '=', '<', '('])?;
    let complaint =
        named(name).then(|| complain("a parameter has no pattern", "only a field's name stands here"));
    complaint.flatten().map(|complaint| {
        complaint
            .note("what a parameter may be follows from the type of the field that it fills; anything else is a 400")
            .help(format!("write `{{{name}}}`"))
    })
}

/// What is wrong with a segment of a redirect's target that names one of the match's parameters as elsewhere: `:id`, `$id`.
pub(super) fn target(text: &str, at: Range<usize>, params: &[String]) -> Option<Complaint> {
    let name = text.strip_prefix([':', '$'])?.trim_matches(['{', '}']);
    params.iter().any(|param| param == name).then(|| {
        Complaint::new("a parameter is written in braces", "not a parameter here")
            .within(at)
            .help(format!("write `{{{name}}}`"))
    })
}

/// How an endpoint is written that stands as elsewhere: a socket's path by itself, a port alone, a path behind the port.
pub(super) fn endpoint(text: &str) -> Option<String> {
    let write = |text: String| Some(format!("write \"{text}\""));
    if text.starts_with('/') {
        return write(format!("unix:{text}"));
    }
    if text.ends_with(".sock") || text.ends_with(".socket") || text.starts_with('.') {
        return Some("a Unix socket is written \"unix:/path\", with the whole path".to_owned());
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return write(format!("127.0.0.1:{text}"));
    }
    let (authority, _) = text.split_once('/').filter(|_| !text.contains("://"))?;
    write(if authority.contains(':') { authority.to_owned() } else { format!("{authority}:7101") })
}

/// What is meant by a `match` that does not begin with a method of HTTP.
pub(super) fn method(text: &str) -> Option<Complaint> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let at = 0..word.len();
    let any = ["ANY", "ALL", "*", "_"].contains(&word.to_ascii_uppercase().as_str());
    if any || word.contains([',', '|']) {
        let upper = word.to_ascii_uppercase();
        let said: Vec<&str> = upper.split([',', '|']).map(str::trim).filter(|one| !one.is_empty()).collect();
        let all: Vec<&str> = if any { Method::ALL.map(Method::as_str).to_vec() } else { said };
        let path = if rest.starts_with('/') { rest } else { "/v1/orders/{id}" };
        let all: Vec<String> = all.iter().map(|method| format!("\"{method} {path}\"")).collect();
        return Some(
            Complaint::new("a match has one method", "more than one?")
                .within(at)
                .help(format!("write match = [{}]", all.join(", "))),
        );
    }
    if ["CONNECT", "TRACE"].contains(&word) {
        let complaint = Complaint::new(format!("`{word}` has no routes"), "refused by the gateway itself");
        return Some(complaint.within(at).help("remove it"));
    }
    if text.contains('`') || word.contains('(') {
        return Some(
            Complaint::new("a route matches a method and a path", "this is another gateway's rule")
                .help("write \"GET /v1/orders/{id}\""),
        );
    }
    if let Some((method, path)) =
        word.split_once([':', '/']).filter(|(method, _)| method.parse::<Method>().is_ok())
    {
        let path = path.trim_start_matches('/');
        return Some(
            Complaint::new("a route matches a method and a path", "expected a space between")
                .help(format!("write \"{method} /{path}\"")),
        );
    }
    if word.starts_with('/') && rest.parse::<Method>().is_ok() {
        return Some(
            Complaint::new("the method stands before the path", "the other way round")
                .help(format!("write \"{rest} {word}\"")),
        );
    }
    if word.contains("://") {
        let (host, path) = of_url(text).unwrap_or(("api.example.com", "/"));
        return Some(Complaint::new("a route matches a method and a path", "this is a URL").help(format!(
            "write \"GET {path}\" or \"POST {path}\"; hosts = [\"{host}\"] beside `match` takes requests of that host only"
        )));
    }
    None
}
