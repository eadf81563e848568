//! Any bytes as a table file: tables, or mistakes that can be shown.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::gateway::tables(input));
