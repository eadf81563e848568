//! What routes of a table in force do, with what that takes: a call its backend, a rewrite its counter.

use super::tools::Tools;
use super::traffic::{FallbackTo, Traffic};
use crate::backends::Backend;
use crate::config::{ActionSpec, CallSpec, ExploreSpec, LocalReply, OpenApiSpec, RespondSpec, RewriteTarget};
use crate::telemetry::{Counter, PerWorker};
use crate::transport::Binding;
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;

/// What is done with a request that has passed its route's steps.
pub enum Action {
    /// A method is called.
    Call(CallAction),
    /// The gateway replies by itself.
    Local(LocalReply),
    /// It gets the document of what can be asked.
    Document(Document),
    /// Agents find tools, and call them.
    Tools(Tools),
    /// It is looked up again, once, under another path.
    Rewrite(Rewrite),
}

/// A call, and where it goes.
pub struct CallAction {
    /// The route's id, by which connections keep what they know of it.
    pub route: u64,
    /// The route's place in tables that workers keep.
    pub slot: usize,
    /// What the files say.
    pub spec: Arc<CallSpec>,
    /// Where calls go, unless `traffic` says more.
    pub backend: Arc<Backend>,
    /// Where else they go; none as a rule.
    pub traffic: Option<Box<Traffic>>,
}

/// A document, and what it is now.
pub struct Document {
    /// Which one.
    pub spec: Arc<OpenApiSpec>,
    /// As it was made last; nothing before the first time.
    pub published: Arc<ArcSwapOption<Published>>,
}

/// A document as clients get it.
pub struct Published {
    /// JSON.
    pub body: Bytes,
    /// Its entity tag.
    pub tag: String,
}

/// A rewrite, and what it counts.
pub struct Rewrite {
    /// The path.
    pub target: Arc<RewriteTarget>,
    /// The requests that it has sent to another route, which counts their replies.
    pub rewritten: Arc<PerWorker<Counter>>,
}

impl Action {
    /// What a route's lines come to with those backends; `None` where its backend is none of them. Counters of what stays are
    /// taken over from `before`.
    pub(super) fn next(
        (route, slot): (u64, usize),
        spec: &ActionSpec,
        backends: &HashMap<&str, &Arc<Backend>>,
        before: Option<&Action>,
        workers: usize,
    ) -> Option<Action> {
        Some(match spec {
            ActionSpec::Call(spec) => {
                let backend = backends.get(spec.backend.as_str()).copied()?.clone();
                let old = before.and_then(Action::call).and_then(|call| call.traffic.as_deref());
                let traffic = Traffic::next(spec, backends, old, workers).map(Box::new);
                Action::Call(CallAction { route, slot, spec: spec.clone(), backend, traffic })
            }
            ActionSpec::Local(LocalReply::OpenApi(spec)) => {
                let published = match before {
                    Some(Action::Document(before)) => before.published.clone(),
                    _ => Arc::default(),
                };
                Action::Document(Document { spec: spec.clone(), published })
            }
            ActionSpec::Local(LocalReply::Tools(spec)) => {
                let published = match before {
                    Some(Action::Tools(before)) => before.published.clone(),
                    _ => Arc::default(),
                };
                Action::Tools(Tools { spec: spec.clone(), published })
            }
            ActionSpec::Local(reply) => Action::Local(reply.clone()),
            ActionSpec::Rewrite(target) => {
                let rewritten = match before {
                    Some(Action::Rewrite(before)) => before.rewritten.clone(),
                    _ => Arc::new(PerWorker::new(workers)),
                };
                Action::Rewrite(Rewrite { target: target.clone(), rewritten })
            }
        })
    }

    /// The call, if it is one.
    pub fn call(&self) -> Option<&CallAction> {
        match self {
            Action::Call(call) => Some(call),
            Action::Local(_) | Action::Document(_) | Action::Tools(_) | Action::Rewrite(_) => None,
        }
    }

    /// The page that shows a document, if it is one.
    pub fn explores(&self) -> Option<&ExploreSpec> {
        match self {
            Action::Local(LocalReply::Explore(spec)) => Some(spec),
            _ => None,
        }
    }

    /// The reply that the table itself has: the route's own, or that of its fallback.
    pub fn fixed_reply(&self) -> Option<&RespondSpec> {
        match self {
            Action::Local(LocalReply::Respond(spec)) => Some(spec),
            Action::Local(LocalReply::Explore(spec)) => Some(&spec.page),
            Action::Call(CallAction { traffic: Some(traffic), .. }) => match &traffic.fallback.as_ref()?.to {
                FallbackTo::Reply(spec) => Some(spec),
                FallbackTo::Call(_) => None,
            },
            Action::Call(_)
            | Action::Local(_)
            | Action::Document(_)
            | Action::Tools(_)
            | Action::Rewrite(_) => None,
        }
    }

    /// What the files say.
    pub fn spec(&self) -> ActionSpec {
        match self {
            Action::Call(call) => ActionSpec::Call(call.spec.clone()),
            Action::Local(reply) => ActionSpec::Local(reply.clone()),
            Action::Document(document) => ActionSpec::Local(LocalReply::OpenApi(document.spec.clone())),
            Action::Tools(tools) => ActionSpec::Local(LocalReply::Tools(tools.spec.clone())),
            Action::Rewrite(rewrite) => ActionSpec::Rewrite(rewrite.target.clone()),
        }
    }

    /// Whether its calls go to the very backends that those of another one go to.
    pub(super) fn calls_like(&self, other: &Action) -> bool {
        let ids = |action: &Action| action.call().map(CallAction::backend_ids);
        ids(self) == ids(other)
    }
}

impl CallAction {
    /// Whether its method replies in items, as the first instance says that is known.
    pub fn replies_in_items(&self) -> Option<bool> {
        let offered = |backend: &Arc<Backend>| {
            let members = backend.members();
            members.iter().find_map(|member| {
                Some(member.endpoint.offer.load().as_ref()?.find(&self.spec.call)?.streams.service)
            })
        };
        self.backends().find_map(offered)
    }

    /// What links know of it.
    #[inline]
    pub fn binding(&self) -> Binding<'_> {
        let CallSpec { call, request, response, reply, policy, .. } = &*self.spec;
        let (reply, rules) = (reply.as_ref(), &policy.rules);
        Binding { id: self.route, slot: self.slot, call, request, response, reply, rules }
    }

    /// What the route's own calls may go to: backends, of which perhaps only a version.
    pub fn places(&self) -> impl Iterator<Item = (&Backend, Option<&str>)> {
        let targets = self.traffic.iter().flat_map(|traffic| &traffic.targets);
        let targets = targets.map(|target| (target.to.backend.as_ref(), target.to.version.as_deref()));
        targets.chain(Some((self.backend.as_ref(), None)).filter(|_| self.traffic.is_none()))
    }

    /// All backends that its own calls may go to: copies and fallbacks not among them.
    pub fn backends(&self) -> impl Iterator<Item = &Arc<Backend>> {
        let targets =
            self.traffic.iter().flat_map(|traffic| &traffic.targets).map(|target| &target.to.backend);
        // Without traffic of its own there are no targets.
        targets.chain(Some(&self.backend).filter(|_| self.traffic.is_none()))
    }

    /// The ids of all backends that its calls, their copies and its fallback go to.
    fn backend_ids(&self) -> Vec<u64> {
        let traffic = self.traffic.iter().flat_map(|traffic| traffic.backend_ids());
        std::iter::once(self.backend.id).chain(traffic).collect()
    }
}
