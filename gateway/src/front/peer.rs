//! What is known of the other end of an encrypted connection: which name it has asked for, which certificate it was shown, and who
//! it is.

use super::client_certificate::ShownCertificate;
use crate::host::without_port;
use callgate_tls::{Certificate, Identity};
use std::sync::Arc;

/// The other end of an encrypted connection.
pub(super) struct TlsPeer {
    /// The name that it has asked for, where the certificate covers that.
    server_name: Option<Box<str>>,
    /// What it was shown.
    certificate: Arc<Certificate>,
    /// What it has shown, if anything, which was verified.
    pub(super) shown: Option<ShownCertificate>,
    /// By which version of TLS.
    pub(super) version: &'static str,
}

impl TlsPeer {
    /// One that has asked for that name, was shown that certificate, and is who its own says.
    pub(super) fn new(
        server_name: Option<String>,
        certificate: Arc<Certificate>,
        identity: Option<&Identity>,
        version: &'static str,
    ) -> TlsPeer {
        let server_name = server_name.filter(|name| certificate.covers(name)).map(String::into_boxed_str);
        TlsPeer { server_name, certificate, shown: identity.map(ShownCertificate::of), version }
    }

    /// Whether the certificate that it was shown is also that host's, which may have a port.
    pub(super) fn may_ask(&self, host: &str) -> bool {
        let name = without_port(host);
        let is_asked = self.server_name.as_ref().is_some_and(|asked| asked.eq_ignore_ascii_case(name));
        is_asked || self.certificate.covers(name)
    }
}
