//! Any bytes as frames, cut anywhere: the same is read.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::protocol::frames(input));
