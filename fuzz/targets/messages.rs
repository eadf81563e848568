//! A schema of any bytes and a message of any bytes: what is transcoded is sound.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::transcode::messages(input));
