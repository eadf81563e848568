//! Why an API key, or a user with a password, is not let in.

use std::fmt;

/// Why a key or a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denied {
    /// Nobody has that key; or there is no such user, or the password is another one: which of them, nobody is told.
    Unknown,
    /// It is right, and its time is over.
    Expired,
}

impl Denied {
    /// Both.
    pub const ALL: [Denied; 2] = [Denied::Unknown, Denied::Expired];

    /// Its name for counters and logs, which never changes.
    pub fn name(self) -> &'static str {
        match self {
            Denied::Unknown => "unknown",
            Denied::Expired => "expired",
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Denied::Unknown => "the credentials are not known",
            Denied::Expired => "the credentials have expired",
        })
    }
}

impl std::error::Error for Denied {}
