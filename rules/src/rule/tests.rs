//! What is a rule, and what is said of a text that is none.

use super::*;

#[track_caller]
fn error(text: &str) -> RuleError {
    Rule::parse(text).expect_err("it is no rule")
}

#[test]
fn rules_are_read_as_cel_writes_them() {
    for text in [
        "claims.tenant == args.tenant",
        "args.amount <= 1000 || 'big' in claims.scopes",
        "!(args.a in [\"x\", 'y',]) && (args.b != -0x1F || has(args.c.d))",
        "claims[\"https://example.com/tenant\"].id == args[\"x-y\"]",
        "args.admin",
        "!claims.blocked && !!args.a",
        "identity.name == args.owner // and nobody else",
        "1.5e3 > args.price",
        "args.tenant in [claims.tenant, 'public', identity.name]",
        "args.at >= '2026-01-01T00:00:00Z'",
        "\n  has(identity.name)\n  || args.public\n",
        "claims.scope.scopes == args.a",
        "'a' in identity.scopes",
        "args.a == true",
    ] {
        assert_eq!(Rule::parse(text).map(|rule| rule.text().to_owned()), Ok(text.to_owned()));
    }
}

#[test]
fn what_is_no_rule_is_told_with_its_place() {
    // The rule, the part that is wrong, and what is said of it.
    for (text, part, title) in [
        ("", "", "the rule ends too early"),
        ("args.a ==", "", "the rule ends too early"),
        ("(args.a", "", "the rule ends too early"),
        ("args.a == 1)", ")", "`)` is not expected here"),
        ("args.a == == 1", "==", "`==` is not expected here"),
        ("args.a < 1 < 2", "<", "comparisons do not follow each other"),
        ("args.a == 1 in [1]", "in", "comparisons do not follow each other"),
        ("args.a && ", "", "the rule ends too early"),
        ("args.a args.b", "args", "`args` is not expected here"),
        ("args.", "", "the rule ends too early"),
        ("args.5", "args", "`args` is not one value"),
        ("args.in == 1", "in", "`in` is not expected here"),
        ("args[0] == 1", "0", "`0` is not expected here"),
        ("args.a[claims.b]", "claims", "`claims` is not expected here"),
        ("args == 1", "args", "`args` is not one value"),
        ("has(claims)", "claims", "`claims` is not one value"),
        ("has args.a", "args", "`args` is not expected here"),
        ("has('a')", "'a'", "`'a'` is not expected here"),
        ("tenant == args.tenant", "tenant", "a rule reads no `tenant`"),
        ("size(args.a) == 1", "size", "a rule has no function `size`"),
        ("args.a.startsWith('x')", "args.a.startsWith", "a rule has no methods"),
        ("args.a == null", "null", "nothing is compared with null"),
        ("args.a + 1 == 2", "+", "a rule has no `+`"),
        ("args.a == 'x", "'", "a text does not end"),
        ("args.a == -'x'", "'x'", "`'x'` is not expected here"),
        (
            "args.a == -170141183460469231731687303715884105729",
            "-170141183460469231731687303715884105729",
            "a number is out of range",
        ),
        ("identity.sub == args.a", "sub", "an identity has a name and scopes"),
        ("identity.name.x == args.a", "name", "an identity has a name and scopes"),
        ("identity.name", "identity.name", "expected a condition"),
        ("claims.scopes", "claims.scopes", "expected a condition"),
        ("claims.scopes.a == 'x'", "a", "claims.scopes is a list"),
        ("claims.scopes == 'x'", "claims.scopes", "a list is not compared"),
        ("args.a == ['x']", "['x']", "a list is not compared"),
        ("(args.a == 1) == args.b", "(args.a == 1)", "a condition is not compared"),
        ("!args.a == args.b", "!args.a", "a condition is not compared"),
        ("args.a in 'x'", "'x'", "`in` looks into a list"),
        ("args.a in identity.name", "identity.name", "`in` looks into a list"),
        ("args.a in []", "[]", "this is the same for all requests"),
        ("'a' in ['a', 'b']", "'a' in ['a', 'b']", "this is the same for all requests"),
        ("'a' == 'args.a'", "'a' == 'args.a'", "this is the same for all requests"),
        ("true", "true", "this is the same for all requests"),
        ("args.a || false", "false", "this is the same for all requests"),
        ("args.a && 'x'", "'x'", "expected a condition"),
        ("args.a && 7", "7", "expected a condition"),
        ("[args.a]", "[args.a]", "expected a condition"),
        ("identity.name == 7", "identity.name == 7", "a text is never a number"),
        ("7 in claims.scopes", "7", "scopes are texts"),
        ("args.a in ['x', 7]", "'x', 7", "a text is never a number"),
        ("claims.a < 'x'", "'x'", "`<` compares numbers, dates and times"),
        ("args.a >= true", "true", "`>=` compares numbers, dates and times"),
        ("identity.name < claims.a", "identity.name", "`<` compares numbers, dates and times"),
    ] {
        let error = error(text);
        assert_eq!((&text[error.at.clone()], error.title.as_str()), (part, title), "{text}");
    }
}

#[test]
fn the_help_says_what_to_write() {
    for (text, help) in [
        ("args.a == null", "write has(args.x) or !has(args.x)"),
        ("args.in == 1", "write [\"in\"] without the dot"),
        ("request.a == 1", "the method's arguments are args, such as args.tenant"),
        (
            "token.a == 1",
            "who asks is in claims, such as claims.tenant, and in identity.name and identity.scopes",
        ),
        ("args == 1", "write args.tenant, with the name of an argument"),
        ("args.a in 'x'", "write args.kind in [\"a\", \"b\"], or \"a\" in claims.roles"),
        ("'tenant' == 'x'", "what is read begins with args, claims or identity and stands without quotes"),
    ] {
        assert_eq!(error(text).help.as_deref(), Some(help), "{text}");
    }
}

#[test]
fn a_rule_has_bounds_and_nothing_recurses_past_them() {
    let nested = |depth| format!("{}args.a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Rule::parse(&nested(32)).is_ok());
    assert_eq!(error(&nested(33)).title, "a rule nests deeper than 32");
    for sign in ["(", "!", "["] {
        assert_eq!(error(&sign.repeat(4096)).title, "a rule nests deeper than 32", "{sign}");
    }
    let joined = |count| vec!["args.a"; count].join("||");
    assert!(Rule::parse(&joined(255)).is_ok());
    assert_eq!(error(&joined(256)).title, "a rule has more than 256 parts");
    assert_eq!(error(&format!("args.a in [{}]", "1,".repeat(255))).title, "a rule has more than 256 parts");
    assert_eq!(error(&" ".repeat(4097)).title, "a rule has more than 4096 bytes");
    let names = |count| format!("args{}", ".a".repeat(count));
    assert!(Rule::parse(&names(16)).is_ok());
    assert_eq!(error(&names(17)).title, "more than 16 names follow `args`");
}

#[test]
fn a_rule_tells_whether_it_asks_who_the_caller_is() {
    for (text, expected) in [
        ("args.a == 1", false),
        ("has(args.claims)", false),
        ("args.a in [1, claims.b]", true),
        ("!has(claims.a)", false),
        ("has(claims.a) && claims.a == 1", true),
        ("args.a || (args.b && 'x' in identity.scopes)", true),
        ("'claims.a' == args.b", false),
    ] {
        assert_eq!(Rule::parse(text).map(|rule| rule.reads_identity()), Ok(expected), "{text}");
    }
}

#[test]
fn a_rule_tells_the_claims_that_it_reads() {
    let rule = Rule::parse(
        "has(claims.a) && claims.b.c == args.x && 'y' in claims.scopes && !(args.z in [claims['d'], claims.b])",
    );
    let rule = rule.expect("a rule");
    assert_eq!(rule.claims(), [("b", 24..25), ("d", 85..88), ("b", 98..99)]);
}

#[test]
fn rules_that_are_written_alike_are_one() {
    let rule = |text| Rule::parse(text).expect("a rule");
    assert_eq!(rule("args.a == 1"), rule("args.a == 1"));
    assert_ne!(rule("args.a == 1"), rule("args.a == 2"));
    assert_eq!(rule("args.a == 1").to_string(), "args.a == 1");
}
