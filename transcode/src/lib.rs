//! JSON → bincode and bincode → JSON by compiled programs. Under construction.

mod binding;

pub use binding::{Body, Int64, RequestBinding, Response, ResponseBinding, UnknownFields};
