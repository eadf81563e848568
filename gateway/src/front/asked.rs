//! What is known of an exchange when the head of its answer is: of that the access log and the spans tell.

use super::body::RequestBody;
use super::request_id::RequestId;
use super::tally::Tally;
use crate::call::Trail;
use crate::failure::{Failure, Reason};
use crate::steps::Passed;
use crate::traces::Place;
use crate::worker::Worker;
use callgate_http1::Request;
use std::borrow::Cow;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::time::Instant;

/// What is known of an exchange.
pub(super) struct Asked<'e> {
    pub(super) worker: &'e Rc<Worker>,
    pub(super) id: &'e RequestId,
    pub(super) client: Option<IpAddr>,
    pub(super) began: Instant,
    pub(super) head: &'e Request,
    pub(super) body: &'e RequestBody,
    pub(super) tally: &'e Tally,
    pub(super) trail: &'e Trail,
    pub(super) passed: &'e Passed,
    /// Its place in a trace, if it has spans.
    pub(super) trace: Option<&'e Place>,
    /// The version of TLS, if it came by that.
    pub(super) tls: Option<&'static str>,
}

impl Asked<'_> {
    /// What more is known of a failure than its reason: what it says itself, or else what has led to it.
    pub(super) fn why<'f>(&self, failure: &'f Failure) -> Option<Cow<'f, str>> {
        failure.why().or_else(|| match failure.reason() {
            Reason::NoRoute | Reason::WrongMethod => self.why_no_route().map(Cow::Borrowed),
            Reason::NoInstance => self.why_no_instance().map(Cow::Owned),
            _ => None,
        })
    }

    /// The route may stand in a table with a mistake.
    fn why_no_route(&self) -> Option<&'static str> {
        let are_refused = self.worker.shared.tables_are_refused.load(Relaxed);
        are_refused.then_some("the newest tables are refused")
    }

    fn why_no_instance(&self) -> Option<String> {
        self.worker.pool.backend(self.tally.backend()?)?.absence()
    }
}
