//! Any bytes as the beginning of a connection on which a proxy says who its client is.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::clients::proxy(input));
