//! Any bytes as a length and a range: a part is within the body, and is what the grammar says.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::http1::ranges(input));
