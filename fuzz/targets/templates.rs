//! Any templates and any values: these stay within their places.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::templates::templates(input));
