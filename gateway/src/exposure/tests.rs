//! Ways to open a door, each of which is seen, and changes that open none.

use super::{Record, Ways};
use crate::config::{Settings, Source, Tables};

const AUTH: &str = r#"
[auth.staff]
type = "jwt"
jwks = "/k/jwks.json"
algorithms = ["RS256"]
issuer = ["https://id.example", "https://old.example"]
audience = ["orders"]
required = ["tenant"]
revoked = "/k/revoked"

[auth.partner]
type = "mtls"
name = "uri"
allow = ["spiffe://corp/orders/*"]

[auth.local]
type = "unix"
users = [1000]

[backends.shop]
endpoints = ["127.0.0.1:1"]
"#;

const ROUTES: &str = r#"
auth = "staff"
require = { scopes = ["orders:read"] }
clients = { allow = ["10.0.0.0/8"], deny = ["10.9.0.0/16"] }

[[routes]]
match = "GET /orders/{id}"
call = "orders.get"

[[routes]]
match = "POST /orders"
call = "orders.put"
require = { scopes = ["orders:write"], claims = { tenant = ["acme", "umbrella"] } }
bind = { tenant = { claim = "tenant" }, source = { value = "web" } }
client_certificate = "required"

[[routes]]
match = "GET /orders"
call = "orders.list"
auth = ["partner", "local"]
timeout = "2s"
rules = ["args.limit <= 100"]
"#;

const OPEN: &str = r#"
auth = "anonymous"

[[routes]]
match = "GET /open"
call = "orders.open"
"#;

const SETTINGS: &str = r#"
[[listeners]]
id = "edge"
address = "0.0.0.0:80"
clients = { allow = ["10.0.0.0/8", "192.0.2.0/24"] }
forwarded = { header = "x-forwarded-for", from = ["10.1.0.0/16"] }

[[listeners]]
id = "socket"
address = "unix:/run/callgate.sock"
"#;

/// Files that say all of it: what becomes of them is what a test is about.
#[derive(Clone)]
struct Files {
    auth: String,
    routes: String,
    open: String,
    settings: String,
}

impl Files {
    fn new() -> Files {
        let [auth, routes, open, settings] = [AUTH, ROUTES, OPEN, SETTINGS].map(str::to_owned);
        Files { auth, routes, open, settings }
    }

    /// The same with one text for another, which has to be there.
    fn with(&self, was: &str, is: &str) -> Files {
        let mut next = self.clone();
        let mut texts = [&mut next.auth, &mut next.routes, &mut next.open, &mut next.settings];
        let found = texts.iter().filter(|text| text.contains(was)).count();
        assert!(found > 0, "{was}");
        texts.iter_mut().for_each(|text| **text = text.replace(was, is));
        next
    }

    /// The same where the routes need nobody with an identity.
    fn for_anybody(&self) -> Files {
        let file = self.with("require = { scopes = [\"orders:read\"] }\n", "");
        let route = file.with(
            "require = { scopes = [\"orders:write\"], claims = { tenant = [\"acme\", \"umbrella\"] } }\n",
            "",
        );
        route.with("tenant = { claim = \"tenant\" }, ", "").with("auth = \"staff\"", "auth = \"anonymous\"")
    }

    fn with_open(&self, more: &str) -> Files {
        Files { open: format!("{}{more}", self.open), ..self.clone() }
    }

    fn ways(&self) -> Ways {
        let files = [("auth.toml", &self.auth), ("open.toml", &self.open), ("routes.toml", &self.routes)];
        let sources = files.into_iter().map(|(name, text)| Source::new(name, text.as_str())).collect();
        let tables = Tables::parse(sources).unwrap_or_else(|error| panic!("{error}"));
        let settings = Settings::parse(Source::new("gateway.toml", self.settings.as_str()), None);
        Ways::of(&tables, &settings.unwrap_or_else(|error| panic!("{error}")).listeners)
    }

    /// What is opened by these, where those before were in force.
    fn opens(&self, before: &Files) -> Option<String> {
        let opened = Record::begin(before.ways()).opened_by(&self.ways())?;
        Some(opened.opened().iter().map(|one| format!("{one}\n")).collect())
    }
}

#[test]
fn who_finds_no_way_any_more_is_told_and_who_has_another_one_is_not() {
    let base = Files::new();
    let closed = |next: &Files| {
        let all = Record::begin(base.ways()).closed_by(&next.ways());
        all.iter().map(|one| format!("{one}\n")).collect::<String>()
    };
    assert_eq!(closed(&base), "");
    let stricter = closed(&base.with("auth = \"anonymous\"", "auth = \"staff\""));
    assert!(
        stricter.starts_with("shop orders.open: who came by a way that asks ")
            && stricter.lines().count() == 1
    );
    let gone = closed(&base.with("call = \"orders.open\"", "call = \"orders.other\""));
    assert!(
        gone.contains("shop orders.open: ") && gone.trim_end().ends_with("; nothing leads there"),
        "{gone}"
    );
    let beside =
        base.with_open("[[routes]]\nmatch = \"GET /too\"\ncall = \"orders.open\"\nauth = \"staff\"\n");
    assert_eq!(closed(&beside), "", "a way more closes none");
    assert_eq!(closed(&base.for_anybody()), "", "who had to be known can come unknown");
}

#[test]
fn each_way_to_open_a_door_is_seen() {
    let base = Files::new();
    let unbound = base.with("tenant = { claim = \"tenant\" }, ", "");
    let to_get = "[[routes]]\nmatch = \"GET /other/{id}\"\ncall = \"orders.get\"\n";
    for (changed, to) in [
        // Who comes is no longer asked, or others are let in.
        (base.for_anybody(), "shop orders.get"),
        (unbound.with("auth = \"staff\"", "auth = [\"staff\", \"anonymous\"]"), "shop orders.get"),
        (base.with("auth = \"staff\"", "auth = [\"staff\", \"local\"]"), "shop orders.put"),
        (unbound.with("auth = \"staff\"", "auth = \"partner\""), "shop orders.get"),
        (base.with("auth = [\"partner\", \"local\"]\n", ""), "shop orders.list"),
        // What is required of them.
        (base.with("require = { scopes = [\"orders:read\"] }\n", ""), "shop orders.get"),
        (base.with("orders:read", "orders:look"), "shop orders.get"),
        (base.with(", claims = { tenant = [\"acme\", \"umbrella\"] }", ""), "shop orders.put"),
        (base.with("\"umbrella\"", "\"umbrella\", \"initech\""), "shop orders.put"),
        (base.with("client_certificate = \"required\"\n", ""), "shop orders.put"),
        (base.with("tenant = { claim = \"tenant\" }, ", ""), "shop orders.put"),
        (base.with("{ claim = \"tenant\" }", "{ claim = \"home\" }"), "shop orders.put"),
        (base.with(", source = { value = \"web\" }", ""), "shop orders.put"),
        (base.with("rules = [\"args.limit <= 100\"]\n", ""), "shop orders.list"),
        (base.with("args.limit <= 100", "args.limit <= 1000"), "shop orders.list"),
        // From where they come.
        (
            base.with("clients = { allow = [\"10.0.0.0/8\"], deny = [\"10.9.0.0/16\"] }\n", ""),
            "shop orders.get",
        ),
        (base.with("allow = [\"10.0.0.0/8\"], deny", "allow = [\"10.0.0.0/7\"], deny"), "shop orders.get"),
        (
            base.with("allow = [\"10.0.0.0/8\"], deny", "allow = [\"10.0.0.0/8\", \"::/0\"], deny"),
            "shop orders.get",
        ),
        (base.with(", deny = [\"10.9.0.0/16\"]", ""), "shop orders.get"),
        (base.with("10.9.0.0/16", "10.9.1.0/24"), "shop orders.get"),
        // What an authenticator takes.
        (
            base.with("issuer = [\"https://id.example\", ", "issuer = [\"https://id.evil.example\", "),
            "shop orders.get",
        ),
        (base.with("issuer = [\"https://id.example\", \"https://old.example\"]\n", ""), "shop orders.get"),
        (base.with("audience = [\"orders\"]", "audience = [\"orders\", \"mail\"]"), "shop orders.get"),
        (base.with("[\"RS256\"]", "[\"RS256\", \"ES256\"]"), "shop orders.get"),
        (base.with("/k/jwks.json", "/tmp/jwks.json"), "shop orders.get"),
        (base.with("/k/jwks.json", "https://id.example/jwks.json"), "shop orders.get"),
        (base.with("required = [\"tenant\"]\n", ""), "shop orders.get"),
        (base.with("revoked = \"/k/revoked\"\n", ""), "shop orders.get"),
        (base.with("revoked = ", "leeway = \"5m\"\nrevoked = "), "shop orders.get"),
        (base.with("revoked = ", "name = \"email\"\nrevoked = "), "shop orders.get"),
        (base.with("revoked = ", "scopes = [\"roles\"]\nrevoked = "), "shop orders.get"),
        (base.with("spiffe://corp/orders/*", "spiffe://corp/*"), "shop orders.list"),
        (base.with("name = \"uri\"", "name = \"dns\""), "shop orders.list"),
        (base.with("users = [1000]", "users = [1000, 1001]"), "shop orders.list"),
        (base.with("users = [1000]\n", ""), "shop orders.list"),
        // Another way to the same method.
        (base.with_open(to_get), "shop orders.get"),
        (
            base.with_open(to_get).with("auth = \"anonymous\"", "auth = \"anonymous\"\nprefix = \"/v2\""),
            "shop orders.get",
        ),
        (base.with_open(&to_get.replace("call =", "hosts = [\"a.example\"]\ncall =")), "shop orders.get"),
        (base.with("call = \"orders.open\"", "call = \"orders.put\""), "shop orders.put"),
        // The same method by another name.
        (base.for_anybody().with("[backends.shop]", "[backends.store]"), "store orders.get"),
        (base.with_open(&to_get.replace("\"orders.get\"", "12345")), "shop 0x00003039"),
        // A listener.
        (base.with("address = \"unix:/run/callgate.sock\"", "address = \"0.0.0.0:81\""), "listener socket"),
        (base.with("clients = { allow = [\"10.0.0.0/8\", \"192.0.2.0/24\"] }\n", ""), "listener edge"),
        (base.with("192.0.2.0/24", "0.0.0.0/0"), "listener edge"),
        (base.with("10.1.0.0/16", "10.0.0.0/8"), "listener edge"),
        (base.with("/run/callgate.sock\"", "/run/callgate.sock\"\nmode = \"0666\""), "listener socket"),
    ] {
        let opened = changed.opens(&base);
        let all =
            [&changed.auth, &changed.routes, &changed.open, &changed.settings].map(String::as_str).concat();
        assert!(opened.as_ref().is_some_and(|opened| opened.contains(to)), "{to}: {opened:?} in {all}");
    }
}

#[test]
fn what_opens_nothing_is_not_stopped() {
    let base = Files::new();
    let new =
        |auth: &str| format!("[[routes]]\nmatch = \"GET /new\"\ncall = \"orders.new\"\nauth = {auth}\n");
    let moved = ROUTES.replace("auth = \"staff\"\nrequire = { scopes = [\"orders:read\"] }\n", "")
        .replace("call = \"orders.get\"", "call = \"orders.get\"\nauth = \"staff\"\nrequire = { scopes = [\"orders:read\"] }")
        .replace("call = \"orders.put\"\nrequire = { scopes = [\"orders:write\"]", "call = \"orders.put\"\nauth = \"staff\"\nrequire = { scopes = [\"orders:write\", \"orders:read\"]")
        .replace("call = \"orders.list\"", "call = \"orders.list\"\nrequire = { scopes = [\"orders:read\"] }");
    for changed in [
        base.clone(),
        base.with("/orders/{id}", "/v2/orders/{id}"),
        base.with("[auth.staff]", "[auth.crew]").with("\"staff\"", "\"crew\""),
        base.with("timeout = \"2s\"", "timeout = \"9s\"\nretry = { attempts = 2 }"),
        base.with("[\"partner\", \"local\"]", "[\"local\", \"partner\"]"),
        base.with("[\"partner\", \"local\"]", "\"partner\""),
        base.with("scopes = [\"orders:read\"]", "scopes = [\"orders:read\", \"human\"]"),
        base.with("[\"acme\", \"umbrella\"]", "\"acme\""),
        base.with("[\"args.limit <= 100\"]", "[\"args.after >= 0\", \"args.limit <= 100\"]"),
        base.with("tenant = [\"acme\", \"umbrella\"]", "tenant = [\"acme\", \"umbrella\"], realm = { a = true }"),
        base.with("allow = [\"10.0.0.0/8\"], deny", "allow = [\"10.1.0.0/16\", \"10.2.3.4\"], deny"),
        base.with("deny = [\"10.9.0.0/16\"]", "deny = [\"10.8.0.0/15\"]"),
        base.with(", \"https://old.example\"", ""),
        base.with("required = [\"tenant\"]", "required = [\"tenant\", \"email\"]"),
        base.with("revoked = ", "max_token = \"4KiB\"\nrevoked = "),
        base.with("call = \"orders.get\"", "call = \"orders.get\"\nclient_certificate = \"required\""),
        base.with("call = \"orders.get\"", "call = \"orders.get\"\nclients = { allow = [\"10.1.2.0/24\"] }"),
        base.with("call = \"orders.open\"", "call = \"orders.open\"\nauth = \"staff\""),
        base.with_open(&new("\"staff\"")),
        base.with_open(&new("\"anonymous\"")),
        base.with_open("[[routes]]\nmatch = \"GET /again/{id}\"\ncall = \"orders.get\"\nauth = \"staff\"\nrequire = { scopes = [\"orders:read\"] }\nclients = { allow = [\"10.0.0.0/8\"], deny = [\"10.9.0.0/16\"] }\n"),
        base.with_open("[[routes]]\nmatch = \"GET /health\"\nrespond = { body = \"ok\" }\n"),
        // An agent can call what it could ask for as well, and is asked the same.
        base.with("call = \"orders.get\"", "call = \"orders.get\"\ntool = true"),
        base.with_open("[[routes]]\nmatch = \"POST /mcp\"\ntools = { routes = \"all\", origins = [\"*\"] }\n"),
        base.with_open("[[routes]]\nmatch = \"GET /short\"\nredirect = { to = \"/open\" }\n"),
        base.with_open("[[routes]]\nmatch = \"GET /alias/{id}\"\nrewrite = \"/orders/{id}\"\n"),
        Files { open: String::new(), ..base.clone() },
        Files { routes: moved, ..base.clone() },
        base.with("[backends.shop]", "[backends.store]"),
        base.with("id = \"edge\"", "id = \"front\""),
        base.with("0.0.0.0:80", "127.0.0.1:80"),
        base.with("0.0.0.0:80", "0.0.0.0:8080"),
        base.with(", \"192.0.2.0/24\"", ""),
        base.with("10.1.0.0/16", "10.1.2.0/24"),
        base.with("forwarded = { header = \"x-forwarded-for\", from = [\"10.1.0.0/16\"] }\n", ""),
    ] {
        let all = [&changed.auth, &changed.routes, &changed.open, &changed.settings].map(String::as_str).concat();
        assert_eq!(changed.opens(&base), None, "{all}");
    }
}

/// What fetches the keys of the authenticator, in these words of a table.
fn with_keys(words: &str) -> Files {
    Files::new().with("\"/k/jwks.json\"", words)
}

#[test]
fn keys_from_elsewhere_and_other_words_for_who_vouches_for_them_are_seen() {
    let url = with_keys("\"https://id.example/jwks.json\"");
    let with_ca = with_keys("{ url = \"https://id.example/jwks.json\", ca = \"/k/ca.pem\" }");
    for (changed, before) in [
        (&with_keys("\"https://id.evil.example/jwks.json\""), &url),
        (&with_keys("\"https://id.example/other.json\""), &url),
        (&with_keys("{ url = \"http://id.example/jwks.json\", insecure = true }"), &url),
        (&with_ca, &url),
        (&url, &with_ca),
        (&with_ca.with("/k/ca.pem", "/tmp/ca.pem"), &with_ca),
        (&Files::new(), &url),
    ] {
        assert!(
            changed.opens(before).is_some_and(|opened| opened.contains("shop orders.get")),
            "{}",
            changed.auth
        );
    }
    for (changed, before) in [
        (with_keys("{ url = \"https://id.example/jwks.json\", refresh = \"1m\" }"), &url),
        (
            with_keys("{ refresh = \"1m\", ca = \"/k/ca.pem\", url = \"https://id.example/jwks.json\" }"),
            &with_ca,
        ),
    ] {
        assert_eq!(changed.opens(before), None, "{}", changed.auth);
    }
}

#[test]
fn another_service_that_is_asked_over_http_is_seen() {
    let asks = |lines: &str| {
        let gate = format!("[auth.gate]\ntype = \"http\"\n{lines}\n[auth.partner]");
        let by_staff = "auth = \"staff\"";
        let base = Files::new().with("tenant = { claim = \"tenant\" }, ", "");
        base.with("[auth.partner]", &gate).with(by_staff, "auth = \"gate\"")
    };
    let base =
        asks("url = \"https://id.example/auth\"\nname = \"x-user\"\ntimeout = \"1s\"\ncache = \"10s\"");
    for (was, is) in [
        ("https://id.example/auth", "https://id.evil.example/auth"),
        ("\"x-user\"", "\"x-name\""),
        ("cache = \"10s\"", "cache = \"20s\""),
        ("timeout = \"1s\"", "ca = \"/tmp/ca.pem\""),
        ("timeout = \"1s\"", "headers = [\"x-key\"]"),
        ("timeout = \"1s\"", "claims = { tenant = \"x-tenant\" }"),
    ] {
        assert!(base.with(was, is).opens(&base).is_some(), "{is}");
    }
    for (was, is) in [("cache = \"10s\"", "cache = \"5s\""), ("timeout = \"1s\"", "timeout = \"9s\"")] {
        assert_eq!(base.with(was, is).opens(&base), None, "{is}");
    }
}

#[test]
fn what_is_gone_is_remembered() {
    let base = Files::new();
    let without = Files { routes: String::new(), ..base.clone() };
    let record = Record::begin(base.ways()).next(without.ways());
    let kept = Record::parse(&record.text()).expect("it was written so");
    assert_eq!(kept, record);
    let back = base.for_anybody();
    assert!(kept.opened_by(&back.ways()).is_some() && kept.opened_by(&base.ways()).is_none());
    assert_eq!(Record::parse(b"{\"form\":2}"), None);
    assert_eq!(Record::parse(b""), None);
}

#[test]
fn a_method_that_was_called_by_its_number_is_guarded_by_its_name_as_well() {
    let base = Files::new().with("call = \"orders.get\"", "call = 12345");
    let by_name = "[[routes]]\nmatch = \"GET /other/{id}\"\ncall = \"orders.get\"\n";
    let opened = base.with_open(by_name).opens(&base);
    assert!(opened.is_some_and(|opened| opened.contains("shop orders.get")));
}

#[test]
fn before_anybody_is_asked_who_he_is_nothing_is_stopped() {
    let open = Files {
        auth: "[backends.shop]\nendpoints = [\"127.0.0.1:1\"]\n".to_owned(),
        routes: String::new(),
        ..Files::new()
    };
    let open = open.with("auth = \"anonymous\"\n", "clients = { allow = [\"10.0.0.0/8\"] }\n");
    assert_eq!(open.with("clients = { allow = [\"10.0.0.0/8\"] }\n", "").opens(&open), None);
}

#[test]
fn a_difference_has_a_name_of_its_own() {
    let base = Files::new();
    let hash = |next: &Files, before: &Files| {
        Record::begin(before.ways()).opened_by(&next.ways()).map(|all| all.hash())
    };
    let one = base.with("orders:read", "orders:look");
    let other = base.with("orders:read", "orders:see");
    let name = hash(&one, &base).expect("it opens something");
    assert_eq!(name.len(), 16);
    assert_eq!(hash(&one, &base), Some(name.clone()));
    assert_ne!(hash(&other, &base), Some(name.clone()));
    assert_ne!(hash(&one, &other), Some(name));
}

#[test]
fn who_is_asked_elsewhere_or_about_something_else_or_believed_for_longer_may_let_others_in() {
    let certificate = "type = \"mtls\"\nname = \"uri\"\nallow = [\"spiffe://corp/orders/*\"]";
    let asks = "type = \"rpc\"\ncall = \"identity.check\"\nbackend = \"shop\"\n\
                bind = { token = { header = \"x-a\" }, from = { client = \"address\" } }\ntimeout = \"1s\"\ncache = \"10s\"";
    let two = "[backends.more]\nendpoints = [\"127.0.0.1:2\"]\n[backends.shop]";
    let base = Files::new().with("call = \"orders.", "backend = \"shop\"\ncall = \"orders.");
    let base = base.with("[backends.shop]", two).with(certificate, asks);
    for (was, is) in [
        (asks, certificate),
        ("identity.check", "identity.other"),
        ("call = \"identity.check\"\nbackend = \"shop\"", "call = \"identity.check\"\nbackend = \"more\""),
        ("header = \"x-a\"", "cookie = \"x-a\""),
        (", from = { client = \"address\" }", ""),
        ("cache = \"10s\"", "cache = \"11s\""),
    ] {
        assert!(base.with(was, is).opens(&base).is_some(), "{was} -> {is}");
    }
    assert!(base.opens(&base.with("cache = \"10s\"", "")).is_some(), "answers are kept that were not");
    for (was, is) in [
        ("timeout = \"1s\"", "timeout = \"9s\""),
        ("cache = \"10s\"", "cache = \"9s\""),
        ("cache = \"10s\"", ""),
    ] {
        assert_eq!(base.with(was, is).opens(&base), None, "{was} -> {is}");
    }
    let found = base.with("identity.check\"\nbackend = \"shop\"", "identity.check\"");
    let only = |files: Files| files.with(two, "[backends.shop]");
    assert_eq!(only(found).opens(&only(base)), None, "whichever way the backend is found");
}
