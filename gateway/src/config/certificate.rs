//! `[[certificates]]`: which names have which certificate, and where its chain and its key lie. What is in the files is looked at in
//! `certificate_files.rs`.

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::places::path;
use super::reader::{Item, Reader, Section};
use super::secret_source::{self, SecretSource};
use super::shape::{Entry, Shape};
use super::source::Source;
use callgate_tls::Name;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

const KEYS: &[Entry] = &[
    Entry::needed("names", Shape::SOME_TEXTS, "the host names that clients ask for"),
    Entry::needed("cert", Shape::Text, "the file of the certificate in PEM"),
    Entry::needed("key", secret_source::KEPT_OR_PATH, "its private key in PEM"),
    Entry::new(
        "default",
        Shape::Boolean,
        "clients that ask for no name, or for one that no certificate has, get this one",
    ),
];
/// What `certificates` may be.
pub(super) const SHAPE: Shape = Shape::List(&Shape::Table(KEYS), 0..=usize::MAX);
const TABLES: &str = "tables, each written [[certificates]]";
const CERT: &str = "a path such as \"/etc/callgate/api.pem\"";
const KEY: &str = "a path such as \"/etc/callgate/api.key\", { file = \"…\" } or { env = \"…\" }";
const PEM: &str = "a file in PEM";
const NAMES: &str = "[\"api.example.com\", \"*.example.com\"]";
const NAMES_HELP: &str =
    "write the host names that clients ask for: names = [\"api.example.com\", \"*.example.com\"]";

/// A certificate: its names, and where it is.
#[derive(Clone, Debug)]
pub struct CertificateSpec {
    /// The names that clients ask for to get it; at least one.
    pub names: Vec<Name>,
    /// The file of its chain. Absolute.
    pub cert: PathBuf,
    /// Where its key is.
    pub key: SecretSource,
    /// Whether clients that ask for no name, or for one that no certificate has, get it. Without, they do if it is the only one.
    pub default: Option<bool>,
    pub(super) written: CertificateWritten,
}

/// Where a certificate and its parts are written.
#[derive(Clone, Debug)]
pub(super) struct CertificateWritten {
    pub(super) source: Arc<Source>,
    whole: Range<usize>,
    pub(super) names: Vec<Range<usize>>,
    pub(super) cert: Range<usize>,
    pub(super) key: Range<usize>,
    default: Range<usize>,
}

impl CertificateSpec {
    /// Whether it is the same certificate as another table's: the same names, and files at the same places.
    pub fn is(&self, other: &CertificateSpec) -> bool {
        (&self.names, &self.cert, &self.key) == (&other.names, &other.cert, &other.key)
    }

    /// The name by which people and metrics know it: its first.
    pub fn name(&self) -> String {
        self.names.first().map(Name::to_string).unwrap_or_default()
    }

    /// The files that it is read from.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.cert.as_path()).chain(self.key.file())
    }

    /// Where it is written: file, line and column.
    pub fn defined(&self) -> String {
        self.written.source.place(self.written.whole.start).to_string()
    }

    fn read(reader: &mut Reader<'_>, table: &DeTable<'_>, whole: Range<usize>) -> Option<CertificateSpec> {
        let section = reader.section("a certificate", table, KEYS);
        let file = Arc::clone(reader.source);
        let mut get = |key: &'static str, help: &str| {
            let item = section.get(key);
            if item.is_none() {
                let missing = Diagnostic::new(format!("a certificate without `{key}`"));
                reader.report(missing.at(&file, whole.clone(), format!("`{key}` is missing")).help(help));
            }
            item
        };
        let names = get("names", NAMES_HELP);
        let cert = get("cert", "write where its chain is: cert = \"/etc/callgate/api.pem\"");
        let key = get("key", "write where its key is: key = \"/etc/callgate/api.key\"");
        let names = names.and_then(|item| read_names(reader, &item));
        let (cert_span, key_span) = (cert.as_ref().map(Item::span), key.as_ref().map(Item::span));
        let place = |text: &str| path(file.path(), text, PEM);
        let cert = cert.and_then(|item| reader.text(&item, CERT, place));
        let key = key.and_then(|item| SecretSource::read(reader, &item, KEY, PEM));
        let default = section.get("default");
        let default_span = default.as_ref().map(Item::span).unwrap_or_default();
        let default = default.and_then(|item| reader.boolean(&item));
        let (names, spans) = names?.into_iter().unzip();
        let written = CertificateWritten {
            source: file.clone(),
            whole,
            names: spans,
            cert: cert_span?,
            key: key_span?,
            default: default_span,
        };
        Some(CertificateSpec { names, cert: cert?, key: key?, default, written })
    }
}

fn read_names(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<(Name, Range<usize>)>> {
    let before = reader.found.len();
    let names = reader.texts(item, NAMES, name)?;
    if names.is_empty() && reader.found.len() == before {
        let complaint = Complaint::new("a certificate without names", "expected at least one name");
        return reader.complain(item, complaint.help(NAMES_HELP));
    }
    reader.twice("name", names.iter().map(|(name, span)| (name, span)));
    Some(names)
}

fn name(text: &str) -> Result<Name, Complaint> {
    Name::parse(text.strip_suffix('.').unwrap_or(text)).ok_or_else(|| {
        let complaint =
            Complaint::new(format!("`{text}` is not a name of a certificate"), "expected a host name");
        match text.rsplit_once(':') {
            _ if text == "*" => {
                complaint.help("for all names that no other certificate has write default = true")
            }
            _ if text.contains('*') => {
                complaint.help("a `*` stands for the whole first label: \"*.example.com\"")
            }
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                complaint.help(format!("names have no port: write \"{host}\""))
            }
            _ => complaint.help("write the name that stands in the URL, without scheme, port and path"),
        }
    })
}

/// The certificates that the files declare.
#[derive(Default)]
pub(super) struct Certificates(Vec<CertificateSpec>);

impl Certificates {
    /// Reads the `certificates` of one file.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, section: &Section<'_>) {
        let Some(item) = section.get("certificates") else { return };
        for value in reader.array(&item, TABLES).unwrap_or_default() {
            match value.get_ref() {
                DeValue::Table(table) => self.0.extend(CertificateSpec::read(reader, table, value.span())),
                _ => drop(reader.wrong_type::<()>("certificates", value, TABLES)),
            }
        }
    }

    /// Checks them across files: each name has one certificate, and so has who asks for none.
    pub(super) fn finish(self, found: &mut Vec<Diagnostic>) -> Vec<CertificateSpec> {
        let mut first: HashMap<&Name, (&CertificateWritten, &Range<usize>)> = HashMap::new();
        let mut default: Option<&CertificateWritten> = None;
        for spec in &self.0 {
            let written = &spec.written;
            for (name, span) in spec.names.iter().zip(&written.names) {
                let (other, at) = *first.entry(name).or_insert((written, span));
                // Within one list it was reported as listed twice.
                if !std::ptr::eq(other, written) {
                    let twice = Diagnostic::new(format!("`{name}` has two certificates"));
                    let twice = twice.at(&written.source, span.clone(), "again");
                    found.push(twice.at(&other.source, at.clone(), "first here"));
                }
            }
            if spec.default != Some(true) {
                continue;
            }
            match default {
                Some(other) => found.push(
                    Diagnostic::new("two certificates are the default")
                        .at(&written.source, written.default.clone(), "again")
                        .at(&other.source, other.default.clone(), "first here")
                        .help("clients that ask for no name get one certificate: mark one of them"),
                ),
                None => default = Some(written),
            }
        }
        self.0
    }
}
