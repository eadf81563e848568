//! Any bytes as the files of those who may call.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::auth::key_files(input));
