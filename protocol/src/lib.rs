//! Callgate's wire protocol. Under construction.

mod call_id;
pub mod check;
pub mod frame;
pub mod limits;
pub mod schema;
mod status;
pub mod wire;

pub use call_id::CallId;
pub use frame::ProtocolError;
pub use limits::Limits;
pub use status::{Code, Status};
