//! `[auth.NAME]`: the ways in which the gateway tells who calls, each an authenticator with a name. Files and routes name those that
//! they take (`route_auth.rs`).
//!
//! A kind of authenticator is a line in [`TYPES`], and a file that reads its keys.

mod api_key;
mod basic;
mod declared;
mod external;
mod http;
mod jwt;
mod mtls;
mod pattern;
mod rpc;
mod unix;

pub use api_key::{ApiKeySpec, ListFile};
pub use basic::BasicSpec;
pub(super) use declared::{Authenticators, Found};
pub use external::ExternalSpec;
pub use http::HttpSpec;
pub use jwt::{JwtSpec, KeySource, KeyUrl};
pub use mtls::{CertificateName, MtlsSpec};
pub use pattern::NamePattern;
pub use rpc::RpcSpec;
pub use unix::{OVERFLOW_UID, UnixSpec, UnixUser};

use super::diagnostics::Diagnostic;
use super::http_target::HttpTarget;
use super::outside::Outside;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use super::source::Source;
use super::suggest::list;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::DeValue;

/// The key that says of which kind an authenticator is.
const TYPE: &str = "type";
/// The word for callers who show nothing. No authenticator has this name.
pub(super) const ANONYMOUS: &str = "anonymous";

/// An authenticator. Two are equal that tell the same of the same callers, wherever they are written.
#[derive(Clone, Debug)]
pub struct AuthSpec {
    /// Its name.
    pub name: Arc<str>,
    /// How it tells who calls.
    pub kind: AuthKind,
    /// What the table says of it: its keys and their values.
    said: BTreeMap<String, Value>,
    pub(super) written: AuthWritten,
}

/// How an authenticator tells who calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthKind {
    /// By the certificate that the client has shown to the listener.
    Mtls(MtlsSpec),
    /// By the user of a process of this machine, which has connected to a Unix socket.
    Unix(UnixSpec),
    /// By a JSON Web Token.
    Jwt(JwtSpec),
    /// By an API key.
    ApiKey(ApiKeySpec),
    /// By a name and a password.
    Basic(BasicSpec),
    /// By the word of a method.
    Rpc(RpcSpec),
    /// By the word of a service that is asked over HTTP.
    Http(HttpSpec),
}

/// Where it is written.
#[derive(Clone, Debug)]
pub(super) struct AuthWritten {
    pub(super) source: Arc<Source>,
    pub(super) span: Range<usize>,
}

impl PartialEq for AuthSpec {
    fn eq(&self, other: &AuthSpec) -> bool {
        (&self.name, &self.kind) == (&other.name, &other.kind)
    }
}

impl Eq for AuthSpec {}

impl AuthSpec {
    /// What the table says of it: its keys and their values.
    pub fn said(&self) -> &BTreeMap<String, Value> {
        &self.said
    }

    /// From where its keys are fetched, if they are.
    pub fn key_url(&self) -> Option<&KeyUrl> {
        match &self.kind {
            AuthKind::Jwt(JwtSpec { keys: KeySource::Url(url), .. }) => Some(url),
            _ => None,
        }
    }

    /// What is asked over HTTP: for its keys, or who calls.
    pub fn target(&self) -> Option<&HttpTarget> {
        match &self.kind {
            AuthKind::Http(spec) => Some(&spec.target),
            _ => self.key_url().map(|url| &url.target),
        }
    }

    /// How it asks a service of the operator's own, if it does.
    pub fn external(&self) -> Option<&ExternalSpec> {
        match &self.kind {
            AuthKind::Rpc(spec) => Some(&spec.external),
            AuthKind::Http(spec) => Some(&spec.external),
            _ => None,
        }
    }

    /// Where it is written: file, line and column.
    pub fn defined(&self) -> String {
        self.written.source.place(self.written.span.start).to_string()
    }
}

impl AuthKind {
    /// The word of its `type`.
    pub fn name(&self) -> &'static str {
        match self {
            AuthKind::Mtls(_) => "mtls",
            AuthKind::Unix(_) => "unix",
            AuthKind::Jwt(_) => "jwt",
            AuthKind::ApiKey(_) => "api_key",
            AuthKind::Basic(_) => "basic",
            AuthKind::Rpc(_) => "rpc",
            AuthKind::Http(_) => "http",
        }
    }
}

impl AuthKind {
    /// The headers in which callers show who they are, in lower case.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let (own, told) = match self {
            AuthKind::Mtls(_) | AuthKind::Unix(_) => (None, &[][..]),
            AuthKind::Jwt(_) | AuthKind::Basic(_) => (Some("authorization"), &[][..]),
            AuthKind::ApiKey(spec) => (Some(spec.header.as_str()), &[][..]),
            AuthKind::Rpc(spec) => (None, &*spec.call.outside),
            AuthKind::Http(spec) => (None, &*spec.told),
        };
        own.into_iter().chain(told.iter().filter_map(Outside::header))
    }

    /// The claims that callers have by certificates and sockets. Of others it is known when they call.
    pub(super) const CLAIMS: [&str; 3] = ["subject", "sha256", "uid"];

    /// Whether callers may have such a claim, as text.
    pub(super) fn may_claim(&self, name: &str) -> bool {
        match self {
            AuthKind::Mtls(_) => ["subject", "sha256"].contains(&name),
            AuthKind::Unix(_) => name == "uid",
            // Its file or its service may say any of each.
            AuthKind::Jwt(_)
            | AuthKind::ApiKey(_)
            | AuthKind::Basic(_)
            | AuthKind::Rpc(_)
            | AuthKind::Http(_) => true,
        }
    }
}

/// A kind of authenticator: its word, its keys, and how their values are read.
struct Type {
    name: &'static str,
    keys: &'static [Entry],
    read: fn(&mut Reader<'_>, &Section<'_>, &Item<'_>) -> Option<AuthKind>,
}

const TYPES: [Type; 7] = [
    Type { name: "mtls", keys: mtls::KEYS, read: mtls::read },
    Type { name: "api_key", keys: api_key::KEYS, read: api_key::read },
    Type { name: "basic", keys: basic::KEYS, read: basic::read },
    Type { name: "http", keys: http::KEYS, read: http::read },
    Type { name: "jwt", keys: jwt::KEYS, read: jwt::read },
    Type { name: "rpc", keys: rpc::KEYS, read: rpc::read },
    Type { name: "unix", keys: unix::KEYS, read: unix::read },
];

/// What an authenticator may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[
    Shape::Table(mtls::KEYS),
    Shape::Table(api_key::KEYS),
    Shape::Table(basic::KEYS),
    Shape::Table(http::KEYS),
    Shape::Table(jwt::KEYS),
    Shape::Table(rpc::KEYS),
    Shape::Table(unix::KEYS),
]);

/// The key that says of which kind it is, of one whose word that is.
const fn kind(word: &'static [&'static str; 1]) -> Entry {
    Entry::needed(TYPE, Shape::Words(word), "how callers show who they are")
}

/// Reads one authenticator: its `type` says which keys it has.
fn one(reader: &mut Reader<'_>, name: &str, item: &Item<'_>) -> Option<AuthSpec> {
    let table = reader.table(item, "a table, written [auth.name]")?;
    let Some(value) = table.get(TYPE) else {
        let title = format!("authenticator `{name}` needs `{TYPE}`");
        let missing =
            Diagnostic::new(title).at(reader.source, item.key_span.clone(), "how does it tell who calls?");
        reader.report(missing.help(format!("write type = \"{}\", or one of {}", TYPES[0].name, words())));
        return None;
    };
    let item_of_type = Item { key: TYPE, key_span: value.span(), value, shape: &Shape::Words(&WORDS) };
    let choices: Vec<(&str, usize)> = WORDS.iter().copied().zip(0..).collect();
    let kind = &TYPES[reader.choice(&item_of_type, &choices)?];
    let section = reader.section(&format!("an authenticator of type `{}`", kind.name), table, kind.keys);
    let kind = (kind.read)(reader, &section, item)?;
    let written = AuthWritten { source: Arc::clone(reader.source), span: item.key_span.clone() };
    let said = table.iter().map(|(key, value)| (key.get_ref().to_string(), said(value.get_ref()))).collect();
    Some(AuthSpec { name: name.into(), kind, said, written })
}

/// A value of a table as JSON. Tables are no deeper than their reader lets them be.
fn said(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(value) => Value::from(*value),
        DeValue::Array(all) => all.iter().map(|one| said(one.get_ref())).collect(),
        DeValue::Table(all) => {
            let named = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                (key.to_string(), said(value.get_ref()))
            };
            Value::Object(all.iter().map(named).collect())
        }
        DeValue::Integer(number) => Value::from(number.to_string()),
        DeValue::Float(number) => Value::from(number.to_string()),
        DeValue::Datetime(time) => Value::from(time.to_string()),
    }
}

/// The word of each.
const WORDS: [&str; TYPES.len()] = {
    let mut words = [""; TYPES.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = TYPES[at].name;
        at += 1;
    }
    words
};

fn words() -> String {
    list(&WORDS, "or")
}

/// A key that an authenticator cannot do without.
fn required<'t>(
    reader: &mut Reader<'_>,
    section: &Section<'t>,
    of: &Item<'_>,
    key: &'static str,
    help: &str,
) -> Option<Item<'t>> {
    let item = section.get(key);
    if item.is_none() {
        let missing = Diagnostic::new(format!("authenticator `{}` needs `{key}`", of.key));
        reader.report(missing.at(reader.source, of.key_span.clone(), "this one has none").help(help));
    }
    item
}
