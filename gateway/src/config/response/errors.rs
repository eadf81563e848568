//! Which statuses the errors of a method have: `errors` of a route, by the names of declared errors or of codes.

use super::super::diagnostics::Diagnostic;
use super::super::keys;
use super::super::reader::{Reader, Section};
use super::status;
use crate::config::shape::Shape;
use callgate_protocol::Code;
use std::ops::Range;

/// Codes with which the gateway fails calls itself. Clients would see two statuses for one thing.
const OWN: [Code; 3] = [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled];

/// What `errors` may be.
pub(in crate::config) const SHAPE: Shape = Shape::Names(&[], &Shape::Integer(200..=599));

/// Statuses of errors, each once. None as a rule.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ErrorStatuses(Vec<(String, u16)>);

impl ErrorStatuses {
    /// The status of a failure of the method with that code, if it is another than usual; `error` is which of the declared ones it is.
    /// Its name goes before its code.
    pub fn of(&self, error: Option<&str>, code: Code) -> Option<u16> {
        let named = |name: &str| self.0.iter().find(|(own, _)| own == name).map(|(_, status)| *status);
        error.and_then(named).or_else(|| named(code.name()))
    }

    /// The names with their statuses.
    pub fn all(&self) -> impl Iterator<Item = (&str, u16)> {
        self.0.iter().map(|(name, status)| (name.as_str(), *status))
    }

    /// The names, in the order of their places.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Reads `errors` of a route, with the place of each name.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> (ErrorStatuses, Vec<Range<usize>>) {
        let (mut statuses, mut places) = (Vec::new(), Vec::new());
        let Some(item) = section.get(keys::ERRORS.name) else { return Default::default() };
        let table = reader.table(&item, "a table such as { out_of_stock = 409 }");
        for (key, value) in table.into_iter().flatten() {
            let one = item.named(key, value);
            if OWN.iter().any(|code| code.name() == one.key) {
                let title = format!("`{}` has a status already", one.key);
                let label = "the gateway fails calls with it too, whatever the method does";
                let diagnostic = Diagnostic::new(title).at(reader.source, one.key_span.clone(), label);
                reader.report(diagnostic.help("give the errors that the method declares their statuses"));
            } else if let Some(status) = status::of_error(reader, &one) {
                statuses.push((one.key.to_owned(), status));
                places.push(one.key_span);
            }
        }
        (ErrorStatuses(statuses), places)
    }
}
