//! `callgate diff`: what the version at one address breaks for whoever is used to the one at another.
//!
//! There are three kinds of those. Callers with compiled types write and read the wire; whether their messages can be converted is asked of
//! the very converter that they use. Clients of a gateway write JSON, which may be refused now. And they read answers, which may be others.

mod errors;
mod types;
mod values;

use super::instance::{Instance, Ways};
use super::listing::{self, count};
use super::{Failure, completions, json};
use crate::transport::callgate::{MethodEntry, Offer};
use callgate_protocol::schema::{MethodSchema, Type};
use callgate_transcode::Converter;
use clap::Args;
use clap_complete::ArgValueCompleter;
use serde_json::json;
use std::fmt::Write;
use types::{Direction, compare};

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate diff 127.0.0.1:7101 127.0.0.1:7102        old and new
  callgate diff shop-1.internal:7101 127.0.0.1:7101 --json | jq '.breaks | length'

Exit status: 0 nothing breaks, 1 something does, 2 one of them cannot be asked.";

/// What to compare.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// Where an instance of the version in use is: host:port, or unix:/path
    #[arg(add = ArgValueCompleter::new(completions::addresses))]
    pub old: String,
    /// Where one of the new version is
    #[arg(add = ArgValueCompleter::new(completions::addresses))]
    pub new: String,
    /// How it is said
    #[command(flatten)]
    pub output: json::Output,
    /// How it is connected to
    #[command(flatten)]
    pub ways: Ways,
}

/// Who is hit by a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// Callers with compiled types, and gateways as such.
    Wire,
    /// Clients that write JSON.
    Requests,
    /// Clients that read JSON.
    Answers,
}

impl Whom {
    fn name(self) -> &'static str {
        match self {
            Whom::Wire => "wire",
            Whom::Requests => "requests",
            Whom::Answers => "answers",
        }
    }
}

/// Something that worked and does not any more.
#[derive(Debug, PartialEq, Eq)]
struct Break {
    method: String,
    whom: Whom,
    /// Where in the message, like a JSON Pointer.
    pointer: String,
    detail: String,
}

pub(super) fn run(diff: &Diff) -> Result<String, Failure> {
    let (old, new) = (Instance::new(&diff.old, &diff.ways)?, Instance::new(&diff.new, &diff.ways)?);
    let (old, new) = (old.offer()?, new.offer()?);
    let breaks = breaks(&old, &new);
    let added: Vec<&str> = added(&old, &new).collect();
    let text = if diff.output.json { as_json(&breaks, &added) } else { text(&breaks, &added, &old) };
    if breaks.is_empty() { Ok(text) } else { Err(Failure::Found(text)) }
}

fn find<'o>(offer: &'o Offer, name: &str) -> Option<&'o MethodEntry> {
    offer.methods.iter().find(|method| method.name == name)
}

/// Methods that only the new version has.
fn added<'o>(old: &'o Offer, new: &'o Offer) -> impl Iterator<Item = &'o str> {
    let names = new.methods.iter().map(|method| method.name.as_str());
    names.filter(|name| find(old, name).is_none())
}

fn breaks(old: &Offer, new: &Offer) -> Vec<Break> {
    let mut all = Vec::new();
    for before in &old.methods {
        match find(new, &before.name) {
            Some(after) => of_method(before, after, &mut all),
            None => {
                let why = new.unusable().iter().find(|method| method.name == before.name);
                let detail = match why {
                    Some(method) => format!("its schema cannot be used: {}", method.why),
                    None => "the method is gone".to_owned(),
                };
                all.push(found(before, Whom::Wire, "", detail));
            }
        }
    }
    all
}

fn found(method: &MethodEntry, whom: Whom, pointer: &str, detail: String) -> Break {
    Break { method: method.name.clone(), whom, pointer: pointer.to_owned(), detail }
}

/// What has become of one method.
fn of_method(old: &MethodEntry, new: &MethodEntry, all: &mut Vec<Break>) {
    let mut tell = |whom, pointer: &str, detail: String| all.push(found(old, whom, pointer, detail));
    if old.call_id != new.call_id {
        let detail = format!("the Call ID was {} and is {}", old.call_id, new.call_id);
        tell(Whom::Wire, "", detail);
    }
    if old.idempotent && !new.idempotent {
        tell(
            Whom::Wire,
            "",
            "it may not run twice any more, so that it is not sent again after a failure".to_owned(),
        );
    }
    if old.streams != new.streams {
        let streams = |method: &MethodEntry| method.streams().unwrap_or("nothing");
        tell(Whom::Wire, "", format!("it streamed {} and streams {}", streams(old), streams(new)));
        return;
    }
    let (before, after) = (&old.schema.method, &new.schema.method);
    for (from, to) in [
        (Some((before, &before.request)), Some((after, &after.request))),
        (
            before.request_items.as_ref().map(|ty| (before, ty)),
            after.request_items.as_ref().map(|ty| (after, ty)),
        ),
        (Some((after, &after.response)), Some((before, &before.response))),
    ] {
        if let (Some(from), Some(to)) = (from, to)
            && let Err(misfit) = Converter::compile(from, to)
        {
            tell(Whom::Wire, &misfit.pointer, misfit.detail);
        }
    }
    let mut json = |whom, direction, one: Option<&Type>, other: Option<&Type>| {
        let (Some(one), Some(other)) = (one, other) else { return };
        for change in compare((before, one), (after, other), direction) {
            tell(whom, &change.pointer, change.detail);
        }
    };
    json(Whom::Requests, Direction::Written, Some(&before.request), Some(&after.request));
    json(Whom::Requests, Direction::Written, before.request_items.as_ref(), after.request_items.as_ref());
    json(Whom::Answers, Direction::Read, Some(&before.response), Some(&after.response));
    declared_errors(before, after, &mut tell);
}

/// Errors that clients know: their codes, which are statuses, and what they say.
fn declared_errors(old: &MethodSchema, new: &MethodSchema, tell: &mut impl FnMut(Whom, &str, String)) {
    for (name, code) in errors::codes(old) {
        match errors::codes(new).find(|(other, _)| *other == name) {
            Some((_, now)) if now != code => {
                let detail =
                    format!("the error `{name}` had the code {} and has {}", code.name(), now.name());
                tell(Whom::Answers, "", detail);
            }
            Some(_) => {}
            None => tell(Whom::Answers, "", format!("the error `{name}` is gone")),
        }
    }
    let details = |schema| errors::details(schema);
    for (name, before) in details(old) {
        if let Some((_, after)) = details(new).into_iter().find(|(other, _)| *other == name) {
            for change in compare((old, &before), (new, &after), Direction::Read) {
                let detail = format!("in the details of the error `{name}`: {}", change.detail);
                tell(Whom::Answers, &change.pointer, detail);
            }
        }
    }
}

fn text(breaks: &[Break], added: &[&str], old: &Offer) -> String {
    let mut text = String::new();
    let mut last = "";
    for one in breaks {
        if one.method != last {
            last = &one.method;
            // Writing to memory does not fail.
            let _ = writeln!(text, "{}", one.method);
        }
        let place = if one.pointer.is_empty() { String::new() } else { format!("{}: ", one.pointer) };
        let row = [one.whom.name().to_owned(), format!("{place}{}", one.detail)];
        let [whom, what] = row;
        let _ = writeln!(text, "  {whom:8}  {what}");
    }
    added.iter().for_each(|name| text += &format!("{name}\n  new\n"));
    let methods: std::collections::BTreeSet<&str> = breaks.iter().map(|one| one.method.as_str()).collect();
    text + &match methods.len() {
        0 => format!("nothing breaks for callers of {}", count(old.methods.len(), "method")),
        broken => format!(
            "{} of {} in {}",
            count(breaks.len(), "break"),
            listing::count(broken, "method"),
            old.methods.len()
        ),
    }
}

fn as_json(breaks: &[Break], added: &[&str]) -> String {
    let breaks: Vec<_> = breaks
        .iter()
        .map(|Break { method, whom, pointer, detail }| {
            json!({ "method": method, "for": whom.name(), "pointer": pointer, "detail": detail })
        })
        .collect();
    json::text(&json!({ "breaks": breaks, "added": added }))
}
