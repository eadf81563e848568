//! Any bytes as bincode of a type: what bincode reads and serde_json writes is what we write.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::transcode::bincode(input));
