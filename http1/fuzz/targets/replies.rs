//! Replies made of any bytes: another parser reads what was written.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

libfuzzer_sys::fuzz_target!(|input: &[u8]| common::replies::replies(input));
