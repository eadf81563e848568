//! Any bytes as the answer of a service that was asked who calls.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::auth::answers(input));
