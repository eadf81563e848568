//! A crate that re-exports the SDK, as a team's own prelude does.

pub use callgate_sdk as rpc;
