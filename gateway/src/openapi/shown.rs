//! A route with all that is known of it.

use super::living::Version;
use crate::config::{ActionSpec, Matcher, RoutePolicy};

/// A route as it is shown.
pub(super) struct Shown<'a> {
    /// The requests that it takes.
    pub(super) matcher: &'a Matcher,
    /// What they pass.
    pub(super) policy: &'a RoutePolicy,
    /// What is done with them.
    pub(super) action: &'a ActionSpec,
    /// The method that is called, as instances have it: the latest first; none where no instance is known.
    pub(super) versions: Vec<Version<'a>>,
}
