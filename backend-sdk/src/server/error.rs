//! Why a server cannot start. All of it is its operator's or author's to mend; nothing here comes from a peer.

use crate::BadSchema;
use crate::connection::{Address, AddressError};
use callgate_protocol::CallId;
use std::{fmt, io};

/// Why a server did not start.
///
/// `Debug` says the same as `Display`: a `main` that returns it shows it so.
#[non_exhaustive]
pub enum ServerError {
    /// No address to listen on was given.
    NoAddress,
    /// An address cannot be read.
    BadAddress(AddressError),
    /// An address cannot be listened on.
    Bind {
        /// The address.
        address: Address,
        /// What the system says.
        source: io::Error,
    },
    /// A service or a method has a name that not every language and route can write.
    BadName {
        /// The service's name, or `service.method`.
        name: String,
    },
    /// Two services have the same name.
    ServiceTwice {
        /// The name.
        name: &'static str,
        /// The version of the one that was added first.
        first: &'static str,
        /// The version of the other one.
        second: &'static str,
    },
    /// Two methods have the same Call ID; `#[call(id = …)]` gives one of them another.
    CallIdTwice {
        /// The number.
        call_id: CallId,
        /// The method that was added first, as `service.method`.
        first: String,
        /// The other one.
        second: String,
    },
    /// What the server offers does not fit into a HELLO.
    OfferTooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// A method's types cannot be described.
    BadSchema {
        /// The method, as `service.method`.
        method: String,
        /// What is wrong with them.
        problem: BadSchema,
    },
    /// A method's schema does not fit into a frame.
    SchemaTooLarge {
        /// The method, as `service.method`.
        method: String,
        /// Its size in bytes.
        size: usize,
    },
    /// TLS cannot be spoken as it was told: what is wrong, with the file.
    Tls(String),
    /// The token cannot be read: why.
    Token(String),
    /// A token is to be asked for at an address that is neither a Unix socket nor inside TLS.
    TokenInTheClear(Address),
    /// The process's signals cannot be listened to.
    Signals(io::Error),
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerError::NoAddress => write!(f, "no address to listen on was given: call `listen`"),
            ServerError::BadAddress(error) => write!(f, "{error}"),
            ServerError::Bind { address, source } => write!(f, "cannot listen on {address}: {source}"),
            ServerError::BadName { name } => write!(
                f,
                "{name} is no name to offer: a letter or `_`, then letters, digits, `_` and `-`, all ASCII, at most 128"
            ),
            ServerError::ServiceTwice { name, first, second } => {
                write!(f, "two services are named {name} (version \"{first}\" and version \"{second}\")")
            }
            ServerError::CallIdTwice { call_id, first, second } => {
                write!(
                    f,
                    "{first} and {second} have the same Call ID {call_id}; give one another by #[call(id = …)]"
                )
            }
            ServerError::OfferTooLarge { size } => {
                write!(f, "what the server offers takes {size} bytes, more than fit into a HELLO")
            }
            ServerError::BadSchema { method, problem } => {
                write!(f, "the types of {method} cannot be offered: {problem}")
            }
            ServerError::SchemaTooLarge { method, size } => {
                write!(f, "the schema of {method} takes {size} bytes, more than fit into a frame")
            }
            ServerError::Tls(why) => write!(f, "TLS cannot be spoken: {why}"),
            ServerError::Token(why) => write!(f, "the token cannot be read: {why}"),
            ServerError::TokenInTheClear(address) => write!(
                f,
                "callers would send the token to {address} over plain TCP, where others can read it: call `tls`, or listen on a Unix socket"
            ),
            ServerError::Signals(error) => write!(f, "cannot listen to signals: {error}"),
        }
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ServerError::Bind { source, .. } | ServerError::Signals(source) => Some(source),
            ServerError::BadAddress(error) => Some(error),
            ServerError::BadSchema { problem, .. } => Some(problem),
            _ => None,
        }
    }
}
