//! What a table may say of retries, and what is said about what will not do.

use super::*;
use std::time::Duration;

const SHOP: &str = "[backends.shop]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'POST /a'\ncall = 'a.b'\n";

/// The only route of [`SHOP`] with more keys.
#[track_caller]
fn route(more: &str) -> RouteSpec {
    tables(&format!("{SHOP}{more}")).unwrap().routes.remove(0)
}

#[test]
fn what_a_route_says_of_retries_is_read() {
    let usual = RetrySpec::default();
    let on = |refused, lost, unavailable| RetryOn { refused, lost, unavailable };
    for (text, expected) in [
        ("", usual),
        ("retry = {}", usual),
        ("retry = false", RetrySpec { attempts: 1, ..usual }),
        ("retry = { attempts = 10 }", RetrySpec { attempts: 10, ..usual }),
        ("retry = { on = ['lost'] }", RetrySpec { on: on(false, true, false), ..usual }),
        ("retry.on = ['unavailable', 'refused']", RetrySpec { on: on(true, false, true), ..usual }),
        (
            "retry = { per_try_timeout = '250ms' }",
            RetrySpec { per_try_timeout: Some(Duration::from_millis(250)), ..usual },
        ),
        ("retry = { hedge = 'p95' }", RetrySpec { hedge: Some(95), ..usual }),
    ] {
        assert_eq!(call(&route(text)).retry, expected, "{text}");
        assert_eq!(route(text) == route(""), expected == usual, "{text}");
    }
}

#[test]
fn a_route_is_idempotent_by_what_it_says_or_by_its_http_method_or_by_its_instance() {
    for (method, said, expected) in [
        ("GET", "", Some(true)),
        ("PUT", "", Some(true)),
        ("DELETE", "", Some(true)),
        ("POST", "", None),
        ("PATCH", "", None),
        ("POST", "idempotent = true", Some(true)),
        ("GET", "idempotent = false", Some(false)),
        ("POST", "idempotent = false", Some(false)),
    ] {
        let text = format!("{SHOP}{said}").replace("POST", method);
        assert_eq!(call(&tables(&text).unwrap().routes[0]).idempotent, expected, "{method} {said}");
    }
    assert_ne!(route("idempotent = true"), route("idempotent = false"));
}

#[test]
fn a_backends_share_of_retries_and_how_long_it_holds_calls_are_read() {
    let backend = |more: &str| {
        tables(&format!("[backends.b]\nendpoints = ['x:1']\n{more}")).unwrap().backends.remove(0)
    };
    let usual = backend("");
    assert_eq!((usual.retry_budget, usual.hold), (20, Duration::from_secs(1)));
    let other = backend("retry_budget = '0%'\nhold = '0s'");
    assert_eq!((other.retry_budget, other.hold), (0, Duration::ZERO));
    assert!(usual.connects_like(&other), "neither has to do with how connections are made");
    assert!(!usual.connects_like(&backend("ping_timeout = '1s'")));
}

#[test]
fn retries_that_will_not_do_are_told() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
retry_budget = 20
hold = "2m"
[backends.b]
endpoints = ["127.0.0.1:7101"]
retry_budget = "120%"
[[routes]]
match = "GET /0"
call = "a.b"
backend = "b"
retry = 3
idempotent = "yes"
[[routes]]
match = "GET /1"
call = "a.b"
backend = "b"
retry = { attempts = 0, on = ["lots", "503"], hedge = "p100", tries = 3 }
[[routes]]
match = "GET /2"
call = "a.b"
backend = "b"
retry = { on = [], per_try_timeout = "10s", hedge = "95" }
[[routes]]
match = "GET /3"
call = "a.b"
backend = "b"
retry = { attempts = 1, per_try_timeout = "1s" }
[[routes]]
match = "GET /4"
call = "a.b"
backend = "b"
idempotent = false
retry = { hedge = "p95" }"#,
        r#"
error: `retry_budget` is a share
 --> t.toml:4:16
  |
4 | retry_budget = 20
  |                ^^ percent?
  |
  = help: write "20%"

error: `hold` is out of bounds
 --> t.toml:5:8
  |
5 | hold = "2m"
  |        ^^^^ expected 0ms to 1m

error: `120%` is no share of the calls
 --> t.toml:8:16
  |
8 | retry_budget = "120%"
  |                ^^^^^^ expected "0%" to "100%"

error: `retry` must be a table such as { attempts = 3 }, or false
  --> t.toml:13:9
   |
13 | retry = 3
   |         ^ this is an integer

error: `idempotent` must be true or false
  --> t.toml:14:14
   |
14 | idempotent = "yes"
   |              ^^^^^ this is a string

error: `attempts` is out of bounds
  --> t.toml:19:22
   |
19 | retry = { attempts = 0, on = ["lots", "503"], hedge = "p100", tries = 3 }
   |                      ^ expected 1 to 10

error: `on` cannot hold `lots`
  --> t.toml:19:31
   |
19 | retry = { attempts = 0, on = ["lots", "503"], hedge = "p100", tries = 3 }
   |                               ^^^^^^ expected `refused`, `lost` or `unavailable`
   |
   = help: did you mean `lost`?

error: `on` cannot hold `503`
  --> t.toml:19:39
   |
19 | retry = { attempts = 0, on = ["lots", "503"], hedge = "p100", tries = 3 }
   |                                       ^^^^^ expected `refused`, `lost` or `unavailable`

error: `p100` is no percentile to hedge after
  --> t.toml:19:55
   |
19 | retry = { attempts = 0, on = ["lots", "503"], hedge = "p100", tries = 3 }
   |                                                       ^^^^^^ expected `p50` to `p99`

error: unknown key `tries` in `retry`
  --> t.toml:19:63
   |
19 | retry = { attempts = 0, on = ["lots", "503"], hedge = "p100", tries = 3 }
   |                                                               ^^^^^ not known here
   |
   = help: there is `attempts`, `on`, `per_try_timeout` and `hedge`

error: `on` is empty
  --> t.toml:24:16
   |
24 | retry = { on = [], per_try_timeout = "10s", hedge = "95" }
   |                ^^ expected at least one
   |
   = help: to send no call again, write retry = false

error: `per_try_timeout` has no effect
  --> t.toml:24:38
   |
24 | retry = { on = [], per_try_timeout = "10s", hedge = "95" }
   |                                      ^^^^^ the whole call may take 10s
   |
   = help: a second attempt needs time too: make it shorter, or the route's `timeout` longer

error: `95` is no percentile to hedge after
  --> t.toml:24:53
   |
24 | retry = { on = [], per_try_timeout = "10s", hedge = "95" }
   |                                                     ^^^^ expected `p50` to `p99`

error: `per_try_timeout` has no effect
  --> t.toml:29:43
   |
29 | retry = { attempts = 1, per_try_timeout = "1s" }
   |                                           ^^^^ a call is sent once
   |
   = help: remove it, or write attempts = 2 or more

error: `hedge` has no effect
  --> t.toml:35:19
   |
35 | retry = { hedge = "p95" }
   |                   ^^^^^ the route says idempotent = false
   |
   = note: only idempotent calls may run a second time
"#,
    );
}
