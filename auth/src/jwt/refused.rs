//! Why a token is refused: a closed list with a short name for each, for counters and logs. None of it has a word of the token.

use std::fmt;

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refused {
    /// It is longer than tokens may be.
    TooLong,
    /// It is not three parts of base64url, or its header or claims are no object of JSON that says each thing once.
    Malformed,
    /// Its header asks for something that is not done (`crit`, `b64`), or says that it is another kind of token (`typ`).
    Header,
    /// It is signed by an algorithm that is not expected, or that its key is not for.
    Algorithm,
    /// There is no key of that `kid`, or without a `kid` none that could be meant. Newer keys may have it.
    UnknownKey,
    /// The signature is not that of a key.
    Signature,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYet,
    /// It is from another issuer.
    Issuer,
    /// It is for others.
    Audience,
    /// A claim that is needed is missing, or a claim is not what it has to be.
    Claims,
    /// It is on the list of revoked tokens.
    Revoked,
}

impl Refused {
    /// All of them.
    pub const ALL: [Refused; 12] = [
        Refused::TooLong,
        Refused::Malformed,
        Refused::Header,
        Refused::Algorithm,
        Refused::UnknownKey,
        Refused::Signature,
        Refused::Expired,
        Refused::NotYet,
        Refused::Issuer,
        Refused::Audience,
        Refused::Claims,
        Refused::Revoked,
    ];

    /// Its name for counters and logs, which never changes.
    pub fn name(self) -> &'static str {
        match self {
            Refused::TooLong => "too_long",
            Refused::Malformed => "malformed",
            Refused::Header => "header",
            Refused::Algorithm => "algorithm",
            Refused::UnknownKey => "unknown_key",
            Refused::Signature => "signature",
            Refused::Expired => "expired",
            Refused::NotYet => "not_yet",
            Refused::Issuer => "issuer",
            Refused::Audience => "audience",
            Refused::Claims => "claims",
            Refused::Revoked => "revoked",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::TooLong => "the token is too long",
            Refused::Malformed => "this is no token that can be read",
            Refused::Header => "the token's header asks for what is not done here",
            Refused::Algorithm => "the token is signed by an algorithm that is not expected",
            Refused::UnknownKey => "the token is signed with a key that is not known",
            Refused::Signature => "the token's signature is wrong",
            Refused::Expired => "the token has expired",
            Refused::NotYet => "the token is not valid yet",
            Refused::Issuer => "the token is from another issuer",
            Refused::Audience => "the token is for others",
            Refused::Claims => "the token lacks a claim that is needed, or a claim is not what it has to be",
            Refused::Revoked => "the token was revoked",
        })
    }
}

impl std::error::Error for Refused {}
