//! `[admin]`: where the operator's port is, by which names it is asked, and what whoever asks has to know.

use super::AdminSettings;
use crate::config::complaint::Complaint;
use crate::config::diagnostics::Diagnostic;
use crate::config::places::{ADDRESS, absolute, address};
use crate::config::reader::{Item, Reader, Section, set};
use crate::config::secret_source::{self, SecretSource};
use crate::config::shape::{Entry, Shape};
use callgate_protocol::Token;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use toml::de::DeValue;

pub(super) const KEYS: &[Entry] = &[
    Entry::new("listen", Shape::Text, "where health, metrics and status are"),
    Entry::new(
        "hosts",
        Shape::TEXTS,
        "by which names the admin port is asked, beside addresses and localhost",
    ),
    Entry::new("token", TOKEN, "what requests to the admin port have to bring along"),
    Entry::new("token_file", Shape::Text, "a file that holds the token instead"),
    Entry::new("read_token", TOKEN, "what requests may bring along instead that change nothing"),
];
/// A token, or where it is kept.
const TOKEN: Shape = secret_source::KEPT_OR_PATH;

/// How much of a token's file is read: more than any token is long.
const MAX_FILE: u64 = 4096;

/// Replaces the defaults by what the section says.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, admin: &mut AdminSettings) {
    if let Some(item) = section.get("listen") {
        set(&mut admin.listen, reader.text(&item, ADDRESS, address));
    }
    if let Some(item) = section.get("hosts") {
        let hosts = reader.texts(&item, "[\"gateway.example\"]", host);
        set(&mut admin.hosts, hosts.map(|hosts| hosts.into_iter().map(|(host, _)| host).collect()));
    }
    let files = &mut admin.token_files;
    admin.token = match (section.get("token"), section.get("token_file")) {
        (Some(_), Some(file)) => {
            let complaint = Complaint::new("`[admin]` has either `token` or `token_file`", "it has both");
            // Not shown in its place, which may be the token's line.
            reader.report(complaint.without_place(file.key));
            None
        }
        (Some(token), None) => read_token(reader, &token, &mut files[0]),
        (None, Some(file)) => read_file(reader, &file, &mut files[0]),
        (None, None) => None,
    };
    if let Some(item) = section.get("read_token") {
        admin.read_token = read_token(reader, &item, &mut files[1]);
        check_pair(reader, section, &item, admin);
    }
}

/// A token for reading is another one than that for everything, which there has to be.
fn check_pair(reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>, admin: &AdminSettings) {
    let complaint = match (&admin.token, &admin.read_token) {
        (Some(token), Some(read)) if token == read => {
            Complaint::new("`read_token` is the same as `token`", "it could change everything")
        }
        (None, Some(_)) if section.get("token").is_none() && section.get("token_file").is_none() => {
            Complaint::new(
                "`read_token` goes with `token`",
                "nobody could change anything, and everybody could read",
            )
            .help("set `token` as well")
        }
        _ => return,
    };
    // Not shown in its place, which may be the secret.
    reader.report(complaint.without_place(item.key));
}

/// A token, or where it is kept, which is noted if it is a file. Mistakes are told without the line in which they stand, which may be the secret.
fn read_token(reader: &mut Reader<'_>, item: &Item<'_>, file: &mut Option<PathBuf>) -> Option<Token> {
    let key = item.key;
    let token = match item.value.get_ref() {
        DeValue::String(text) => Token::parse(text),
        DeValue::Table(_) => return load_token(reader, item, file),
        _ => Err("it is not a string, nor a table such as { file = \"…\" }"),
    };
    token.map_err(|why| reader.report(Diagnostic::new(format!("[admin] {key} cannot be one: {why}")))).ok()
}

/// The token that is kept elsewhere.
fn load_token(reader: &mut Reader<'_>, item: &Item<'_>, file: &mut Option<PathBuf>) -> Option<Token> {
    let source = SecretSource::read(reader, item, "a table such as { file = \"…\" }", "the token's file")?;
    *file = source.file().map(Path::to_path_buf);
    let content = source.load("the token", &reader.source.clone(), &item.span());
    let content = content.map_err(|found| reader.found.extend(found.into_found())).ok()?;
    let token = std::str::from_utf8(&content)
        .map_err(|_| "it is no text")
        .and_then(|text| Token::parse(text.trim_end()));
    token
        .map_err(|why| Complaint::new(format!("{} holds no token", source.shown()), why))
        .map_or_else(|complaint| reader.complain(item, complaint), Some)
}

fn read_file(reader: &mut Reader<'_>, item: &Item<'_>, file: &mut Option<PathBuf>) -> Option<Token> {
    let source = reader.source.clone();
    reader.text(item, "a path such as \"/run/secrets/admin-token\"", |text| {
        let path = absolute(source.path(), text);
        *file = Some(path.clone());
        let content = content(&path).map_err(|error| {
            Complaint::new(format!("`{}` cannot be read", path.display()), error.to_string())
        })?;
        // Editors and `echo` end a file with a line's end.
        Token::parse(content.trim_end()).map_err(|why| Complaint::new("the file holds no token", why))
    })
}

pub(super) fn content(path: &Path) -> std::io::Result<String> {
    let mut content = String::new();
    File::open(path)?.take(MAX_FILE).read_to_string(&mut content)?;
    Ok(content)
}

/// A name as a Host header has it, in small letters and without a port.
fn host(text: &str) -> Result<String, Complaint> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.parse::<IpAddr>().is_ok() {
        return Err(Complaint::new(format!("`{text}` is an address"), "addresses need not be listed"));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if name.is_empty() || name.len() > 253 || !name.bytes().all(fits) {
        let complaint = Complaint::new(format!("`{text}` is not a host's name"), "expected a name alone");
        return Err(complaint.help("write the name that stands in the URL, without scheme, port and path"));
    }
    Ok(name.to_ascii_lowercase())
}
