//! What rules say of requests, one by one.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod common;

use callgate_rules::{Denied, Why};
use common::{check, layout, program};
use serde_json::{Value, json};

/// What a caller's claims are in these tests.
fn claims() -> Value {
    json!({
        "sub": "ada", "scopes": ["big", "orders:write"], "tenant": "acme", "level": 7, "ratio": 0.5, "admin": true, "none": null,
        "roles": ["editor", "cash"], "mixed": ["acme", 7], "empty": [], "limits": [1, 2.5, -5], "big": 18_446_744_073_709_551_615_u64,
        "realm": {"access": {"roles": ["reader"], "on": false}}, "https://x.example/t": "acme", "price": "12.5", "cost": 12.5,
        "device": "67E55044-10B1-426F-9247-BB680E5FE0C8", "since": "2026-01-31T13:00:00+01:00", "address": "010.0.0.1",
    })
}

#[track_caller]
fn says(rule: &str, expected: Result<bool, Why>) {
    let found = check(&[rule], json!({}), Some(claims()));
    let expected = match expected {
        Ok(true) => Ok(()),
        Ok(false) => Err(Denied { rule: 0, why: Why::NotMet }),
        Err(why) => Err(Denied { rule: 0, why }),
    };
    assert_eq!(found, expected, "{rule}");
}

fn absent(what: &str) -> Result<bool, Why> {
    Err(Why::Absent(what.to_owned()))
}

fn wrong(what: &str) -> Result<bool, Why> {
    Err(Why::WrongType(what.to_owned()))
}

#[test]
fn values_are_compared_as_what_they_are() {
    for (rule, expected) in [
        ("args.tenant == 'acme'", true),
        ("args.tenant == 'Acme'", false),
        ("args.tenant != 'acm'", true),
        ("args.tenant == claims.tenant", true),
        ("args[\"x-y\"] == 'z'", true),
        ("args.kind == 'card'", true),
        ("args.kind != 'cash'", true),
        ("args.kind == claims.tenant", false),
        ("args.amount <= 1000", true),
        ("args.amount < 1000", false),
        ("args.amount > 999.999", true),
        ("args.amount == 1e3", true),
        ("1000 >= args.amount", true),
        ("args.small == -5", true),
        ("args.small < claims.level", true),
        ("args.large == 340282366920938463463374607431768211455", true),
        ("args.large > 340282366920938463463374607431768211454", true),
        ("args.large < 340282366920938463463374607431768211456.0", true),
        ("args.large > claims.big", true),
        ("args.ratio == 0.5", true),
        ("args.ratio == claims.ratio", true),
        ("args.single >= 0.25", true),
        ("args.flag", true),
        ("args.flag == claims.admin", true),
        ("args.flag != true", false),
        ("args.letter == '\\u00e9'", true),
        ("args.mail == 'ada@example.com'", true),
        ("args.patch == 1 || true == args.flag", true),
        ("claims.tenant == claims[\"https://x.example/t\"]", true),
        ("claims.level > 6.5", true),
        ("claims.realm.access.on == false", true),
        ("identity.name == 'ada'", true),
        ("identity.name == claims.sub", true),
        ("args.last == 9", true),
    ] {
        // The one that reads what is absent is below.
        if rule.contains("patch") {
            says(rule, absent("args.patch"));
        } else {
            says(rule, Ok(expected));
        }
    }
}

#[test]
fn texts_of_a_form_are_compared_by_what_they_say() {
    for (rule, expected) in [
        ("args.price == 12.5", true),
        ("args.price == '12.500'", true),
        ("args.price < 12.51", true),
        ("args.price <= 1e1", false),
        ("args.price > 12", true),
        ("args.price == claims.price", true),
        ("args.price == claims.cost", true),
        ("args.price > claims.level", true),
        ("args.price > args.price", false),
        ("args.day < '2026-03-01'", true),
        ("args.at == '2026-01-31T13:00:00+01:00'", true),
        ("args.at == claims.since", true),
        ("args.at > '2026-01-31T12:00:00.5Z'", false),
        ("args.wait == '90000ms'", true),
        ("args.wait <= '89999ms'", false),
        ("args.id == '67E5504410B1426F9247BB680E5FE0C8'", true),
        ("args.id == claims.device", true),
        ("args.ip == '10.0.0.1'", true),
        ("args.ip != '::1'", true),
        ("1.5 in args.prices", true),
        ("args.price in args.prices", false),
        ("args.price in ['1', '12.50']", true),
    ] {
        says(rule, Ok(expected));
    }
    says("args.ip != claims.address", wrong("claims.address"));
    says("args.day != claims.tenant", wrong("claims.tenant"));
    says("args.at < claims.level", wrong("claims.level"));
}

#[test]
fn in_looks_into_lists_of_all_kinds() {
    for (rule, expected) in [
        ("'a' in args.tags", true),
        ("'c' in args.tags", false),
        ("claims.tenant in args.tags", false),
        ("3 in args.numbers", true),
        ("3.5 in args.numbers", false),
        ("claims.level in args.numbers", false),
        ("args.small in claims.limits", true),
        ("2.5 in claims.limits", true),
        ("args.tenant in ['x', claims.tenant]", true),
        ("args.kind in ['cash', 'card']", true),
        ("'cash' in args.kinds", true),
        ("args.kind in args.kinds", false),
        ("'editor' in claims.roles", true),
        ("args.kind in claims.roles", false),
        ("'reader' in claims.realm.access.roles", true),
        ("'x' in claims.empty", false),
        ("'big' in claims.scopes", true),
        ("'orders:write' in identity.scopes", true),
        ("'small' in claims.scopes", false),
        ("claims.tenant in identity.scopes", false),
        ("!('small' in claims.scopes)", true),
    ] {
        says(rule, Ok(expected));
    }
    says("'acme' in claims.mixed", wrong("claims.mixed"));
    says("!('x' in claims.mixed)", wrong("claims.mixed"));
    says("'acme' in claims.tenant", wrong("claims.tenant"));
    says("'roles' in claims.realm", wrong("claims.realm"));
    says("claims.level in claims.scopes", wrong("claims.level"));
    says("'x' in claims.nobody", absent("claims.nobody"));
    let found = check(&["'cash' in args.kinds"], json!({"kinds": ["cash", {"other": "x"}]}), None);
    assert_eq!(found, Err(Denied { rule: 0, why: Why::WrongType("args.kinds".to_owned()) }));
}

#[test]
fn reading_what_is_absent_denies_whatever_stands_around_it() {
    for rule in [
        "claims.nobody == 'x'",
        "claims.nobody != 'x'",
        "!(claims.nobody == 'x')",
        "claims.nobody == 'x' || args.flag",
        "!(args.flag && claims.nobody == 'x')",
        "args.tenant in [claims.nobody, 'acme']",
        "claims.nobody",
        "!claims.nobody",
        "claims.nobody in args.tags",
    ] {
        says(rule, absent("claims.nobody"));
    }
    says("claims.none == claims.tenant", absent("claims.none"));
    says("claims.tenant.x == 'a'", absent("claims.tenant.x"));
    says("args.note != 'x'", absent("args.note"));
    says("args.owner.name != 'x'", absent("args.owner.name"));
    says("args.patch != 7", absent("args.patch"));
    // What is decided already reads no more.
    says("args.amount <= 1000 || claims.nobody == 'x'", Ok(true));
    says("args.amount > 1000 && claims.nobody == 'x'", Ok(false));
    says("args.tenant in ['acme', claims.nobody]", Ok(true));
}

#[test]
fn has_tells_what_is_there() {
    for (rule, expected) in [
        ("has(claims.tenant)", true),
        ("has(claims.nobody)", false),
        ("has(claims.none)", false),
        ("has(claims.realm.access)", true),
        ("has(claims.realm.access.roles.x)", false),
        ("has(identity.name) && has(identity.scopes) && has(claims.scopes)", true),
        ("has(args.tenant)", true),
        ("has(args.note)", false),
        ("has(args.owner)", false),
        ("has(args.owner.age)", false),
        ("has(args.patch)", false),
        ("has(args.any) && has(args.counts) && has(args.blob) && has(args.pair)", true),
        ("has(args.nothing)", false),
        ("!has(args.note) || args.note == 'x'", true),
    ] {
        says(rule, Ok(expected));
    }
    for (changes, rule, expected) in [
        (json!({"note": ""}), "has(args.note)", true),
        (json!({"note": null}), "has(args.note)", false),
        (json!({"patch": null}), "has(args.patch)", false),
        (json!({"patch": 0}), "has(args.patch) && args.patch == 0", true),
        (json!({"any": null}), "has(args.any)", false),
        (
            json!({"owner": {"name": "ada"}}),
            "has(args.owner) && !has(args.owner.age) && args.owner.name == 'ada'",
            true,
        ),
        (
            json!({"owner": {"name": "ada", "age": 7, "boss": {"name": "bob"}}}),
            "args.owner.age == 7 && args.owner.boss.name == 'bob' && !has(args.owner.boss.boss) && args.last == 9",
            true,
        ),
    ] {
        let found = check(&[rule], changes, None);
        assert_eq!(found.is_ok(), expected, "{rule}: {found:?}");
    }
}

#[test]
fn claims_of_another_type_deny() {
    says("claims.level == args.tenant", wrong("claims.level"));
    says("claims.level != args.tenant", wrong("claims.level"));
    says("!(args.amount < claims.tenant)", wrong("claims.tenant"));
    says("claims.tenant", wrong("claims.tenant"));
    says("claims.tenant < claims.sub", wrong("claims.tenant"));
    says("claims.roles == claims.roles", wrong("claims.roles"));
    says("claims.realm != 'x'", wrong("claims.realm"));
    says("identity.name == claims.level", wrong("claims.level"));
    let found = check(&["args.kind != 'cash'"], json!({"kind": {"other": "x"}}), None);
    assert_eq!(found, Err(Denied { rule: 0, why: Why::WrongType("args.kind".to_owned()) }));
    let found = check(&["args.ratio != 1.0"], json!({"ratio": "NaN"}), None);
    assert_eq!(found, Err(Denied { rule: 0, why: Why::WrongType("args.ratio".to_owned()) }));
}

#[test]
fn who_is_nobody_has_no_claims() {
    for rule in
        ["claims.tenant == 'acme'", "!claims.admin", "!('big' in claims.scopes)", "identity.name != 'x'"]
    {
        let denied = check(&[rule], json!({}), None).unwrap_err();
        assert!(matches!(denied.why, Why::Absent(_)), "{rule}: {denied:?}");
    }
    assert_eq!(check(&["!has(identity.name) && !has(claims.tenant)"], json!({}), None), Ok(()));
    assert_eq!(check(&["args.flag || claims.admin"], json!({}), None), Ok(()));
}

#[test]
fn all_rules_have_to_hold_and_the_first_that_does_not_is_told() {
    let rules = ["args.flag", "args.amount < 10", "claims.nobody == 'x'"];
    assert_eq!(check(&rules, json!({}), Some(claims())), Err(Denied { rule: 1, why: Why::NotMet }));
    let found = check(&rules, json!({"amount": 9}), Some(claims()));
    assert_eq!(found, Err(Denied { rule: 2, why: Why::Absent("claims.nobody".to_owned()) }));
    assert_eq!(check(&rules[..2], json!({"amount": 9}), None), Ok(()));
    assert_eq!(check(&[], json!({}), None), Ok(()));
}

#[test]
fn what_does_not_fit_the_schema_is_told_with_its_place() {
    let layout = layout();
    for (rule, part, why) in [
        ("args.tennant == 'x'", "tennant", "unknown field `tennant`, did you mean `tenant`?"),
        ("has(args.owner.nam)", "nam", "unknown field `nam`, did you mean `name`?"),
        ("args.tenant.x == 'x'", "x", "`x` is not in an object"),
        ("args.tags.x == 'x'", "x", "`x` is not in an object"),
        ("args.amount == 'x'", "args.amount == 'x'", "a number is never a text"),
        ("args.tenant == 7", "args.tenant == 7", "a text is never a number"),
        ("args.tenant == args.amount", "args.tenant == args.amount", "a text is never a number"),
        ("args.flag == 'true'", "args.flag == 'true'", "a boolean is never a text"),
        ("args.tenant", "args.tenant", "expected a condition, and `args.tenant` is a text"),
        ("!args.amount", "args.amount", "expected a condition, and `args.amount` is a number"),
        (
            "args.tenant < 'x'",
            "args.tenant < 'x'",
            "`<` compares numbers, dates and times, and this is a text",
        ),
        (
            "args.kind <= 'card'",
            "args.kind <= 'card'",
            "`<=` compares numbers, dates and times, and this is the name of a variant",
        ),
        (
            "args.id < '67e55044-10b1-426f-9247-bb680e5fe0c8'",
            "args.id < '67e55044-10b1-426f-9247-bb680e5fe0c8'",
            "`<` compares numbers, dates and times, and this is a UUID string",
        ),
        (
            "args.kind == 'Card'",
            "'Card'",
            "no variant without content has this name; there are `card`, `cash`",
        ),
        (
            "args.kind in ['card', 'other']",
            "'other'",
            "no variant without content has this name; there are `card`, `cash`",
        ),
        ("args.day == 'tomorrow'", "'tomorrow'", "expected a date, such as \"2026-01-31\""),
        ("args.at > 7", "7", "expected an RFC 3339 time stamp, such as \"2026-01-31T12:00:00Z\""),
        (
            "args.price > args.amount",
            "args.amount",
            "expected a decimal number or a string of it, such as \"12.50\"",
        ),
        (
            "args.at > args.day",
            "args.at > args.day",
            "an RFC 3339 time stamp, such as \"2026-01-31T12:00:00Z\" is never a date, such as \"2026-01-31\"",
        ),
        ("args.tags == 'a'", "args.tags", "this is a list, which is not compared"),
        ("args.owner == 'a'", "args.owner", "this is an object, which is not compared"),
        ("args.blob == 'a'", "args.blob", "this is bytes, which is not compared"),
        ("args.any == 'a'", "args.any", "this is any JSON, which is not compared"),
        ("args.nothing == 'a'", "args.nothing", "this is always null, which is not compared"),
        ("'a' in args.tenant", "args.tenant", "`in` looks into a list, and `args.tenant` is a text"),
        ("'a' in args.counts", "args.counts", "`in` looks into a list, and `args.counts` is a map"),
        (
            "1 in args.pair",
            "args.pair",
            "`in` looks into a list, and `args.pair` is an array with a type for each place",
        ),
        ("1 in args.rest", "args.rest", "`in` looks into a list, and `args.rest` is a list of such items"),
        ("1 in args.tags", "1 in args.tags", "a number is never a text"),
        (
            "args.price in args.numbers",
            "args.numbers",
            "expected a decimal number or a string of it, such as \"12.50\"",
        ),
        ("args.amount in claims.scopes", "args.amount in claims.scopes", "a number is never a text"),
        ("args.id in claims.scopes", "args.id", "scopes are texts, and this is a UUID string"),
    ] {
        let misfit = program(&layout, &["args.flag", rule]).unwrap_err();
        assert_eq!((&rule[misfit.at.clone()], misfit.rule), (part, 1), "{rule}");
        assert!(misfit.why.starts_with(why), "{rule}: {}", misfit.why);
    }
}

#[test]
fn rules_read_a_bounded_number_of_fields() {
    let fields = |count: usize| {
        (0..count).map(|at| format!("has(args.owner{}.name)", ".boss".repeat(at % 15))).collect::<Vec<_>>()
    };
    let few: Vec<String> = fields(200);
    let few: Vec<&str> = few.iter().map(String::as_str).collect();
    // Fifteen fields, each as often as it is read.
    assert!(program(&layout(), &few[..30]).is_ok());
}
