//! `client_certificate`: a route for clients that have shown a certificate. Nobody is asked for one now: that was the handshake's.

use super::{Arrival, Making, Passed, Step};
use crate::config::RoutePolicy;
use crate::failure::Failure;

/// A route that clients without a certificate may not use.
pub(super) struct ClientCertificate;

impl Step for ClientCertificate {
    fn shown(policy: &RoutePolicy) -> Option<String> {
        policy.client_certificate.then(|| "client_certificate required".to_owned())
    }

    fn next(
        policy: &RoutePolicy,
        _: Option<&ClientCertificate>,
        _: &mut Making<'_>,
    ) -> Option<ClientCertificate> {
        policy.client_certificate.then_some(ClientCertificate)
    }

    #[inline]
    fn check(&self, arrival: &Arrival<'_>, _: &mut Passed) -> Result<(), Failure> {
        if arrival.peer.certificate.is_some() { Ok(()) } else { Err(Failure::NoClientCertificate) }
    }
}
