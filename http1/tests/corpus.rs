//! Each file of the corpora in `fuzz/corpus` goes through its fuzz target. What fuzzing found is there, so it is never forgotten.
#![allow(clippy::unwrap_used)]

mod common;

use common::targets::TARGETS;
use std::path::Path;

#[test]
fn the_corpora_pass_their_targets() {
    for (name, corpus, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(corpus);
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let input = std::fs::read(&file).unwrap();
            if std::panic::catch_unwind(|| target(&input)).is_err() {
                panic!("{name}: {} (what it says is above)", file.display());
            }
        }
    }
}
