//! The schemas for editors: they take what the reader takes, and refuse what it refuses for its keys, types and words.

use super::super::schema;
use super::super::shape::{Entry, Needed, Shape};
use super::judge::{fits, read_settings, read_tables};
use super::*;
use proptest::collection::vec;
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

/// A value of that shape.
fn value(shape: &'static Shape) -> BoxedStrategy<Value> {
    match shape {
        Shape::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        Shape::Only(only) => Just(Value::Boolean(*only)).boxed(),
        Shape::Integer(bounds) => {
            let high = i64::try_from(*bounds.end()).unwrap_or(i64::MAX);
            (*bounds.start() as i64..=high).prop_map(Value::Integer).boxed()
        }
        Shape::Status(all) => {
            proptest::sample::select(*all).prop_map(|one| Value::Integer(one.into())).boxed()
        }
        Shape::Number => prop_oneof![any::<i32>().prop_map(|n| n.into()), Just(Value::Float(0.5))].boxed(),
        Shape::Duration(bounds) => {
            let (low, high) = (bounds.start().as_millis() as u64, bounds.end().as_millis() as u64);
            (low..=high).prop_map(|millis| format!("{millis}ms").into()).boxed()
        }
        Shape::Size(bounds) => {
            let number = *bounds.start() as i64..=*bounds.end() as i64;
            prop_oneof![
                number.clone().prop_map(Value::Integer),
                number.prop_map(|bytes| format!("{bytes} B").into())
            ]
            .boxed()
        }
        Shape::Rate => {
            prop_oneof![Just(0.into()), (0..u32::MAX).prop_map(|n| format!("{n}KiB/s").into())].boxed()
        }
        Shape::Words(words) => proptest::sample::select(*words).prop_map(Value::from).boxed(),
        Shape::Text => proptest::sample::select(&TEXTS[..]).prop_map(Value::from).boxed(),
        Shape::Like(pattern) => {
            let inner = pattern.trim_start_matches('^').trim_end_matches('$').replace(".+", "[a-z]{1,3}");
            proptest::string::string_regex(&inner).unwrap().prop_map(Value::from).boxed()
        }
        Shape::List(inner, count) => {
            let most = (*count.end()).min(count.start() + 2);
            vec(value(inner), *count.start()..=most).prop_map(Value::Array).boxed()
        }
        Shape::Table(entries) => table(entries).prop_map(Value::Table).boxed(),
        Shape::Made(entries) => table(entries()).prop_map(Value::Table).boxed(),
        Shape::Names(entries, rest) => (table(entries), named(value(rest)))
            .prop_map(|(table, names)| Value::Table(names.into_iter().chain(table).collect()))
            .boxed(),
        Shape::Tree(leaf) => prop_oneof![
            named(value(leaf)).prop_map(Value::Table),
            named(named(value(leaf)).prop_map(Value::Table)).prop_map(Value::Table),
        ]
        .boxed(),
        Shape::Json => Just(Value::Array(vec![1.into(), "x".into()])).boxed(),
        Shape::OneOf(all) => proptest::sample::select(*all).prop_flat_map(|one| value(leak(one))).boxed(),
    }
}

/// Shapes are declared for ever; a sample is a copy.
fn leak(shape: Shape) -> &'static Shape {
    Box::leak(Box::new(shape))
}

const TEXTS: [&str; 6] = ["x", "GET /x", "127.0.0.1:7101", "/x", "a.b", "100/s"];

fn named(value: impl Strategy<Value = Value>) -> impl Strategy<Value = toml::Table> {
    vec(("[a-c]", value), 1..3).prop_map(|all| all.into_iter().collect())
}

/// A table of some of these keys, with those that have to be there.
fn table(entries: &'static [Entry]) -> BoxedStrategy<toml::Table> {
    let chosen = vec(prop::bool::weighted(0.15), entries.len());
    (chosen, any::<prop::sample::Index>())
        .prop_flat_map(move |(wanted, pick)| {
            let chosen: Vec<&'static Entry> = choose(entries, &wanted, &pick);
            let values: Vec<_> = chosen.iter().map(|entry| value(&entry.shape)).collect();
            values.prop_map(move |values| {
                chosen.iter().map(|entry| entry.key.to_owned()).zip(values).collect::<toml::Table>()
            })
        })
        .boxed()
}

/// Which keys there are.
fn choose(entries: &'static [Entry], wanted: &[bool], pick: &prop::sample::Index) -> Vec<&'static Entry> {
    let mut chosen: Vec<&Entry> = Vec::new();
    for (entry, wanted) in entries.iter().zip(wanted) {
        let same = || entries.iter().filter(|other| other.needed == entry.needed);
        let is_picked = || pick.get(&same().collect::<Vec<_>>()).key == entry.key;
        let is_there = match entry.needed {
            Needed::Yes => true,
            Needed::No => *wanted,
            Needed::OneAtLeastOf(_) => *wanted || is_picked(),
            Needed::OneOf(_) => is_picked(),
        };
        if is_there {
            chosen.push(entry);
        }
    }
    // Whose other key is not there has no place; and so on.
    loop {
        let keys: Vec<&str> = chosen.iter().map(|entry| entry.key).collect();
        chosen.retain(|entry| entry.beside.is_none_or(|other| keys.contains(&other)));
        if chosen.len() == keys.len() {
            return chosen;
        }
    }
}

/// Something else in the place of a value, or beside one.
#[derive(Clone, Debug)]
enum Change {
    Put(Value),
    Add,
    Remove,
}

fn change() -> impl Strategy<Value = Change> {
    let wrong: Vec<Value> = vec![
        7.into(),
        Value::Integer(-1),
        0.5.into(),
        true.into(),
        false.into(),
        "no such word".into(),
        Value::Array(Vec::new()),
        Value::Array(vec![7.into()]),
        Value::Array(vec!["a".into()]),
        Value::Table(toml::Table::new()),
    ];
    prop_oneof![
        4 => proptest::sample::select(wrong).prop_map(Change::Put),
        1 => Just(Change::Add),
        1 => Just(Change::Remove),
    ]
}

/// Makes a change at one of all places of a value.
fn make(change: &Change, file: &mut Value, at: &prop::sample::Index) {
    fn places(value: &Value) -> usize {
        1 + match value {
            Value::Array(all) => all.iter().map(places).sum(),
            Value::Table(all) => all.values().map(places).sum(),
            _ => 0,
        }
    }
    fn walk(change: &Change, value: &mut Value, left: &mut usize) {
        if *left == 0 {
            *left = usize::MAX;
            match (change, value) {
                (Change::Add, Value::Table(table)) => drop(table.insert("no_such_key".to_owned(), 1.into())),
                (Change::Remove, Value::Table(table)) => {
                    let first = table.keys().next().cloned();
                    first.and_then(|key| table.remove(&key));
                }
                (Change::Put(other), value) => *value = other.clone(),
                _ => {}
            }
            return;
        }
        *left -= 1;
        match value {
            Value::Array(all) => all.iter_mut().for_each(|value| walk(change, value, left)),
            Value::Table(all) => all.iter_mut().for_each(|(_, value)| walk(change, value, left)),
            _ => {}
        }
    }
    // The file itself stays a table.
    let all = places(file);
    if all > 1 {
        walk(change, file, &mut (1 + at.index(all - 1)));
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Tables,
    Settings,
}

fn file(kind: Kind) -> BoxedStrategy<Value> {
    let entries = match kind {
        Kind::Tables => super::super::tables::entries(),
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
