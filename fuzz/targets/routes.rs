//! Any bytes as routes and a path: the route that is found is that of the rule, whatever the order of the routes.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| callgate_fuzz::gateway::routes(input));
