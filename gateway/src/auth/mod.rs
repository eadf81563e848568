//! Who calls: the authenticators in force, and what they say of a request.
//!
//! ```text
//! authenticator  one `[auth.NAME]` of the table in force, and how the next ones follow from those before
//! bearer         the token of `Authorization`
//! peer           what is known of a connection's other end, whatever its requests say
//! verified       the tokens that a worker has verified lately
//! login          a name and a password, until they are verified
//! logins         how they are, beside the workers
//! questions      what a service of the operator's own is asked, and says
//! shared_questions  those that are the same at the same time
//! waiting        how many requests wait for either
//! mtls, unix, jwt, api_key, basic, external  who that is, by the kind of the authenticator
//! ```
//! A request shows nothing that an authenticator knows, or something that it verifies, or something bad. What that means for a route
//! that names several is for the step `authenticate` to say.

mod api_key;
mod authenticator;
mod basic;
mod bearer;
mod external;
mod jwt;
mod key_set;
mod login;
mod logins;
mod mtls;
mod peer;
mod questions;
mod shared_questions;
mod unix;
mod verified;
mod waiting;

pub use authenticator::{Authenticator, Authenticators};
pub(crate) use bearer::bearer;
pub use key_set::{Fetched, KeySet, KeySets};
pub use login::Login;
pub use logins::Logins;
pub use peer::{KnownPeer, Peer};
pub use questions::{Question, Unanswered};
pub use verified::Verified;

use crate::failure::{Flaw, Forbidden};
use callgate_auth::{Identity, UnixSeconds};
use callgate_http1::Fields;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What an authenticator says of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It shows nothing that this authenticator would look at.
    Nothing,
    /// Who calls.
    Known(Arc<Identity>),
    /// It shows something bad: why.
    Bad(Flaw),
    /// It shows something that is yet to be verified, beside the workers or elsewhere.
    Later(Pending),
}

/// What is yet to be verified.
#[derive(Clone, Debug, PartialEq)]
pub enum Pending {
    /// A name and a password.
    Login(Box<Login>),
    /// Something that only somebody else knows.
    Question,
}

/// What was verified: who calls, or what is wrong.
pub type Verdict = Result<Arc<Identity>, Flaw>;

/// Who calls, and who says so.
#[derive(Clone, Debug)]
pub struct Identified {
    /// The authenticator.
    pub authenticator: Arc<Authenticator>,
    /// Who it is.
    pub identity: Arc<Identity>,
}

impl Identified {
    /// It lacks what a route requires: these scopes, or a claim.
    pub fn lacks(&self, scopes: Option<String>) -> Forbidden {
        let identity = (self.authenticator.spec.name.clone(), self.identity.name().into());
        Forbidden { scopes, challenge: self.authenticator.challenge(), identity }
    }

    /// A claim as text, if it is a string, a number, or true or false.
    pub fn claim_text(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.identity.claims().get(name)? {
            Value::String(text) => Some(Cow::Borrowed(text)),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(Cow::Owned(value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// What a request shows.
#[derive(Clone, Copy)]
pub struct Shown<'r> {
    /// Its connection's other end.
    pub peer: Peer<'r>,
    /// Its header fields.
    pub fields: Fields<'r>,
    /// What its worker has verified lately.
    pub verified: &'r Verified,
    /// What was verified of this request, for the authenticators of these ids.
    pub heard: &'r [(u64, Verdict)],
}

/// The time. Before a clock that stands before 1970 nothing has begun.
fn now() -> UnixSeconds {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
