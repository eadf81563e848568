//! Any texts for the fields that a route binds: a message that the guard takes, or mistakes that name where they are from.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::bound::bound(input));
