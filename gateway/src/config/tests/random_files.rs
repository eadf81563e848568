//! Files at random: made of the declarations, so that they are well for their shape, and then changed at one place.

use super::super::shape::{Entry, Needed, Shape};
use proptest::collection::vec;
use proptest::prelude::*;
use toml::Value;

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
pub(super) fn table(entries: &'static [Entry]) -> BoxedStrategy<toml::Table> {
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
pub(super) enum Change {
    Put(Value),
    Add,
    Remove,
}

pub(super) fn change() -> impl Strategy<Value = Change> {
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
pub(super) fn make(change: &Change, file: &mut Value, at: &prop::sample::Index) {
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
