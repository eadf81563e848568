//! The documents and the lists of tools that routes give to clients: made anew whenever the table or what its instances offer has changed, beside the workers, which
//! only hand out what is there.

use super::{About, document, tools};
use crate::config::ErrorTypes;
use crate::routes::{Action, Document, Published, Route, Table};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use std::sync::Arc;

/// Makes all documents and lists of a table; where `missing`, only those that are not there yet. What has not changed stays as it is.
pub fn publish(table: &Table, error_types: &ErrorTypes, missing: bool) {
    for route in &table.routes {
        match &route.action {
            Action::Document(own) if !(missing && own.published.load().is_some()) => {
                publish_one(table, error_types, (route, own));
            }
            Action::Tools(own) if !(missing && own.published.load().is_some()) => {
                tools::publish(table, (route, own));
            }
            _ => {}
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
    let text = document(table, &about, |other| is_of_api(other) && route.shows(other, own.spec.all));
    let tag = tag(text.as_bytes());
    if own.published.load().as_ref().is_none_or(|published| published.tag != tag) {
        own.published.store(Some(Arc::new(Published { body: Bytes::from(text), tag })));
    }
}

/// Whether a route is of the API: documents, their pages and what agents ask are not what that is about.
fn is_of_api(route: &Route) -> bool {
    !matches!(route.action, Action::Document(_) | Action::Tools(_)) && route.action.explores().is_none()
}

/// The entity tag of a document.
pub(crate) fn tag(text: &[u8]) -> String {
    let hash = digest(&SHA256, text);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash.as_ref().get(..16).unwrap_or_default()))
}
