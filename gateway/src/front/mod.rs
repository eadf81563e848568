//! The side towards the clients: connections, HTTP/1.1, and the words in which errors are told.
//!
//! ```text
//! goodbye      what a newcomer is told for whom there is no room
//! connections  a worker's client connections: taken on, asked to make room, drained
//! connection   one of them: what it waits for, its open exchanges, its place among those that are idle
//! drive        its task: hyper
//! io           its socket, which notes what goes over it
//! sweep        the time limits of all of them
//! handler      one request: match, body, call, answer
//! miss         what is answered where no route takes a request
//! carried      the headers that go with the call
//! traffic      where its call goes, if that is not just its route's backend; shadow, copies of calls
//! body         a request's body, within its limits
//! fields       header fields, as single values or as lists
//! hash_key     the key by which a backend spreads its calls
//! deadline     how long the caller waits
//! fixed        routes that call nothing: fixed answers, redirects, rewrites
//! metadata     which headers go along with the call
//! limit        whose token of a rate limit a request takes, and what its answer says of it
//! claim        what a bearer token claims
//! problem      failures as RFC 9457 problem details
//! reply_body   a reply's body, in one piece or in many
//! pace         whether a client takes its answer fast enough
//! request_id   taken or made
//! tally        what is counted of a request, however it ends
//! ```
//! With `admin`, this is the only module that names hyper.

mod body;
mod carried;
mod claim;
mod connection;
mod connections;
mod deadline;
mod drive;
mod fields;
mod fixed;
pub(crate) mod goodbye;
mod handler;
mod hash_key;
mod io;
mod limit;
mod metadata;
mod miss;
mod pace;
pub(crate) mod problem;
mod reply_body;
mod request_id;
#[cfg(test)]
mod scaling_tests;
mod shadow;
mod sweep;
mod tally;
mod traffic;

pub use connections::{Accepted, Connections};
