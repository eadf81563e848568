//! How a backend's instances are connected to where not everybody may listen or call: `tls` and `token` of a backend. What is in the
//! files is looked at in `backend_files.rs`.

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::endpoint::{Address, EndpointSpec};
use super::endpoint_addr::EndpointAddr;
use super::places::path;
use super::reader::{Item, Reader, Section};
use super::secret_source::{self, SecretSource};
use super::shape::{Entry, Shape};
use super::source::Source;
use callgate_tls::Name;
use std::net::IpAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeValue;

/// The keys of a backend.
pub(super) const TLS_ENTRY: Entry =
    Entry::new("tls", Shape::Table(TLS_KEYS), "TLS is spoken with the instances");
pub(super) const TOKEN_ENTRY: Entry =
    Entry::new("token", secret_source::KEPT, "the token that is brought along to each instance");
const TLS_KEYS: &[Entry] = &[
    Entry::needed("ca", Shape::Text, "a file with the CAs that sign the instances' certificates"),
    Entry::beside("key", "cert", Shape::Text, "the certificate that is shown to instances which ask for one"),
    Entry::beside("cert", "key", secret_source::KEPT_OR_PATH, "its key"),
    Entry::new("server_name", Shape::Text, "the name that the instances' certificates are for"),
];
const TLS: &str = "a table such as { ca = \"/etc/callgate/ca.pem\" }";
const FILE: &str = "a path such as \"/etc/callgate/ca.pem\"";
const PEM: &str = "a file in PEM";
const KEY: &str = "a path such as \"/etc/callgate/gateway.key\", { file = \"…\" } or { env = \"…\" }";
const TOKEN: &str = "{ file = \"/run/secrets/shop-token\" } or { env = \"SHOP_TOKEN\" }";
const CA_HELP: &str =
    "write which CAs sign the certificates of its instances: tls = { ca = \"/etc/callgate/ca.pem\" }";

/// How the gateway and a backend's instances know each other.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct SecuritySpec {
    /// TLS is spoken with them.
    pub tls: Option<BackendTls>,
    /// What is brought along to each, by which it lets the gateway in.
    pub token: Option<BackendToken>,
}

/// TLS with the instances of a backend.
#[derive(Clone, Debug)]
pub struct BackendTls {
    /// The file of the CAs that sign the instances' certificates. Absolute.
    pub ca: PathBuf,
    /// The certificate that is shown to them.
    pub own: Option<OwnCertificate>,
    /// The name that their certificates are for; that of each endpoint where it is not said.
    pub server_name: Option<String>,
    pub(super) written: SecurityWritten,
}

/// A certificate that the gateway shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnCertificate {
    /// The file of its chain. Absolute.
    pub cert: PathBuf,
    /// Where its key is.
    pub key: SecretSource,
}

/// A token that the gateway brings along.
#[derive(Clone, Debug)]
pub struct BackendToken {
    /// Where it is.
    pub source: SecretSource,
    pub(super) written: SecurityWritten,
}

/// Where that is written: what only moved in its file has not changed.
#[derive(Clone, Debug)]
pub(super) struct SecurityWritten {
    pub(super) source: Arc<Source>,
    /// The name of the backend.
    pub(super) backend: String,
    /// The CA, or the token.
    pub(super) first: Range<usize>,
    pub(super) cert: Range<usize>,
    pub(super) key: Range<usize>,
}

impl PartialEq for BackendTls {
    fn eq(&self, other: &BackendTls) -> bool {
        (&self.ca, &self.own, &self.server_name) == (&other.ca, &other.own, &other.server_name)
    }
}

impl Eq for BackendTls {}

impl PartialEq for BackendToken {
    fn eq(&self, other: &BackendToken) -> bool {
        self.source == other.source
    }
}

impl Eq for BackendToken {}

impl SecuritySpec {
    /// The files that it is read from.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let own = self.tls.iter().flat_map(|tls| &tls.own);
        let secrets = own.clone().map(|own| &own.key).chain(self.token.iter().map(|token| &token.source));
        let certificates =
            self.tls.iter().map(|tls| tls.ca.as_path()).chain(own.map(|own| own.cert.as_path()));
        certificates.chain(secrets.filter_map(SecretSource::file))
    }

    /// Reads what stands in the table of the backend `name`, which has these endpoints.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        name: &str,
        section: &Section<'_>,
        endpoints: &[EndpointSpec],
    ) -> SecuritySpec {
        let (tls, token) = (section.get("tls"), section.get("token"));
        if let Some(item) = &tls {
            check_endpoints(reader, item, endpoints);
        }
        if let (None, Some(item)) = (&tls, &token) {
            let in_the_clear = |spec: &&EndpointSpec| !is_unix(spec);
            if let Some(endpoint) = endpoints.iter().find(in_the_clear) {
                let title = format!("the token of backend `{name}` would go over plain TCP");
                let complaint = Complaint::new(title, format!("{} is reached without TLS", endpoint.addr));
                let note = "whoever carries the bytes on could read it, within this machine too";
                reader.complain::<()>(
                    item,
                    complaint
                        .note(note)
                        .help("add tls = { ca = \"/etc/callgate/ca.pem\" }, or use Unix sockets"),
                );
            }
        }
        SecuritySpec {
            tls: tls.and_then(|item| BackendTls::read(reader, name, &item, endpoints)),
            token: token.and_then(|item| BackendToken::read(reader, name, &item)),
        }
    }
}

/// No TLS is spoken through Unix sockets.
fn check_endpoints(reader: &mut Reader<'_>, item: &Item<'_>, endpoints: &[EndpointSpec]) {
    if let Some(unix) = endpoints.iter().find(|endpoint| is_unix(endpoint)) {
        let complaint =
            Complaint::new("no TLS is spoken through a Unix socket", format!("{} is one", unix.addr));
        reader.complain::<()>(item, complaint.help("give it a backend of its own, without `tls`"));
    }
}

fn is_unix(endpoint: &EndpointSpec) -> bool {
    matches!(endpoint.addr, Address::At(EndpointAddr::Unix(_)))
}

impl BackendTls {
    fn read(
        reader: &mut Reader<'_>,
        backend: &str,
        item: &Item<'_>,
        endpoints: &[EndpointSpec],
    ) -> Option<BackendTls> {
        let DeValue::Table(table) = item.value.get_ref() else {
            if let DeValue::Boolean(_) | DeValue::String(_) = item.value.get_ref() {
                let label = "the CAs of the system sign certificates for everybody";
                return reader
                    .complain(item, Complaint::new("`tls` has to say whom it trusts", label).help(CA_HELP));
            }
            return reader.wrong_type(item.key, item.value, TLS);
        };
        let section = reader.section("`tls` of a backend", table, TLS_KEYS);
        let file = Arc::clone(reader.source);
        let place = |text: &str| path(file.path(), text, PEM);
        let ca = section.get("ca");
        if ca.is_none() {
            reader.complain::<()>(
                item,
                Complaint::new("`tls` without `ca`", "whom does it trust?").help(CA_HELP),
            );
        }
        let span = |item: &Option<Item<'_>>| item.as_ref().map(Item::span).unwrap_or_default();
        let (cert, key) = (section.get("cert"), section.get("key"));
        let written = SecurityWritten {
            source: file.clone(),
            backend: backend.to_owned(),
            first: span(&ca),
            cert: span(&cert),
            key: span(&key),
        };
        let own = match (cert, key) {
            (None, None) => None,
            (Some(cert), Some(key)) => {
                let cert = reader.text(&cert, FILE, place);
                let key = SecretSource::read(reader, &key, KEY, PEM);
                Some(OwnCertificate { cert: cert?, key: key? })
            }
            (one, other) => {
                let (here, missing) = if one.is_some() { ("cert", "key") } else { ("key", "cert") };
                let title = format!("`tls` has `{here}` without `{missing}`");
                let item = one.or(other)?;
                return reader.complain(&item, Complaint::new(title, "a certificate has both"));
            }
        };
        let name = section.get("server_name");
        let server_name = name.as_ref().and_then(|item| reader.text(item, "a name", server_name));
        if name.is_none() {
            check_names(reader, item, endpoints);
        }
        let ca = ca.and_then(|item| reader.text(&item, FILE, place))?;
        Some(BackendTls { ca, own, server_name, written })
    }
}

/// Each endpoint has to have a name that its certificate can be for.
fn check_names(reader: &mut Reader<'_>, item: &Item<'_>, endpoints: &[EndpointSpec]) {
    let nameless = |endpoint: &&EndpointSpec| !is_unix(endpoint) && endpoint.addr.host_name().is_none();
    if let Some(endpoint) = endpoints.iter().find(nameless) {
        let complaint =
            Complaint::new("`tls` without `server_name`", format!("{} has no name", endpoint.addr));
        let help =
            "write the name that the certificates of its instances are for: server_name = \"shop.internal\"";
        reader.complain::<()>(item, complaint.help(help));
    }
}

fn server_name(text: &str) -> Result<String, Complaint> {
    match Name::parse(text.strip_suffix('.').unwrap_or(text)) {
        Some(name @ (Name::Dns(_) | Name::Ip(_))) => Ok(name.to_string()),
        _ => Err(Complaint::new(format!("`{text}` is not a name"), "expected a host name, without a port")),
    }
}

impl Address {
    /// The name that the certificate of its instances is for, where it has one.
    pub fn host_name(&self) -> Option<&str> {
        match self {
            Address::At(EndpointAddr::Tcp { host, .. }) => {
                Some(host.as_str()).filter(|host| host.parse::<IpAddr>().is_err())
            }
            Address::At(EndpointAddr::Unix(_)) => None,
            Address::Discovered(discovered) => discovered.name.host(),
        }
    }
}

impl BackendToken {
    fn read(reader: &mut Reader<'_>, backend: &str, item: &Item<'_>) -> Option<BackendToken> {
        if let DeValue::String(_) = item.value.get_ref() {
            // Without the line, which is the secret.
            let title = format!("the token of backend `{backend}` stands in a table");
            reader.report(
                Diagnostic::new(title)
                    .note("tables are shown to people, and kept where others read them")
                    .help(format!("write where it is kept: token = {TOKEN}")),
            );
            return None;
        }
        let source = SecretSource::read(reader, item, TOKEN, "a file")?;
        let written = SecurityWritten {
            source: Arc::clone(reader.source),
            backend: backend.to_owned(),
            first: item.span(),
            cert: 0..0,
            key: 0..0,
        };
        Some(BackendToken { source, written })
    }
}
