//! Who is at the other end of a connection, as far as that is known.

use std::sync::OnceLock;

/// The process that has made a call, see [`Context::peer`](crate::Context::peer). Calls through a gateway have the gateway as
/// their peer.
///
/// A peer says of itself what it likes; only its certificate, if it has shown one (feature `tls`), is proven.
///
/// ```
/// # use callgate_sdk::{Context, Status};
/// fn told(cx: &Context) -> String {
///     match cx.peer() {
///         Some(peer) => format!("{} at {}", peer.identity(), peer.address()),
///         None => "this program".to_owned(),
///     }
/// }
/// # assert_eq!(told(&Context::background()), "this program");
/// ```
#[derive(Debug)]
pub struct Peer {
    address: String,
    /// Told in its HELLO, which comes before its first call.
    identity: OnceLock<String>,
    #[cfg(feature = "tls")]
    certificate: Option<crate::tls::Identity>,
}

impl Peer {
    pub(crate) fn at(address: String) -> Peer {
        Peer {
            address,
            identity: OnceLock::new(),
            #[cfg(feature = "tls")]
            certificate: None,
        }
    }

    /// The same, where a certificate was shown, and verified.
    #[cfg(feature = "tls")]
    pub(crate) fn with_certificate(mut self, certificate: Option<crate::tls::Identity>) -> Peer {
        self.certificate = certificate;
        self
    }

    /// Who it is by the certificate that it has shown, which a CA of this server has signed; `None` where it has shown none, or
    /// TLS is not spoken.
    #[cfg(feature = "tls")]
    pub fn certificate(&self) -> Option<&crate::tls::Identity> {
        self.certificate.as_ref()
    }

    /// It has said who it is. What it says a second time does not count.
    pub(crate) fn introduce(&self, identity: String) {
        let _ = self.identity.set(identity);
    }

    /// Where its connection comes from: `10.0.0.5:40712`; `unix:/run/shop.sock`, this server's own path, for one that came
    /// through a Unix socket.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How it names itself, such as `billing pid 4711`. Empty if it does not.
    pub fn identity(&self) -> &str {
        self.identity.get().map_or("", String::as_str)
    }
}
