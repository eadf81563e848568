//! Any bytes as requests.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::http1::requests(input));
