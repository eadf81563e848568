//! `mode` of a route: whether whoever asks hears what the method replies.

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::keys;
use super::matcher::Matcher;
use super::reader::{Reader, Section};
use super::shape::{Shape, words};
use crate::method::Method;

/// Whom a call's reply is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CallMode {
    /// For whoever asks.
    #[default]
    Answer,
    /// For nobody: whoever asks is told that the call is on its way.
    Notify,
    /// For the gateway itself, which asks who calls. No route is like that.
    Own,
}

impl CallMode {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            CallMode::Answer => "answer",
            CallMode::Notify => "notify",
            CallMode::Own => "own",
        }
    }
}

const CHOICES: [(&str, CallMode); 2] =
    [(CallMode::Answer.name(), CallMode::Answer), (CallMode::Notify.name(), CallMode::Notify)];
/// What `mode` may be.
pub(super) const SHAPE: Shape = Shape::Words(&words(&CHOICES));

/// The keys that say of replies what a route that only notifies has no use for.
const OF_REPLIES: [&str; 5] =
    [keys::RESPONSE.name, keys::ERRORS.name, keys::ETAG.name, keys::INT64.name, keys::DECIMAL.name];

/// Reads `mode` of a route that takes such requests, if these could be read.
pub(super) fn read(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    matcher: Option<&Matcher>,
) -> Option<CallMode> {
    let item = section.get(keys::MODE.name)?;
    let mode = reader.choice(&item, &CHOICES)?;
    if mode == CallMode::Notify {
        if matcher.is_some_and(|matcher| matcher.method == Method::Get) {
            let title = "`mode = \"notify\"` is not for GET routes";
            let complaint = Complaint::new(title, "the answer is 202 without a body");
            reader.complain::<()>(&item, complaint.help("match another method, such as POST"));
        }
        for key in OF_REPLIES.into_iter().filter_map(|key| section.get(key)) {
            let label = "a route with `mode = \"notify\"` answers 202 without a body";
            reader.report(
                Diagnostic::new(format!("`{}` has no effect", key.key))
                    .at(reader.source, key.key_span.clone(), label)
                    .help("remove it"),
            );
        }
    }
    Some(mode)
}
