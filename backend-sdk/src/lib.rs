//! The SDK. Under construction.

mod context;
pub mod service;

pub use callgate_protocol::{Code, Status};
pub use context::Context;
