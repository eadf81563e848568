//! What is known of an exchange when the head of its answer is: of that the access log and the spans tell.

use super::body::RequestBody;
use super::request_id::RequestId;
use super::tally::Tally;
use crate::auth::Identified;
use crate::call::Trail;
use crate::traces::Place;
use crate::worker::Worker;
use callgate_http1::Request;
use std::net::IpAddr;
use std::rc::Rc;
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
    pub(super) caller: Option<&'e Identified>,
    /// Its place in a trace, if it has spans.
    pub(super) trace: Option<&'e Place>,
    /// The version of TLS, if it came by that.
    pub(super) tls: Option<&'static str>,
}
