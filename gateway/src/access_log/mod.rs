//! The access log: a line for each request whose answer is no success, and for as many of the others as the settings say.
//!
//! ```text
//! record    what a worker writes down of a request
//! line      the line of a record, as JSON or as logfmt
//! failures  the last of those that tell of failures, whether they are written or not
//! ```
//! Whose request it is and what has become of it is known in `front`, which fills records. A thread of its own makes lines of them, which go to standard
//! output, from a queue that is bounded: a log that nobody reads costs lines, which are counted, and never time. There is no limit for lines
//! that repeat: each is another request.

mod failures;
mod line;
mod record;

pub use failures::{Failures, Keep};
pub use line::Form;
pub use record::{Record, TriedAt};

use crate::config::{AccessField, AccessFields, AccessLogFormat, AccessLogSettings};
use crate::telemetry::log::{Lines, LogStats};
use arc_swap::{ArcSwap, Guard};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

/// The access log of the process.
#[derive(Debug)]
pub struct AccessLog {
    /// What the gateway's file says.
    configured: AccessLogSettings,
    in_force: ArcSwap<AccessLogSettings>,
    /// Where lines go; nowhere before that is known.
    lines: OnceLock<Arc<Lines>>,
    /// The same of what is kept, and what has been.
    kept: OnceLock<(Arc<Lines>, Arc<Failures>)>,
}

/// What failures are kept with, whatever lines say: all but what may hold secrets.
const KEPT: AccessFields = AccessFields::all_but(AccessField::Query);

impl Form {
    /// That of lines on standard output.
    pub fn logged(settings: &AccessLogSettings) -> Form {
        Form { format: settings.format, fields: settings.fields, headers: true }
    }

    /// That of failures that are kept. Whoever asks for these has not asked for headers.
    pub fn kept() -> Form {
        Form { format: AccessLogFormat::Json, fields: KEPT, headers: false }
    }
}

/// Where the line of a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Goes {
    /// To the log.
    pub logged: bool,
    /// To the last failures.
    pub kept: bool,
}

impl Goes {
    /// Whether there is such a line at all.
    #[inline]
    pub fn somewhere(self) -> bool {
        self.logged || self.kept
    }

    /// There and there.
    pub fn and(self, other: Goes) -> Goes {
        Goes { logged: self.logged || other.logged, kept: self.kept || other.kept }
    }
}

impl AccessLog {
    /// One that begins as the settings say.
    pub fn new(settings: &AccessLogSettings) -> AccessLog {
        AccessLog {
            configured: settings.clone(),
            in_force: ArcSwap::from_pointee(settings.clone()),
            lines: OnceLock::new(),
            kept: OnceLock::new(),
        }
    }

    /// From here on lines go there.
    pub fn begin(&self, lines: Arc<Lines>) {
        // It begins once.
        let _ = self.lines.set(lines);
    }

    /// From here on records of failures go there, and are found there.
    pub fn begin_failures(&self, lines: Arc<Lines>, failures: Arc<Failures>) {
        // It begins once.
        let _ = self.kept.set((lines, failures));
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

    /// Where the line of a request goes, whose answer is a failure or none.
    #[inline]
    pub fn goes(&self, settings: &AccessLogSettings, is_failure: bool) -> Goes {
        let logged = if is_failure { settings.failures } else { settings.successes.draw() };
        Goes { logged: logged && self.lines.get().is_some(), kept: is_failure && self.kept.get().is_some() }
    }

    /// An empty record, of a request that has lines there.
    pub fn record(&self, settings: &AccessLogSettings, goes: Goes) -> Record {
        Record::new(if goes.kept { settings.fields.and(KEPT) } else { settings.fields })
    }

    /// Has lines made of a record.
    pub fn put(&self, record: &Record, goes: Goes) {
        if let (Some(lines), true) = (self.lines.get(), goes.logged) {
            lines.put(record.bytes());
        }
        if let (Some((lines, _)), true) = (self.kept.get(), goes.kept) {
            lines.put(record.bytes());
        }
    }

    /// The last failures, and how many of them were lost.
    pub fn failures(&self) -> Option<(&Failures, u64)> {
        let (lines, failures) = self.kept.get()?;
        Some((failures, lines.stats().full.load(Relaxed)))
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
        assert!(!log.goes(&settings, true).somewhere());
    }
}
