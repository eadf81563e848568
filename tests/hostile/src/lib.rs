//! HTTP/2 as strangers send it: cases of RFC 9113 and RFC 7541 with their verdicts, and floods.
//!
//! A case is data: a name, the section, what is sent, and what must come back ([`case`]). [`play`] sends it over a [`client`] that checks
//! nothing that it sends, and everything that it hears ([`heard`]). No library of HTTP/2 takes part. [`floods`] are attacks, each with
//! the bounds that hold meanwhile.

#![allow(missing_docs, reason = "constants and fields that are named as in the RFC")]

pub mod bytes;
pub mod case;
pub mod client;
pub mod floods;
pub mod frame;
pub mod heard;
pub mod hpack;
pub mod play;
pub mod target;
pub mod tls;
