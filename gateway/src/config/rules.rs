//! `rules`: conditions over the method's arguments and the caller's claims, which all have to hold before a call is sent. Those of a
//! file and those of its routes both count.
//!
//! What a rule is, the crate `rules` says. Here it is told where in the file a mistake stands.

use super::complaint::Complaint;
use super::keys;
use super::reader::{Item, Reader, Section};
use super::shape::Shape;
use callgate_rules::{MAX_RULES, Rule, RuleError};
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// What `rules` may be.
pub(super) const SHAPE: Shape = Shape::texts(MAX_RULES);

/// The rules of a route's calls, those of its file first; none as a rule.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Rules(Option<Arc<Vec<Said>>>);

/// A rule, and where it is written.
#[derive(Clone, Debug)]
struct Said {
    rule: Arc<Rule>,
    span: Range<usize>,
    /// Where its own first byte stands, if it is written there as it is.
    first: Option<usize>,
}

/// Two are equal that say the same, wherever they are written.
impl PartialEq for Said {
    fn eq(&self, other: &Said) -> bool {
        self.rule == other.rule
    }
}

impl Eq for Said {}

impl Hash for Said {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rule.hash(state);
    }
}

impl Rules {
    /// None, for tests.
    #[cfg(test)]
    pub const NONE: Rules = Rules(None);

    /// All of them, in the order in which they are asked.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.0.as_deref().map_or(&[][..], Vec::as_slice).iter().map(|said| &*said.rule)
    }

    /// The rule of that number.
    pub fn get(&self, at: usize) -> Option<&Rule> {
        self.all().nth(at)
    }

    /// Whether there are none.
    #[inline]
    pub fn are_none(&self) -> bool {
        self.0.is_none()
    }

    /// Where the bytes `part` of the rule of that number stand in its file.
    pub(super) fn place(&self, at: usize, part: &Range<usize>) -> Option<Range<usize>> {
        let said = self.0.as_ref()?.get(at)?;
        Some(match said.first {
            Some(first) => first + part.start..first + part.end,
            None => said.span.clone(),
        })
    }

    /// Reads `rules` of a route or of a file.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Rules {
        let Some(item) = section.get(keys::RULES.name) else { return Rules(None) };
        let expected = "an array of strings such as [\"claims.tenant == args.tenant\"]";
        let mut all = Vec::new();
        for value in reader.array(&item, expected).unwrap_or_default() {
            let one = Item { value, ..item.clone() };
            let rule = reader.text(&one, expected, |text| Rule::parse(text).map_err(complaint));
            let (span, first) = (one.span(), reader.first_byte(value));
            all.extend(rule.map(|rule| Said { rule: Arc::new(rule), span, first }));
        }
        Rules((!all.is_empty()).then(|| Arc::new(all)))
    }

    /// The same behind those of a file.
    pub(super) fn behind(self, file: &Rules) -> Rules {
        match (&self.0, &file.0) {
            (Some(own), Some(of_file)) => {
                Rules(Some(Arc::new(of_file.iter().chain(&**own).cloned().collect())))
            }
            (None, _) => file.clone(),
            (_, None) => self,
        }
    }

    /// Reports more rules than a route may have, of which the last stand there.
    pub(super) fn check_count(&self, reader: &mut Reader<'_>, section: &Section<'_>) {
        let Some(item) = section.get(keys::RULES.name) else { return };
        let count = self.all().len();
        if count > MAX_RULES {
            let complaint =
                Complaint::new(format!("more than {MAX_RULES} rules"), format!("{count} are too many"));
            reader.complain::<()>(&item, complaint.note("those of a file count for each of its routes"));
        }
    }
}

fn complaint(error: RuleError) -> Complaint {
    let RuleError { at, title, label, help } = error;
    let complaint = Complaint::new(title, label).within(at);
    help.into_iter().fold(complaint, Complaint::help)
}
