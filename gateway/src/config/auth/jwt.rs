//! `type = "jwt"`: the caller is who a JSON Web Token says, of `Authorization: Bearer`.

use super::{AuthKind, required};
use crate::config::complaint::Complaint;
use crate::config::http_target::{self, HttpTarget};
use crate::config::http_url::HttpUrl;
use crate::config::places::path;
use crate::config::reader::{Item, Reader, Section};
use crate::config::secret_source::{self, SecretSource};
use crate::config::shape::{Entry, Shape};
use callgate_auth::jwt::{Algorithm, Asked, AskedError, Expected};
use std::ops::Range;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use toml::de::DeValue;

const TEXT_OR_TEXTS: Shape = Shape::OneOf(&[Shape::Text, Shape::TEXTS]);
pub(super) const KEYS: &[Entry] = &[
    super::kind(&["jwt"]),
    Entry::one(
        1,
        "jwks",
        Shape::OneOf(&[Shape::Text, Shape::Table(URL_KEYS)]),
        "what verifies tokens: a file of keys in JSON",
    ),
    Entry::one(1, "keys", Shape::Text, "a file of public keys in PEM"),
    Entry::one(1, "secret", secret_source::KEPT_OR_PATH, "a secret that the issuer has"),
    Entry::new("revoked", Shape::Text, "a file of tokens that are not taken any more"),
    Entry::needed(
        "algorithms",
        Shape::List(&Shape::Words(&ALGORITHM_NAMES), 1..=usize::MAX),
        "by which algorithms tokens may be signed",
    ),
    Entry::new("issuer", TEXT_OR_TEXTS, "whose tokens (`iss`)"),
    Entry::new("audience", TEXT_OR_TEXTS, "for whom they may be (`aud`)"),
    Entry::new("leeway", Shape::Duration(Duration::ZERO..=MAX_LEEWAY), "by how much clocks may differ"),
    Entry::new("required", TEXT_OR_TEXTS, "claims that have to be there, beside `exp` and the caller's name"),
    Entry::new("name", Shape::Text, "the claim that is the caller's name"),
    Entry::new("scopes", TEXT_OR_TEXTS, "the claims that have scopes"),
    Entry::new("types", TEXT_OR_TEXTS, "the types (`typ`) of tokens that are taken"),
    Entry::new("max_token", Shape::Size(1..=Asked::MAX_LEN as u64), "how long a token may be"),
];
const MAX_LEEWAY: Duration = Duration::from_secs(Asked::MAX_LEEWAY);
/// The names of all; of EdDSA the newer one, too.
const ALGORITHM_NAMES: [&str; Algorithm::ALL.len() + 1] = {
    let mut names = ["Ed25519"; Algorithm::ALL.len() + 1];
    let mut at = 0;
    while at < Algorithm::ALL.len() {
        names[at] = Algorithm::ALL[at].name();
        at += 1;
    }
    names
};
const SOURCES: [&str; 3] = ["jwks", "keys", "secret"];
const PATH: &str = "a path such as \"/etc/callgate/jwks.json\"";
const JWKS: &str = "a path such as \"/etc/callgate/jwks.json\", a URL such as \"https://id.example.com/jwks.json\", or { url = \"…\" }";
/// What a table says of keys that are fetched.
const URL_KEYS: &[Entry] = &[
    http_target::THE_URL,
    http_target::CA,
    http_target::INSECURE,
    Entry::new("refresh", Shape::Duration(REFRESHES), "how long keys are kept until they are fetched again"),
];
/// How often they are fetched, where nobody says it.
const REFRESH: Duration = Duration::from_secs(600);
const REFRESHES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
const SECRET: &str = "{ file = \"/run/secrets/jwt\" } or { env = \"JWT_SECRET\" }";
const ALGORITHMS: &str = "write the algorithms by which its tokens are signed: algorithms = [\"RS256\"]";

/// Callers by their tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JwtSpec {
    /// What a token has to be.
    pub expected: Arc<Expected>,
    /// What verifies it.
    pub keys: KeySource,
    /// The file of revoked tokens. Absolute.
    pub revoked: Option<PathBuf>,
    pub(in crate::config) written: JwtWritten,
}

/// Where the keys are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeySource {
    /// In a file of JSON (RFC 7517). Absolute.
    Jwks(PathBuf),
    /// The same at a URL, from where they are fetched.
    Url(KeyUrl),
    /// In a file of PEM. Absolute.
    Pem(PathBuf),
    /// A secret.
    Secret(SecretSource),
}

/// From where keys are fetched, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyUrl {
    /// What is asked.
    pub target: HttpTarget,
    /// At least so often.
    pub refresh: Duration,
}

/// Where that is written. All are equal: what only moved in its file has not changed.
#[derive(Clone, Debug)]
pub(in crate::config) struct JwtWritten {
    pub(in crate::config) keys: Range<usize>,
    pub(in crate::config) revoked: Range<usize>,
    pub(in crate::config) algorithms: Range<usize>,
}

impl PartialEq for JwtWritten {
    fn eq(&self, _: &JwtWritten) -> bool {
        true
    }
}

impl Eq for JwtWritten {}

pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>) -> Option<AuthKind> {
    let keys = keys(reader, section, item);
    let file = reader.source.path().to_path_buf();
    let revoked = section.get("revoked");
    let span = |item: &Option<Item<'_>>| item.as_ref().map(Item::span).unwrap_or_default();
    let revoked_span = span(&revoked);
    let revoked =
        revoked.map(|item| reader.text(&item, PATH, |text| path(&file, text, "a file of revoked tokens")));
    let algorithms = required(reader, section, item, "algorithms", ALGORITHMS);
    let algorithms_span = span(&algorithms);
    let algorithms = algorithms.and_then(|item| reader.texts(&item, "[\"RS256\"]", algorithm));
    let asked = algorithms.and_then(|all| {
        reader.twice("algorithm", all.iter().map(|(one, span)| (one, span)));
        asked(reader, section, all.into_iter().map(|(one, _)| one).collect())
    });
    let expected = asked.and_then(|asked| match Expected::new(asked) {
        Ok(expected) => Some(expected),
        Err(error) => refused(reader, section, item, &error),
    });
    let (keys, keys_span) = keys?;
    let revoked = match revoked {
        Some(None) => return None,
        revoked => revoked.flatten(),
    };
    let written = JwtWritten { keys: keys_span, revoked: revoked_span, algorithms: algorithms_span };
    Some(AuthKind::Jwt(JwtSpec { expected: Arc::new(expected?), keys, revoked, written }))
}

/// Where the keys are: in one of three forms.
fn keys(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    item: &Item<'_>,
) -> Option<(KeySource, Range<usize>)> {
    let mut said = SOURCES.iter().filter_map(|key| section.get(key));
    let help = "write where its keys are: jwks = \"/etc/callgate/jwks.json\", keys = \"/etc/callgate/keys.pem\" or secret = { file = \"…\" }";
    let Some(source) = said.next() else { return required(reader, section, item, "jwks", help).and(None) };
    if let Some(other) = said.next() {
        let title = format!("`{}` has keys from two places", item.key);
        return reader.complain(&other, Complaint::new(title, format!("`{}` says it already", source.key)));
    }
    let file = reader.source.path().to_path_buf();
    let span = source.span();
    let read = match source.key {
        "jwks" => jwks(reader, &source),
        "keys" => {
            reader.text(&source, PATH, |text| path(&file, text, "a file of keys in PEM")).map(KeySource::Pem)
        }
        _ => match source.value.get_ref() {
            // It would be the secret itself.
            DeValue::String(_) => {
                let complaint = Complaint::new("a secret never stands in a table", "say where it is");
                reader.complain(&source, complaint.help(format!("write secret = {SECRET}")))
            }
            _ => SecretSource::read(reader, &source, SECRET, "a file with the secret").map(KeySource::Secret),
        },
    };
    Some((read?, span))
}

/// Keys in JSON: in a file, or at a URL.
fn jwks(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<KeySource> {
    let file = reader.source.path().to_path_buf();
    match item.value.get_ref() {
        DeValue::Table(table) => {
            let section = reader.section("`jwks`", table, URL_KEYS);
            let refresh = section.get("refresh").map(|item| reader.duration(&item));
            let target = HttpTarget::read(reader, &section, item)?;
            let refresh = refresh.unwrap_or(Some(REFRESH))?;
            Some(KeySource::Url(KeyUrl { target, refresh }))
        }
        DeValue::String(text) if HttpUrl::is_meant(text) => {
            let target = HttpTarget::of_text(reader, item)?;
            Some(KeySource::Url(KeyUrl { target, refresh: REFRESH }))
        }
        _ => reader.text(item, JWKS, |text| path(&file, text, "a file of keys in JSON")).map(KeySource::Jwks),
    }
}

/// What is asked of tokens, where these are the algorithms.
fn asked(reader: &mut Reader<'_>, section: &Section<'_>, algorithms: Vec<Algorithm>) -> Option<Asked> {
    let before = reader.found.len();
    let mut asked = Asked::by(algorithms);
    let mut list = |key: &'static str, into: &mut Vec<String>| {
        if let Some(item) = section.get(key) {
            *into = texts(reader, &item);
        }
    };
    list("issuer", &mut asked.issuers);
    list("audience", &mut asked.audiences);
    list("required", &mut asked.required);
    list("scopes", &mut asked.scopes);
    list("types", &mut asked.types);
    if let Some(item) = section.get("name") {
        asked.name = reader.text(&item, "a claim's name", |text| Ok(text.to_owned()))?;
    }
    if let Some(item) = section.get("leeway") {
        asked.leeway = reader.duration(&item)?.as_secs();
    }
    if let Some(item) = section.get("max_token") {
        asked.max_len = usize::try_from(reader.size(&item)?).unwrap_or(Asked::MAX_LEN);
    }
    (reader.found.len() == before).then_some(asked)
}

/// A text, or several.
fn texts(reader: &mut Reader<'_>, item: &Item<'_>) -> Vec<String> {
    let own = |text: &str| Ok(text.to_owned());
    match item.value.get_ref() {
        DeValue::Array(_) => {
            let texts = reader.texts(item, "[\"orders\"]", own).unwrap_or_default();
            reader.twice("text", texts.iter().map(|(text, span)| (text, span)));
            texts.into_iter().map(|(text, _)| text).collect()
        }
        _ => reader.text(item, "a text, or an array of such", own).into_iter().collect(),
    }
}

fn refused<T>(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    item: &Item<'_>,
    error: &AskedError,
) -> Option<T> {
    let key = match error.field {
        "issuers" => "issuer",
        "audiences" => "audience",
        "max_len" => "max_token",
        field => field,
    };
    let at = KEYS.iter().find(|known| known.key == key).and_then(|known| section.get(known.key));
    let at = at.unwrap_or_else(|| item.clone());
    reader.complain(&at, Complaint::new(format!("`{key}` will not do"), error.text.clone()))
}

fn algorithm(text: &str) -> Result<Algorithm, Complaint> {
    Algorithm::parse(text).ok_or_else(|| {
        let complaint =
            Complaint::new(format!("`{text}` signs no tokens here"), "not an algorithm that is taken");
        let names: Vec<&str> = Algorithm::ALL.iter().map(|one| one.name()).collect();
        complaint.help(format!("possible are {}", names.join(", ")))
    })
}
