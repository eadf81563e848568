//! What a failed handshake means, in words for whoever reads the log of the side that it failed at.

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};
use std::io;

/// Why a handshake, or a connection inside TLS, has failed.
///
/// An alert is what the other end has said: it is about this side's certificate, or about what this side has sent.
pub fn explain(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(error) => words(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the peer closed the connection during the TLS handshake".to_owned()
        }
        None => error.to_string(),
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(why) => certificate(why),
        Error::NoCertificatesPresented => {
            "the peer has shown no certificate, which is required here".to_owned()
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => "the peer does not speak TLS".to_owned(),
        Error::NoApplicationProtocol => {
            "the peer speaks TLS, but not the protocol that is spoken here (ALPN)".to_owned()
        }
        Error::PeerIncompatible(PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon) => {
            "the peer takes no certificate with a key of this kind".to_owned()
        }
        Error::AlertReceived(alert) => said(*alert),
        other => other.to_string(),
    }
}

/// What is wrong with the peer's certificate.
fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the peer's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the peer's certificate is not valid yet; is the clock right?".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "the peer's certificate is from a CA that is not trusted here".to_owned()
        }
        CertificateError::Revoked => "the peer's certificate is revoked".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let presented = if presented.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it is for {}", names(presented))
            };
            format!("the peer's certificate is not for the name {}: {presented}", expected.to_str())
        }
        CertificateError::NotValidForName => "the peer's certificate is not for its name".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the peer's certificate is not for this use (extended key usage)".to_owned()
        }
        other => format!("the peer's certificate is not good: {other}"),
    }
}

/// Names as rustls shows them, `DnsName("a")`, as people write them.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let quoted = name.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
        quoted.map_or(name.clone(), |(name, _)| name.to_owned())
    };
    presented.iter().take(8).map(bare).collect::<Vec<_>>().join(", ")
}

/// What the other end has said.
fn said(alert: AlertDescription) -> String {
    let why = match alert {
        AlertDescription::CertificateRequired => "it wants a certificate of this side",
        AlertDescription::UnknownCA => "it does not trust the CA of this side's certificate",
        AlertDescription::CertificateExpired => "this side's certificate has expired",
        AlertDescription::CertificateRevoked => "this side's certificate is revoked",
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown => "it does not take this side's certificate",
        AlertDescription::NoApplicationProtocol => {
            "it does not speak the protocol that is wanted of it (ALPN)"
        }
        AlertDescription::ProtocolVersion => "it speaks no version of TLS that this side does",
        AlertDescription::UnrecognisedName => "it has no certificate for the name that it was asked for",
        AlertDescription::HandshakeFailure => {
            "it has nothing in common with this side (versions, suites), or wants a certificate"
        }
        other => return format!("the peer refused the TLS connection: {other:?}"),
    };
    format!("the peer refused the TLS connection: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::ServerName;

    #[test]
    fn what_has_failed_is_told_in_words() {
        let name = |presented: &[&str]| CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("orders.internal").expect("a name"),
            presented: presented.iter().map(|name| (*name).to_owned()).collect(),
        };
        let bad = |why| io::Error::new(io::ErrorKind::InvalidData, Error::InvalidCertificate(why));
        let tls = |error: Error| io::Error::new(io::ErrorKind::InvalidData, error);
        for (error, expected) in [
            (bad(CertificateError::Expired), "the peer's certificate has expired"),
            (
                bad(CertificateError::UnknownIssuer),
                "the peer's certificate is from a CA that is not trusted here",
            ),
            (
                bad(name(&["DnsName(\"shop.internal\")", "IpAddress(10.0.0.1)"])),
                "the peer's certificate is not for the name orders.internal: it is for shop.internal, IpAddress(10.0.0.1)",
            ),
            (bad(name(&[])), "the peer's certificate is not for the name orders.internal: it has none"),
            (
                tls(Error::NoCertificatesPresented),
                "the peer has shown no certificate, which is required here",
            ),
            (
                tls(Error::AlertReceived(AlertDescription::CertificateRequired)),
                "the peer refused the TLS connection: it wants a certificate of this side",
            ),
            (tls(Error::InvalidMessage(InvalidMessage::InvalidContentType)), "the peer does not speak TLS"),
            (io::Error::from(io::ErrorKind::ConnectionReset), "connection reset"),
            (
                io::Error::from(io::ErrorKind::UnexpectedEof),
                "the peer closed the connection during the TLS handshake",
            ),
        ] {
            assert_eq!(explain(&error), expected);
        }
    }
}
