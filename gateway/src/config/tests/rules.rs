//! Rules: those of a file and of its routes, and what is said of one that will not do.

use super::*;

const AUTH: &str = "-- auth.toml\n[auth.local]\ntype = 'unix'\n";

fn file(top: &str, lines: &str) -> String {
    format!(
        "{AUTH}-- t.toml\nauth = 'local'\n{top}[backends.shop]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /a'\ncall = 'a.b'\n{lines}\n"
    )
}

/// What is wrong with these lines, as it is shown.
#[track_caller]
fn wrong(top: &str, lines: &str) -> String {
    tables(&file(top, lines)).unwrap_err().to_string()
}

#[test]
fn the_rules_of_a_file_and_of_its_route_both_count() {
    let rules = |top: &str, lines: &str| {
        let tables = tables(&file(top, lines)).unwrap();
        call(&tables.routes[0]).policy.rules.all().map(|rule| rule.text().to_owned()).collect::<Vec<_>>()
    };
    let (top, own) = ("rules = ['args.a == 1', 'args.b']\n", "rules = [\"identity.name == args.c\"]");
    assert_eq!(rules("", ""), [""; 0]);
    assert_eq!(rules(top, ""), ["args.a == 1", "args.b"]);
    assert_eq!(rules("", own), ["identity.name == args.c"]);
    assert_eq!(rules(top, own), ["args.a == 1", "args.b", "identity.name == args.c"]);
    assert_eq!(rules("", "rules = []"), [""; 0]);
    assert_eq!(rules("", "rules = ['''\n  args.a\n  || args.b\n''']"), ["  args.a\n  || args.b\n"]);
}

#[test]
fn the_same_rules_elsewhere_are_the_same_and_others_are_not() {
    let policy = |lines: &str| call(&tables(&file("", lines)).unwrap().routes[0]).policy.clone();
    assert_eq!(policy("rules = ['args.a']"), policy("\n\nrules = [  \"args.a\" ]"));
    assert_ne!(policy("rules = ['args.a']"), policy("rules = ['args.b']"));
    assert_ne!(policy("rules = ['args.a']"), policy(""));
}

#[test]
fn a_mistake_is_shown_where_it_stands_in_the_rule() {
    let seen = wrong("", "rules = ['args.a == 1', 'args.b = claims.c']");
    assert!(seen.starts_with("error: a rule has no `=`\n"), "{seen}");
    assert!(seen.contains("t.toml:7:33"), "{seen}");
    assert!(seen.contains("write == to compare"), "{seen}");
    // In a text of several lines, too.
    let seen = wrong("", "rules = ['''\nargs.a\n  || size(args.b) == 1\n''']");
    assert!(seen.contains("t.toml:9:6") && seen.contains("a rule has no function `size`"), "{seen}");
    // Where it stands in escapes, the whole text is shown, and the mistake has its words.
    let seen = wrong("", "rules = [\"args.a == \\\"x\\\" + 1\"]");
    assert!(seen.contains("t.toml:7:10") && seen.contains("a rule has no `+`"), "{seen}");
    let seen = wrong("rules = ['args.a ==']\n", "");
    assert!(seen.contains("t.toml:2:20") && seen.contains("the rule ends too early"), "{seen}");
}

#[test]
fn what_is_no_list_of_rules_is_told() {
    for (lines, expected) in [
        (
            "rules = 'args.a'",
            "`rules` must be an array of strings such as [\"claims.tenant == args.tenant\"]",
        ),
        ("rules = [1]", "`rules` must be an array of strings"),
        ("rules = ['true']", "this is the same for all requests"),
    ] {
        let seen = wrong("", lines);
        assert!(seen.contains(expected), "{seen}");
    }
    let many = |count| format!("rules = [{}]", "'args.a',".repeat(count));
    assert!(tables(&file(&format!("{}\n", many(16)), &many(16))).is_ok());
    for (top, own) in [(0, 33), (16, 17), (33, 0)] {
        let seen = wrong(&format!("{}\n", many(top)), &if own == 0 { String::new() } else { many(own) });
        assert!(seen.contains("more than 32 rules"), "{seen}");
    }
    let text = "[[routes]]\nmatch = 'GET /a'\nrespond = {}\nrules = ['args.a']\n";
    let seen = tables(text).unwrap_err().to_string();
    assert!(seen.contains("`rules` has no effect"), "{seen}");
}

#[test]
fn what_the_page_shows_is_so() {
    const PAGE: &str = include_str!("../../../../docs/rules.md");
    let blocks = |kind: &str| {
        let begin = format!("```{kind}\n");
        PAGE.split(&begin).skip(1).filter_map(|rest| rest.split("```").next()).collect::<Vec<_>>()
    };
    let examples = blocks("toml");
    assert!(examples.len() >= 6);
    for example in examples {
        let keys: Vec<&str> = example.lines().skip_while(|line| !line.starts_with("rules")).collect();
        let seen =
            tables(&file("", &keys.join("\n"))).err().map(|found| found.to_string()).unwrap_or_default();
        // The authenticator of these tests has no such claims.
        let other = seen.lines().find(|line| line.starts_with("error") && !line.contains("a verified claim"));
        assert_eq!(other, None, "{seen}");
    }
    let text = "[backends.orders]\nendpoints = ['x:1']\n\n[[routes]]\nmatch = 'GET /a'\ncall  = 'orders.get'\ntimeout = '1s'\n\
                rules = [\"args.owner = identity.name\"]\n";
    let seen =
        super::judge::read_tables(vec![Source::new("routes/orders.toml", text)]).unwrap_err().to_string();
    assert_eq!(seen.trim(), blocks("text")[0].trim());
}

#[test]
fn rules_that_would_deny_everybody_are_told() {
    let seen = wrong("", "auth = 'anonymous'\nrules = ['args.a', 'args.b == claims.uid']");
    assert!(seen.contains("the rule denies everybody: callers of this route have no identity"), "{seen}");
    assert!(seen.contains("t.toml:8:21"), "{seen}");
    let seen = wrong("rules = ['identity.name == args.a']\n", "auth = 'anonymous'");
    assert!(seen.contains("denies everybody") && seen.contains("t.toml:2:11"), "{seen}");
    let seen = wrong("", "rules = ['args.b == claims.tenant.id']");
    assert!(seen.contains("no caller of this route has a verified claim `tenant`"), "{seen}");
    assert!(seen.contains("t.toml:7:28"), "{seen}");
    for lines in [
        "auth = 'anonymous'\nrules = ['args.a == 1']",
        "auth = 'anonymous'\nrules = ['!has(identity.name)']",
        "auth = ['local', 'anonymous']\nrules = ['has(identity.name) && claims.uid == args.a']",
        "rules = ['\"a\" in claims.scopes']",
        "rules = ['!has(claims.tenant)']",
    ] {
        assert!(tables(&file("", lines)).is_ok(), "{lines}");
    }
}
