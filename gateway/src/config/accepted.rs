//! `accept_exposure` of a file: what a change opens that is meant so. It names exactly one difference, or several, by what the refusal has
//! printed.
//!
//! ```toml
//! accept_exposure = "5b1e0a3cc4d2f907"
//! ```

use super::complaint::Complaint;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::keys;
use super::reader::{Reader, Section};
use super::tables::Tables;
use toml::de::DeValue;

/// How long the name of a difference is, in hex digits.
const DIGITS: usize = 16;
/// How many ways are shown.
const SHOWN: usize = 20;

/// Reads what a file accepts.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<String> {
    let Some(item) = section.get(keys::ACCEPT_EXPOSURE) else { return Vec::new() };
    let hash = |text: &str| match text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(Complaint::new(format!("`{text}` names no difference"), "expected 16 hex digits")
            .help("a change that opens something is refused with the line that accepts it")),
    };
    match item.value.get_ref() {
        DeValue::Array(_) => {
            let all = reader.texts(&item, "[\"5b1e0a3cc4d2f907\"]", hash).unwrap_or_default();
            all.into_iter().map(|(hash, _)| hash).collect()
        }
        _ => reader.text(&item, "what the refusal has printed", hash).into_iter().collect(),
    }
}

impl Tables {
    /// What is said of tables that open ways which nobody has accepted: each with the place in the list of the route that is one, if it is a
    /// route, and in words.
    pub fn refuse_exposure(&self, opened: &[(Option<usize>, String)], hash: &str) -> Diagnostics {
        let accept = format!(
            "if all of this is meant, write {} = \"{hash}\" at the top of a table",
            keys::ACCEPT_EXPOSURE
        );
        let count = opened.len();
        let mut found: Vec<Diagnostic> = opened
            .iter()
            .take(SHOWN)
            .map(|(route, words)| {
                let title = "more callers could come than before";
                let route = route.and_then(|at| self.routes.get(at));
                match route.and_then(|route| {
                    Some((
                        route,
                        self.sources.iter().find(|source| source.path() == &*route.written.place.file)?,
                    ))
                }) {
                    Some((route, source)) => {
                        Diagnostic::new(title).at(source, route.written.matched.clone(), words)
                    }
                    None => Diagnostic::new(format!("{title}: {words}")),
                }
            })
            .collect();
        if let Some(last) = found.pop() {
            let last = match count > SHOWN {
                true => last.note(format!("and {} ways more", count - SHOWN)),
                false => last,
            };
            found.push(last.help(accept));
        }
        Diagnostics::none_or(found)
            .err()
            .unwrap_or_else(|| Diagnostic::new("more callers could come than before").into())
    }
}
