//! What an instance replies.

use bytes::Bytes;

/// A result as JSON.
#[derive(Debug)]
pub enum Json {
    /// In one piece; empty when the method returns nothing.
    Short(Vec<u8>),
    /// In pieces, each of which holds its room among all long replies until it is dropped.
    Long(Vec<Bytes>),
}
