//! What a table may say of rate limits, and what is said about what will not do.

use super::*;
use std::time::Duration;

const SHOP: &str = "[backends.shop]\nendpoints = ['x:1']\n[auth.staff]\ntype = 'jwt'\nkeys = 'k'\nalgorithms = ['RS256']\n[[routes]]\nmatch = 'POST /a'\ncall = 'a.b'\nauth = 'staff'\n";

/// The limits of the only route of [`SHOP`].
#[track_caller]
fn limits(more: &str) -> Vec<RateLimit> {
    tables(&format!("{SHOP}{more}")).unwrap().routes.remove(0).policy.rate_limits.limits.clone()
}

#[test]
fn a_limit_is_a_rate_and_what_has_a_bucket_of_its_own() {
    let rate = |tokens, seconds| Rate { tokens, per: Duration::from_secs(seconds) };
    let usual = RateLimitSpec {
        rate: rate(100, 1),
        burst: 100,
        by: LimitBy::Route,
        dry_run: false,
        max_keys: 65_536,
    };
    for (text, expected, policy) in [
        ("rate = '100/s'", usual.clone(), "route:100/s"),
        (
            "rate = '1000/m'",
            RateLimitSpec { rate: rate(1000, 60), burst: 16, ..usual.clone() },
            "route:1000/m",
        ),
        ("rate = '5/h'", RateLimitSpec { rate: rate(5, 3600), burst: 1, ..usual.clone() }, "route:5/h"),
        ("rate = '100/s', burst = 7", RateLimitSpec { burst: 7, ..usual.clone() }, "route:100/s"),
        ("rate = '100/s', dry_run = true", RateLimitSpec { dry_run: true, ..usual.clone() }, "route:100/s"),
        (
            "rate = '100/s', by = 'client', max_keys = 10_000_000",
            RateLimitSpec { by: LimitBy::Client, max_keys: 10_000_000, ..usual.clone() },
            "client:100/s",
        ),
        (
            "rate = '100/s', by = 'api_key'",
            RateLimitSpec { by: LimitBy::ApiKey, ..usual.clone() },
            "api_key:100/s",
        ),
        (
            "rate = '100/s', by = 'header:X-Tenant'",
            RateLimitSpec { by: LimitBy::Header("x-tenant".into()), ..usual.clone() },
            "header:x-tenant:100/s",
        ),
        (
            "rate = '100/s', by = 'claim:https://a.example/Tenant'",
            RateLimitSpec { by: LimitBy::Claim("https://a.example/Tenant".to_owned()), ..usual },
            "claim:https://a.example/Tenant:100/s",
        ),
    ] {
        let seen = limits(&format!("rate_limit = {{ {text} }}"));
        assert_eq!(seen, [RateLimit { shared: None, spec: expected }], "{text}");
        assert_eq!(seen[0].policy(), policy);
    }
    assert!(limits("").is_empty());
}

#[test]
fn tokens_come_no_faster_than_the_rate_says() {
    for (text, nanos) in [
        ("1/s", 1_000_000_000),
        ("3/s", 333_333_334),
        ("1000000/s", 1000),
        ("60000000/m", 1000),
        ("1/h", 3_600_000_000_000),
    ] {
        let rate = limits(&format!("rate_limit.rate = '{text}'"))[0].spec.rate;
        assert_eq!((rate.interval(), rate.to_string()), (Duration::from_nanos(nanos), text.to_owned()));
    }
}

#[test]
fn several_limits_stand_in_their_order_whether_they_have_names_or_not() {
    let text = "rate_limit = ['b', { rate = '1/s' }, { rate = '2/m' }, 'a']\n\
                [limits]\na = { rate = '7/s' }\nb = { rate = '8/s', by = 'client' }";
    let policies: Vec<String> = limits(text).iter().map(RateLimit::policy).collect();
    assert_eq!(policies, ["b", "route:1/s", "route:2/m", "a"]);
    assert_eq!(limits(text)[3].spec.burst, 7);
    assert_eq!(limits("rate_limit = 'a'\n[limits.a]\nrate = '7/s'")[0].shared.as_deref(), Some("a"));
}

#[test]
fn a_shared_limit_may_stand_in_any_file_and_changes_the_routes_that_use_it() {
    let with = |limit: &str| {
        let text = format!("-- a.toml\n{SHOP}rate_limit = 'a'\n-- b.toml\n[limits.a]\nrate = '{limit}'\n");
        tables(&text).unwrap().routes.remove(0)
    };
    assert_eq!(with("1/s"), with("1/s"));
    assert_ne!(with("1/s"), with("2/s"));
    let moved = format!("{SHOP}# further down\n\nrate_limit = 'a'\n[limits.a]\nrate = '1/s'\n");
    assert_eq!(tables(&moved).unwrap().routes[0], with("1/s"));
}

#[test]
fn limits_that_will_not_do_are_told() {
    check(
        r#"
[backends.shop]
endpoints = ["127.0.0.1:7101"]
[limits.all]
rate = "5/s"
[limits."a b"]
rate = "5/s"
by = "clint"
[[routes]]
match = "GET /0"
call = "a.b"
rate_limit = 100
[[routes]]
match = "GET /1"
call = "a.b"
rate_limit = { rate = "100", burst = 0, by = "header:", dry_run = 1, max_keys = 0, key = "x" }
[[routes]]
match = "GET /2"
call = "a.b"
rate_limit = [{ rate = "100/sec" }, { rate = "0/s" }, { rate = "2000000/s" }, { rate = "9/d" }, { rate = "x/s" }]
[[routes]]
match = "GET /3"
call = "a.b"
rate_limit = [{ burst = 3 }, { rate = "1/s", max_keys = 5 }, "al", "all", "all", 7]
[[routes]]
match = "GET /4"
call = "a.b"
rate_limit = []
[[routes]]
match = "GET /5"
call = "a.b"
rate_limit = [{ rate = "1/s" }, { rate = "1/s", burst = 3 }]
"#,
        r#"
error: `a b` cannot name a limit
 --> t.toml:6:9
  |
6 | [limits."a b"]
  |         ^^^^^ expected 1 to 64 ASCII letters, digits, `_`, `-`, `.`

error: `by` cannot be `clint`
 --> t.toml:8:6
  |
8 | by = "clint"
  |      ^^^^^^^ expected `route`, `client`, `api_key`, `identity`, `header:NAME` or `claim:NAME`
  |
  = help: did you mean `client`?

error: `rate_limit` must be a table such as { rate = "100/s" }, the name of one in [limits], or an array of such
  --> t.toml:12:14
   |
12 | rate_limit = 100
   |              ^^^ this is an integer

error: not a rate
  --> t.toml:16:23
   |
16 | rate_limit = { rate = "100", burst = 0, by = "header:", dry_run = 1, max_keys = 0, key = "x" }
   |                       ^^^^^ expected requests and a time, such as "100/s"

error: `burst` is out of bounds
  --> t.toml:16:38
   |
16 | rate_limit = { rate = "100", burst = 0, by = "header:", dry_run = 1, max_keys = 0, key = "x" }
   |                                      ^ expected 1 to 1000000

error: not a header's name
  --> t.toml:16:54
   |
16 | rate_limit = { rate = "100", burst = 0, by = "header:", dry_run = 1, max_keys = 0, key = "x" }
   |                                                      ^ such as "header:x-tenant"

error: `dry_run` must be true or false
  --> t.toml:16:67
   |
16 | rate_limit = { rate = "100", burst = 0, by = "header:", dry_run = 1, max_keys = 0, key = "x" }
   |                                                                   ^ this is an integer

error: `max_keys` is out of bounds
  --> t.toml:16:81
   |
16 | rate_limit = { rate = "100", burst = 0, by = "header:", dry_run = 1, max_keys = 0, key = "x" }
   |                                                                                 ^ expected 1 to 100000000

error: unknown key `key` in `rate_limit`
  --> t.toml:16:84
   |
16 | rate_limit = { rate = "100", burst = 0, by = "header:", dry_run = 1, max_keys = 0, key = "x" }
   |                                                                                    ^^^ not known here
   |
   = help: there is `rate`, `burst`, `by`, `dry_run` and `max_keys`

error: unknown time `sec`
  --> t.toml:20:29
   |
20 | rate_limit = [{ rate = "100/sec" }, { rate = "0/s" }, { rate = "2000000/s" }, { rate = "9/d" }, { rate = "x/s" }]
   |                             ^^^ expected `s`, `m` or `h`
   |
   = help: write "100/s"

error: `0/s` is out of bounds
  --> t.toml:20:46
   |
20 | rate_limit = [{ rate = "100/sec" }, { rate = "0/s" }, { rate = "2000000/s" }, { rate = "9/d" }, { rate = "x/s" }]
   |                                              ^^^^^ expected at least 1 request, and at most a million a second

error: `2000000/s` is out of bounds
  --> t.toml:20:64
   |
20 | rate_limit = [{ rate = "100/sec" }, { rate = "0/s" }, { rate = "2000000/s" }, { rate = "9/d" }, { rate = "x/s" }]
   |                                                                ^^^^^^^^^^^ expected at least 1 request, and at most a million a second

error: unknown time `d`
  --> t.toml:20:91
   |
20 | rate_limit = [{ rate = "100/sec" }, { rate = "0/s" }, { rate = "2000000/s" }, { rate = "9/d" }, { rate = "x/s" }]
   |                                                                                           ^ expected `s`, `m` or `h`

error: `x` is no number of requests
  --> t.toml:20:106
   |
20 | rate_limit = [{ rate = "100/sec" }, { rate = "0/s" }, { rate = "2000000/s" }, { rate = "9/d" }, { rate = "x/s" }]
   |                                                                                                          ^^^^^ expected a whole number, such as "100/s"

error: a limit needs `rate`
  --> t.toml:24:15
   |
24 | rate_limit = [{ burst = 3 }, { rate = "1/s", max_keys = 5 }, "al", "all", "all", 7]
   |               ^^^^^^^^^^^^^ this one has none
   |
   = help: write rate = "100/s"

error: `max_keys` has no effect
  --> t.toml:24:57
   |
24 | rate_limit = [{ burst = 3 }, { rate = "1/s", max_keys = 5 }, "al", "all", "all", 7]
   |                                                         ^ there is one bucket for all
   |
   = help: say who has one each: by = "client"

error: unknown limit `al`
  --> t.toml:24:62
   |
24 | rate_limit = [{ burst = 3 }, { rate = "1/s", max_keys = 5 }, "al", "all", "all", 7]
   |                                                              ^^^^ declared in no file
   |
   = help: did you mean `all`?

error: the limit `all` stands here twice
  --> t.toml:24:75
   |
24 | rate_limit = [{ burst = 3 }, { rate = "1/s", max_keys = 5 }, "al", "all", "all", 7]
   |                                                                           ^^^^^ again

error: `rate_limit` must be a table such as { rate = "100/s" }, the name of one in [limits], or an array of such
  --> t.toml:24:82
   |
24 | rate_limit = [{ burst = 3 }, { rate = "1/s", max_keys = 5 }, "al", "all", "all", 7]
   |                                                                                  ^ this is an integer

error: `rate_limit` is empty
  --> t.toml:28:14
   |
28 | rate_limit = []
   |              ^^ expected at least one limit
   |
   = help: for a route without limits leave it out

error: the limit `route:1/s` stands here twice
  --> t.toml:32:33
   |
32 | rate_limit = [{ rate = "1/s" }, { rate = "1/s", burst = 3 }]
   |                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^ again
"#,
    );
}

#[test]
fn a_limit_is_declared_once_in_all_files() {
    check(
        "-- a.toml\n[limits.all]\nrate = '1/s'\n-- b.toml\n[limits.all]\nrate = '2/s'\n",
        "
error: limit `all` is declared twice
 --> b.toml:1:9
  |
1 | [limits.all]
  |         ^^^ again
  |
 ::: a.toml:1:9
  |
1 | [limits.all]
  |         --- first here
",
    );
}
