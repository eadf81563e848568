//! The documents that routes give to clients: made anew whenever the table or what its instances offer has changed, beside the workers, which
//! only hand out what is there.

use super::{About, document};
use crate::config::ErrorTypes;
use crate::routes::{Action, Document, Published, Route, Table};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use std::sync::Arc;

/// Makes all documents of a table; where `missing`, only those that have none yet. What has not changed stays as it is.
pub fn publish(table: &Table, error_types: &ErrorTypes, missing: bool) {
    for route in &table.routes {
        let Action::Document(own) = &route.action else { continue };
        if !(missing && own.published.load().is_some()) {
            publish_one(table, error_types, (route, own));
        }
    }
}

fn publish_one(table: &Table, error_types: &ErrorTypes, (route, own): (&Route, &Document)) {
    let about = About {
        title: &own.spec.title,
        description: own.spec.description.as_deref(),
        // Where the document is, the routes are.
        servers: Vec::new(),
        error_types,
    };
    let text = document(table, &about, |other| is_shown(route, own.spec.all, other));
    let tag = tag(text.as_bytes());
    if own.published.load().as_ref().is_none_or(|published| published.tag != tag) {
        own.published.store(Some(Arc::new(Published { body: Bytes::from(text), tag })));
    }
}

/// Whether the document of a route has another route: one of its file, or of all, that can be asked where it is. Documents and their pages are
/// not what the API is about.
fn is_shown(own: &Route, all: bool, other: &Route) -> bool {
    let is_of_api = !matches!(other.action, Action::Document(_)) && other.action.explores().is_none();
    let (hosts, others) = (own.matcher.hosts.listed(), other.matcher.hosts.listed());
    let meets = hosts.is_empty() || others.is_empty() || hosts.iter().any(|host| others.contains(host));
    is_of_api && meets && (all || own.place.file == other.place.file)
}

/// The entity tag of a document.
pub(crate) fn tag(text: &[u8]) -> String {
    let hash = digest(&SHA256, text);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default()))
}
