//! Why a handshake has failed: a result out of a closed list for the metrics, and a sentence for the log.

use crate::front::connection::{Connection, Over};
use crate::telemetry::HandshakeResult;
use callgate_tls::rustls::{AlertDescription, CertificateError, Error};
use std::borrow::Cow;
use std::io;

/// A handshake that has not led to an encrypted stream.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) result: HandshakeResult,
    /// Why, for a person.
    why: Cow<'static, str>,
    /// What the library says, where that is more.
    error: Option<Box<str>>,
    /// The name that the client asks for.
    server_name: Option<Box<str>>,
    /// Nothing has come: as from whoever looks whether the port is open.
    silent: bool,
}

impl Failed {
    fn new(result: HandshakeResult, why: impl Into<Cow<'static, str>>) -> Failed {
        Failed { result, why: why.into(), error: None, server_name: None, silent: false }
    }

    /// The client has closed without a word.
    pub(super) fn silent() -> Failed {
        let failed = Failed::new(HandshakeResult::Gone, "the client has closed without a word");
        Failed { silent: true, ..failed }
    }

    /// It is not waited for any longer.
    pub(super) fn over(over: Over) -> Failed {
        let (result, why) = match over {
            Over::Crowded => (
                HandshakeResult::Crowded,
                "there are more handshakes than max_handshakes, and this one has waited longest",
            ),
            Over::Late => (HandshakeResult::Timeout, "the handshake has not ended within handshake_timeout"),
            Over::Stopping => (HandshakeResult::Stopping, "the gateway ends"),
        };
        Failed::new(result, why)
    }

    /// The client speaks HTTP.
    pub(super) fn plain_http() -> Failed {
        Failed::new(HandshakeResult::PlainHttp, "the client speaks HTTP without TLS, and is told so")
    }

    /// No certificate covers the name.
    pub(super) fn unknown_name(server_name: Option<String>) -> Failed {
        let why = match server_name {
            Some(_) => "no certificate covers the name that the client asks for",
            None => "the client asks for no name, and there is no certificate for such clients",
        };
        let server_name = server_name.map(String::into_boxed_str);
        Failed { server_name, ..Failed::new(HandshakeResult::UnknownName, why) }
    }

    /// The client has to show a certificate.
    pub(super) fn no_certificate() -> Failed {
        let why = "the client shows no certificate, and the listener requires one";
        Failed::new(HandshakeResult::ClientCertificateMissing, why)
    }

    /// The client's certificate has expired since its session began.
    pub(super) fn expired_since() -> Failed {
        let why = "the client's certificate has expired since the session that it resumes began";
        Failed::new(HandshakeResult::ClientCertificateExpired, why)
    }

    /// The client's certificate was verified, and cannot be read.
    pub(super) fn unreadable(error: impl ToString) -> Failed {
        let why = "the client's certificate cannot be read";
        let failed = Failed::new(HandshakeResult::ClientCertificateInvalid, why);
        Failed { error: Some(error.to_string().into()), ..failed }
    }

    /// By what the library says of it.
    pub(super) fn by(error: &io::Error, server_name: Option<&str>) -> Failed {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        let (result, why) = match inner {
            Some(error) => of_tls(error),
            None => (HandshakeResult::Gone, "the client has closed before the end of the handshake".into()),
        };
        let error = inner.map(|_| error.to_string().into());
        Failed { error, server_name: server_name.map(Into::into), ..Failed::new(result, why) }
    }

    /// Tells the log.
    pub(super) fn log(&self, connection: &Connection) {
        let (client, listener) = (connection.client.get(), &connection.listener.id);
        let Failed { result, why, error, server_name, silent } = self;
        let (result, why) = (result.name(), &**why);
        if *silent {
            tracing::debug!(?client, listener, result, why, "a TLS handshake has failed");
            return;
        }
        let (server_name, error) = (server_name.as_deref(), error.as_deref());
        tracing::info!(?client, listener, result, why, server_name, error, "a TLS handshake has failed");
    }
}

fn of_tls(error: &Error) -> (HandshakeResult, Cow<'static, str>) {
    use HandshakeResult::{ClientCertificateMissing, Incompatible, ProtocolError};
    match error {
        Error::NoCertificatesPresented => (
            ClientCertificateMissing,
            "the client shows no certificate, and the listener requires one".into(),
        ),
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::AlertReceived(alert) => (HandshakeResult::RefusedByClient, of_alert(*alert)),
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => (
            Incompatible,
            "the client and the listener have no version, suite, group or protocol in common".into(),
        ),
        _ => (ProtocolError, "what the client sends breaks the rules of TLS, or is something else".into()),
    }
}

fn of_certificate(error: &CertificateError) -> (HandshakeResult, Cow<'static, str>) {
    use CertificateError as Why;
    use HandshakeResult::{
        ClientCertificateExpired, ClientCertificateInvalid, ClientCertificateRevoked,
        ClientCertificateUnknown,
    };
    let (result, why) = match error {
        Why::Expired | Why::ExpiredContext { .. } => {
            (ClientCertificateExpired, "the client's certificate has expired")
        }
        Why::NotValidYet | Why::NotValidYetContext { .. } => {
            (ClientCertificateExpired, "the client's certificate is not valid yet")
        }
        Why::UnknownIssuer | Why::BadSignature => {
            (ClientCertificateUnknown, "no CA of `ca` has signed the client's certificate")
        }
        Why::Revoked => (ClientCertificateRevoked, "the client's certificate was revoked"),
        Why::UnknownRevocationStatus => {
            (ClientCertificateRevoked, "no file of `crl` says whether the client's certificate was revoked")
        }
        Why::ExpiredRevocationList | Why::ExpiredRevocationListContext { .. } => {
            (ClientCertificateRevoked, "the list in `crl` of what was revoked is out of date")
        }
        Why::InvalidPurpose | Why::InvalidPurposeContext { .. } => {
            (ClientCertificateInvalid, "the client's certificate is not for clients")
        }
        _ => (ClientCertificateInvalid, "the client's certificate is not valid"),
    };
    (result, why.into())
}

/// What a client means that breaks off.
fn of_alert(alert: AlertDescription) -> Cow<'static, str> {
    match alert {
        AlertDescription::UnknownCA => "the client does not trust the CA of the certificate".into(),
        AlertDescription::CertificateExpired => "the client says that the certificate has expired".into(),
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => "the client does not take the certificate".into(),
        other => format!("the client breaks the handshake off: {other:?}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_tls::rustls::PeerIncompatible;

    #[test]
    fn what_the_library_says_is_one_of_a_few_results() {
        use HandshakeResult as Is;
        let certificate = |why| Error::InvalidCertificate(why);
        for (error, result) in [
            (Error::NoCertificatesPresented, Is::ClientCertificateMissing),
            (certificate(CertificateError::Expired), Is::ClientCertificateExpired),
            (certificate(CertificateError::NotValidYet), Is::ClientCertificateExpired),
            (certificate(CertificateError::UnknownIssuer), Is::ClientCertificateUnknown),
            (certificate(CertificateError::Revoked), Is::ClientCertificateRevoked),
            (certificate(CertificateError::UnknownRevocationStatus), Is::ClientCertificateRevoked),
            (certificate(CertificateError::BadEncoding), Is::ClientCertificateInvalid),
            (Error::AlertReceived(AlertDescription::UnknownCA), Is::RefusedByClient),
            (Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon), Is::Incompatible),
            (Error::NoApplicationProtocol, Is::Incompatible),
            (Error::DecryptError, Is::ProtocolError),
        ] {
            let failed = Failed::by(&io::Error::new(io::ErrorKind::InvalidData, error.clone()), Some("a"));
            assert_eq!(failed.result, result, "{error}");
            assert_eq!(failed.error.as_deref(), Some(&*error.to_string()));
        }
        let gone = Failed::by(&io::ErrorKind::UnexpectedEof.into(), None);
        assert_eq!((gone.result, gone.error), (Is::Gone, None));
    }
}
