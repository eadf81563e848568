//! `callgate plan`: asks a running gateway what these tables would change, before they go in.

use super::Config;
use super::admin::AdminPort;
use super::failure::Failure;
use super::json::{self, Output};
use crate::config::{Diagnostics, Tables};
use crate::control;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate plan && git push
  callgate plan --config /etc/callgate/config/gateway.toml --admin http://10.0.0.7:8081
  callgate plan --json";

/// What is planned.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where the gateway's file is
    #[command(flatten)]
    pub config: Config,
    /// Whom to ask
    #[command(flatten)]
    pub admin: AdminPort,
    /// How it is said: as JSON it is the gateway's answer
    #[command(flatten)]
    pub output: Output,
}

/// What is printed, and whether nothing breaks.
pub(super) fn run(plan: &Plan) -> Result<(String, bool), Failure> {
    let checked = checked(&plan.config).map_err(Failure::from);
    let tables = checked.map_err(|failure| if plan.output.json { failure.into_json() } else { failure })?;
    let files = tables.sources().map(|source| json!({ "path": source.path(), "text": source.text() }));
    let answer = plan.admin.ask("/-/plan", &json!({ "tables": files.collect::<Vec<_>>() }))?;
    let text = if plan.output.json { json::text(&answer) } else { shown(&answer) };
    Ok((text, answer["breaks"] == false))
}

/// The tables, as a start would take them.
fn checked(config: &Config) -> Result<Tables, Diagnostics> {
    control::check(super::load(&config.file)?)
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A plan, for people.
fn shown(plan: &Value) -> String {
    let mut out = String::new();
    // Writing to memory does not fail.
    for (kind, name) in [("routes", "match"), ("backends", "name")] {
        let one = kind.trim_end_matches('s');
        for added in texts(&plan[kind]["added"]) {
            let _ = writeln!(out, "+ {one} {added}");
        }
        for removed in texts(&plan[kind]["removed"]) {
            let _ = writeln!(out, "- {one} {removed}");
        }
        for changed in plan[kind]["changed"].as_array().into_iter().flatten() {
            let _ = writeln!(out, "~ {one} {}", changed[name].as_str().unwrap_or_default());
            for change in texts(&changed["changes"]) {
                let _ = writeln!(out, "    {change}");
            }
        }
    }
    for one in plan["leaves"].as_array().into_iter().flatten() {
        let (backend, endpoint) = (one["backend"].as_str(), one["endpoint"].as_str());
        let again = if one["comes_again"] == true { ", and is connected to anew" } else { "" };
        let _ = writeln!(
            out,
            "closes {} connections to {} of {}, with {} calls in flight{again}",
            one["connections"],
            endpoint.unwrap_or_default(),
            backend.unwrap_or_default(),
            one["calls_in_flight"]
        );
    }
    for opens in texts(&plan["opens"]) {
        let _ = writeln!(out, "opens {opens}");
    }
    if plan["accepted"] == false {
        let hash = plan["accept_exposure"].as_str().unwrap_or_default();
        let _ = writeln!(
            out,
            "BREAKS: the gateway refuses what opens, until a table says accept_exposure = \"{hash}\""
        );
    }
    for closes in texts(&plan["closes"]) {
        let _ = writeln!(out, "closes {closes}");
    }
    for one in plan["unfit"].as_array().into_iter().flatten() {
        let breaks = if one["known"] == true { "still does not fit" } else { "BREAKS: does not fit" };
        let text = |name: &str| one[name].as_str().unwrap_or_default();
        let at = texts(&one["instances"]).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "{breaks}: {} ({}) at {at}: {}", text("call"), text("defined"), text("why"));
    }
    let replay = &plan["replay"];
    for one in replay["changes"].as_array().into_iter().flatten() {
        let breaks = if one["breaks"] == true { "BREAKS: " } else { "" };
        let (what, example) = (one["what"].as_str(), one["example"].as_str());
        let _ = writeln!(
            out,
            "{breaks}{} of the last {} requests {} ({})",
            one["requests"],
            replay["requests"],
            what.unwrap_or_default(),
            example.unwrap_or_default()
        );
    }
    if replay["keep"] == 0 {
        let _ = writeln!(
            out,
            "(no requests are kept; with `[replay] keep = 10000` it is said what would become of the last ones)"
        );
    }
    if plan["hash"]["before"] == plan["hash"]["after"] {
        let _ = writeln!(out, "nothing changes");
    }
    out.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_lines_that_can_be_read() {
        let plan = json!({
            "breaks": true,
            "hash": { "before": "a", "after": "b" },
            "routes": { "added": ["GET /n (t.toml:1:1)"], "removed": ["GET /o (t.toml:9:1)"],
                        "changed": [{ "match": "GET /c", "changes": ["timeout_ms: 1 is now 2"] }] },
            "backends": { "added": [], "removed": [], "changed": [] },
            "leaves": [{ "backend": "b", "endpoint": "h:1", "connections": 2, "calls_in_flight": 0, "comes_again": false }],
            "opens": ["b s.m: a way asks nothing"], "accept_exposure": "0123", "accepted": false, "closes": [],
            "unfit": [{ "defined": "t.toml:1:1", "call": "s.m", "why": "no such field", "instances": ["h:1"], "known": false }],
            "replay": { "requests": 10000, "keep": 10000,
                        "changes": [{ "requests": 312, "what": "would now be 404 no_route", "example": "GET /o", "breaks": true }] },
        });
        let expected = "+ route GET /n (t.toml:1:1)\n- route GET /o (t.toml:9:1)\n~ route GET /c\n    timeout_ms: 1 is now 2\n\
            closes 2 connections to h:1 of b, with 0 calls in flight\nopens b s.m: a way asks nothing\n\
            BREAKS: the gateway refuses what opens, until a table says accept_exposure = \"0123\"\n\
            BREAKS: does not fit: s.m (t.toml:1:1) at h:1: no such field\n\
            BREAKS: 312 of the last 10000 requests would now be 404 no_route (GET /o)";
        assert_eq!(shown(&plan), expected);
    }
}
