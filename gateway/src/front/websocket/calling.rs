//! The call of a WebSocket. It goes on while its client's connection is served beside it, so it owns what it is made of.

use crate::call::{self, Body, BodyStream};
use crate::failure::Failure;
use crate::front::opened::Called;
use crate::routes::{Action, BoundTexts, PathParams, QueryPairs};
use crate::transport::Times;
use crate::worker::{RouteRef, Worker};
use callgate_auth::Identity;
use callgate_protocol::MetadataBuf;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// What a call is made of.
pub(super) struct OwnedRequest {
    pub(super) worker: Rc<Worker>,
    /// A route that calls.
    pub(super) route: RouteRef,
    pub(super) key: Option<u64>,
    pub(super) has_key: bool,
    pub(super) path: PathParams<'static>,
    pub(super) query: QueryPairs<'static>,
    pub(super) bound: BoundTexts<'static>,
    pub(super) metadata: MetadataBuf,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) times: Times,
    pub(super) items: BodyStream,
    pub(super) trail: Rc<call::Trail>,
}

/// Runs a call. Notes when it was first sent to an instance.
pub(super) async fn run(request: OwnedRequest, sent: Rc<Cell<bool>>) -> Called {
    let OwnedRequest {
        worker,
        route,
        key,
        has_key,
        path,
        query,
        bound,
        metadata,
        identity,
        times,
        items,
        trail,
    } = request;
    let Action::Call(action) = &route.action else {
        let failure = Failure::Internal("a WebSocket calls a method".to_owned());
        return Called { result: Err(failure), reads: false };
    };
    let on_sent = |_: &call::Request<'_>| sent.set(true);
    let request = call::Request {
        route: &route,
        call: action,
        backend: &action.backend,
        key,
        version: None,
        has_key,
        has_fallback: false,
        path,
        query,
        bound,
        body: Body::Stream(&items, &[]),
        metadata: metadata.as_metadata(),
        identity: identity.as_deref(),
        times,
        on_sent: Some(&on_sent),
        on_written: None,
        trail: Some(&trail),
    };
    let result = call::run(&worker, &request).await;
    Called { result, reads: request.body.is_spent() }
}
