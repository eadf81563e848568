//! What a route takes: `match = "GET /v1/orders/{id}"`.

use super::complaint::Complaint;
use super::foreign_paths;
use super::hosts::Hosts;
use super::path::PathTemplate;
use super::shape::Shape;
use super::suggest::nearest;
use crate::method::{Method, UnknownMethod};
use std::fmt;

/// The most matches of a route.
pub(super) const MAX_MATCHES: usize = 16;
const ONE: Shape = Shape::Like("^(GET|POST|PUT|PATCH|DELETE) /");
/// What `match` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[ONE, Shape::List(&ONE, 1..=MAX_MATCHES)]);

/// The requests that a route takes.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Matcher {
    /// Their method. A `GET` route also answers `HEAD`.
    pub method: Method,
    /// Their path.
    pub path: PathTemplate,
    /// Their hosts; by default all.
    pub hosts: Hosts,
    /// Hosts and path together, if there are hosts.
    named: Option<Box<str>>,
}

impl fmt::Display for Matcher {
    /// As it is written, with the file's prefix and the hosts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.name())
    }
}

impl Matcher {
    /// What a route that takes these is called in metrics and in the log: its path, behind the hosts that it names.
    pub fn name(&self) -> &str {
        self.named.as_deref().unwrap_or(self.path.as_str())
    }

    /// The same, of those hosts alone.
    pub(super) fn of(self, hosts: Hosts) -> Matcher {
        let named = (!hosts.listed().is_empty()).then(|| format!("{hosts}{}", self.path).into());
        Matcher { hosts, named, ..self }
    }

    /// Reads `match` of a route whose path stands behind that prefix.
    pub(super) fn parse(text: &str, prefix: Option<&PathTemplate>) -> Result<Matcher, Complaint> {
        if let Some(complaint) = foreign_paths::method(text) {
            return Err(complaint);
        }
        let Some((method, path)) = text.split_once(' ') else {
            let complaint =
                Complaint::new("a route matches a method and a path", "expected both, with a space between");
            return Err(match text.starts_with('/') {
                true => complaint.help(format!("write \"GET {text}\" or \"POST {text}\"")),
                false => complaint.help("write \"GET /v1/orders/{id}\""),
            });
        };
        let method = parse_method(method)?;
        let path = path.trim_start();
        let start = text.len() - path.len();
        let path = match prefix {
            Some(prefix) => PathTemplate::below(prefix, path),
            None => PathTemplate::parse(path),
        };
        let path = path.map_err(|complaint| complaint.shifted(start))?;
        Ok(Matcher { method, path, hosts: Hosts::default(), named: None })
    }
}

fn parse_method(text: &str) -> Result<Method, Complaint> {
    let at = 0..text.len();
    text.parse().map_err(|UnknownMethod| match text {
        "HEAD" => Complaint::new("`HEAD` needs no route", "answered by the GET route of the path")
            .within(at)
            .help("remove it; write a GET route if there is none"),
        "OPTIONS" => Complaint::new("`OPTIONS` needs no route", "answered by the gateway itself")
            .within(at)
            .help("remove it"),
        _ => {
            let complaint = Complaint::new(
                format!("unknown method `{text}`"),
                "expected GET, POST, PUT, PATCH or DELETE",
            );
            match nearest(text, Method::ALL.map(Method::as_str)) {
                Some(name) => complaint.within(at).help(format!("did you mean `{name}`?")),
                None => complaint.within(at),
            }
        }
    })
}
