//! A rule, a body and claims: a rule or a mistake within it, and its contrary says the other way round.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::rules::rules(input));
