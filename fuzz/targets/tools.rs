//! Messages of agents: each makes a request of a tool's route that is read as it was meant, or none.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::tools::tools(input));
