//! `redirect` of a route: where a client is sent, and with which status.

use super::super::complaint::Complaint;
use super::super::target::RedirectTarget;
use super::{Item, Key, Kind, PathTemplate, Reader};
use crate::config::shape::{Entry, Shape};
use serde_json::{Value, json};
use std::fmt;

const KEYS: &[Entry] = &[
    Entry::needed("to", Shape::Text, "a path, or a URI with `http://` or `https://`"),
    Entry::new("status", Shape::Status(&STATUSES), "301, 302, 303, 307 or 308"),
];
/// Moved or found, and whether the method may change on the way (RFC 9110, 15.4).
const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

/// Where a client is sent, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedirectSpec {
    /// Where to.
    pub to: RedirectTarget,
    /// 301, 302, 303, 307 or 308, the default.
    pub status: u16,
}

impl fmt::Display for RedirectSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "redirect {} {}", self.status, self.to.text)
    }
}

impl Kind for RedirectSpec {
    const KEY: Key = Key::of_every_route("redirect", "the client is sent elsewhere");
    const SHAPE: Shape = Shape::Table(KEYS);

    fn read(
        reader: &mut Reader<'_>,
        item: &Item<'_>,
        matched: Option<&PathTemplate>,
    ) -> Option<RedirectSpec> {
        let table = reader.table(item, "a table such as { to = \"/v2/orders/{id}\" }")?;
        let section = reader.section("`redirect`", table, KEYS);
        let status = match section.get("status") {
            None => Some(308),
            Some(item) => read_status(reader, &item),
        };
        let Some(to) = section.get("to") else {
            let complaint = Complaint::new("`redirect` needs `to`", "leads nowhere");
            return reader.complain(item, complaint.help("write { to = \"/v2/orders/{id}\" }"));
        };
        let matched = matched?;
        let to = reader.text(&to, "a path or a URI such as \"https://example.com/{id}\"", |text| {
            let target = RedirectTarget::parse(text, matched)?;
            let path = &text[..text.find(['?', '#']).unwrap_or(text.len())];
            match path == matched.as_str() {
                true => Err(Complaint::new("a route redirects to itself", "the client would go in circles")),
                false => Ok(target),
            }
        })?;
        Some(RedirectSpec { to, status: status? })
    }

    fn status(&self) -> u16 {
        self.status
    }

    fn shown(&self) -> Value {
        json!({ "to": self.to.text, "status": self.status })
    }
}

fn read_status(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<u16> {
    let status = reader.integer(item).and_then(|status| u16::try_from(status).ok())?;
    if STATUSES.contains(&status) {
        return Some(status);
    }
    let complaint = Complaint::new(format!("{status} is no redirect"), "expected 301, 302, 303, 307 or 308");
    let help = "308 and 301 are for good, 307 and 302 for now; 303 is followed by a GET";
    reader.complain(item, complaint.help(help))
}
