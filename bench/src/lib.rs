//! What the benchmark's programs share: the service they all answer for, how connections are dealt to threads, and
//! where an HTTP message ends.

pub mod dealer;
pub mod files;
pub mod message;
pub mod orders;
