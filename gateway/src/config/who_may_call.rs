//! Whether it is said of each route who may call it, and whether that makes sense. A table that declares authenticators says it of all
//! routes: a door that nobody has thought of would stay open.

use super::action::ActionDraft;
use super::auth::{AuthKind, Authenticators};
use super::diagnostics::Diagnostic;
use super::hash_by::HashBy;
use super::rate_limit::LimitBy;
use super::route::Draft;
use callgate_transcode::FieldSource;
use std::collections::BTreeMap;

const NEEDS_CLAIMS: &str =
    "write auth = \"NAME\" with the name of an authenticator of type \"jwt\", which verifies claims";

/// Looks the authenticators of all routes up, and reports routes of which it is not said who may call.
pub(super) fn check(
    drafts: &[Draft],
    authenticators: &Authenticators,
    incomplete: bool,
    found: &mut Vec<Diagnostic>,
) {
    // By file, so that whoever declares the first one is told once for each.
    let mut unsaid: BTreeMap<usize, (&Draft, usize)> = BTreeMap::new();
    for draft in drafts {
        let policy = &draft.policy;
        policy.auth.resolve(authenticators, incomplete, found);
        if !policy.auth.is_said() && !authenticators.are_none() {
            unsaid.entry(draft.file).or_insert((draft, 0)).1 += 1;
        } else if !policy.require.lists().is_empty() && policy.auth.identifies_nobody() {
            found.push(asks_nobody(draft));
        }
    }
    found.extend(unsaid.into_values().map(|(draft, count)| says_nothing(draft, count)));
}

fn says_nothing(draft: &Draft, count: usize) -> Diagnostic {
    let nothing = Diagnostic::new("it is not said who may call this route");
    let nothing = nothing.at(&draft.source, draft.span.clone(), "neither the route nor its file has `auth`");
    let nothing = match count {
        1 => nothing,
        _ => nothing.note(format!("{} more routes of this file are like that", count - 1)),
    };
    let nothing = nothing.note("the tables declare authenticators, so each route says who may call it");
    nothing.help("write auth = \"NAME\" with the name of an authenticator, here or at the top of the file; or auth = \"anonymous\" to let everybody in")
}

fn asks_nobody(draft: &Draft) -> Diagnostic {
    let nobody = Diagnostic::new("nobody could fit `require`");
    let nobody = match draft.policy.auth.place() {
        Some((source, span)) => nobody.at(source, span.clone(), "callers have no identity"),
        None => nobody.at(&draft.source, draft.span.clone(), "the route has no `auth`"),
    };
    nobody.help("write auth = \"NAME\" with the name of an authenticator that tells who calls")
}

/// Fields that no caller's claim could ever fill.
pub(super) fn bound(draft: &Draft, found: &mut Vec<Diagnostic>) {
    let ActionDraft::Call(call) = &draft.action else { return };
    for (bound, span) in call.request.bound.iter().zip(&draft.written.bound) {
        let FieldSource::Claim(name) = &bound.source else { continue };
        if draft.policy.auth.may_claim(name) && !draft.policy.auth.admits_anonymous() {
            continue;
        }
        let (title, help) =
            match draft.policy.auth.admits_anonymous() && !draft.policy.auth.identifies_nobody() {
                true => (
                    format!("callers who show nothing have no claim `{name}`"),
                    "leave \"anonymous\" out of the route's `auth`",
                ),
                false => (format!("no caller of this route has a verified claim `{name}`"), NEEDS_CLAIMS),
            };
        let label = format!("`{}` would never be filled", bound.field);
        found.push(Diagnostic::new(title).at(&draft.source, span.clone(), label).help(help));
    }
}

/// Headers that say who calls where a service has answered with them, and that the method would have from the client instead.
pub(super) fn headers(draft: &Draft, found: &mut Vec<Diagnostic>) {
    let ActionDraft::Call(call) = &draft.action else { return };
    let says_who = |name: &str| {
        draft.policy.auth.specs().iter().find(
            |spec| matches!(&spec.kind, AuthKind::Http(http) if http.says_who_by(&name.to_ascii_lowercase())),
        )
    };
    let listed = call
        .policy
        .metadata
        .names()
        .iter()
        .map(|name| (name.as_str(), draft.span.clone(), "`metadata` lists it"));
    let bound =
        call.request.bound.iter().zip(&draft.written.bound).filter_map(|(bound, span)| match &bound.source {
            FieldSource::Header(name) => Some((name.as_str(), span.clone(), "it is bound here")),
            _ => None,
        });
    for (name, span, how) in listed.chain(bound) {
        let Some(authenticator) = says_who(name) else { continue };
        let title = format!("the method would take the client's own `{name}` for who it is");
        let theirs = Diagnostic::new(title).at(&draft.source, span, how);
        let note = format!(
            "authenticator `{}` reads the caller from a header of this name in its service's answer; what the client sends under it was verified by nobody",
            authenticator.name
        );
        found.push(theirs.note(note).help("the method sees who calls as metadata `identity`; a claim fills a field by bind = { FIELD = { claim = \"NAME\" } }"));
    }
}

/// Rules that deny everybody, because they read what no caller of the route has.
pub(super) fn rules(draft: &Draft, found: &mut Vec<Diagnostic>) {
    let ActionDraft::Call(call) = &draft.action else { return };
    let (auth, rules) = (&draft.policy.auth, &call.policy.rules);
    for (at, rule) in rules.all().enumerate() {
        let place = |part| rules.place(at, &part).unwrap_or_else(|| draft.span.clone());
        if rule.reads_identity() && auth.identifies_nobody() {
            let nobody = Diagnostic::new("the rule denies everybody: callers of this route have no identity");
            let nobody = nobody.at(&draft.source, place(0..rule.text().len()), "it reads who the caller is");
            let nobody = nobody.at(&draft.source, draft.span.clone(), "callers of this route show nothing");
            found.push(
                nobody.help("write auth = \"NAME\" with the name of an authenticator that tells who calls"),
            );
            continue;
        }
        for (name, part) in rule.claims().into_iter().filter(|(name, _)| !auth.may_claim(name)) {
            let unknown = Diagnostic::new(format!("no caller of this route has a verified claim `{name}`"));
            let unknown = unknown.at(&draft.source, place(part), "to read it denies everybody");
            let unknown = unknown.at(&draft.source, draft.span.clone(), "of this route");
            found.push(unknown.help(NEEDS_CLAIMS));
        }
    }
}

/// What is wrong with a split by what no request of the route has: all would be drawn.
pub(super) fn split(draft: &Draft) -> Option<Diagnostic> {
    let ActionDraft::Call(call) = &draft.action else { return None };
    let (auth, by) = (&draft.policy.auth, call.policy.split.by.as_ref()?);
    let (title, help) = match by {
        HashBy::Identity if auth.identifies_nobody() => (
            "no caller of this route has an identity".to_owned(),
            "write auth = \"NAME\" with the name of an authenticator that tells who calls",
        ),
        HashBy::Claim(name) if !auth.may_claim(name) => {
            (format!("no caller of this route has a verified claim `{name}`"), NEEDS_CLAIMS)
        }
        HashBy::Path(name) if draft.matcher.as_ref().is_some_and(|one| !one.path.params().contains(name)) => {
            (
                format!("the route's path has no parameter `{name}`"),
                "name one of the parameters of its `match`",
            )
        }
        _ => return None,
    };
    let label = format!("its calls are split by `{}`", by.text());
    Some(Diagnostic::new(title).at(&draft.source, draft.span.clone(), label).help(help))
}

/// What is wrong with limits by callers where there are none that are known, or none that claim such a thing: all would share one bucket.
pub(super) fn limits(draft: &Draft) -> Option<Diagnostic> {
    let auth = &draft.policy.auth;
    let limit = draft.policy.rate_limits.limits.iter().find(|limit| match &limit.spec.by {
        LimitBy::Identity => auth.identifies_nobody(),
        LimitBy::Claim(name) => !auth.may_claim(name),
        _ => false,
    })?;
    let by = &limit.spec.by;
    let unknown = Diagnostic::new(format!("no caller of this route has a verified `{by}`"));
    let unknown = unknown.at(&draft.source, draft.span.clone(), format!("it is limited by `{by}`"));
    Some(match by {
        LimitBy::Claim(_) => unknown.help(NEEDS_CLAIMS),
        _ => unknown.help("write auth = \"NAME\" with the name of an authenticator that tells who calls"),
    })
}
