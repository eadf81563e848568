//! Any bytes as a HELLO: what is accepted is the same when it is written and read again.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::protocol::handshake(input));
