//! The schemas for editors: they take what the reader takes, and refuse what it refuses for its keys, types and words.

use super::super::schema;
use super::judge::{fits, read_settings, read_tables};
use super::random_files::{change, make, table};
use super::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::fs;
use std::path::{Path, PathBuf};
use toml::Value;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

#[test]
fn the_schemas_that_are_shipped_are_those_that_the_program_makes() {
    for (name, schema) in [("tables", schema::of_tables()), ("gateway", schema::of_settings())] {
        let path = workspace().join(format!("config/schema/{name}.json"));
        let made = format!("{schema:#}\n");
        if std::env::var_os("CALLGATE_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &made).unwrap();
        }
        let shipped = fs::read_to_string(&path).unwrap_or_default();
        assert!(shipped == made, "write them anew: CALLGATE_BLESS=1 cargo test -p callgate schemas");
    }
}

#[test]
fn the_demos_files_name_their_schemas_in_the_first_line() {
    let mut demo = vec![workspace().join("config/gateway.toml")];
    files(&workspace().join("routes"), "toml", &mut demo);
    for path in demo {
        let text = fs::read_to_string(&path).unwrap();
        let schema = text.lines().next().and_then(|line| line.strip_prefix("#:schema "));
        let schema = schema.unwrap_or_else(|| panic!("{} names none", path.display()));
        assert!(path.parent().unwrap().join(schema).is_file(), "{}: {schema}", path.display());
    }
}

/// All files of an extension beneath a folder.
fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
}

/// The reader and the schemas say the same of each file and each block, whichever of the two kinds it is, or a part of one.
#[test]
fn what_stands_in_documents_and_folders_is_taken_by_the_schemas_where_it_is_read() {
    let (mut tomls, mut pages) = (Vec::new(), vec![workspace().join("README.md")]);
    for folder in ["config", "deploy", "routes", "tests"] {
        files(&workspace().join(folder), "toml", &mut tomls);
    }
    for folder in ["docs", "deploy"] {
        files(&workspace().join(folder), "md", &mut pages);
    }
    let texts = tomls.iter().map(|path| (path, fs::read_to_string(path).unwrap()));
    let mut texts: Vec<(PathBuf, String)> = texts.map(|(path, text)| (path.clone(), text)).collect();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for block in text.split("```toml\n").skip(1) {
            texts.push((page.clone(), block.split("```").next().unwrap_or_default().to_owned()));
        }
    }
    let mut read = 0;
    for (path, text) in &texts {
        // Paths of settings begin at their file.
        let source = || Source::new(path.clone(), text.clone());
        read += usize::from(read_tables(vec![source()]).is_ok());
        read += usize::from(read_settings(source(), None).is_ok());
    }
    assert!(texts.len() > 80 && read > 50, "{read} of {}", texts.len());
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Tables,
    Settings,
}

fn file(kind: Kind) -> BoxedStrategy<Value> {
    let entries = match kind {
        Kind::Tables => super::super::file_keys::entries(),
        Kind::Settings => super::super::settings::SECTIONS,
    };
    table(entries).prop_map(Value::Table).boxed()
}

/// What the reader says, which is compared with what the schema says of the same text.
fn read(kind: Kind, text: &str) -> Result<(), Diagnostics> {
    match kind {
        Kind::Tables => read_tables(vec![Source::new("t.toml", text)]).map(drop),
        Kind::Settings => read_settings(Source::new("gateway.toml", text), None).map(drop),
    }
}

fn schema(kind: Kind) -> serde_json::Value {
    match kind {
        Kind::Tables => schema::of_tables(),
        Kind::Settings => schema::of_settings(),
    }
}

/// Always the same files; with `CALLGATE_TEST_CASES` more of them.
fn runner() -> TestRunner {
    let cases = std::env::var("CALLGATE_TEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200);
    let config = Config { failure_persistence: None, max_shrink_iters: 300, ..Config::with_cases(cases) };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// What is made of the declarations is never refused for its shape; and what is changed in it is refused by both, or by neither.
#[test]
fn random_files_and_their_mutations_are_judged_alike_by_the_reader_and_the_schema() {
    for kind in [Kind::Tables, Kind::Settings] {
        let schema = schema(kind);
        let mut runner = runner();
        let tried = (file(kind), change(), any::<prop::sample::Index>());
        let done = runner.run(&tried, |(file, change, at)| {
            let text = toml::to_string(&file).unwrap();
            prop_assert!(
                fits(&schema, &schema, &file).is_ok(),
                "{:?}\n{text}",
                fits(&schema, &schema, &file)
            );
            drop(read(kind, &text));
            let mut file = file;
            make(&change, &mut file, &at);
            let text = toml::to_string(&file).unwrap();
            let read = read(kind, &text);
            let fitting = fits(&schema, &schema, &file);
            prop_assert!(fitting.is_ok() || read.is_err(), "only the schema refuses, {fitting:?}:\n{text}");
            Ok(())
        });
        done.unwrap();
    }
}

/// With `CALLGATE_TEST_DOCUMENTS` random files go into that folder, each with what the schema says of it: `make clients` has other
/// validators judge them.
#[test]
fn random_files_are_written_for_other_validators() {
    let Some(folder) = std::env::var_os("CALLGATE_TEST_DOCUMENTS").map(PathBuf::from) else { return };
    let folder = folder.join("files");
    fs::create_dir_all(&folder).unwrap();
    let mut runner = runner();
    for kind in [Kind::Tables, Kind::Settings] {
        let schema = schema(kind);
        let name = format!("{kind:?}").to_lowercase();
        let mut lines = String::new();
        for _ in 0..300 {
            let tried = (file(kind), change(), any::<prop::sample::Index>(), any::<bool>());
            let (mut file, change, at, changed) = tried.new_tree(&mut runner).unwrap().current();
            if changed {
                make(&change, &mut file, &at);
            }
            let is_well = fits(&schema, &schema, &file).is_ok();
            lines += &format!("{}\n", serde_json::json!({ "valid": is_well, "file": file }));
        }
        fs::write(folder.join(format!("{name}.jsonl")), lines).unwrap();
        fs::write(folder.join(format!("{name}.json")), schema.to_string()).unwrap();
    }
}
