//! Who a caller is: tokens, keys and passwords that are read strictly and verified, and the identity that follows.
//!
//! It knows no socket, no clock of its own, no runtime and no watched file: it is given bytes and the time.
//!
//! - [`Identity`]: who a caller is, once something has verified it.
//! - [`Claims`]: what is known of it beside its name.

mod claims;
mod identity;

pub use claims::Claims;
pub use identity::Identity;

/// A moment, in seconds since 1970 (RFC 7519, 2: `NumericDate`, without its fraction).
pub type UnixSeconds = u64;
