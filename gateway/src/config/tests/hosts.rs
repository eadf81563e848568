//! What `hosts` is read as, when routes of hosts stand in each other's way, and what is said of what will not do.

use super::*;

fn route(hosts: &str, path: &str) -> String {
    format!("[[routes]]\nmatch = 'GET {path}'\nrespond = {{}}\n{hosts}\n")
}

#[test]
fn hosts_are_the_routes_or_else_the_files() {
    let names = |text: &str| -> Vec<String> {
        tables(text).unwrap().routes.iter().map(|route| route.matcher.to_string()).collect()
    };
    let all = [
        route("", "/a"),
        route("hosts = ['B.Example.', '*.c.example']", "/a"),
        route("hosts = ['[::1]', '10.0.0.1']", "/a"),
        route("hosts = ['*']", "/a"),
    ]
    .concat();
    let [listed, addresses] = ["GET b.example,*.c.example/a", "GET [::1],10.0.0.1/a"];
    assert_eq!(
        names(&format!("hosts = ['a.example']\n{all}")),
        ["GET a.example/a", listed, addresses, "GET /a"]
    );
    assert_eq!(names(&all.replace("'*'", "'d'")), ["GET /a", listed, addresses, "GET d/a"]);
    assert_eq!(names(&format!("prefix = '/p'\nhosts = ['a']\n{}", route("", "/a"))), ["GET a/p/a"]);
}

#[test]
fn one_path_of_one_host_is_routed_once() {
    let first =
        "-- a.toml\n[[routes]]\nmatch = \"GET /x\"\nrespond = {}\nhosts = [\"a.example\", \"*.b.example\"]\n";
    for hosts in ["", "hosts = ['c.example', '*.a.example', 'x.b.example', 'b.example']"] {
        tables(&format!("{first}-- b.toml\n{}", route(hosts, "/x"))).unwrap();
    }
    check(
        &format!(
            "{first}-- b.toml\n[[routes]]\nmatch = \"GET /x\"\nrespond = {{}}\nhosts = [\"c.example\", \"*.B.example\", \"a.example\"]\n"
        ),
        r#"
error: `GET *.b.example/x` is routed twice
 --> b.toml:2:9
  |
2 | match = "GET /x"
  |         ^^^^^^^^ again
  |
 ::: a.toml:2:9
  |
2 | match = "GET /x"
  |         -------- first here
"#,
    );
}

#[test]
fn a_rewrite_leads_to_a_route_of_its_hosts_or_of_all() {
    let rewrite = |hosts: &str| route(hosts, "/from").replace("respond = {}", "rewrite = '/to'");
    let lead = |rewriting: &str, to: &str| {
        let text = [rewrite(rewriting), route(to, "/to")].concat();
        tables(&text).map(|_| ()).map_err(|found| found.to_string())
    };
    let (a, wild) = ("hosts = ['a.example']", "hosts = ['*.example']");
    for (rewriting, to) in [("", ""), (a, ""), (a, a), (a, wild), (wild, wild), ("", a)] {
        lead(rewriting, to).unwrap_or_else(|said| panic!("{rewriting} to {to}: {said}"));
    }
    let looped =
        [rewrite(a), route("", "/to"), route(wild, "/to").replace("respond = {}", "rewrite = '/from'")];
    let said = tables(&looped.concat()).unwrap_err().to_string();
    assert!(said.contains("the rewrite of `GET a.example/from` leads to a rewrite"), "{said}");
}

#[test]
fn what_is_no_host_is_said_with_what_to_write() {
    for (hosts, expected) in [
        (
            "'a.example'",
            "`hosts` must be an array of strings such as [\"api.example.com\", \"*.example.com\"]",
        ),
        ("[]", "`hosts` is empty"),
        ("['*', 'a.example']", "`*` stands alone"),
        ("['a.example', 'A.example.']", "the host `a.example` is listed twice"),
        ("['https://a.example']", "write \"a.example\": a host has no scheme, port or path"),
        ("['a.example:8080']", "write \"a.example\": a host has no scheme, port or path"),
        ("['a.example/x']", "write \"a.example\""),
        ("['*']\nhost = 'x'", "unknown key `host` in a route"),
        ("['a*.example']", "a `*` stands for the whole first label"),
        ("['a b']", "write the name that stands in the URL"),
    ] {
        let said = tables(&route(&format!("hosts = {hosts}"), "/x")).unwrap_err().to_string();
        assert!(said.contains(expected), "{hosts}: {said}");
    }
    // Whose requests a route takes that names none rightly nobody knows: it stands in nobody's way.
    let said = tables(&[route("hosts = ['a b']", "/x"), route("", "/x")].concat()).unwrap_err();
    assert_eq!(said.len(), 1, "{said}");
}
