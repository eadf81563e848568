//! Each file of the corpora goes through its fuzz targets. What fuzzing found is there, so it is never forgotten.
#![allow(clippy::unwrap_used)]

use callgate_fuzz::TARGETS;
use std::fs;
use std::path::Path;

/// The names of what is in a folder of this crate, sorted.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_corpora_pass_their_targets() {
    let mut broken = Vec::new();
    for target in TARGETS {
        let folder = format!("corpus/{}", target.corpus);
        let files = names(&folder);
        assert!(!files.is_empty(), "{} has no corpus", target.name);
        for file in files {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder).join(&file);
            let input = fs::read(path).unwrap();
            if std::panic::catch_unwind(|| (target.run)(&input)).is_err() {
                broken.push(format!("{}: {folder}/{file}", target.name));
            }
        }
    }
    assert!(broken.is_empty(), "what each says is above:\n{}", broken.join("\n"));
}

#[test]
fn each_target_is_a_program_and_each_corpus_belongs_to_one() {
    let mut programs: Vec<String> = TARGETS.iter().map(|target| format!("{}.rs", target.name)).collect();
    programs.sort();
    assert_eq!(names("targets"), programs);
    let mut corpora: Vec<&str> = TARGETS.iter().map(|target| target.corpus).collect();
    corpora.sort_unstable();
    corpora.dedup();
    assert_eq!(names("corpus"), corpora);
}
