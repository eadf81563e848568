//! Any bytes as requests, cut anywhere: the same is read.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

libfuzzer_sys::fuzz_target!(|input: &[u8]| common::targets::cuts(input));
