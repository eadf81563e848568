//! Any bytes as requests: what we accept, hyper accepts with the same boundaries.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::http1::hyper(input));
