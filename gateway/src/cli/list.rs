//! `callgate list`: what an instance offers, a line a method.

use super::instance::{Instance, Ways};
use super::{Failure, completions, json, listing, signature};
use crate::transport::callgate::{MethodEntry, Offer};
use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate list 127.0.0.1:7101                 services and methods, with what they take and give
  callgate list unix:/run/shop.sock --json | jq -r '.services[].methods[].name'";

/// Whom to ask.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Where the instance is: host:port, or unix:/path
    #[arg(add = ArgValueCompleter::new(completions::addresses))]
    pub addr: String,
    /// How it is said
    #[command(flatten)]
    pub output: json::Output,
    /// How it is connected to
    #[command(flatten)]
    pub ways: Ways,
}

pub(super) fn run(list: &List) -> Result<String, Failure> {
    let offer = Instance::new(&list.addr, &list.ways)?.offer()?;
    Ok(if list.output.json { json::text(&as_json(&offer)) } else { text(&offer) })
}

/// The methods of that service.
pub(super) fn methods<'o>(offer: &'o Offer, service: &str) -> impl Iterator<Item = &'o MethodEntry> {
    offer.methods.iter().filter(move |method| service_of(method) == service)
}

/// The service of a method.
pub(super) fn service_of(method: &MethodEntry) -> &str {
    method.name.rsplit_once('.').map_or("", |(service, _)| service)
}

/// The first line of a documentation.
pub(super) fn first_line(doc: &str) -> &str {
    doc.trim().lines().next().unwrap_or_default()
}

fn text(offer: &Offer) -> String {
    let counts = (offer.services.len(), offer.methods.len());
    let mut text = format!(
        "{}: {}, {}",
        offer.identity,
        listing::count(counts.0, "service"),
        listing::count(counts.1, "method")
    );
    // Writing to memory does not fail.
    for (service, version) in &offer.services {
        let _ = write!(text, "\n\n{}", format!("{service} {version}").trim_end());
        for method in methods(offer, service) {
            let _ = write!(text, "\n  {}", signature::of(method));
            let doc = first_line(&method.schema.method.doc);
            let marks = [deprecated(method).map(|_| "Deprecated."), Some(doc).filter(|doc| !doc.is_empty())];
            let marks: Vec<&str> = marks.into_iter().flatten().collect();
            if !marks.is_empty() {
                let _ = write!(text, "\n      {}", marks.join(" "));
            }
        }
    }
    for method in offer.unusable() {
        let _ = write!(text, "\n\n{} cannot be called: {}", method.name, method.why);
    }
    text
}

/// Why a method is not to be used any more.
pub(super) fn deprecated(method: &MethodEntry) -> Option<&str> {
    method.schema.method.attributes.deprecated()
}

fn as_json(offer: &Offer) -> Value {
    let services = offer.services.iter().map(|(service, version)| {
        let methods: Vec<Value> = methods(offer, service).map(method_json).collect();
        json!({ "name": service, "version": version, "methods": methods })
    });
    let services: Vec<Value> = services.collect();
    let unusable: Vec<Value> =
        offer.unusable().iter().map(|method| json!({ "name": method.name, "why": &*method.why })).collect();
    json!({ "identity": offer.identity, "services": services, "unusable": unusable })
}

/// What is said of a method wherever one is listed.
pub(super) fn method_json(method: &MethodEntry) -> Value {
    json!({
        "name": method.name,
        "signature": signature::of(method),
        "doc": method.schema.method.doc,
        "call_id": method.call_id.to_string(),
        "schema": method.fingerprint.to_string(),
        "idempotent": method.idempotent,
        "streams": method.streams(),
        "deprecated": deprecated(method),
    })
}
