//! Replies made of any bytes: another parser reads what was written.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::http1::replies(input));
