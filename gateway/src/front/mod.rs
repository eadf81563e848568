//! The side towards the clients: connections, HTTP/1.1 and HTTP/2, and the words in which errors are told.
//!
//! ```text
//! goodbye      what a newcomer is told for whom there is no room
//! connections  a worker's client connections: taken on, asked to make room, drained
//! connection   one of them: what it waits for, its open exchanges, its place among those that are idle
//! wire         its socket, and what was read of it ahead
//! proxy        the PROXY header with which it may begin; client, who the client of a request is
//! tls          the handshake that comes first, where its listener speaks TLS; peer, what is known then; https, what it says of requests
//! drive        its task; http1 and http2, what is spoken there: heads, replies; end, what comes after the last reply
//! pool         buffers, which connections have while they are not idle
//! sweep        the time limits of all of them
//! exchange     one request and its reply, with all that belongs to them; access, its line in the access log
//! handler      what is done with it: route, steps, body, action, reply
//! lookup       which route it meets, and its steps; miss, what is there where none takes it; slash, paths that
//!              are a route's but for a slash at their end
//! traffic      where its call goes, if that is not just its route's backend; shadow, copies of calls
//! notify       calls whose clients are told only that they are on their way; owned_call, what a call is made of that outlives its exchange
//! cors         which pages of other origins may read its reply, and what browsers are told beside
//! accept       whether the client takes what its route can say
//! body         a request's body, within its limits; media_type, how it is read; forms, the fields of one that is a form
//! ask          who calls, where an authenticator asks a method for that
//! asked_host   the host that it asks for, where that says which routes there are
//! hash_key     the key by which a backend spreads its calls
//! deadline     when the reply must be there: by the route, or by its caller
//! websocket    connections that go on as WebSockets; opened, one that may begin
//! actions      what routes do that call nothing: fixed replies and redirects
//! tools        what agents ask, and the requests that are made of it; called, a tool while it runs; rpc, messages to agents
//! origin       which pages may ask where browsers do not ask first
//! metadata     what goes along with the call: its id, its client, listed headers, the trace
//! idempotency_key  the key by which the client says that several requests are one
//! client_certificate  who the client is by its certificate, for the method
//! identity     who the caller is by an authenticator, for the method
//! problem      failures as RFC 9457 problem details
//! reply        a head, and a body in one piece or in many
//! date         what replies say of the time
//! pace         whether a client takes its replies, or sends its bodies, fast enough
//! request_id   taken or made
//! dry_run      what would become of a request of an operator
//! tally        what is counted of a request, however it ends
//! ```

mod accept;
mod access;
mod actions;
mod ask;
mod ask_http;
mod asked;
mod asked_host;
mod asked_path;
mod body;
mod called;
mod client;
mod client_certificate;
mod connection;
mod connections;
mod cors;
mod date;
mod deadline;
mod drive;
mod dry_run;
mod end;
mod exchange;
mod forms;
pub(crate) mod goodbye;
mod handler;
mod hash_key;
mod http1;
mod http2;
mod https;
mod idempotency_key;
mod identity;
mod lookup;
mod media_type;
mod metadata;
mod miss;
mod notify;
mod opened;
mod origin;
mod outside;
mod owned_call;
mod pace;
mod peer;
mod pool;
pub(crate) mod problem;
mod proxy;
mod reply;
mod request_id;
mod rpc;
#[cfg(test)]
mod scaling_tests;
mod shadow;
mod slash;
mod sweep;
mod tally;
mod tls;
mod tools;
mod traced;
mod traffic;
mod websocket;
mod wire;

pub use body::decoded;
pub use connections::{Accepted, Connections};
pub use dry_run::Question;
pub use lookup::route_of;
pub use reply::{event, headers_of_request};
pub use tools::request_of as tool_request;
