//! Any bytes as requests: what we accept, hyper accepts with the same boundaries.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

libfuzzer_sys::fuzz_target!(|input: &[u8]| common::targets::hyper(input));
