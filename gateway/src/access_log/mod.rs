//! The access log: a line for each request whose answer is no success, and for as many of the others as the settings say.
//!
//! ```text
//! line     one line: fields one behind the other, as JSON or as logfmt
//! ```
//! Whose request it is and what has become of it is known in `front`, which fills lines. They go to standard output by a thread of their
//! own, from a queue that is bounded: a log that nobody reads costs lines, which are counted, and never time. There is no limit for lines
//! that repeat: each is another request.

mod line;

pub use line::{Line, TriedAt};

use crate::config::AccessLogSettings;
use crate::telemetry::log::{Lines, LogStats};
use arc_swap::{ArcSwap, Guard};
use std::sync::{Arc, OnceLock};

/// The access log of the process.
#[derive(Debug)]
pub struct AccessLog {
    /// What the gateway's file says.
    configured: AccessLogSettings,
    in_force: ArcSwap<AccessLogSettings>,
    /// Where lines go; nowhere before that is known.
    lines: OnceLock<Arc<Lines>>,
}

impl AccessLog {
    /// One that begins as the settings say.
    pub fn new(settings: &AccessLogSettings) -> AccessLog {
        AccessLog {
            configured: settings.clone(),
            in_force: ArcSwap::from_pointee(settings.clone()),
            lines: OnceLock::new(),
        }
    }

    /// From here on lines go there.
    pub fn begin(&self, lines: Arc<Lines>) {
        // It begins once.
        let _ = self.lines.set(lines);
    }

    /// The settings in force.
    pub fn settings(&self) -> Guard<Arc<AccessLogSettings>> {
        self.in_force.load()
    }

    /// As the gateway's file says, but for these names and values; until the next change, or the end of the process.
    ///
    /// # Errors
    /// For people: something cannot be so. Then nothing changes.
    pub fn change<'p>(
        &self,
        pairs: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) -> Result<Arc<AccessLogSettings>, String> {
        let changed =
            pairs.into_iter().try_fold(self.configured.clone(), |all, (name, value)| all.with(name, value));
        let changed = Arc::new(changed?);
        self.in_force.store(changed.clone());
        Ok(changed)
    }

    /// Whether a request has a line, whose answer is a failure or none.
    #[inline]
    pub fn wants(&self, settings: &AccessLogSettings, is_failure: bool) -> bool {
        let wants = if is_failure { settings.failures } else { settings.successes.draw() };
        wants && self.lines.get().is_some()
    }

    /// Writes a line.
    pub fn put(&self, line: Line) {
        if let Some(lines) = self.lines.get() {
            lines.put(&line.end());
        }
    }

    /// What was lost of it.
    pub fn stats(&self) -> Option<Arc<LogStats>> {
        self.lines.get().map(|lines| lines.stats())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_holds_until_the_next_one_which_begins_at_the_file() {
        let log = AccessLog::new(&AccessLogSettings::default());
        let changed = log.change([("successes", "1.5%"), ("failures", "false")]).expect("it can be so");
        assert_eq!((changed.successes.percent(), changed.failures), (1.5, false));
        assert!(log.change([("successes", "2"), ("failures", "true")]).is_err());
        assert!(!log.settings().failures, "a mistake changes nothing");
        let told = log.change([("succeses", "2%")]).expect_err("there is none");
        assert!(told.contains("did you mean `successes`?"), "{told}");
        log.change([]).expect("nothing can be wrong with nothing");
        assert_eq!(**log.settings(), AccessLogSettings::default());
    }

    #[test]
    fn before_it_has_begun_nobody_wants_a_line() {
        let settings = AccessLogSettings::default();
        let log = AccessLog::new(&settings);
        assert!(!log.wants(&settings, true));
    }
}
