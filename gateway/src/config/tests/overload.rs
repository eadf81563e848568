//! What a table may say of how many calls there are at once, and what is said about what will not do.

use super::*;
use std::time::Duration;

const SHOP: &str = "[[routes]]\nmatch = 'GET /a'\ncall = 'a.b'\n[backends.shop]\nendpoints = ['x:1']\n";

#[track_caller]
fn backend(more: &str) -> OverloadSpec {
    tables(&format!("{SHOP}{more}")).unwrap().backends.remove(0).overload
}

#[track_caller]
fn route(more: &str) -> (Option<usize>, Priority) {
    let text = SHOP.replace("[backends", &format!("{more}\n[backends"));
    let route = tables(&text).unwrap().routes.remove(0);
    (route.policy.max_in_flight, call(&route).policy.priority)
}

#[test]
fn the_bounds_of_a_backend_are_read() {
    let usual = OverloadSpec::default();
    let adaptive = |when, min, max| OverloadSpec { adaptive: AdaptiveSpec { when, min, max }, ..usual };
    let queue =
        |size, ms| OverloadSpec { queue: QueueSpec { size, timeout: Duration::from_millis(ms) }, ..usual };
    for (text, expected) in [
        ("", usual),
        ("max_in_flight = 7", OverloadSpec { max_in_flight: Some(7), ..usual }),
        ("max_in_flight_per_instance = 3", OverloadSpec { max_per_instance: Some(3), ..usual }),
        ("adaptive = true", adaptive(When::Always, 10, 10_000)),
        ("adaptive = false", adaptive(When::Never, 10, 10_000)),
        ("adaptive = 'failing'", usual),
        ("adaptive = { when = 'always', min = 4, max = 64 }", adaptive(When::Always, 4, 64)),
        ("adaptive = { max = 64 }", adaptive(When::Failing, 10, 64)),
        ("queue = { size = 5, timeout = '1s' }", queue(5, 1000)),
        ("queue = { timeout = '5ms' }", queue(100, 5)),
        ("queue = false", queue(0, 100)),
    ] {
        assert_eq!(backend(text), expected, "{text}");
    }
    assert_eq!((usual.adaptive, usual.queue), (AdaptiveSpec::default(), QueueSpec::default()));
}

#[test]
fn a_routes_bound_and_priority_are_read() {
    let usual = (None, Priority::Default);
    for (text, expected) in [
        ("", usual),
        ("max_in_flight = 100", (Some(100), Priority::Default)),
        ("priority = 'critical'", (None, Priority::Critical)),
        ("priority = 'default'", usual),
        ("priority = 'sheddable'", (None, Priority::Sheddable)),
    ] {
        assert_eq!(route(text), expected, "{text}");
    }
}

#[test]
fn another_bound_of_instances_makes_other_connections_and_other_bounds_do_not() {
    let spec = |more: &str| tables(&format!("{SHOP}{more}")).unwrap().backends.remove(0);
    assert!(spec("").connects_like(&spec("max_in_flight = 1\nadaptive = true\nqueue = false")));
    assert!(!spec("").connects_like(&spec("max_in_flight_per_instance = 1")));
}

#[test]
fn what_will_not_do_is_said_where_it_stands() {
    check(
        "[backends.shop]
endpoints = ['x:1']
max_in_flight = 0
max_in_flight_per_instance = '4'
adaptive = 'sometimes'
queue = { size = 0, timeot = '1s' }

[backends.next]
endpoints = ['x:2']
adaptive = { min = 20, max = 5 }
queue = true

[[routes]]
match = 'GET /a'
call = 'a.b'
backend = 'shop'
priority = 'crucial'
max_in_flight = -1
",
        r#"
error: `max_in_flight` is out of bounds
 --> t.toml:3:17
  |
3 | max_in_flight = 0
  |                 ^ expected 1 to 10000000

error: `max_in_flight_per_instance` must be a whole number
 --> t.toml:4:30
  |
4 | max_in_flight_per_instance = '4'
  |                              ^^^ this is a string

error: `adaptive` cannot be `sometimes`
 --> t.toml:5:12
  |
5 | adaptive = 'sometimes'
  |            ^^^^^^^^^^^ expected `failing`, `always` or `never`

error: `size` is out of bounds
 --> t.toml:6:18
  |
6 | queue = { size = 0, timeot = '1s' }
  |                  ^ expected 1 to 65536

error: unknown key `timeot` in a queue
 --> t.toml:6:21
  |
6 | queue = { size = 0, timeot = '1s' }
  |                     ^^^^^^ not known here
  |
  = help: did you mean `timeout`?

error: the limit's `min` is above its `max`
  --> t.toml:10:12
   |
10 | adaptive = { min = 20, max = 5 }
   |            ^^^^^^^^^^^^^^^^^^^^^ from 20 to 5

error: `queue` must be false, or a table such as { size = 100, timeout = "100ms" }
  --> t.toml:11:9
   |
11 | queue = true
   |         ^^^^ this is true or false

error: `priority` cannot be `crucial`
  --> t.toml:17:12
   |
17 | priority = 'crucial'
   |            ^^^^^^^^^ expected `critical`, `default` or `sheddable`

error: `max_in_flight` is out of bounds
  --> t.toml:18:17
   |
18 | max_in_flight = -1
   |                 ^^ expected 1 to 10000000
"#,
    );
}
