//! What a call is made of, without its exchange: for calls that go on when that has ended.

use super::exchange::Exchange;
use super::forms::{self, Form};
use super::media_type::Media;
use crate::backends::Backend;
use crate::call;
use crate::failure::Failure;
use crate::routes::{BoundTexts, CallAction, PathParams, QueryPairs};
use crate::transport::Times;
use crate::worker::RouteRef;
use callgate_auth::Identity;
use callgate_protocol::MetadataBuf;
use std::borrow::Cow;
use std::sync::Arc;

/// What a call is made of.
pub(super) struct OwnedCall {
    pub(super) route: RouteRef,
    path: PathParams<'static>,
    query: QueryPairs<'static>,
    bound: BoundTexts<'static>,
    pub(super) body: call::SharedBody,
    media: Media,
    pub(super) metadata: MetadataBuf,
    identity: Option<Arc<Identity>>,
}

/// Where it goes, and when.
pub(super) struct Course<'a> {
    pub(super) backend: &'a Arc<Backend>,
    pub(super) version: Option<&'a str>,
    /// The hash of its key, where the backend spreads calls by that.
    pub(super) key: Option<u64>,
    pub(super) times: Times,
    /// Where it is noted where it goes.
    pub(super) trail: Option<&'a call::Trail>,
}

impl OwnedCall {
    /// That of an exchange whose body is there.
    pub(super) fn of(exchange: &Exchange, request: &call::Request<'_>) -> OwnedCall {
        let Exchange { head, body, .. } = exchange;
        let query = request.query.iter().map(|(name, value)| (owned(name), owned(value)));
        OwnedCall {
            route: request.route.clone(),
            path: request.path.iter().map(|text| owned(text)).collect(),
            query: query.collect(),
            bound: request.bound.iter().map(|text| text.as_ref().map(|text| owned(text))).collect(),
            body: body.shared(head),
            media: body.media().clone(),
            metadata: MetadataBuf::from(request.metadata),
            identity: exchange.guards.passed.identified().map(|caller| caller.identity.clone()),
        }
    }

    /// The form that its body is, if it is one.
    pub(super) fn form(&self) -> Result<Option<Form<'_>>, Failure> {
        forms::read(&self.media, &self.body)
    }

    /// The call that goes there, with the form that its body is.
    pub(super) fn request<'a>(
        &'a self,
        form: Option<&'a Form<'a>>,
        action: &'a CallAction,
        course: Course<'a>,
    ) -> call::Request<'a> {
        let Course { backend, version, key, times, trail } = course;
        call::Request {
            route: &self.route,
            call: action,
            backend,
            key,
            version,
            has_key: false,
            has_fallback: false,
            path: self.path.iter().map(|text| borrowed(text)).collect(),
            query: self.query.iter().map(|(name, value)| (borrowed(name), borrowed(value))).collect(),
            bound: self.bound.iter().map(|text| text.as_ref().map(|text| borrowed(text))).collect(),
            body: form.map_or(call::Body::Shared(&self.body), |form| call::Body::Form(&form.fields)),
            metadata: self.metadata.as_metadata(),
            identity: self.identity.as_deref(),
            times,
            on_sent: None,
            on_written: None,
            trail,
        }
    }
}

fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

fn borrowed(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}
