//! What is said to people who write what another gateway, a framework or a later version has.

use super::*;

const SHOP: &str = "[backends.shop]\nendpoints = ['127.0.0.1:7101']\n";
const ANY: &str = "help: `{name}` takes one segment, and `{*name}` at the end all that is left";

/// The title and the helps of the only mistake, in one line.
#[track_caller]
fn said(file: &str) -> String {
    let found = tables(file).map(|_| ()).unwrap_err();
    assert_eq!(found.len(), 1, "{found}");
    let text = found.to_string();
    let wanted = |line: &&str| line.starts_with("error: ") || line.contains("= help: ");
    let lines = text.lines().filter(wanted).map(|line| line.trim_start_matches("error: ").trim());
    lines.map(|line| line.trim_start_matches("= ")).collect::<Vec<_>>().join(" | ")
}

#[track_caller]
fn matched(text: &str) -> String {
    said(&format!("{SHOP}[[routes]]\nmatch = '''{text}'''\ncall = 'a.b'\n"))
}

#[test]
fn parameters_as_others_write_them_are_told_how_they_are_written_here() {
    let braces = "a parameter is written in braces | help: write";
    let id = &format!("{braces} `{{id}}`");
    let path = &format!("{braces} `{{*path}}`: all that is left");
    let rest = &format!("{braces} `{{*rest}}`: all that is left, as the field `rest`");
    let tail = "a tail is written `{*name}` | help: write `{*rest}`";
    let pattern = "a parameter has no pattern | help: write `{id}`";
    for (text, expected) in [
        // express, Rails, Kong, gin
        ("/books/:id", id.as_str()),
        ("/books/:id/pages", id),
        ("/books/:id?", id),
        (r"/books/:id(\d+)", id),
        ("/books/*path", path),
        ("/books/:path*", path),
        // nginx, Envoy, Traefik, Spring
        ("/*", rest),
        ("/**", rest),
        ("/books/*", rest),
        ("/*/pages", &format!("a parameter is written in braces | {ANY}")),
        ("/static*", &format!("a path has no wildcards | {ANY}")),
        ("/books/[0-9]+", &format!("a path has no regular expressions | {ANY}")),
        // Flask, Next.js
        ("/books/<id>", id),
        ("/books/<int:id>", id),
        ("/books/[id]", id),
        ("/books/[...path]", path),
        // Spring, JAX-RS, chi, ASP.NET, Go, AWS
        ("/books/{id:[0-9]+}", pattern),
        ("/books/{id:int}/x", pattern),
        ("/books/{id=7}", pattern),
        ("/books/{id?}", "no parameter is optional | help: write `{id}`, and a second route without it"),
        ("/books/{rest...}", tail),
        ("/books/{rest+}", tail),
        ("/books/{rest:.*}", tail),
        ("/books/{**rest}", tail),
        ("/books/{rest...}/x", "a tail is written `{*name}` | help: it stands at the end of a path"),
        ("/books/{$}", "a path ends where it ends | help: remove it"),
    ] {
        assert_eq!(matched(&format!("GET {text}")), expected, "{text}");
    }
}

#[test]
fn what_is_no_path_is_told_what_it_is() {
    let query = "a path has no query | help: query parameters fill the fields of their names; nothing needs to be declared";
    let begins = "a path begins with `/` |";
    let url = |path: &str, host: &str| {
        format!(
            "{begins} help: write `{path}`; hosts = [\"{host}\"] beside `match` takes requests of that host only"
        )
    };
    for (path, expected) in [
        ("/books?author={author}", query.to_owned()),
        ("/books?author=", query.to_owned()),
        ("/books/{id}?x={x}", query.to_owned()),
        ("/books#top", "a path has no fragment | help: leave it out".to_owned()),
        ("/books HTTP/1.1", "nothing stands behind the path | help: remove it".to_owned()),
        ("http://x/books", url("/books", "x")),
        ("https://x.com", url("/", "x.com")),
        ("x.com/books/{id}", url("/books/{id}", "x.com")),
        ("localhost:8080/books", url("/books", "localhost")),
        ("books", format!("{begins} help: write `/books`")),
        ("~ ^/books", format!("{begins} {ANY}")),
        (r"^/books/(\d+)?$", format!("{begins} {ANY}")),
        ("*", format!("{begins} help: `/{{*rest}}` takes every path but `/`")),
    ] {
        assert_eq!(matched(&format!("GET {path}")), expected, "{path}");
    }
}

#[test]
fn a_match_as_others_write_it_is_told_how_it_is_written() {
    let both = "a route matches a method and a path | help: write";
    let each = "a match has one method | help: write match = [\"GET /x\", \"POST /x\"]";
    let all = "a match has one method | help: write match = [\"GET /x\", \"POST /x\", \"PUT /x\", \"PATCH /x\", \"DELETE /x\"]";
    for (text, expected) in [
        ("GET,POST /x", each.to_owned()),
        ("GET|POST /x", each.to_owned()),
        ("ANY /x", all.to_owned()),
        ("* /x", all.to_owned()),
        ("GET/x", format!("{both} \"GET /x\"")),
        ("GET:/x", format!("{both} \"GET /x\"")),
        ("/x GET", "the method stands before the path | help: write \"GET /x\"".to_owned()),
        ("PathPrefix(`/x`)", format!("{both} \"GET /v1/orders/{{id}}\"")),
        (
            "http://x/books",
            format!(
                "{both} \"GET /books\" or \"POST /books\"; hosts = [\"x\"] beside `match` takes requests of that host only"
            ),
        ),
        ("TRACE /x", "`TRACE` has no routes | help: remove it".to_owned()),
    ] {
        assert_eq!(matched(text), expected, "{text}");
    }
}

#[test]
fn a_colon_and_a_star_within_a_segment_are_literals_as_before() {
    for path in ["/v1/orders:batch", "/a*b", "/x$y", "/{id}/cancel", "/{*rest}"] {
        tables(&format!("{SHOP}[[routes]]\nmatch = 'GET {path}'\ncall = 'a.b'\n")).unwrap();
    }
}

#[test]
fn endpoints_as_others_write_them_are_told_how_they_are_written_here() {
    for (endpoint, expected) in [
        ("/run/x.sock", "write \"unix:/run/x.sock\""),
        ("x.sock", "a Unix socket is written \"unix:/path\", with the whole path"),
        ("http://x", "write \"x:7101\""),
        ("http://x:80/books", "write \"x:80\""),
        ("grpc://x:1", "write \"x:1\""),
        ("x:7101/", "write \"x:7101\""),
        ("7101", "write \"127.0.0.1:7101\""),
        (":7101", "the host is missing: \"127.0.0.1:7101\""),
        ("x", "the port is missing: \"x:7101\""),
    ] {
        let said = said(&format!("[backends.shop]\nendpoints = ['{endpoint}']\n"));
        assert_eq!(said, format!("`{endpoint}` is not an endpoint | help: {expected}"));
    }
    // What can stand there is told whoever begins with a scheme that does not exist.
    for (endpoint, shown) in [("etcd:shop", true), ("k8s:shop/web", true), ("x:80a", false), ("x:0", false)] {
        let text = format!("[backends.shop]\nendpoints = ['{endpoint}']\n");
        let told = tables(&text).unwrap_err().to_string();
        assert_eq!(told.contains(&format!("an endpoint is {}", endpoint::forms())), shown, "{told}");
    }
    for form in ["host:port", "unix:/path", "callgate://host:port", "dns:host:port", "srv:name"] {
        assert!(endpoint::forms().contains(&format!("`{form}`")), "{form}");
    }
}

#[test]
fn methods_as_others_write_them_are_told_how_they_are_written_here() {
    for call in ["orders::get", "orders#get", "orders.get()", "/orders/get", "orders->get", "POST orders.get"]
    {
        let said = said(&format!("{SHOP}[[routes]]\nmatch = 'GET /x'\ncall = '{call}'\n"));
        assert_eq!(said, format!("`{call}` names no method | help: write \"orders.get\""));
    }
}

#[test]
fn a_redirect_whose_parameter_clients_would_get_as_it_stands_is_refused() {
    for to in ["/v2/:id", "https://x/$id"] {
        let said = said(&format!("[[routes]]\nmatch = 'GET /v1/{{id}}'\nredirect = {{ to = '{to}' }}\n"));
        assert_eq!(said, "a parameter is written in braces | help: write `{id}`", "{to}");
    }
}

#[test]
fn keys_of_others_and_of_later_versions_come_with_what_is_nearest_here() {
    let route = |line: &str| said(&format!("{SHOP}[[routes]]\nmatch = 'GET /x'\ncall = 'a.b'\n{line}\n"));
    for (line, expected) in [
        ("access_control = true", "write cors = { origins = [\"https://app.example.com\"] } in a route"),
        ("auth = 'jwt'", "metadata = [\"authorization\"]"),
        ("status = 404", "respond = { status = 404 }"),
        ("methods = ['GET']", "`match`"),
        ("proxy_pass = 'http://x'", "backend = \"shop\""),
        ("retries = 3", "retry = { attempts = 3 }"),
        ("readTimeout = '3s'", "timeout = \"2s\""),
        ("limit_req = 'zone'", "rate_limit = "),
        ("plugins = []", "there are no plugins"),
        ("strip_prefix = true", "at the top of a file"),
        ("prefix = '/api'", "before the first line with [brackets]"),
        ("mirror = 'x'", "shadow = "),
        ("host = 'x.com'", "hosts = [\"api.example.com\"]"),
        ("tls = true", "TLS is for listeners with `tls = true` in gateway.toml"),
        ("gzip = true", "write compress = true"),
        ("websockets = true", "write websocket = true"),
        ("sse = true", "response = { stream = \"sse\" }"),
        ("grpc = true", "Callgate's own protocol"),
        ("query = ['author']", "fill the fields of their names"),
        ("timout = '1s'", "did you mean `timeout`?"),
    ] {
        let said = route(line);
        assert!(said.contains("unknown key") && said.contains(expected), "{line}: {said}");
    }
    let shop = "[backends.shop]\nendpoints = ['x:1']\n";
    for (file, expected) in [
        (format!("{shop}servers = ['x:1']\n"), "endpoints = [\"127.0.0.1:7101\"]"),
        (format!("{shop}lb_policy = 'rr'\n"), "balance = "),
        (format!("{shop}health_check = {{}}\n"), "[backends.NAME.health]"),
        (format!("{shop}timeout = '1s'\n"), "before the first line with [brackets]"),
        ("[backends.shop]\nendpoints = [{ address = 'x:1', down = true }]\n".to_owned(), "drain = true"),
        ("[upstreams.shop]\nservers = []\n".to_owned(), "[backends.NAME]"),
        ("[upgrade]\nsocket = 'auto'\n".to_owned(), "belongs into gateway.toml"),
        (
            "[cross_origin]\norigins = ['*']\n".to_owned(),
            "write cors = { origins = [\"https://app.example.com\"] }",
        ),
        (
            "[[routes]]\nmatch = 'GET /x'\nrespond = {}\njwt = {}\n".to_owned(),
            "by [auth.NAME]; see docs/auth.md",
        ),
    ] {
        let said = said(&file);
        assert!(said.contains(expected), "{file}: {said}");
    }
}
