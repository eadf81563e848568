//! Any bytes as the files of certificates, keys, CAs, lists and tickets.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::tls::pem(input));
