//! A second backend of the demo's shop. It takes orders from users who say who they are, and asks the service `orders` of `examples/shop`
//! what they cost.
//!
//! - [`checkout`]: the service. Its trait, its messages with constraints, and its errors. Whoever calls it needs no more.
//! - [`counter`]: the implementation, with state that all calls share.
//! - [`users`]: a layer that finds out who calls, and hands the user to the methods.
//!
//! `main.rs` puts them together, and `tests/checkout.rs` calls them without a port.

pub mod checkout;
pub mod counter;
pub mod users;
