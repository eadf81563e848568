//! The upgrade in place: a new process takes the listening sockets over from the one that runs. No connection is refused,
//! because no socket is ever closed; no request is lost, because the old process goes only when the new one serves.
//!
//! The two talk over a Unix socket ([`Name`]), in lines:
//!
//! ```text
//! running gateway (Offer)                 successor (Predecessor), callgate run --upgrade
//!                                         has read and checked its settings and its tables
//!                      <---- connects ----
//! callgate 1 PID       ------------------>
//! upgrades OK FAILED   ------------------>
//! leads NAME INSTANCE  ------------------> a line for each instance that each name lists which endpoints give
//! tickets SINCE KEY …  ------------------> the keys under which TLS sessions are resumed, if they are its own
//! exposure PART        ------------------> who could call what, in as many lines as that takes
//! drain BACKEND ADDRESS  ----------------> a line for each endpoint that an operator has told to drain
//! socket KIND ADDRESS  ------------------> with the descriptor; a line for each listening socket, this one among them,
//!                                         and for the lock of the state's folder
//! all                  ------------------>
//!                                         takes those that its settings name and binds what is missing, starts its
//!                                         workers, tries every backend, begins to accept
//!                      <------ ready -----
//! drain BACKEND ADDRESS, undrain BACKEND ADDRESS
//!                      ------------------> what operators have said meanwhile
//! yours                ------------------>
//! stops accepting, drains, ends           is the gateway
//! ```
//!
//! Either side may say `no WHY` instead of its next word; then the running gateway goes on as if nothing had happened.
//! So it does when the successor ends, or is not ready within a minute. A running gateway that ends *without* a word has
//! crashed: the successor, which has the sockets, goes on alone. Lines that are not known are passed over, so that other
//! versions may say more.
//!
//! For a moment both accept from the same sockets, which have one queue each: whoever takes a connection serves it.

mod channel;
mod drains;
mod exposure;
mod offer;
mod predecessor;
mod socket;
pub mod systemd;
mod tickets;

pub use drains::obey;
pub use offer::Offer;
pub use predecessor::Predecessor;
pub use socket::Name;

use std::time::Duration;

/// How long a hand-over may take, from the successor's connecting to its being ready.
const LIMIT: Duration = Duration::from_secs(60);

/// How long one word may take that the other side has nothing to wait for.
const WORD_LIMIT: Duration = Duration::from_secs(10);

/// The version of the words.
const VERSION: &str = "1";
