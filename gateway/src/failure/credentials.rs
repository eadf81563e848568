//! Failures of callers who are not let in, or may not do what they ask for. What is wrong with what they have shown is for metrics and
//! the log; they themselves hear what RFC 6750, 3.1 says, and nothing of what would have been right.

use std::fmt::Write;
use std::sync::Arc;

/// The realm of all challenges (RFC 9110, 11.5): a gateway is one.
const REALM: &str = "realm=\"callgate\"";

macro_rules! flaws {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What is wrong with what a caller has shown. A closed list: metrics carry the names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Flaw {
            $($(#[$doc])* $variant,)*
        }

        impl Flaw {
            /// All of them; the index of each is its number as `usize`.
            pub const ALL: &'static [Flaw] = &[$(Flaw::$variant,)*];

            /// Its name, in logs, metrics and documents.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Flaw::$variant => $name,)*
                }
            }
        }
    };
}

flaws! {
    /// It is none of those that may call: a certificate's name, a user.
    NotAllowed = "not_allowed";
    /// The certificate has no name of the kind that counts.
    NoName = "no_name";
    /// Its time is over.
    Expired = "expired";
}

/// What tells a client how it could show who it is (RFC 9110, 11.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// By a certificate. There is no registered word for it.
    ClientCertificate,
    /// By its user, through a Unix socket. There is no registered word for it.
    PeerUser,
}

impl Challenge {
    /// The scheme of HTTP.
    fn scheme(self) -> &'static str {
        match self {
            Challenge::ClientCertificate => "ClientCertificate",
            Challenge::PeerUser => "PeerUser",
        }
    }

    /// Whether RFC 6750 says what is wrong.
    fn is_bearer(self) -> bool {
        false
    }
}

/// A caller who is not known.
#[derive(Debug)]
pub struct Unauthenticated {
    /// How it could be: of each authenticator of the route, none twice.
    pub challenges: Arc<[Challenge]>,
    /// What is wrong with what it has shown, and the name of the authenticator that says so. None where it has shown nothing.
    pub bad: Option<(Arc<str>, Flaw)>,
}

impl Unauthenticated {
    /// The value of `WWW-Authenticate`.
    pub fn www_authenticate(&self) -> String {
        let mut value = String::new();
        for challenge in self.challenges.iter() {
            let comma = if value.is_empty() { "" } else { ", " };
            // Writing to memory does not fail.
            let _ = write!(value, "{comma}{} {REALM}", challenge.scheme());
            if challenge.is_bearer() && self.bad.is_some() {
                value.push_str(", error=\"invalid_token\"");
            }
        }
        value
    }
}

/// A caller who is known, and may not do what it asks for.
#[derive(Debug)]
pub struct Forbidden {
    /// The scopes that the route wants, if some of them are missing; then a claim is.
    pub scopes: Option<String>,
    /// How it has shown who it is.
    pub challenge: Challenge,
    /// Who it is, and the name of the authenticator that says so.
    pub identity: (Arc<str>, Box<str>),
}

impl Forbidden {
    /// The value of `WWW-Authenticate`, where RFC 6750, 3 has one.
    pub fn www_authenticate(&self) -> Option<String> {
        if !self.challenge.is_bearer() {
            return None;
        }
        let scopes = self.scopes.as_ref().map(|scopes| format!(", scope=\"{scopes}\"")).unwrap_or_default();
        Some(format!("{} {REALM}, error=\"insufficient_scope\"{scopes}", self.challenge.scheme()))
    }
}
