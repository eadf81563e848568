//! Routes that call nothing: what they are read as, and what is said about those that will not do.

use super::*;
use crate::config::suggest::list;

const SHOP: &str = "[backends.shop]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /a/{id}'\n";

/// The only route of [`SHOP`], which calls nothing, with that key.
#[track_caller]
fn reply(text: &str) -> ActionSpec {
    tables(&format!("{SHOP}{text}")).unwrap().routes.remove(0).action
}

/// What is wrong with a value of the route of [`SHOP`]: titles and labels without the picture, one a line.
#[track_caller]
fn wrong(text: &str) -> String {
    let shown = tables(&format!("{SHOP}{text}")).unwrap_err().to_string();
    let told = shown.lines().filter_map(|line| {
        let label = line.split_once("^ ").map(|(_, label)| label).filter(|_| line.starts_with("  |"));
        label.or_else(|| line.strip_prefix("error: ")).or_else(|| line.trim().strip_prefix("= help: "))
    });
    told.collect::<Vec<_>>().join(" | ")
}

#[test]
fn an_answer_is_made_when_the_table_is_read() {
    for (text, status, content_type, body) in [
        ("respond = {}", 200, None, ""),
        ("respond = { status = 204 }", 204, None, ""),
        ("respond.body = 'up'", 200, Some("text/plain; charset=utf-8"), "up"),
        ("respond = { body = 'a,b', content_type = 'text/csv' }", 200, Some("text/csv"), "a,b"),
        (
            "respond = { status = 410, json = { gone = true } }",
            410,
            Some("application/json"),
            "{\"gone\":true}",
        ),
        (
            "respond = { json = [1, -0x10, 1.5, 'x', { a = [] }], content_type = 'application/problem+json' }",
            200,
            Some("application/problem+json"),
            "[1,-16,1.5,\"x\",{\"a\":[]}]",
        ),
    ] {
        let text = text.replace("-0x10", "-16");
        let ActionSpec::Local(LocalReply::Respond(spec)) = reply(&text) else { panic!("{text}") };
        let seen = (spec.status, spec.content_type.as_deref(), std::str::from_utf8(&spec.body).unwrap());
        assert_eq!(seen, (status, content_type, body), "{text}");
    }
    let ActionSpec::Local(LocalReply::Respond(spec)) =
        reply("respond = { headers = { Cache-Control = 'no-store' } }")
    else {
        panic!("no answer")
    };
    assert_eq!(spec.headers, [("cache-control".to_owned(), "no-store".to_owned())]);
}

#[test]
fn a_redirect_is_for_good_unless_it_says_otherwise() {
    for (text, status, to) in [
        ("redirect = { to = '/b/{id}' }", 308, "/b/{id}"),
        (
            "redirect = { to = 'https://[::1]:8443/{id}.html?x#y', status = 302 }",
            302,
            "https://[::1]:8443/{id}.html?x#y",
        ),
        ("redirect = { to = 'http://b.example', status = 301 }", 301, "http://b.example"),
    ] {
        let ActionSpec::Local(LocalReply::Redirect(spec)) = reply(text) else { panic!("{text}") };
        assert_eq!((spec.status, spec.to.text.as_str()), (status, to));
    }
}

#[test]
fn two_are_equal_when_they_do_the_same() {
    let spec = |text: &str| tables(&format!("{SHOP}{text}")).unwrap().routes.remove(0);
    let one = spec("respond.body = 'a'");
    assert_eq!(one, spec("\n\nrespond = { status = 200, body = 'a' }"));
    assert_ne!(one, spec("respond.body = 'b'"));
    assert_ne!(one, spec("redirect = { to = '/b' }"));
}

#[test]
fn what_an_answer_cannot_be_is_told() {
    for (text, expected) in [
        (
            "respond = 200",
            "`respond` must be a table such as { status = 200, body = \"…\" } | this is an integer",
        ),
        ("respond = { status = 99 }", "`status` is out of bounds | expected 200 to 599"),
        (
            "respond = { status = 301 }",
            "a fixed reply is no redirect | expected 200 to 299 or 400 to 599 | write redirect = { to = \"/…\", status = 308 }",
        ),
        ("respond = { status = 204, body = '' }", "a reply with status 204 has no body | this is one"),
        ("respond = { body = '', json = 1 }", "one reply has two bodies | `body` is there too"),
        (
            "respond = { content_type = 'text/plain' }",
            "`content_type` has no effect | there is no body | add `body` or `json`, or remove it",
        ),
        (
            "respond = { json = [nan] }",
            "`json` must be made of what JSON has: finite numbers, strings, true, false | this is a number",
        ),
        (
            "respond = { json = { at = 2026-01-01 } }",
            "`json` must be made of what JSON has: finite numbers, strings, true, false | this is a date",
        ),
        (
            "respond = { body = 'x', content_type = \"a\\r\\nb\" }",
            "a header's value is visible ASCII | this character is not",
        ),
        (
            "respond = { headers = { Content-Length = '1' } }",
            "`Content-Length` cannot be a header of a fixed reply | the gateway says it itself",
        ),
        (
            "respond = { headers = { content-type = 'x' } }",
            "`content-type` cannot be a header of a fixed reply | say it by `content_type`",
        ),
        (
            "respond = { headers = { 'a b' = 'x' } }",
            "`a b` cannot be a header of a fixed reply | no header is called so",
        ),
        (
            "respond = { headers = { x-a = \"1\\n2\" } }",
            "a header's value is visible ASCII | this character is not",
        ),
        (
            "respond = { stauts = 200 }",
            "unknown key `stauts` in `respond` | not known here | did you mean `status`?",
        ),
    ] {
        assert_eq!(wrong(text), expected, "{text}");
    }
    let long = format!("respond = {{ body = '{}' }}", "x".repeat(64 * 1024 + 1));
    assert!(wrong(&long).starts_with("a fixed reply this long"));
}

#[test]
fn where_a_redirect_cannot_lead_is_told() {
    let host = "expected a name or an address, with or without a port";
    for (to, expected) in [
        (
            "b/{id}",
            "a redirect leads to a path or a host | expected `/…`, `https://…` or `http://…` | write `/b/{id}`",
        ),
        (
            "javascript:alert(1)",
            "a redirect leads to a path or a host | expected `/…`, `https://…` or `http://…`",
        ),
        (
            "//b.example/x",
            "a host without its scheme | `//` begins a host's name | write `https://b.example/x`, or a path with one slash",
        ),
        ("https://", &format!("`` is not a host | {host}")),
        ("https:///x", &format!("`` is not a host | {host}")),
        ("https://me@b.example/", &format!("`me@b.example` is not a host | {host}")),
        (
            "https://{id}.example/",
            "`{id}.example` is not a host | the client would choose the host: no parameter may stand here",
        ),
        ("https://b.example:0/", "`b.example:0` is not a host | the port is none"),
        ("https://[::1/", &format!("`[::1` is not a host | {host}")),
        ("/b/{name}", "`match` has no `{name}` | no such parameter in `/a/{id}` | there is `id`"),
        ("/b/{*id}", "`id` is no tail | one segment in `match` | write `{id}`"),
        ("/b/{id", "a parameter is written `{name}` | this brace has no other"),
        ("/b/id}", "a parameter is written `{name}` | this brace has no other"),
        ("/b/../c", "clients resolve dot segments | leads elsewhere"),
        ("/b/%2E%2e", "clients resolve dot segments | leads elsewhere"),
        (
            "/b c",
            "a URI has no such character here | cannot stand as it is | write it percent-encoded: `%20`",
        ),
        (
            "/b?x=é",
            "a URI has no such character here | cannot stand as it is | write it percent-encoded: `%C3%A9`",
        ),
        (
            "/b\\c",
            "a URI has no such character here | cannot stand as it is | write it percent-encoded: `%5C`",
        ),
        (
            "/b#x#y",
            "a URI has no such character here | cannot stand as it is | write it percent-encoded: `%23`",
        ),
        ("/a/{id}", "a route redirects to itself | the client would go in circles"),
        ("/a/{id}?x", "a route redirects to itself | the client would go in circles"),
    ] {
        assert_eq!(wrong(&format!("redirect = {{ to = '{to}' }}")), expected, "{to}");
    }
    assert_eq!(
        wrong("redirect = { to = '/b', status = 304 }"),
        "304 is no redirect | expected 301, 302, 303, 307 or 308 | \
         308 and 301 are for good, 307 and 302 for now; 303 is followed by a GET"
    );
    assert_eq!(
        wrong("redirect = {}"),
        "`redirect` needs `to` | leads nowhere | write { to = \"/v2/orders/{id}\" }"
    );
}

#[test]
fn a_route_does_one_thing_and_what_belongs_to_calls_has_no_effect() {
    let actions: Vec<&str> = route_keys::actions().map(|key| key.name).collect();
    assert!(["call", "respond", "redirect", "rewrite"].iter().all(|action| actions.contains(action)));
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /a"
call = "a.b"
respond = { body = "x" }
[[routes]]
match = "GET /b"
redirect = { to = "/a" }
timeout = "2s"
retry = false
backend = "shop"
[[routes]]
match = "GET /c"
rewrite = "/a"
redirect = { to = "/a" }
respnd = 1"#,
        &r#"
error: a route has one of ACTIONS
 --> t.toml:7:1
  |
6 | call = "a.b"
  | ---- one is here
7 | respond = { body = "x" }
  | ^^^^^^^ another one

error: `timeout` has no effect
  --> t.toml:11:1
   |
11 | timeout = "2s"
   | ^^^^^^^ a route with `redirect` calls nothing
   |
   = help: remove it

error: `retry` has no effect
  --> t.toml:12:1
   |
12 | retry = false
   | ^^^^^ a route with `redirect` calls nothing
   |
   = help: remove it

error: `backend` has no effect
  --> t.toml:13:1
   |
13 | backend = "shop"
   | ^^^^^^^ a route with `redirect` calls nothing
   |
   = help: remove it

error: a route has one of ACTIONS
  --> t.toml:17:1
   |
16 | rewrite = "/a"
   | ------- one is here
17 | redirect = { to = "/a" }
   | ^^^^^^^^ another one

error: unknown key `respnd` in a route
  --> t.toml:18:1
   |
18 | respnd = 1
   | ^^^^^^ not known here
   |
   = help: did you mean `respond`?
"#
        .replace("ACTIONS", &list(&actions, "and")),
    );
}

#[test]
fn the_policy_of_requests_is_theirs_as_it_is_that_of_routes_that_call() {
    for action in ["call = 'a.b'", "respond = {}", "redirect = { to = '/b' }", "rewrite = '/b/{id}'"] {
        let text = format!("{SHOP}{action}\nmax_in_flight = 7\nrate_limit = ['all', {{ rate = '1/s' }}]\n");
        let text = text + "[[routes]]\nmatch = 'GET /b/{x}'\nrespond = {}\n[limits.all]\nrate = '9/s'\n";
        let route = tables(&text).unwrap().routes.remove(0);
        let policies: Vec<String> = route.policy.rate_limits.limits.iter().map(RateLimit::policy).collect();
        assert_eq!((route.policy.max_in_flight, policies), (Some(7), vec!["all".into(), "route:1/s".into()]));
        let without = tables(&text.replace("max_in_flight = 7", "")).unwrap().routes.remove(0);
        assert_ne!(route, without, "{action}");
    }
    assert_eq!(
        wrong("respond = {}\nrate_limit = 'al'\n[limits.all]\nrate = '1/s'"),
        "unknown limit `al` | declared in no file | did you mean `all`?"
    );
}

#[test]
fn they_conflict_with_routes_that_call_and_with_each_other() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /a/{x}"
respond = {}
[[routes]]
match = "GET /a/{y}"
call = "a.b"
[[routes]]
match = "POST /a/{y}"
call = "a.b"
[[routes]]
match = "GET /a/{z}"
redirect = { to = "/b" }"#,
        r#"
error: `GET /a/{y}` conflicts with `GET /a/{x}`
 --> t.toml:8:9
  |
5 | match = "GET /a/{x}"
  |         ------------ first here
...
8 | match = "GET /a/{y}"
  |         ^^^^^^^^^^^^ takes the same requests

error: `GET /a/{z}` conflicts with `GET /a/{x}`
  --> t.toml:14:9
   |
 5 | match = "GET /a/{x}"
   |         ------------ first here
...
14 | match = "GET /a/{z}"
   |         ^^^^^^^^^^^^ takes the same requests
"#,
    );
}

#[test]
fn a_rewrite_that_leads_nowhere_or_to_a_rewrite_is_told() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[[routes]]
match = "GET /v2/orders/{order_id}"
call = "orders.get"
[[routes]]
match = "POST /v2/quotes"
call = "orders.quote"
[[routes]]
match = "GET /v1/orders/{id}"
rewrite = "/v2/order/{id}"
[[routes]]
match = "GET /v1/quotes"
rewrite = "/v2/quotes"
[[routes]]
match = "GET /v0/orders/{id}"
rewrite = "/v1/orders/{id}"
[[routes]]
match = "GET /circle/{*rest}"
rewrite = "/circle/{*rest}""#,
        r#"
error: the rewrite of `GET /v1/orders/{id}` leads nowhere
  --> t.toml:12:11
   |
12 | rewrite = "/v2/order/{id}"
   |           ^^^^^^^^^^^^^^^^ no route matches `GET /v2/order/{id}`
   |
   = help: did you mean `/v2/orders/{order_id}`?

error: the rewrite of `GET /v1/quotes` leads nowhere
  --> t.toml:15:11
   |
15 | rewrite = "/v2/quotes"
   |           ^^^^^^^^^^^^ no route matches `GET /v2/quotes`
   |
   = note: a rewrite keeps the method, and there is only `POST`

error: the rewrite of `GET /v0/orders/{id}` leads to a rewrite
  --> t.toml:18:11
   |
11 | match = "GET /v1/orders/{id}"
   |         --------------------- leads here
...
18 | rewrite = "/v1/orders/{id}"
   |           ^^^^^^^^^^^^^^^^^ a request is looked up again once
   |
   = help: write the path of the route that replies

error: the rewrite of `GET /circle/{*rest}` leads to a rewrite
  --> t.toml:21:11
   |
21 | rewrite = "/circle/{*rest}"
   |           ^^^^^^^^^^^^^^^^^ a request is looked up again once
   |
   = note: it leads to itself
"#,
    );
}

#[test]
fn a_rewrite_may_lead_to_literals_by_its_parameters_and_to_fixed_answers() {
    let text = "[[routes]]\nmatch = 'GET /a/{x}'\nrewrite = '/b/{x}'\n\
                [[routes]]\nmatch = 'GET /b/one'\nrespond = {}\n\
                [[routes]]\nmatch = 'GET /c/{x}/{*y}'\nrewrite = '/d/{x}/{*y}'\n\
                [[routes]]\nmatch = 'GET /d/{*all}'\nredirect = { to = '/{*all}' }\n";
    assert_eq!(tables(text).unwrap().routes.len(), 4);
    let shown = tables(&format!("{text}[[routes]]\nmatch = 'GET /e'\nrewrite = '/b'\n")).unwrap_err();
    assert!(shown.to_string().contains("leads nowhere"), "{shown}");
    // What cannot be read may be where it leads.
    let unread = format!(
        "{text}[[routes]]\nmatch = 'GET /e'\nrewrite = '/b'\n[[routes]]\nmatch = 'GET b'\nrespond = {{}}\n"
    );
    assert_eq!(tables(&unread).unwrap_err().len(), 1);
}
