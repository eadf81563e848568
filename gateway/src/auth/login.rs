//! A name and a password, until somebody has verified them.

use super::verified::By;

/// A name and a password that a request has shown.
#[derive(Clone, PartialEq)]
pub struct Login {
    /// Who is to verify it, by which files.
    pub(super) by: By,
    /// As it was sent.
    pub(super) sent: Box<[u8]>,
    pub(super) user: Box<str>,
    pub(super) password: Box<[u8]>,
}

/// Never what it says.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}
