//! Failures of callers who are not let in, or may not do what they ask for. What is wrong with what they have shown is for metrics and
//! the log; they themselves hear what RFC 6750, 3.1 says, and nothing of what would have been right.

use super::Reason;
use callgate_auth::Denied;
use callgate_auth::jwt::Refused;
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
    /// Its time has not begun.
    NotYet = "not_yet";
    /// Nobody has that key; or there is no such user, or the password is another one.
    Unknown = "unknown";
    /// It is longer than it may be.
    TooLong = "too_long";
    /// It cannot be read.
    Malformed = "malformed";
    /// The token's header asks for what is not done, or says that it is another kind of token.
    Header = "header";
    /// The token is signed by an algorithm that is not expected.
    Algorithm = "algorithm";
    /// The token is signed with a key that is not known.
    UnknownKey = "unknown_key";
    /// The token's signature is wrong.
    Signature = "signature";
    /// The token is from another issuer.
    Issuer = "issuer";
    /// The token is for others.
    Audience = "audience";
    /// The token lacks a claim that is needed, or a claim is not what it has to be.
    Claims = "claims";
    /// The token was revoked.
    Revoked = "revoked";
    /// What would verify it could not be read yet.
    Unavailable = "unavailable";
    /// Who was asked about the caller knows it, and does not let it in.
    Forbidden = "forbidden";
    /// Nobody was there who could be asked, or the question has failed.
    Away = "away";
    /// Who was asked has not answered in time.
    Late = "late";
    /// Who was asked has answered what cannot be read.
    BadAnswer = "bad_answer";
    /// More questions wait than may.
    Busy = "busy";
}

impl Flaw {
    /// Why the request fails of a caller whom nobody else knows. Where nobody has said who it is, that is no fault of what it has shown.
    pub fn reason(self) -> Reason {
        match self {
            Flaw::Unavailable | Flaw::Away | Flaw::Late | Flaw::BadAnswer | Flaw::Busy => {
                Reason::AuthUnavailable
            }
            Flaw::Forbidden => Reason::CallerRefused,
            _ => Reason::BadCredentials,
        }
    }

    /// Whether it says more of a caller than another flaw: that nothing is known of it goes before that it may not come, and that before
    /// the rest.
    pub fn outranks(self, other: Flaw) -> bool {
        let rank = |flaw: Flaw| match flaw.reason() {
            Reason::AuthUnavailable => 2,
            Reason::CallerRefused => 1,
            _ => 0,
        };
        rank(self) > rank(other)
    }
}

/// What tells a client how it could show who it is (RFC 9110, 11.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// By a certificate. There is no registered word for it.
    ClientCertificate,
    /// By its user, through a Unix socket. There is no registered word for it.
    PeerUser,
    /// By a bearer token (RFC 6750).
    Bearer,
    /// By a name and a password (RFC 7617).
    Basic,
    /// By an API key. There is no registered word for it.
    ApiKey,
    /// By something that a service of the operator's own knows. There is no registered word for it.
    External,
}

impl Challenge {
    /// The scheme of HTTP.
    fn scheme(self) -> &'static str {
        match self {
            Challenge::ClientCertificate => "ClientCertificate",
            Challenge::PeerUser => "PeerUser",
            Challenge::Bearer => "Bearer",
            Challenge::Basic => "Basic",
            Challenge::ApiKey => "ApiKey",
            Challenge::External => "External",
        }
    }

    /// Whether RFC 6750 says what is wrong.
    fn is_bearer(self) -> bool {
        self == Challenge::Bearer
    }
}

impl From<Refused> for Flaw {
    fn from(refused: Refused) -> Flaw {
        match refused {
            Refused::TooLong => Flaw::TooLong,
            Refused::Malformed => Flaw::Malformed,
            Refused::Header => Flaw::Header,
            Refused::Algorithm => Flaw::Algorithm,
            Refused::UnknownKey => Flaw::UnknownKey,
            Refused::Signature => Flaw::Signature,
            Refused::Expired => Flaw::Expired,
            Refused::NotYet => Flaw::NotYet,
            Refused::Issuer => Flaw::Issuer,
            Refused::Audience => Flaw::Audience,
            Refused::Claims => Flaw::Claims,
            Refused::Revoked => Flaw::Revoked,
        }
    }
}

impl From<Denied> for Flaw {
    fn from(denied: Denied) -> Flaw {
        match denied {
            Denied::Unknown => Flaw::Unknown,
            Denied::Expired => Flaw::Expired,
        }
    }
}

/// A caller who is not known.
#[derive(Debug)]
pub struct Unauthenticated {
    /// How it could be: of each authenticator of the route, none twice.
    pub challenges: Arc<[Challenge]>,
    /// What is wrong with what it has shown, and the name of the authenticator that says so. None where it has shown nothing.
    pub bad: Option<(Arc<str>, Flaw)>,
    /// How a service that was asked says that it could be. It stands in the place of the challenge for that.
    pub told: Option<Box<str>>,
}

impl Unauthenticated {
    /// Why the request fails.
    pub fn reason(&self) -> Reason {
        self.bad.as_ref().map_or(Reason::NoCredentials, |(_, flaw)| flaw.reason())
    }

    /// The value of `WWW-Authenticate`.
    pub fn www_authenticate(&self) -> String {
        let mut value = String::new();
        for challenge in self.challenges.iter() {
            let comma = if value.is_empty() { "" } else { ", " };
            if let (Challenge::External, Some(told)) = (challenge, &self.told) {
                let _ = write!(value, "{comma}{told}");
                continue;
            }
            // Writing to memory does not fail.
            let _ = write!(value, "{comma}{} {REALM}", challenge.scheme());
            if *challenge == Challenge::Basic {
                value.push_str(", charset=\"UTF-8\"");
            }
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
