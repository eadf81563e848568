//! Any bytes as a body of items: the same ones however it is cut, and those that serde_json finds.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::items::items(input));
