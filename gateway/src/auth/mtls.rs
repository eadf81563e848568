//! Who calls by the certificate that its connection has shown.

use super::{Answer, Peer};
use crate::config::{CertificateName, MtlsSpec};
use crate::failure::Flaw;
use callgate_auth::{Claims, Identity};
use callgate_tls::{Identity as Certified, UnixTime};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What the authenticator of that id says. A connection can outlive its certificate.
pub(super) fn ask(id: u64, spec: &MtlsSpec, peer: &Peer<'_>) -> Answer {
    let Some(certificate) = peer.certificate else { return Answer::Nothing };
    if certificate.expires() <= UnixTime::now() {
        return Answer::Bad(Flaw::Expired);
    }
    peer.known.or_ask(id, || identify(spec, certificate))
}

/// The first of its names that may call. What the certificate says beside is among the claims.
fn identify(spec: &MtlsSpec, certificate: &Certified) -> Answer {
    let names: Vec<&str> = match spec.name {
        CertificateName::Uri => certificate.uris().iter().map(String::as_str).collect(),
        CertificateName::Dns => certificate.dns_names().iter().map(String::as_str).collect(),
        CertificateName::CommonName => certificate.common_name().into_iter().collect(),
    };
    let mut named = names.into_iter().filter(|name| !name.is_empty()).peekable();
    if named.peek().is_none() {
        return Answer::Bad(Flaw::NoName);
    }
    let Some(name) = named.find(|name| spec.admits(name)) else { return Answer::Bad(Flaw::NotAllowed) };
    let claims = [
        ("subject", Value::from(certificate.subject())),
        ("sha256", Value::from(certificate.fingerprint().to_string())),
        ("dns_names", Value::from(certificate.dns_names())),
        ("uris", Value::from(certificate.uris())),
    ];
    let claims: Map<String, Value> =
        claims.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let identity = Identity::new(name).with_claims(Claims::from(claims));
    Answer::Known(Arc::new(identity.until(certificate.expires().as_secs())))
}
