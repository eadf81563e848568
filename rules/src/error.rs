//! What is wrong with a rule, for whoever wrote it.

use std::fmt;
use std::ops::Range;

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The bytes of the rule that are wrong.
    pub at: Range<usize>,
    /// What is wrong.
    pub title: String,
    /// What is said of the place.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl RuleError {
    pub(crate) fn new(at: Range<usize>, title: impl Into<String>, label: impl Into<String>) -> RuleError {
        RuleError { at, title: title.into(), label: label.into(), help: None }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> RuleError {
        RuleError { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RuleError { at, title, label, help } = self;
        write!(f, "{title} at byte {}: {label}", at.start)?;
        help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

impl std::error::Error for RuleError {}
