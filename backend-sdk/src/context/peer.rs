//! Who is at the other end of a connection, as far as that is known.

use std::sync::{Arc, OnceLock};

/// The process that has made a call, see [`Context::peer`](crate::Context::peer). Calls through a gateway have the gateway as
/// their peer.
///
/// A peer says of itself what it likes. Proven are its certificate, if it has shown one (feature `tls`), the name of the token that it has brought
/// along, and the user of its process, where it came through a Unix socket.
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
    user: Option<u32>,
    /// The name of the token that it has brought along.
    token: OnceLock<Arc<str>>,
    /// What is decided of it when all that is known.
    standing: OnceLock<Standing>,
}

/// What a server makes of a peer.
#[derive(Debug)]
enum Standing {
    /// What it says of who calls counts.
    SpeaksForOthers,
    /// It calls for itself: by what is proven of it, and its name by that.
    Itself(Option<(&'static str, String)>),
}

/// What the kernel says of a user that has none here.
const OVERFLOW_UID: u32 = 65534;

impl Peer {
    pub(crate) fn at(address: String) -> Peer {
        Peer {
            address,
            identity: OnceLock::new(),
            #[cfg(feature = "tls")]
            certificate: None,
            user: None,
            token: OnceLock::new(),
            standing: OnceLock::new(),
        }
    }

    /// The same, whose process is of that user.
    pub(crate) fn with_user(mut self, user: Option<u32>) -> Peer {
        self.user = user.filter(|user| *user != OVERFLOW_UID);
        self
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

    /// It has brought a token of that name along.
    pub(crate) fn is_known_by(&self, token: Arc<str>) {
        let _ = self.token.set(token);
    }

    /// It is decided whether it speaks for others.
    pub(crate) fn stands(&self, speaks_for_others: bool) {
        let standing =
            if speaks_for_others { Standing::SpeaksForOthers } else { Standing::Itself(self.own()) };
        let _ = self.standing.set(standing);
    }

    /// Whether what it says of who calls counts. Where nobody has said otherwise, it does.
    pub(super) fn speaks_for_others(&self) -> bool {
        !matches!(self.standing.get(), Some(Standing::Itself(_)))
    }

    /// Who it is where it calls for itself: by what, and the name.
    pub(super) fn itself(&self) -> Option<(&'static str, &str)> {
        let Some(Standing::Itself(own)) = self.standing.get() else { return None };
        own.as_ref().map(|(by, name)| (*by, name.as_str()))
    }

    /// The first of its names that is proven.
    fn own(&self) -> Option<(&'static str, String)> {
        let token = || Some(("token", self.token()?.to_owned()));
        let user = || Some(("user", self.user?.to_string()));
        self.certified().map(|name| ("certificate", name)).or_else(token).or_else(user)
    }

    #[cfg(feature = "tls")]
    fn certified(&self) -> Option<String> {
        let certificate = self.certificate.as_ref()?;
        let named = certificate.uris().iter().chain(certificate.dns_names()).next().map(String::as_str);
        named.or_else(|| certificate.common_name()).map(str::to_owned)
    }

    #[cfg(not(feature = "tls"))]
    fn certified(&self) -> Option<String> {
        None
    }

    /// The user of its process, as the kernel knows it, where it came through a Unix socket; never the one that stands for users
    /// which are not known here.
    pub fn user(&self) -> Option<u32> {
        self.user
    }

    /// The name of the token that it has brought along, where the server has given it one
    /// ([`Server::named_token`](crate::Server::named_token)).
    pub fn token(&self) -> Option<&str> {
        self.token.get().map(|name| &**name)
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
