//! Any bytes as a schema: what is accepted is the same when it is written and read again, and can be compiled or is refused.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::protocol::schemas(input));
