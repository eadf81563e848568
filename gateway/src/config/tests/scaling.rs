//! What a table file can make large, at one size and at twice that: backends, endpoints, routes, limits, headers, and mistakes
//! of each kind, with the text that is shown of them. Work and memory are counted, and may grow by no more than about twice.

use super::*;
use callgate_scaling::{Cost, cost, grow_like_their_input};

/// So many of each: more than are shown.
const MANY: usize = 200;

/// What a sound file costs.
fn sound(file: String) -> Cost {
    cost(|| tables(&file).unwrap())
}

/// What a file with mistakes costs, with all that is told of them.
fn wrong(file: String) -> Cost {
    cost(|| {
        let all = tables(&file).unwrap_err();
        (all.render(false), all.summary())
    })
}

fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(line).collect()
}

fn backends(n: usize) -> String {
    lines(n, |at| format!("[backends.shop-{at:05}]\nendpoints = [\"127.0.0.1:7101\"]\n"))
}

fn routes(n: usize, keys: impl Fn(usize) -> String) -> String {
    lines(n, |at| format!("[[routes]]\nmatch = \"GET /r{at:05}\"\n{}\n", keys(at)))
}

/// One backend, and `n` of what is written beside it.
fn shop(text: String) -> String {
    format!("{}{text}", backends(1))
}

#[test]
fn sound_files_cost_what_they_say() {
    grow_like_their_input(&[
        ("backends", MANY, |n| sound(backends(n))),
        ("routes", MANY, |n| sound(shop(routes(n, |_| "call = \"a.b\"".to_owned())))),
        ("routes beside as many backends", MANY, |n| {
            let keys = |at| format!("call = \"a.b\"\nbackend = \"shop-{at:05}\"");
            sound(backends(n) + &routes(n, keys))
        }),
        ("endpoints", MANY, |n| {
            let list = lines(n, |at| format!("\"h{at}:1\","));
            sound(format!("[backends.shop]\nendpoints = [{list}]"))
        }),
        ("limits beside as many routes that share them", MANY, |n| {
            let limits = lines(n, |at| format!("[limits.l{at:05}]\nrate = \"100/s\"\n"));
            let keys = |at| format!("call = \"a.b\"\nrate_limit = \"l{at:05}\"");
            sound(shop(limits + &routes(n, keys)))
        }),
        ("authenticators beside as many routes that name them", MANY, |n| {
            let auth = lines(n, |at| format!("[auth.a{at:05}]\ntype = \"unix\"\n"));
            sound(shop(auth + &routes(n, |at| format!("call = \"a.b\"\nauth = \"a{at:05}\""))))
        }),
        ("headers of an answer", 16, |n| {
            let headers = lines(n, |at| format!("x-{at:05} = \"v\",")).trim_end_matches(',').to_owned();
            sound(routes(1, |_| format!("respond = {{ status = 200, headers = {{ {headers} }} }}")))
        }),
        ("members of an answer", MANY, |n| {
            let members = lines(n, |at| format!("m{at:05} = [{at}],")).trim_end_matches(',').to_owned();
            sound(routes(1, |_| format!("respond = {{ status = 200, json = {{ {members} }} }}")))
        }),
        ("rewrites beside as many routes", MANY, |n| {
            let rewrites = lines(n, |at| {
                format!("[[routes]]\nmatch = \"GET /old{at:05}/{{id}}\"\nrewrite = \"/r{at:05}/{{id}}\"\n")
            });
            let routes =
                lines(n, |at| format!("[[routes]]\nmatch = \"GET /r{at:05}/{{id}}\"\ncall = \"a.b\"\n"));
            sound(shop(rewrites + &routes))
        }),
        ("backends that hash by as many parameters", MANY, |n| {
            let backends = lines(n, |at| {
                format!(
                    "[backends.b{at:05}]\nendpoints = [\"h:1\"]\nbalance = {{ hash = \"path:p{at:05}\" }}\n"
                )
            });
            let routes = lines(n, |at| {
                format!(
                    "[[routes]]\nmatch = \"GET /r{at:05}/{{p{at:05}}}\"\ncall = \"a.b\"\nbackend = \"b{at:05}\"\n"
                )
            });
            sound(backends + &routes)
        }),
        ("rules of a file, with as many of its route", 8, |n| {
            let rules = lines(n, |at| format!("'args.a{at:05} == 1 || args.b in [1, 2, 3]',"));
            let keys = |_| format!("call = \"a.b\"\nrules = [{rules}]");
            sound(format!("rules = [{rules}]\n{}", shop(routes(1, keys))))
        }),
        ("a rule", 30, |n| {
            let rule = lines(n, |at| format!("args.a{at:05} == 1 && "));
            sound(shop(routes(1, |_| format!("call = \"a.b\"\nrules = ['{rule}args.b']"))))
        }),
        ("a comment", 64 * MANY, |n| sound(shop(format!("# {}\n", "x".repeat(n))))),
    ]);
}

#[test]
fn mistakes_cost_what_they_say() {
    grow_like_their_input(&[
        ("unknown backends beside backends", MANY, |n| {
            let keys = |at| format!("call = \"a.b\"\nbackend = \"shpo-{at:05}\"");
            wrong(backends(n) + &routes(n, keys))
        }),
        ("routes that name no backend beside several", MANY, |n| {
            wrong(backends(n) + &routes(n, |_| "call = \"a.b\"".to_owned()))
        }),
        ("unknown authenticators beside authenticators", MANY, |n| {
            let auth = lines(n, |at| format!("[auth.a{at:05}]\ntype = \"unix\"\n"));
            wrong(shop(auth + &routes(n, |at| format!("call = \"a.b\"\nauth = \"b{at:05}\""))))
        }),
        ("routes of which it is not said who may call", MANY, |n| {
            wrong(shop(
                "[auth.a]\ntype = \"unix\"\n".to_owned() + &routes(n, |_| "call = \"a.b\"".to_owned()),
            ))
        }),
        ("unknown limits beside limits", MANY, |n| {
            let limits = lines(n, |at| format!("[limits.l{at:05}]\nrate = \"100/s\"\n"));
            let keys = |at| format!("call = \"a.b\"\nrate_limit = \"i{at:05}\"");
            wrong(shop(limits + &routes(n, keys)))
        }),
        ("unknown keys of a file", MANY, |n| wrong(lines(n, |at| format!("backend{at:05} = 1\n")))),
        ("unknown keys of routes", MANY, |n| {
            wrong(shop(routes(n, |_| "call = \"a.b\"\ntimout = \"1s\"".to_owned())))
        }),
        ("methods that are none", MANY, |n| {
            wrong(shop(lines(n, |at| format!("[[routes]]\nmatch = \"GTE /r{at}\"\ncall = \"a.b\"\n"))))
        }),
        ("endpoints that are listed twice", MANY, |n| {
            let list = lines(n, |at| format!("\"h{}:1\",\n", at / 2));
            wrong(format!("[backends.shop]\nendpoints = [{list}]"))
        }),
        ("routes that are there twice", MANY, |n| {
            wrong(shop(lines(n, |at| {
                format!("[[routes]]\nmatch = \"GET /r{:05}\"\ncall = \"a.b\"\n", at / 2)
            })))
        }),
        ("routes that cannot be told apart", MANY, |n| {
            let conflict = |at| {
                let tail = if at % 2 == 0 { "{*t}" } else { "{p}/x" };
                format!("[[routes]]\nmatch = \"GET /r{:05}/{tail}\"\ncall = \"a.b\"\n", at / 2)
            };
            wrong(shop(lines(n, conflict)))
        }),
        ("rewrites that lead nowhere beside routes", MANY, |n| {
            let rewrites =
                lines(n, |at| format!("[[routes]]\nmatch = \"GET /old{at:05}\"\nrewrite = \"/x{at:05}\"\n"));
            wrong(shop(rewrites + &routes(n, |_| "call = \"a.b\"".to_owned())))
        }),
        ("rewrites that lead to rewrites", MANY, |n| {
            wrong(lines(n, |at| {
                format!("[[routes]]\nmatch = \"GET /r{at:05}\"\nrewrite = \"/r{:05}\"\n", at / 2)
            }))
        }),
        ("backends that hash by what is no parameter", MANY, |n| {
            let backends = lines(n, |at| {
                format!(
                    "[backends.b{at:05}]\nendpoints = [\"h:1\"]\nbalance = {{ hash = \"path:q{at:05}\" }}\n"
                )
            });
            let routes = lines(n, |at| {
                format!(
                    "[[routes]]\nmatch = \"GET /r{at:05}/{{p{at:05}}}\"\ncall = \"a.b\"\nbackend = \"b{at:05}\"\n"
                )
            });
            wrong(backends + &routes)
        }),
        ("rules that are none", MANY, |n| {
            let rules = lines(n, |at| format!("'args.a{at} = 1',"));
            wrong(shop(routes(1, |_| format!("call = \"a.b\"\nrules = [{rules}]"))))
        }),
        ("what is no TOML", MANY, |n| wrong(lines(n, |at| format!("a{at} =\n")))),
        ("the line on which all mistakes are", MANY, |n| {
            wrong(shop(format!("x = [{}]\n[[routes]]\nmatch = 1\n", "{ a = 1 },".repeat(n))))
        }),
    ]);
}
