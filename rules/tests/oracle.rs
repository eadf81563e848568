//! Rules against a second evaluator, which knows no bytes: it looks at the JSON that the encoded request is shown as, at the claims as
//! they came, and compares numbers digit by digit.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use callgate_transcode::{ResponseBinding, ResponseProgram};
use common::{encode, identity, layout, program, schema, usual};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cmp::Ordering;

/// A condition.
#[derive(Clone, Debug)]
enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    Has(One),
    Is(One),
    Compare(&'static str, One, One),
    OneOf(One, Vec<One>),
    In(One, One),
}

/// One value: what is written, or where it is read.
#[derive(Clone, Debug)]
enum One {
    Literal(Value),
    /// A number that is no JSON number of 64 bits.
    Digits(&'static str),
    Args(&'static [&'static str]),
    Claims(&'static [&'static str]),
    Name,
    Scopes,
}

impl Test {
    fn text(&self) -> String {
        let joined = |tests: &[Test], sign: &str| {
            let texts: Vec<String> = tests.iter().map(|test| format!("({})", test.text())).collect();
            texts.join(sign)
        };
        match self {
            Test::Any(tests) => joined(tests, " || "),
            Test::All(tests) => joined(tests, "&&"),
            Test::Not(test) => format!("!({})", test.text()),
            Test::Has(one) => format!("has({})", one.text()),
            Test::Is(one) => one.text(),
            Test::Compare(op, one, other) => format!("{} {op} {}", one.text(), other.text()),
            Test::OneOf(one, list) => {
                let items: Vec<String> = list.iter().map(One::text).collect();
                format!("{} in [{}]", one.text(), items.join(", "))
            }
            Test::In(one, list) => format!("{} in {}", one.text(), list.text()),
        }
    }

    /// `None` denies.
    fn decide(&self, request: &Value, claims: Option<&Value>) -> Option<bool> {
        let read = |one: &One| one.read(request, claims);
        Some(match self {
            Test::Any(tests) => {
                for test in tests {
                    if test.decide(request, claims)? {
                        return Some(true);
                    }
                }
                false
            }
            Test::All(tests) => {
                for test in tests {
                    if !test.decide(request, claims)? {
                        return Some(false);
                    }
                }
                true
            }
            Test::Not(test) => !test.decide(request, claims)?,
            Test::Has(one) => read(one).is_some(),
            Test::Is(one) => read(one)?.as_bool()?,
            Test::Compare(op, one, other) => compare(op, &read(one)?, &read(other)?)?,
            Test::OneOf(one, list) => {
                for item in list {
                    if compare("==", &read(one)?, &read(item)?)? {
                        return Some(true);
                    }
                }
                false
            }
            Test::In(one, list) => {
                // Scopes are texts, also where there are none.
                let is_of_scopes = matches!(list, One::Scopes);
                let (value, list) = (read(one)?, read(list)?);
                if is_of_scopes && !value.is_string() {
                    return None;
                }
                let each: Option<Vec<bool>> =
                    list.as_array()?.iter().map(|item| compare("==", &value, item)).collect();
                each?.contains(&true)
            }
        })
    }
}

impl One {
    fn text(&self) -> String {
        match self {
            One::Literal(Value::String(text)) => format!("'{}'", text.replace('\'', "\\'")),
            One::Literal(value) => value.to_string(),
            One::Digits(digits) => (*digits).to_owned(),
            One::Args(names) => format!("args.{}", names.join(".")),
            One::Claims(names) => {
                names.iter().fold("claims".to_owned(), |text, name| format!("{text}['{name}']"))
            }
            One::Name => "identity.name".to_owned(),
            One::Scopes => "claims.scopes".to_owned(),
        }
    }

    fn read(&self, request: &Value, claims: Option<&Value>) -> Option<Value> {
        let at = |value: &Value, names: &[&str]| {
            let found = names.iter().try_fold(value, |value, name| value.as_object()?.get(*name));
            found.filter(|found| !found.is_null()).cloned()
        };
        match self {
            One::Literal(value) => Some(value.clone()),
            // Shown as integers of 128 bits are.
            One::Digits(digits) => Some(json!({ "digits": digits })),
            One::Args(names @ ["large"]) => Some(json!({ "digits": at(request, names)? })),
            One::Args(names) => at(request, names),
            One::Claims(names) => at(claims?, names),
            One::Name => Some(claims?["sub"].clone()),
            One::Scopes => Some(claims?["scopes"].clone()),
        }
    }
}

/// The digits of a number, as many as it has: those of a float are exact.
fn digits(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) if number.is_f64() => Some(format!("{:.1100}", number.as_f64()?)),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => object.get("digits")?.as_str().map(str::to_owned),
        _ => None,
    }
}

fn order(one: &str, other: &str) -> Ordering {
    let split = |text: &str| {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text.to_owned()),
            None => (false, text.to_owned()),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let (whole, fraction) =
            (whole.trim_start_matches('0').to_owned(), fraction.trim_end_matches('0').to_owned());
        (negative && !(whole.is_empty() && fraction.is_empty()), whole, fraction)
    };
    let ((negative, whole, fraction), (others, other_whole, other_fraction)) = (split(one), split(other));
    let size = (whole.len().cmp(&other_whole.len()))
        .then(whole.cmp(&other_whole))
        .then(fraction.cmp(&other_fraction));
    match (negative, others) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

fn compare(op: &str, one: &Value, other: &Value) -> Option<bool> {
    // What is no number compares with nothing, and denies; as JSON it is this text, which no other value here is.
    if one == "NaN" || other == "NaN" {
        return None;
    }
    let order = match (one, other) {
        (Value::Bool(one), Value::Bool(other)) if matches!(op, "==" | "!=") => one.cmp(other),
        (Value::String(one), Value::String(other)) if matches!(op, "==" | "!=") => one.cmp(other),
        (one, other) => order(&digits(one)?, &digits(other)?),
    };
    Some(match op {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    })
}

fn texts() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "acme", "card", "cash", "it's", ""])
}

fn numbers() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(0),
        json!(1),
        json!(-5),
        json!(7),
        json!(9_007_199_254_740_993_i64),
        json!(u64::MAX),
        json!(0.5),
        json!(1e19),
        json!(-5.0),
        json!(9_007_199_254_740_992.0),
        json!(18_446_744_073_709_551_616.0),
        json!(0.1),
        json!(i64::MIN),
    ])
}

/// Values of one type: literals, fields and claims. Claims may be of another.
fn text_operands() -> impl Strategy<Value = One> {
    prop_oneof![
        texts().prop_map(|text| One::Literal(json!(text))),
        prop::sample::select(vec![
            One::Args(&["tenant"]),
            One::Args(&["note"]),
            One::Args(&["letter"]),
            One::Args(&["owner", "name"]),
            One::Args(&["owner", "boss", "name"]),
            One::Name,
            One::Claims(&["tenant"]),
            One::Claims(&["in", "side"]),
            One::Claims(&["level"]),
        ]),
    ]
}

fn number_operands() -> impl Strategy<Value = One> {
    prop_oneof![
        numbers().prop_map(One::Literal),
        prop::sample::select(vec![
            One::Digits("340282366920938463463374607431768211455"),
            One::Digits("-170141183460469231731687303715884105728"),
            One::Args(&["amount"]),
            One::Args(&["small"]),
            One::Args(&["large"]),
            One::Args(&["ratio"]),
            One::Args(&["single"]),
            One::Args(&["patch"]),
            One::Args(&["owner", "age"]),
            One::Args(&["last"]),
            One::Claims(&["level"]),
            One::Claims(&["tenant"]),
        ]),
    ]
}

fn text_lists() -> impl Strategy<Value = One> {
    prop::sample::select(vec![
        One::Args(&["tags"]),
        One::Claims(&["roles"]),
        One::Claims(&["tenant"]),
        One::Scopes,
    ])
}

fn tests() -> impl Strategy<Value = Test> {
    let all = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let has = prop::sample::select(vec![
        One::Args(&["note"]),
        One::Args(&["owner"]),
        One::Args(&["owner", "boss", "age"]),
        One::Args(&["patch"]),
        One::Args(&["any"]),
        One::Claims(&["tenant"]),
        One::Claims(&["in", "side"]),
        One::Claims(&["roles"]),
        One::Name,
    ]);
    let is =
        prop::sample::select(vec![One::Args(&["flag"]), One::Claims(&["admin"]), One::Claims(&["level"])]);
    let leaf = prop_oneof![
        (prop::sample::select(vec!["==", "!="]), text_operands(), text_operands())
            .prop_map(|(op, one, other)| Test::Compare(op, one, other)),
        (all(), number_operands(), number_operands())
            .prop_map(|(op, one, other)| Test::Compare(op, one, other)),
        (prop::sample::select(vec!["==", "!="]), prop::sample::select(vec!["card", "cash"]))
            .prop_map(|(op, name)| Test::Compare(op, One::Args(&["kind"]), One::Literal(json!(name)))),
        (text_operands(), text_lists()).prop_map(|(one, list)| Test::In(one, list)),
        (number_operands(), prop::sample::select(vec![One::Args(&["numbers"]), One::Claims(&["limits"])]))
            .prop_map(|(one, list)| Test::In(one, list)),
        prop::sample::select(vec!["card", "cash"])
            .prop_map(|name| Test::In(One::Literal(json!(name)), One::Args(&["kinds"]))),
        (text_operands(), prop::collection::vec(text_operands(), 1..4))
            .prop_map(|(one, list)| Test::OneOf(one, list)),
        (number_operands(), prop::collection::vec(number_operands(), 1..4))
            .prop_map(|(one, list)| Test::OneOf(one, list)),
        has.prop_map(Test::Has),
        is.prop_map(Test::Is),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Test::Any),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Test::All),
            inner.prop_map(|test| Test::Not(Box::new(test))),
        ]
    })
}

fn requests() -> impl Strategy<Value = Value> {
    let kind = || prop_oneof![Just(json!("card")), Just(json!("cash")), Just(json!({"other": "card"}))];
    let owner =
        || (texts(), prop::option::of(any::<u8>())).prop_map(|(name, age)| json!({"name": name, "age": age}));
    let boss = (owner(), prop::option::of(owner())).prop_map(|(mut owner, boss)| {
        owner["boss"] = json!(boss);
        owner
    });
    let large = prop::sample::select(vec![0, 7, u128::from(u64::MAX), 1 << 64, 1 << 127, u128::MAX]);
    let ratio = prop_oneof![numbers(), Just(json!("NaN")), any::<f64>().prop_map(|value| json!(value))];
    let whole = || numbers().prop_filter_map("an integer of 64 bits", |value| value.as_i64());
    (
        (
            texts(),
            kind(),
            prop::collection::vec(texts(), 0..3),
            any::<bool>(),
            prop::option::of(texts()),
            prop::option::of(boss),
        ),
        (large, ratio, whole(), prop_oneof![Just(None), Just(Some(json!(null))), Just(Some(json!(-5)))]),
        (
            prop::collection::vec(whole(), 0..3),
            prop::collection::vec(kind(), 0..3),
            prop_oneof![Just(json!(null)), Just(json!(" null "))],
        ),
    )
        .prop_map(
            |(
                (tenant, kind, tags, flag, note, owner),
                (large, ratio, small, patch),
                (numbers, kinds, any),
            )| {
                let mut request = usual();
                for (name, value) in [
                    ("tenant", json!(tenant)),
                    ("kind", kind),
                    ("tags", json!(tags)),
                    ("flag", json!(flag)),
                    ("note", json!(note)),
                    ("owner", json!(owner)),
                    ("large", json!(large.to_string())),
                    ("ratio", ratio),
                    ("small", json!(small)),
                    ("numbers", json!(numbers)),
                    ("kinds", json!(kinds)),
                    ("any", any),
                ] {
                    request[name] = value;
                }
                if let Some(patch) = patch {
                    request["patch"] = patch;
                }
                request
            },
        )
}

fn claims() -> impl Strategy<Value = Option<Value>> {
    let value = || {
        prop_oneof![
            texts().prop_map(|text| json!(text)),
            texts().prop_map(|text| json!(text)),
            numbers(),
            Just(json!(null)),
            Just(json!(true)),
            Just(json!(["a", "acme"])),
            Just(json!({"side": "acme"})),
            Just(json!([1, "a", -5])),
        ]
    };
    let list = |items: Vec<&str>| json!(items);
    let texts_of = move || prop::collection::vec(texts(), 0..3).prop_map(list);
    let set = (
        texts(),
        texts_of(),
        prop::option::of(value()),
        prop::option::of(prop_oneof![numbers(), value()]),
        prop::option::of(prop_oneof![texts_of(), value()]),
        prop::option::of(value()),
        prop::option::of(any::<bool>()),
        prop::collection::vec(numbers(), 0..3),
    );
    let claims = set.prop_map(|(sub, scopes, tenant, level, roles, inner, admin, limits)| {
        let mut claims = json!({"sub": sub, "scopes": scopes, "limits": limits});
        let optional = [
            ("tenant", tenant),
            ("level", level),
            ("roles", roles),
            ("in", inner),
            ("admin", admin.map(|value| json!(value))),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                claims[name] = value;
            }
        }
        claims
    });
    prop_oneof![9 => claims.prop_map(Some), 1 => Just(None)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_say_what_another_reading_says(test in tests(), request in requests(), claims in claims()) {
        let layout = layout();
        let message = encode(&layout, &request);
        let mut shown = Vec::new();
        let decoder = ResponseProgram::compile(&schema(), &ResponseBinding::default()).unwrap();
        decoder.decode(&message, &mut shown).unwrap();
        let shown: Value = serde_json::from_slice(&shown).unwrap();
        let rule = test.text();
        // What says nothing of a request, or compares what is never alike, is no rule or does not fit.
        let Ok(rule) = callgate_rules::Rule::parse(&rule) else { return Ok(()) };
        let Ok(program) = callgate_rules::Program::bind(layout.clone(), &[rule]) else { return Ok(()) };
        let identity = claims.as_ref().map(identity);
        let found = program.check(&message, identity.as_ref());
        let expected = test.decide(&shown, claims.as_ref());
        prop_assert_eq!(found.is_ok(), expected == Some(true), "{} of {} by {:?}: {:?}", test.text(), shown, claims, found);
        let is_undecided = matches!(&found, Err(denied) if denied.why != callgate_rules::Why::NotMet);
        prop_assert_eq!(is_undecided, expected.is_none());
    }
}

#[test]
fn most_of_the_rules_of_the_other_test_are_rules_that_fit() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let (mut runner, layout) = (TestRunner::deterministic(), layout());
    let mut fitting = 0;
    for _ in 0..400 {
        let test = tests().new_tree(&mut runner).unwrap().current();
        let rule = callgate_rules::Rule::parse(&test.text());
        fitting += usize::from(
            rule.is_ok_and(|rule| callgate_rules::Program::bind(layout.clone(), &[rule]).is_ok()),
        );
    }
    assert!(fitting > 150, "{fitting}");
    assert!(program(&layout, &["args.flag"]).is_ok());
}
