//! Any bytes to a connection of either side: each call has one outcome, and what is said back is frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::protocol::connections(input));
