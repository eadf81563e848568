//! Who a client is, as far as addresses tell: sets of networks, and what proxies say of the clients behind them.
//!
//! ```text
//! networks   sets of networks, and whose word counts
//! proxy      PROXY headers, which come before everything else on a connection
//! forwarded  `Forwarded` and `X-Forwarded-For`, which come with each request
//! text       an address as text
//! ```
//! All of it is about bytes and addresses. Sockets, time limits and who is refused are the front's.

pub mod forwarded;
mod networks;
pub mod proxy;
mod text;

pub use forwarded::ForwardedHeader;
pub use networks::{Networks, Trusted};
pub use text::AddressText;
