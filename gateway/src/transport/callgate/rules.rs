//! The rules of a route for the schema of a method: their program, or why they do not fit.

use crate::config::Rules;
use callgate_rules::{Misfit, Program, Rule};
use callgate_transcode::Layout;
use std::sync::Arc;

/// The program; none where there are no rules.
///
/// # Errors
/// The method lacks what they read, or has it with another type.
pub(super) fn program(rules: &Rules, layout: &Arc<Layout>) -> Result<Option<Box<Program>>, Misfit> {
    if rules.are_none() {
        return Ok(None);
    }
    Program::bind(layout.clone(), rules.all()).map(|program| Some(Box::new(program)))
}

/// Why they do not fit, with the part of the rule that does not.
pub(super) fn told(rules: &Rules, misfit: &Misfit) -> String {
    let rule = rules.get(misfit.rule).map(Rule::text).unwrap_or_default();
    let part = rule.get(misfit.at.clone()).unwrap_or_default();
    format!("`{part:.60}`: {}", misfit.why)
}
