//! What a table may say of splits, versions, shadows and fallbacks, and what is said about what will not do.

use super::*;

const BACKENDS: &str = "[backends.shop]\nendpoints = ['x:1']\n[backends.next]\nendpoints = ['x:2']\n[[routes]]\nmatch = 'GET /a'\ncall = 'a.b'\n";

/// The only route, with those lines.
#[track_caller]
fn route(lines: &str) -> RouteSpec {
    tables(&format!("{BACKENDS}{lines}")).unwrap().routes.remove(0)
}

#[test]
fn what_a_route_says_of_where_its_calls_go_is_read() {
    for (lines, shown) in [
        ("backend = 'shop'", "shop"),
        ("backend = 'shop'\nversion = '2'", "shop@2"),
        ("split = [{ backend = 'shop', weight = 95 }, { backend = 'next', weight = 5 }]", "shop=95,next=5"),
        (
            "backend = 'shop'\nsplit = [{ version = '1', weight = 9 }, { version = '2', weight = 1 }]",
            "shop@1=9,shop@2=1",
        ),
        (
            "backend = 'shop'\nsplit = [{ version = '1', weight = 1 }, { backend = 'next', weight = 0 }]",
            "shop@1=1,next=0",
        ),
        (
            "version = '1'\nsplit = [{ backend = 'shop', weight = 1 }, { backend = 'next', version = '2', header = 'x-a' }]",
            "shop@1=1,next@2=0",
        ),
    ] {
        let route = route(lines);
        assert_eq!(call(&route).policy.split.shown(&call(&route).backend), shown, "{lines}");
        assert_eq!(call(&route).backend, "shop", "{lines}");
    }
}

#[test]
fn headers_of_an_arm_are_read() {
    let headers = |text: &str| {
        let lines = format!("split = [{{ backend = 'shop', weight = 1, header = {text} }}]");
        let mut arms = call(&route(&lines)).policy.split.targets.clone();
        arms.remove(0).headers.into_iter().map(|one| (one.name, one.value)).collect::<Vec<_>>()
    };
    let yes = ("x-canary".to_owned(), Some("yes: really".to_owned()));
    assert_eq!(headers("'X-Canary:  yes: really '"), std::slice::from_ref(&yes));
    assert_eq!(headers("['x-canary: yes: really', 'X-Beta']"), [yes, ("x-beta".to_owned(), None)]);
}

#[test]
fn a_route_is_another_when_its_policy_is_and_the_same_when_it_only_moved() {
    let lines = "backend = 'shop'\nshadow = { backend = 'next', share = '1%' }";
    assert_eq!(route(lines), route(&format!("\n\n{lines}")));
    for other in [
        "backend = 'shop'",
        "backend = 'shop'\nshadow = { backend = 'next', share = '2%' }",
        "backend = 'shop'\nshadow = { version = '2', share = '1%' }",
        "backend = 'shop'\nfallback = { backend = 'next' }",
        "backend = 'shop'\nfallback = { status = 204 }",
        "backend = 'shop'\nfallback = { body = '[]' }",
    ] {
        assert_ne!(route(lines), route(other), "{other}");
    }
}

#[test]
fn splits_that_will_not_do_are_told() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[backends.shop-next]
endpoints = ["127.0.0.1:7102"]
[[routes]]
match = "GET /0"
call = "a.b"
split = [{ backend = "shop", weight = 95 }, { backend = "shop-nxet", weight = 5 }]
[[routes]]
match = "GET /1"
call = "a.b"
backend = "shop"
version = 2
split = [{ backend = "shop", weight = 95 }, { backend = "shop-next", wieght = 5 }]
[[routes]]
match = "GET /2"
call = "a.b"
backend = "shop"
split = [{ weight = 95 }, { version = "", weight = -1 }, 5]
[[routes]]
match = "GET /3"
call = "a.b"
backend = "shop"
version = "1"
split = [{ backend = "shop", version = "1", weight = 95 }, { backend = "shop-next", version = "2", weight = 5 }]
[[routes]]
match = "GET /4"
call = "a.b"
split = []
backend = "shop"
[[routes]]
match = "GET /5"
call = "a.b"
split = [{ backend = "shop", header = "x-old" }, { backend = "shop-next", weight = 0 }]
[[routes]]
match = "GET /6"
call = "a.b"
backend = "shop"
split = [{ version = "2", weight = 1 }, { backend = "shop", version = "2", header = "x" }]
[[routes]]
match = "GET /7"
call = "a.b"
split = [{ backend = "shop", weight = 1 }, { version = "2", weight = 1 }]
[[routes]]
match = "GET /8"
call = "a.b"
split = [{ backend = "shop", weight = 1, header = ["x canary", "x-canary:", 3] }, { backend = "shop-next", header = [] }]"#,
        r#"
error: unknown backend `shop-nxet`
 --> t.toml:9:57
  |
9 | split = [{ backend = "shop", weight = 95 }, { backend = "shop-nxet", weight = 5 }]
  |                                                         ^^^^^^^^^^^ declared in no file
  |
  = help: did you mean `shop-next`?

error: a version is a text
  --> t.toml:14:11
   |
14 | version = 2
   |           ^ in quotes?
   |
   = help: write "2"

error: an arm of `split` needs `weight` or `header`
  --> t.toml:15:45
   |
15 | split = [{ backend = "shop", weight = 95 }, { backend = "shop-next", wieght = 5 }]
   |                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ which requests does it take?
   |
   = help: write weight = 5, or header = "x-canary: yes"

error: unknown key `wieght` in an arm of `split`
  --> t.toml:15:70
   |
15 | split = [{ backend = "shop", weight = 95 }, { backend = "shop-next", wieght = 5 }]
   |                                                                      ^^^^^^ not known here
   |
   = help: did you mean `weight`?

error: an arm of `split` needs `backend` or `version`
  --> t.toml:20:10
   |
20 | split = [{ weight = 95 }, { version = "", weight = -1 }, 5]
   |          ^^^^^^^^^^^^^^^ where does it go?
   |
   = help: write { backend = "shop-next", weight = 5 }, or { version = "2", weight = 5 }

error: not a version
  --> t.toml:20:39
   |
20 | split = [{ weight = 95 }, { version = "", weight = -1 }, 5]
   |                                       ^^ expected 1 to 64 bytes of text

error: `weight` is out of bounds
  --> t.toml:20:52
   |
20 | split = [{ weight = 95 }, { version = "", weight = -1 }, 5]
   |                                                    ^^ expected 0 to 1000000

error: `split` must be an array such as [{ backend = "shop", weight = 95 }, { backend = "shop-next", weight = 5 }]
  --> t.toml:20:58
   |
20 | split = [{ weight = 95 }, { version = "", weight = -1 }, 5]
   |                                                          ^ this is an integer

error: `backend` has no effect
  --> t.toml:24:11
   |
24 | backend = "shop"
   |           ^^^^^^ each arm of `split` has its own `backend`
   |
   = help: remove it here, or from the arms that are to have it

error: `version` has no effect
  --> t.toml:25:11
   |
25 | version = "1"
   |           ^^^ each arm of `split` has its own `version`
   |
   = help: remove it here, or from the arms that are to have it

error: `split` is empty
  --> t.toml:30:9
   |
30 | split = []
   |         ^^ expected at least one arm

error: no arm of `split` has a weight
  --> t.toml:35:9
   |
35 | split = [{ backend = "shop", header = "x-old" }, { backend = "shop-next", weight = 0 }]
   |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ where do requests without a header go?
   |
   = help: write weight = 100 for one of them

error: two arms of `split` go to the same instances
  --> t.toml:40:53
   |
40 | split = [{ version = "2", weight = 1 }, { backend = "shop", version = "2", header = "x" }]
   |          ----------------------------- first here   ^^^^^^ again
   |
   = help: an arm may have a weight and headers: { weight = 5, header = ["x-canary: yes"], … }

error: which backend does this route call?
  --> t.toml:42:9
   |
42 | match = "GET /7"
   |         ^^^^^^^^ names none, and there are several
   |
   = help: write backend = "…" with one of `shop` or `shop-next`; at the top of the file it holds for all of its routes

error: `x canary` is no header's name
  --> t.toml:48:52
   |
48 | split = [{ backend = "shop", weight = 1, header = ["x canary", "x-canary:", 3] }, { backend = "shop-next", header = [] }]
   |                                                    ^^^^^^^^^^ expected "name: value", or "name" where any value will do

error: a header without its value
  --> t.toml:48:64
   |
48 | split = [{ backend = "shop", weight = 1, header = ["x canary", "x-canary:", 3] }, { backend = "shop-next", header = [] }]
   |                                                                ^^^^^^^^^^^ which value?
   |
   = help: write "x-canary" where any will do

error: `header` must be a header such as "x-canary: yes", or an array of them
  --> t.toml:48:77
   |
48 | split = [{ backend = "shop", weight = 1, header = ["x canary", "x-canary:", 3] }, { backend = "shop-next", header = [] }]
   |                                                                             ^ this is an integer

error: `header` is empty
  --> t.toml:48:117
   |
48 | split = [{ backend = "shop", weight = 1, header = ["x canary", "x-canary:", 3] }, { backend = "shop-next", header = [] }]
   |                                                                                                                     ^^ expected at least one
"#,
    );
}

#[test]
fn shadows_and_fallbacks_that_will_not_do_are_told() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[backends.shop-next]
endpoints = ["127.0.0.1:7102"]
[[routes]]
match = "GET /0"
call = "a.b"
backend = "shop"
shadow = { backend = "shop-nxt", share = 10 }
fallback = { backend = "shpo" }
[[routes]]
match = "GET /1"
call = "a.b"
backend = "shop"
shadow = { share = "110%" }
fallback = { backend = "shop-next", status = 200 }
[[routes]]
match = "GET /2"
call = "a.b"
backend = "shop"
shadow = { backend = "shop", share = "10%" }
fallback = { backend = "shop" }
[[routes]]
match = "GET /3"
call = "a.b"
backend = "shop"
shadow = { backend = "shop-next" }
fallback = {}
[[routes]]
match = "GET /4"
call = "a.b"
backend = "shop"
shadow = "shop-next"
fallback = { status = 100, body = "later", content_type = "text" }
[[routes]]
match = "GET /5"
call = "a.b"
backend = "shop"
fallback = { body = "later", json = {} }
[[routes]]
match = "GET /6"
call = "a.b"
backend = "shop"
fallback = { status = 204, body = "[]" }
[[routes]]
match = "GET /7"
call = "a.b"
backend = "shop"
fallback = { version = "2" }
[[routes]]
match = "GET /8"
call = "a.b"
backend = "shop"
fallback = { bakend = "shop-next" }"#,
        r#"
error: unknown backend `shop-nxt`
  --> t.toml:10:22
   |
10 | shadow = { backend = "shop-nxt", share = 10 }
   |                      ^^^^^^^^^^ declared in no file
   |
   = help: did you mean `shop-next`?

error: `share` is written in percent
  --> t.toml:10:42
   |
10 | shadow = { backend = "shop-nxt", share = 10 }
   |                                          ^^ percent?
   |
   = help: write "10%"

error: unknown backend `shpo`
  --> t.toml:11:24
   |
11 | fallback = { backend = "shpo" }
   |                        ^^^^^^ declared in no file
   |
   = help: did you mean `shop`?

error: `shadow` needs `backend` or `version`
  --> t.toml:16:10
   |
16 | shadow = { share = "110%" }
   |          ^^^^^^^^^^^^^^^^^^ where do the copies go?
   |
   = help: write backend = "shop-next"

error: `110%` is no share of the calls
  --> t.toml:16:20
   |
16 | shadow = { share = "110%" }
   |                    ^^^^^^ expected "0%" to "100%"

error: `fallback` is either a backend or a reply
  --> t.toml:17:12
   |
17 | fallback = { backend = "shop-next", status = 200 }
   |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ it has both
   |
   = help: write { backend = "other" }, or { status = 200, json = [] }

error: `shadow` names the instances that the route calls anyway
  --> t.toml:22:22
   |
22 | shadow = { backend = "shop", share = "10%" }
   |                      ^^^^^^ expected others
   |
   = help: write another backend, or another version

error: `fallback` names the instances that the route calls anyway
  --> t.toml:23:24
   |
23 | fallback = { backend = "shop" }
   |                        ^^^^^^ expected others
   |
   = help: write another backend, or another version

error: `shadow` needs `share`
  --> t.toml:28:10
   |
28 | shadow = { backend = "shop-next" }
   |          ^^^^^^^^^^^^^^^^^^^^^^^^^ how many calls are copied?
   |
   = help: write share = "10%"

error: `fallback` is either a backend or a reply
  --> t.toml:29:12
   |
29 | fallback = {}
   |            ^^ it has neither
   |
   = help: write { backend = "other" }, or { status = 200, json = [] }

error: `shadow` must be a table such as { backend = "shop-next", share = "10%" }
  --> t.toml:34:10
   |
34 | shadow = "shop-next"
   |          ^^^^^^^^^^^ this is a string

error: `status` is out of bounds
  --> t.toml:35:23
   |
35 | fallback = { status = 100, body = "later", content_type = "text" }
   |                       ^^^ expected 200 to 599

error: one reply has two bodies
  --> t.toml:40:37
   |
40 | fallback = { body = "later", json = {} }
   |                                     ^^ `body` is there too

error: a reply with status 204 has no body
  --> t.toml:45:35
   |
45 | fallback = { status = 204, body = "[]" }
   |                                   ^^^^ this is one

error: `fallback` is either a backend or a reply
  --> t.toml:50:12
   |
50 | fallback = { version = "2" }
   |            ^^^^^^^^^^^^^^^^^ which backend?
   |
   = help: write { backend = "other" }, or { status = 200, json = [] }

error: unknown key `bakend` in `fallback`
  --> t.toml:55:14
   |
55 | fallback = { bakend = "shop-next" }
   |              ^^^^^^ not known here
   |
   = help: did you mean `backend`?
"#,
    );
}
