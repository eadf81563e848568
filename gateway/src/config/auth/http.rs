//! `type = "http"`: the caller is whom a service names that is asked over HTTP, in the manner of Traefik's and nginx's forward-auth.

use super::external::{CACHE, ExternalSpec, TIMEOUT};
use super::{AuthKind, required};
use crate::config::complaint::Complaint;
use crate::config::http_target::{self, HttpTarget};
use crate::config::metadata::is_token;
use crate::config::outside::Outside;
use crate::config::reader::{Item, Reader, Section};
use crate::config::shape::{Entry, Shape};
use crate::fields::FieldName;
use std::ops::Range;

pub(super) const KEYS: &[Entry] = &[
    super::kind(&["http"]),
    http_target::THE_URL,
    http_target::CA,
    http_target::INSECURE,
    Entry::new("headers", Shape::texts(MAX_HEADERS), "the headers of the request that go along"),
    Entry::needed("name", Shape::Text, "the header of the answer that has the caller's name"),
    Entry::new("scopes", Shape::Text, "the header of the answer that has scopes"),
    Entry::new(
        "claims",
        Shape::Names(&[], &Shape::Text),
        "claims, each with the header of the answer that has it",
    ),
    TIMEOUT,
    CACHE,
];
const NAME: &str = "write which header of its answer has the caller's name: name = \"x-auth-request-user\"";
/// The headers that go along where nobody says it.
const USUAL: [&str; 2] = ["authorization", "cookie"];
/// The longest name of a header, in bytes, and how many there may be.
const MAX_NAME: usize = 64;
const MAX_HEADERS: usize = 32;
/// What the gateway says itself, or what belongs to a connection.
const NEVER: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Callers by the word of a service that is asked over HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpSpec {
    /// How it is asked.
    pub external: ExternalSpec,
    /// Where.
    pub target: HttpTarget,
    /// The headers of the request that go along.
    pub told: Vec<Outside>,
    /// The header of its answer that has the caller's name.
    pub name: String,
    /// The one that has its scopes.
    pub scopes: Option<String>,
    /// Claims, each with the header that has it.
    pub claims: Vec<(String, String)>,
    pub(in crate::config) written: HttpWritten,
}

/// Where that is written. All are equal: what only moved in its file has not changed.
#[derive(Clone, Debug)]
pub(in crate::config) struct HttpWritten(pub(in crate::config) Range<usize>);

impl PartialEq for HttpWritten {
    fn eq(&self, _: &HttpWritten) -> bool {
        true
    }
}

impl Eq for HttpWritten {}

impl HttpSpec {
    /// Whether a header of its answer says who calls, by that name in lower case.
    pub(in crate::config) fn says_who_by(&self, header: &str) -> bool {
        let claims = self.claims.iter().map(|(_, header)| header);
        [&self.name].into_iter().chain(&self.scopes).chain(claims).any(|own| own == header)
    }
}

pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>) -> Option<AuthKind> {
    let external = ExternalSpec::read(reader, section);
    let target = HttpTarget::read(reader, section, item);
    let span = section.get("url").map(|item| item.span()).unwrap_or_default();
    let told = match section.get("headers") {
        None => Some(USUAL.iter().map(|name| (*name).to_owned()).collect()),
        Some(item) => headers(reader, &item),
    };
    let name = required(reader, section, item, "name", NAME)
        .and_then(|item| reader.text(&item, "a header's name", header));
    let scopes = match section.get("scopes") {
        None => Some(None),
        Some(item) => reader.text(&item, "a header's name", header).map(Some),
    };
    let claims = match section.get("claims") {
        None => Some(Vec::new()),
        Some(item) => claims(reader, &item),
    };
    let told = told?.into_iter().map(|name| Outside::Header {
        name: FieldName::from(name.as_str()),
        is_list: false,
        is_tag: false,
    });
    Some(AuthKind::Http(HttpSpec {
        external,
        target: target?,
        told: told.collect(),
        name: name?,
        scopes: scopes?,
        claims: claims?,
        written: HttpWritten(span),
    }))
}

/// The headers that go along.
fn headers(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<String>> {
    let all = reader.texts(item, "[\"authorization\"]", |text| {
        let name = header(text)?;
        if NEVER.contains(&name.as_str()) || name.starts_with("x-forwarded-") {
            return Err(Complaint::new(
                format!("`{text}` does not go along"),
                "the gateway says this itself",
            ));
        }
        Ok(name)
    })?;
    reader.twice("header", all.iter().map(|(name, span)| (name, span)));
    if all.len() > MAX_HEADERS {
        let many = Complaint::new("too many headers", format!("{MAX_HEADERS} at most go along"));
        return reader.complain(item, many);
    }
    Some(all.into_iter().map(|(name, _)| name).collect())
}

/// The claims, each with its header.
fn claims(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<(String, String)>> {
    let table = reader.table(item, "a table such as { email = \"x-auth-request-email\" }")?;
    let mut claims = Vec::new();
    for (claim, value) in table {
        let header = reader.text(&item.named(claim, value), "a header's name", header)?;
        claims.push((claim.get_ref().to_string(), header));
    }
    if claims.len() > MAX_HEADERS {
        let many = Complaint::new("too many claims", format!("{MAX_HEADERS} at most are read"));
        return reader.complain(item, many);
    }
    Some(claims)
}

/// A header's name, in lower case.
fn header(text: &str) -> Result<String, Complaint> {
    match (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_token) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(Complaint::new("not a header's name", "names are letters, digits and !#$%&'*+-.^_`|~")),
    }
}
