//! What is counted of keys that are fetched.

use super::counter::Counter;

/// What came of fetching keys once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    /// Keys.
    Ok,
    /// There is no connection to the server.
    Unreachable,
    /// It has not answered in time.
    Timeout,
    /// It has answered with another status than 200.
    Status,
    /// Its answer is longer than it may be.
    TooLong,
    /// Its answer is no HTTP, or was cut.
    Broken,
    /// Its answer has no keys that can be used.
    NoKeys,
}

impl FetchOutcome {
    /// All of them.
    pub const ALL: [FetchOutcome; 7] = [
        FetchOutcome::Ok,
        FetchOutcome::Unreachable,
        FetchOutcome::Timeout,
        FetchOutcome::Status,
        FetchOutcome::TooLong,
        FetchOutcome::Broken,
        FetchOutcome::NoKeys,
    ];

    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            FetchOutcome::Ok => "ok",
            FetchOutcome::Unreachable => "unreachable",
            FetchOutcome::Timeout => "timeout",
            FetchOutcome::Status => "status",
            FetchOutcome::TooLong => "too_long",
            FetchOutcome::Broken => "broken",
            FetchOutcome::NoKeys => "no_keys",
        }
    }
}

/// What is counted of one place of keys. The task that fetches them is the only writer.
#[derive(Debug, Default)]
pub struct FetchStats([Counter; FetchOutcome::ALL.len()]);

impl FetchStats {
    /// Counts one.
    pub fn fetched(&self, outcome: FetchOutcome) {
        self.0[outcome as usize].increment();
    }

    /// Those that came to that.
    pub fn count(&self, outcome: FetchOutcome) -> u64 {
        self.0[outcome as usize].get()
    }
}

/// What a scrape shows of the keys that an authenticator fetches.
pub struct FetchScrape<'a> {
    /// The authenticator.
    pub authenticator: &'a str,
    /// How long ago its keys were last told, in seconds; nothing while there are none.
    pub age: Option<u64>,
    /// Its counters.
    pub stats: &'a FetchStats,
}
