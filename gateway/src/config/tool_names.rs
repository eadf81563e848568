//! Tools of all files together: each has a name of its own, because agents know them by nothing else.

use super::action::ActionDraft;
use super::diagnostics::Diagnostic;
use super::route::Draft;
use std::collections::HashMap;
use std::ops::Range;

/// The most tools of all files together: agents read all of those that they are shown.
const MAX_TOOLS: usize = 1000;

/// Reports tools of one name, and too many of them: agents know them by nothing else.
pub(super) fn check(drafts: &[Draft], found: &mut Vec<Diagnostic>) {
    let mut known: HashMap<&str, (&Draft, &Range<usize>)> = HashMap::new();
    for draft in drafts {
        let ActionDraft::Call(call) = &draft.action else { continue };
        let Some(tool) = &call.tool else { continue };
        let span = &draft.written.tool;
        let Some((first, place)) = known.get(tool.name.as_str()) else {
            known.insert(&tool.name, (draft, span));
            if known.len() == MAX_TOOLS + 1 {
                found.push(Diagnostic::new(format!("more than {MAX_TOOLS} tools")).at(
                    &draft.source,
                    span.clone(),
                    "one too many",
                ));
            }
            continue;
        };
        let title = format!("the tool `{}` is declared twice", tool.name);
        found.push(
            Diagnostic::new(title)
                .at(&draft.source, span.clone(), "again")
                .at(&first.source, (*place).clone(), "first here")
                .help("give one of them another name: tool = { name = \"…\" }; each match of a route is a route"),
        );
    }
}
