//! What is said of tables that let more callers come than before: each way with the place of the route that is one, and the line that accepts
//! all of it.

use super::diagnostics::{Diagnostic, Diagnostics};
use super::keys;
use super::tables::Tables;

/// How many ways are shown.
const SHOWN: usize = 20;

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
