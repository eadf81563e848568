//! TLS between servers and clients (feature `tls`): [`ServerTls`] for a [`Server`](crate::Server), [`ClientTls`] for a
//! [`Client`](crate::Client), and the [`Identity`] of a peer that has shown a certificate.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use callgate_sdk::tls::{ClientTls, ServerTls};
//! use callgate_sdk::{Client, Server};
//!
//! // Callers have to show a certificate of the company's CA.
//! let tls = ServerTls::new("/etc/shop/tls.crt", "/etc/shop/tls.key").client_ca("/etc/shop/ca.crt");
//! let server = Server::new().tls(tls).listen("0.0.0.0:7101");
//!
//! let tls = ClientTls::new("/etc/billing/ca.crt").identity("/etc/billing/tls.crt", "/etc/billing/tls.key");
//! let client = Client::builder().tls(tls).endpoint("shop.internal:7101").build()?;
//! # Ok(())
//! # }
//! ```
//!
//! All files are PEM. They are read again when they have changed, for the connections that are made from then on. Connections that
//! are open stay as they are: a client replaces each one at its [`max_age`](crate::ClientBuilder::max_age). A file that cannot be used
//! leaves what was read before in force, and is logged.

mod client;
mod server;

pub use callgate_tls::{Fingerprint, Identity};
pub use client::ClientTls;
pub(crate) use client::Connecting;
pub(crate) use server::Accepting;
pub use server::ServerTls;

use callgate_protocol::ALPN;
use std::io;
use std::path::{Path, PathBuf};

/// A certificate's chain and its key, in two files.
#[derive(Clone, Debug)]
struct Pair {
    cert: PathBuf,
    key: PathBuf,
}

impl Pair {
    /// What is wrong with them, with the file in which it is.
    fn problem(&self, error: &callgate_tls::CertificateError) -> String {
        problem(if error.in_key() { &self.key } else { &self.cert }, error, error.advice())
    }
}

fn problem(file: &Path, error: impl std::fmt::Display, advice: Option<&str>) -> String {
    let advice = advice.map(|advice| format!("; {advice}")).unwrap_or_default();
    format!("{}: {error}{advice}", file.display())
}

/// Both sides have to mean this protocol.
fn check_protocol(chosen: Option<&[u8]>) -> io::Result<()> {
    if chosen == Some(ALPN) {
        return Ok(());
    }
    Err(io::Error::other("the TLS handshake did not agree on Callgate's protocol (ALPN callgate/1)"))
}
