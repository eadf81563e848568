//! The conformance peer: plays either side of the protocol by scripts, and says which promise of `docs/protocol.md` the
//! tested side has broken.
//!
//! `cases` are the scripts. A case says what it is about (`verdict::section`) and what must hold, and plays it in steps of
//! [`peer::Peer`]. `heard` has the rules that hold for every frame in every case. Nothing here is shared with the SDK or
//! the gateway: the codec is written from the page.

#![allow(missing_docs, reason = "constants and fields that are named as on the page")]

pub mod cases;
pub mod driver;
pub mod frame;
pub mod heard;
pub mod hello;
pub mod peer;
pub mod run;
pub mod service;
pub mod socket;
pub mod tested;
pub mod value;
pub mod verdict;
