//! How a call is made on one instance: the transports, of which there is one so far.

pub mod callgate;
