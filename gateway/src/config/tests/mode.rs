//! `mode`: what it is read as, and what makes no sense beside it.

use super::*;
use crate::config::CallMode;

/// A route of that match with those lines.
fn route(matched: &str, lines: &str) -> Result<Tables, Diagnostics> {
    tables(&format!(
        "[backends.shop]\nendpoints = ['x:1']\n[[routes]]\nmatch = '{matched}'\ncall = 'a.b'\n{lines}\n"
    ))
}

#[test]
fn whoever_asks_hears_the_reply_unless_the_route_only_notifies() {
    for (lines, expected) in [
        ("", CallMode::Answer),
        ("mode = 'answer'\netag = 'version'", CallMode::Answer),
        ("mode = 'notify'\nidempotent = true\nshadow = { version = '2', share = '1%' }", CallMode::Notify),
    ] {
        assert_eq!(call(&route("POST /a", lines).unwrap().routes[0]).mode, expected, "{lines}");
    }
}

#[test]
fn what_says_something_of_a_reply_that_nobody_hears_is_a_mistake() {
    let shown = route("POST /a", "mode = 'notify'\nresponse = { status = 201 }").unwrap_err().to_string();
    assert_eq!(
        shown.trim(),
        "error: `response` has no effect\n \
         --> t.toml:7:1\n  \
         |\n\
         7 | response = { status = 201 }\n  \
         | ^^^^^^^^ a route with `mode = \"notify\"` answers 202 without a body\n  \
         |\n  \
         = help: remove it"
    );
    for lines in ["errors = { aborted = 423 }", "etag = 'version'", "int64 = 'string'", "decimal = 'number'"]
    {
        let shown = route("POST /a", &format!("mode = 'notify'\n{lines}")).unwrap_err().to_string();
        let key = lines.split(' ').next().unwrap();
        assert!(shown.contains(&format!("`{key}` has no effect")), "{shown}");
    }
    let shown = route("GET /a", "mode = 'notify'").unwrap_err().to_string();
    assert!(
        shown.contains("`mode = \"notify\"` is not for GET routes") && shown.contains("t.toml:6:8"),
        "{shown}"
    );
    let shown = route("POST /a", "mode = 'notfy'").unwrap_err().to_string();
    assert!(shown.contains("did you mean") || shown.contains("\"answer\""), "{shown}");
    let shown =
        tables("[[routes]]\nmatch = 'POST /a'\nrespond = {}\nmode = 'notify'").unwrap_err().to_string();
    assert!(shown.contains("`mode` has no effect"), "{shown}");
}
