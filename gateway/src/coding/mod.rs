//! Content codings (RFC 9110, 8.4.1): which ones the gateway writes, which of them a client prefers, and the encoders, which compress a body
//! piece by piece.
//!
//! All three are set for speed. A gateway compresses each answer once for each client, and what a higher level saves of the bytes costs
//! several times the processor.

mod encoder;
mod preference;

pub use encoder::{Encoder, MEMORY};
pub use preference::Preference;

/// A coding. Where a client likes several as much, the first of these is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Zstandard (RFC 8878).
    Zstd,
    /// Brotli (RFC 7932).
    Brotli,
    /// gzip (RFC 1952).
    Gzip,
}

impl Coding {
    /// All of them, the preferred one first.
    pub const ALL: [Coding; 3] = [Coding::Zstd, Coding::Brotli, Coding::Gzip];

    /// Its name in `Accept-Encoding` and `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Zstd => "zstd",
            Coding::Brotli => "br",
            Coding::Gzip => "gzip",
        }
    }
}
