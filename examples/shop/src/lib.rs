//! The demo's services, one file each. A service is a trait with `#[service]`, its messages, and an implementation;
//! that is all a backend consists of. Read [`calc`] first.
//!
//! They are a library so that another program can call them: `OrdersClient` implements `Orders` like the real thing.

pub mod calc;
pub mod echo;
pub mod files;
pub mod library;
pub mod orders;
pub mod types;
