//! Any bytes as a JSON Web Token, or as a header and claims that are signed.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::auth::tokens(input));
