//! An instance that a command asks: where it is, how it is connected to, and what it offers. It is asked as a gateway asks it, by a
//! handshake, so that what is said of it is what a gateway would find.
//!
//! What the options say becomes the table of one backend, and is read by whatever reads tables: there is one reader of addresses, of
//! TLS and of tokens, and one set of words for what is wrong with them.

use super::Failure;
use crate::config::{CallRef, EndpointAddr, Source, Tables, time};
use crate::transport::callgate::{MethodEntry, Offer, Security, ask, meant};
use clap::Args;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;
use std::time::Duration;

/// What the backend is called that the options make.
const NAME: &str = "instance";

/// Connecting and the handshake may take so long together, unless an option says otherwise.
pub(super) const PATIENCE: &str = "5s";

/// How an instance is connected to.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(next_help_heading = "Connection to an instance")]
pub struct Ways {
    /// Speak TLS, and trust these CAs (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The certificate to show, with its chain (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["ca", "key"])]
    pub cert: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["ca", "cert"])]
    pub key: Option<PathBuf>,
    /// The name that the instance's certificate is for, where that is not the host
    #[arg(long, value_name = "NAME", requires = "ca")]
    pub server_name: Option<String>,
    /// A file with the token that lets callers in
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// How long connecting may take
    #[arg(long, value_name = "TIME", value_parser = time, default_value = PATIENCE)]
    pub connect_timeout: Duration,
}

/// An instance, and the way to it.
pub(super) struct Instance {
    pub(super) addr: EndpointAddr,
    pub(super) security: Arc<Security>,
    /// Connecting and the handshake may take so long together.
    pub(super) patience: Duration,
}

impl Instance {
    /// The instance at that address, which may be a path.
    pub(super) fn new(addr: &str, ways: &Ways) -> Result<Instance, Failure> {
        let addr = endpoint(addr)?;
        let text = format!("[backends.{NAME}]\n{}", table(&addr.to_string(), ways));
        let tables = Tables::parse(vec![Source::new("command line", text)])?;
        let security = tables.backends.iter().find(|backend| backend.name == NAME);
        let security = security.map(|spec| Security::new(NAME, &spec.security, None)).unwrap_or_default();
        Ok(Instance { addr, security, patience: ways.connect_timeout })
    }

    /// Connects, and asks what it offers.
    pub(super) fn offer(&self) -> Result<Offer, Failure> {
        let offer = ask(&self.addr, None, &self.security, self.patience);
        offer.map_err(|why| Failure::NotAsked(format!("{}: {why}", self.addr)))
    }
}

/// Whether a word says whom to ask, and is no method: none of those has a colon or a slash.
pub(super) fn is_address(word: &str) -> bool {
    word.contains([':', '/'])
}

/// Reads an address: as tables write it, or the path of a Unix socket alone.
pub(super) fn endpoint(text: &str) -> Result<EndpointAddr, Failure> {
    let is_path = text.starts_with(['/', '.']);
    let path = text.strip_prefix("unix:").or(is_path.then_some(text));
    let text = match path {
        Some(path) => format!("unix:{}", whole(Path::new(path)).display()),
        None => text.strip_prefix("dns:").unwrap_or(text).to_owned(),
    };
    text.parse().map_err(Failure::NotAsked)
}

/// What a table says of a backend with that endpoint, below the name of the backend.
pub(super) fn table(endpoint: &str, ways: &Ways) -> String {
    let mut lines = format!("endpoints = [{}]\n", quoted(endpoint));
    let file = |name: &str, path: &Option<PathBuf>| {
        path.as_ref().map(|path| format!("{name} = {}", quoted(&whole(path).to_string_lossy())))
    };
    let name = ways.server_name.as_ref().map(|name| format!("server_name = {}", quoted(name)));
    let tls = [file("ca", &ways.ca), file("cert", &ways.cert), file("key", &ways.key), name];
    let tls: Vec<String> = tls.into_iter().flatten().collect();
    if !tls.is_empty() {
        lines += &format!("tls = {{ {} }}\n", tls.join(", "));
    }
    if let Some(token) = file("file", &ways.token_file) {
        lines += &format!("token = {{ {token} }}\n");
    }
    lines
}

/// The method of that name or number, or why there is none.
pub(super) fn method<'o>(
    offer: &'o Offer,
    call: &CallRef,
    addr: &EndpointAddr,
) -> Result<&'o MethodEntry, Failure> {
    if let Some(method) = offer.find(call) {
        return Ok(method);
    }
    Err(Failure::Failed(match offer.why_unusable(call) {
        Some(why) => format!("the schema of `{call}` at {addr} cannot be used: {why}"),
        None => match meant(call, [offer]) {
            Some(help) => format!("there is no method `{call}` at {addr}; {help}"),
            None => format!("there is no method `{call}` at {addr}"),
        },
    }))
}

fn whole(path: &Path) -> PathBuf {
    absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways() -> Ways {
        Ways {
            ca: None,
            cert: None,
            key: None,
            server_name: None,
            token_file: None,
            connect_timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn an_address_may_be_written_as_in_tables_or_as_a_path() {
        let here = std::env::current_dir().unwrap();
        for (text, expected) in [
            ("127.0.0.1:7101", "127.0.0.1:7101".to_owned()),
            ("dns:shop.internal:7101", "shop.internal:7101".to_owned()),
            ("unix:/run/shop.sock", "unix:/run/shop.sock".to_owned()),
            ("/run/shop.sock", "unix:/run/shop.sock".to_owned()),
            ("./shop.sock", format!("unix:{}/shop.sock", here.display())),
            ("unix:shop.sock", format!("unix:{}/shop.sock", here.display())),
        ] {
            assert_eq!(endpoint(text).unwrap().to_string(), expected);
        }
        assert!(matches!(endpoint("shop"), Err(Failure::NotAsked(why)) if why.contains("port")));
    }

    #[test]
    fn what_options_say_is_what_a_table_would() {
        let plain = table("x:1", &ways());
        assert_eq!(plain, "endpoints = [\"x:1\"]\n");
        let tls = Ways {
            ca: Some("/ca.pem".into()),
            server_name: Some("a\"b".to_owned()),
            token_file: Some("/token".into()),
            ..ways()
        };
        assert_eq!(
            table("x:1", &tls),
            "endpoints = [\"x:1\"]\ntls = { ca = \"/ca.pem\", server_name = 'a\"b' }\ntoken = { file = \"/token\" }\n"
        );
        let in_the_clear = Ways { token_file: Some("/token".into()), ..ways() };
        assert!(matches!(Instance::new("x:1", &in_the_clear), Err(Failure::Mistakes(_))));
        assert!(Instance::new("/run/x.sock", &in_the_clear).is_ok());
    }
}
