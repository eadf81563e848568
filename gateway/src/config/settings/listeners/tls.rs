//! `tls` of a listener: which versions it speaks, and whether it asks its clients for certificates.
//!
//! A file of CAs or of revoked certificates that cannot be read is an error of the settings: whoever asks for certificates never
//! serves without looking at them.

use crate::config::complaint::Complaint;
use crate::config::diagnostics::Diagnostic;
use crate::config::files;
use crate::config::places::path;
use crate::config::reader::{Item, Reader, Section};
use crate::config::shape::{Entry, Shape, words};
use callgate_tls::{ClientCertificates, Trust, TrustProblem, Versions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeValue;

const KEYS: &[Entry] = &[
    Entry::new("min_version", Shape::Words(&words(&VERSIONS)), "the lowest version of TLS"),
    Entry::beside(
        "ca",
        "client_certificates",
        Shape::Words(&words(&CHOICES)),
        "clients are asked for a certificate",
    ),
    Entry::beside(
        "client_certificates",
        "ca",
        Shape::Text,
        "the certificates of the CAs that sign those of clients, in PEM",
    ),
    Entry::beside(
        "client_certificates",
        "crl",
        Shape::TEXTS,
        "files with the lists of what these CAs have revoked, in PEM",
    ),
];
/// What `tls` of a listener may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Boolean, Shape::Table(KEYS)]);
const CHOICES: [(&str, bool); 2] = [("required", true), ("optional", false)];
const EXPECTED: &str =
    "true, or a table such as { client_certificates = \"required\", ca = \"clients.pem\" }";

/// What others have here.
const CERTIFICATE_KEYS: &[&str] = &["cert", "key", "certificate", "certificates"];
const CERTIFICATES: &str =
    "certificates stand in the tables: write [[certificates]] there, with `names`, `cert` and `key`";

/// The versions of TLS, by the lowest one that is spoken.
const VERSIONS: [(&str, Versions); 2] = [("1.2", Versions::From12), ("1.3", Versions::Only13)];

/// How a listener speaks TLS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsSettings {
    /// Which versions.
    pub versions: Versions,
    /// Whom it asks its clients to be, if it asks.
    pub clients: Option<ClientSettings>,
}

/// Which certificates a listener asks its clients for.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// A client without one has no connection.
    pub required: bool,
    /// Whose signatures count, and what they have revoked; as the files said when they were read.
    pub trust: Trust,
    /// The file of CA certificates. Absolute.
    pub ca: PathBuf,
    /// The files of revoked certificates. Absolute.
    pub crl: Vec<PathBuf>,
}

/// Equal if they let in the same clients.
impl PartialEq for ClientSettings {
    fn eq(&self, other: &ClientSettings) -> bool {
        self.required == other.required && self.trust.fingerprint() == other.trust.fingerprint()
    }
}

impl Eq for ClientSettings {}

impl TlsSettings {
    /// The word for the lowest version in the settings.
    pub fn min_version(&self) -> &'static str {
        let found = VERSIONS.iter().find(|(_, versions)| *versions == self.versions);
        found.map_or("", |(word, _)| word)
    }
}

impl ClientSettings {
    /// The word for it in the settings.
    pub fn name(&self) -> &'static str {
        if self.required { "required" } else { "optional" }
    }

    /// The same with what the files say now.
    ///
    /// # Errors
    ///
    /// Which file is wrong, and how, in one line.
    pub fn again(&self) -> Result<ClientSettings, String> {
        match trust(&self.ca, &self.crl) {
            Ok(trust) => Ok(ClientSettings { trust, ..self.clone() }),
            Err(Unusable { title, label, .. }) => Err(format!("{title}: {label}")),
        }
    }

    /// What a server is told of it.
    pub fn certificates(&self) -> ClientCertificates {
        let trust = self.trust.clone();
        if self.required { ClientCertificates::Required(trust) } else { ClientCertificates::Optional(trust) }
    }
}

/// Reads the key's value: `None` for a listener without TLS.
pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<TlsSettings> {
    let section = match item.value.get_ref() {
        DeValue::Boolean(false) => return None,
        DeValue::Boolean(true) => return Some(TlsSettings { versions: Versions::default(), clients: None }),
        DeValue::Table(table) => reader.section_beside("`tls`", table, KEYS, CERTIFICATE_KEYS, CERTIFICATES),
        _ => return reader.wrong_type(item.key, item.value, EXPECTED),
    };
    let versions = section.get("min_version").and_then(|item| reader.choice(&item, &VERSIONS));
    Some(TlsSettings { versions: versions.unwrap_or_default(), clients: read_clients(reader, &section) })
}

fn read_clients(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<ClientSettings> {
    let (asked, ca, crl) = (section.get("client_certificates"), section.get("ca"), section.get("crl"));
    let Some(asked) = asked else {
        for item in [ca, crl].into_iter().flatten() {
            let complaint = Complaint::new(
                format!("`{}` is for listeners that ask their clients for certificates", item.key),
                "this one asks for none",
            );
            reader.complain::<()>(
                &item,
                complaint.help("write client_certificates = \"required\", or \"optional\""),
            );
        }
        return None;
    };
    let required = reader.choice(&asked, &CHOICES);
    let Some(ca) = ca else {
        let complaint = Complaint::new("`client_certificates` needs `ca`", "signed by whom?");
        return reader.complain(
            &asked,
            complaint
                .help("write ca = \"clients.pem\", a file with the certificates of the CAs that sign them"),
        );
    };
    let file = Arc::clone(reader.source);
    let place = |text: &str| path(file.path(), text, "a file in PEM");
    let ca_path = reader.text(&ca, "a path such as \"clients.pem\"", place);
    let crls = crl.as_ref().map(|item| reader.texts(item, "[\"clients.crl\"]", place));
    // What could not be read as a path was reported.
    let (ca_path, crls) = (ca_path?, crls.map_or(Some(Vec::new()), |crls| crls)?);
    let (crl, spans): (Vec<PathBuf>, Vec<Range<usize>>) = crls.into_iter().unzip();
    let trust = trust(&ca_path, &crl).map_err(|unusable| {
        let span = match unusable.problem {
            TrustProblem::Crl(index) => spans[index].clone(),
            TrustProblem::Ca => ca.span(),
        };
        let told = Diagnostic::new(unusable.title).at(reader.source, span, unusable.label);
        reader.report(unusable.help.into_iter().fold(told, Diagnostic::help));
    });
    Some(ClientSettings { required: required?, trust: trust.ok()?, ca: ca_path, crl })
}

/// What stands in the way of trusting what the files name.
struct Unusable {
    /// Which file it is about.
    problem: TrustProblem,
    title: String,
    label: String,
    help: Option<String>,
}

impl Unusable {
    fn unreadable(problem: TrustProblem, path: &Path, error: &io::Error) -> Unusable {
        let title = format!("`{}` cannot be read", path.display());
        Unusable { problem, title, label: error.to_string(), help: None }
    }
}

/// Reads a file of CAs and those of what they have revoked.
fn trust(ca: &Path, crl: &[PathBuf]) -> Result<Trust, Unusable> {
    let pem = files::read(ca).map_err(|error| Unusable::unreadable(TrustProblem::Ca, ca, &error))?;
    let list = |(index, path): (usize, &PathBuf)| {
        files::read(path).map_err(|error| Unusable::unreadable(TrustProblem::Crl(index), path, &error))
    };
    let lists: Vec<Vec<u8>> = crl.iter().enumerate().map(list).collect::<Result<_, _>>()?;
    Trust::read(&pem, &lists).map_err(|error| {
        let problem = error.problem();
        let path = if let TrustProblem::Crl(index) = problem { &crl[index] } else { ca };
        let title = format!("`{}` cannot be used", path.display());
        Unusable { problem, title, label: error.to_string(), help: error.advice().map(str::to_owned) }
    })
}
