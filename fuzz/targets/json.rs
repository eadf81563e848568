//! Any bytes as JSON of a type: what serde_json reads and bincode writes is what we write.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::transcode::json(input));
