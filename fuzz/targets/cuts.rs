//! Any bytes as requests, cut anywhere: the same is read.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::http1::cuts(input));
