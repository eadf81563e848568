//! Who a caller is: tokens, keys and passwords that are read strictly and verified, and the identity that follows.
//!
//! It knows no socket, no clock of its own, no runtime and no watched file: it is given bytes and the time.
//!
//! - [`Identity`]: who a caller is, once something has verified it.
//! - [`Claims`]: what is known of it beside its name.
//! - [`jwt`]: JSON Web Tokens, and the keys that verify them.
//! - [`Mistakes`]: what is wrong with a file, and where.

mod claims;
mod digest;
mod identity;
pub mod jwt;
mod mistake;

pub use claims::Claims;
pub use digest::Digest;
pub use identity::Identity;
pub use mistake::{Mistake, Mistakes};

/// A moment, in seconds since 1970 (RFC 7519, 2: `NumericDate`, without its fraction).
pub type UnixSeconds = u64;
