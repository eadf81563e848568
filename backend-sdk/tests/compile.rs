//! What the macros accept under the strictest lints, and each refusal with its place and its words.
//!
//! The expected output contains the compiler's own words where a trait is missing. After a change of the toolchain, or of
//! a text, it is written anew with `TRYBUILD=overwrite`.

#[test]
fn programs_compile_or_are_told_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile/pass/*.rs");
    cases.compile_fail("tests/compile/fail/*.rs");
}
