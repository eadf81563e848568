//! Any bytes as a query: its pairs are those of another decoder.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::gateway::query(input));
