//! Authenticators, who may call which route, and what callers need beside.

use super::*;

/// Who may call each route, and what is required there.
fn shown(text: &str) -> Vec<String> {
    let tables = tables(text).unwrap();
    let of = |route: &RouteSpec| {
        let require: Vec<_> = route.policy.require.lists().iter().map(ToString::to_string).collect();
        format!("{} | {}", route.policy.auth.shown().join(", "), require.join(" & "))
    };
    tables.routes.iter().map(of).collect()
}

const AUTH: &str = "-- auth.toml\n[auth.staff]\ntype = 'mtls'\nname = 'uri'\nallow = ['spiffe://corp/*']\n\
                    [auth.local]\ntype = 'unix'\n";

fn route(keys: &str) -> String {
    format!("[[routes]]\nmatch = 'GET /x{}'\nrespond = {{}}\n{keys}\n", keys.len())
}

#[test]
fn an_authenticator_is_read_by_its_type() {
    let text = "[auth.a]\ntype = 'mtls'\nname = 'dns'\nallow = ['*.a.example', 'b']\n\
                [auth.b]\ntype = 'mtls'\nname = 'common_name'\n\
                [auth.c]\ntype = 'unix'\nusers = ['root', 1001]\n[auth.d]\ntype = 'unix'\n";
    let tables = tables(text).unwrap();
    let [a, b, c, d] = tables.authenticators.as_slice() else { panic!("four") };
    let AuthKind::Mtls(mtls) = &a.kind else { panic!("mtls") };
    assert_eq!((&*a.name, a.kind.name(), mtls.name), ("a", "mtls", CertificateName::Dns));
    assert!(mtls.admits("x.a.example") && mtls.admits("b") && !mtls.admits("c"));
    let AuthKind::Mtls(mtls) = &b.kind else { panic!("mtls") };
    assert!(mtls.name == CertificateName::CommonName && mtls.admits("anybody"));
    let users =
        Some(vec![UnixUser { name: "root".into(), uid: 0 }, UnixUser { name: "1001".into(), uid: 1001 }]);
    assert_eq!(
        (&c.kind, &d.kind),
        (&AuthKind::Unix(UnixSpec { users }), &AuthKind::Unix(UnixSpec { users: None }))
    );
}

#[test]
fn a_route_says_who_may_call_or_its_file_does_and_both_require() {
    let file = "-- b.toml\nauth = 'staff'\nrequire = { scopes = ['a'] }\n";
    let routes = [
        route(""),
        route("auth = ['local', 'anonymous']"),
        route("auth = 'local'"),
        route("auth = ['local', 'staff']"),
        route("require = { scopes = ['b'], claims = { uid = 1, realm = { roles = ['x', true] } } }"),
    ];
    assert_eq!(
        shown(&format!("{AUTH}{file}{}", routes.concat())),
        [
            "staff | scopes a",
            "local, anonymous | scopes a",
            "local | scopes a",
            "local, staff | scopes a",
            "staff | scopes a & scopes b, claim realm.roles \"x\" or true, claim uid 1"
        ]
    );
    assert_eq!(shown(&route("")), [" | "], "nothing is declared, and all are open");
    assert_eq!(shown(&format!("{AUTH}-- b.toml\n{}", route("auth = 'anonymous'"))), ["anonymous | "]);
}

#[test]
fn a_route_that_says_other_names_than_its_file_is_another_ones() {
    let staff_and = |own: &str| {
        let text = "[auth.staff]\ntype = 'unix'\n[auth.other]\ntype = 'unix'\nusers = [0]\n";
        format!("auth = 'staff'\n[[routes]]\nmatch = 'GET /a'\nrespond = {{}}\n{own}\n---{text}")
    };
    for (own, expected) in
        [("", "staff"), ("auth = 'other'", "other"), ("auth = ['other', 'staff']", "other, staff")]
    {
        let text = staff_and(own);
        let (routes, auth) = text.split_once("---").unwrap();
        let tables =
            super::judge::read_tables(vec![Source::new("a.toml", auth), Source::new("b.toml", routes)])
                .unwrap();
        assert_eq!(tables.routes[0].policy.auth.shown().join(", "), expected);
    }
}

#[test]
fn tables_that_only_moved_are_equal_and_others_are_not() {
    let policy = |auth: &str, keys: &str| {
        let text = format!("{auth}-- b.toml\n{}", route(keys));
        tables(&text).unwrap().routes[0].policy.clone()
    };
    let first = policy(AUTH, "auth = 'staff'");
    assert_eq!(first, policy(&AUTH.replace("[auth.staff]", "\n[auth.staff]"), "auth = 'staff'"));
    assert_ne!(first, policy(&AUTH.replace("spiffe://corp/*", "*"), "auth = 'staff'"));
    assert_ne!(first, policy(AUTH, "auth = 'local'"));
    assert_ne!(first, policy(AUTH, "auth = ['staff', 'anonymous']"));
}

/// What is said of a table with that text beside the authenticators.
#[track_caller]
fn refused(text: &str, said: &[&str]) {
    let why = tables(&format!("{AUTH}-- b.toml\n{text}")).map(drop).unwrap_err().to_string();
    for said in said {
        assert!(why.contains(said), "{said}:\n{why}");
    }
}

#[test]
fn once_anything_is_declared_each_route_says_who_may_call_it() {
    refused(
        &[route(""), route("compress = true")].concat(),
        &[
            "it is not said who may call this route",
            "neither the route nor its file has `auth`",
            "1 more routes of this file are like that",
            "auth = \"anonymous\" to let everybody in",
        ],
    );
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    for (text, said) in [
        (route("auth = 'staf'"), "unknown authenticator `staf`"),
        (route("auth = 'staf'"), "did you mean `staff`?"),
        (route("auth = []"), "`auth` is empty"),
        (route("auth = 7"), "`auth` must be the name of an authenticator"),
        (route("auth = ['staff', 'staff']"), "authenticator `staff` is listed twice"),
        (route("auth = ['anonymous', 'staff']"), "`anonymous` stands last"),
        (route("auth = 'anonymous'\nrequire = { scopes = ['a'] }"), "nobody could fit `require`"),
        (route("auth = 'staff'\nrequire = {}"), "`require` has `scopes`, `claims` or both"),
        (route("auth = 'staff'\nrequire = { scopes = ['a b'] }"), "several scopes are several texts"),
        (route("auth = 'staff'\nrequire = { claims = { a = [] } }"), "`a` has no values"),
        (route("auth = 'staff'\nrequire = { claims = { a = {}, b = 1 } }"), "`a` has no claims"),
        (route("auth = 'staff'\nrequire = { scopes = ['a'], claims = {} }"), "`claims` has no claims"),
        (route("auth = 'staff'\nrequire = { claims = { a = 1.5 } }"), "`a` must be a text, a number"),
        (
            route("auth = 'anonymous'\nrate_limit = { rate = '1/s', by = 'identity' }"),
            "no caller of this route has a verified `identity`",
        ),
        (
            route("auth = 'staff'\nrate_limit = { rate = '1/s', by = 'claim:sub' }"),
            "no caller of this route has a verified `claim:sub`",
        ),
        ("[auth.x]\n".to_owned(), "authenticator `x` needs `type`"),
        ("[auth.x]\ntype = 'ldap'\n".to_owned(), "`type` cannot be `ldap`"),
        ("[auth.x]\ntype = 'mtls'\n".to_owned(), "authenticator `x` needs `name`"),
        (
            "[auth.x]\ntype = 'mtls'\nname = 'uri'\nusers = []\n".to_owned(),
            "unknown key `users` in an authenticator of type `mtls`",
        ),
        ("[auth.x]\ntype = 'mtls'\nname = 'uri'\nallow = []\n".to_owned(), "`allow` is empty"),
        ("[auth.x]\ntype = 'unix'\nusers = []\n".to_owned(), "`users` is empty"),
        (
            "[auth.x]\ntype = 'unix'\nusers = ['no-such-user-here']\n".to_owned(),
            "there is no user `no-such-user-here`",
        ),
        ("[auth.x]\ntype = 'unix'\nusers = [65534]\n".to_owned(), "nobody's name"),
        ("[auth.x]\ntype = 'unix'\nusers = ['root', 0]\n".to_owned(), "the user 0 is listed twice"),
        ("[auth.staff]\ntype = 'unix'\n".to_owned(), "authenticator `staff` is declared twice"),
        ("[auth.anonymous]\ntype = 'unix'\n".to_owned(), "`anonymous` cannot name an authenticator"),
        ("forward_claims = ['']\n".to_owned(), "not a claim's name"),
        ("metadata = ['identity-by']\n".to_owned(), "`identity-by` cannot be listed"),
    ] {
        refused(&text, &[said]);
    }
}

/// An authenticator whose keys are there.
fn jwks(said: &str) -> String {
    format!("[auth.x]\ntype = 'jwt'\nalgorithms = ['RS256']\njwks = {said}\n")
}

#[test]
fn keys_are_in_a_file_or_at_a_url() {
    let source = |said: &str| match &tables(&jwks(said)).unwrap().authenticators[0].kind {
        AuthKind::Jwt(spec) => spec.keys.clone(),
        other => panic!("{other:?}"),
    };
    let url = |said: &str| match source(said) {
        KeySource::Url(KeyUrl { target, refresh }) => {
            let ca = target.ca.map(|ca| ca.display().to_string()).unwrap_or_default();
            format!("{} {ca} {}", target.url, refresh.as_secs())
        }
        other => panic!("{other:?}"),
    };
    assert!(matches!(source("'/k/jwks.json'"), KeySource::Jwks(path) if path.ends_with("k/jwks.json")));
    assert_eq!(url("'https://id.example/k'"), "https://id.example/k  600");
    assert_eq!(url("'http://127.0.0.1:81/k'"), "http://127.0.0.1:81/k  600");
    assert_eq!(url("{ url = 'http://localhost/k', refresh = '1s' }"), "http://localhost/k  1");
    assert_eq!(url("{ url = 'http://id.example/k', insecure = true }"), "http://id.example/k  600");
    assert_eq!(url("{ url = 'https://[::1]/k', ca = '/k/ca.pem' }"), "https://[::1]/k /k/ca.pem 600");
    for (said, why) in [
        ("'http://id.example/k'", "`http://id.example/k` would be asked in the clear"),
        ("'http://id.example/k'", "insecure = true }"),
        ("{ url = 'http://10.0.0.1/k', insecure = false }", "would be asked in the clear"),
        ("'ftp://id.example/k'", "`ftp` is not asked"),
        ("'https://user:word@id.example/k'", "never stand in a table"),
        ("{}", "`jwks` needs `url`"),
        ("{ url = 7 }", "`url` must be a URL such as"),
        ("{ url = '/k/jwks.json' }", "it begins with `https://`"),
        ("{ url = 'https://id.example/k', insecure = 1 }", "`insecure` must be"),
        ("{ url = 'http://localhost/k', ca = '/k' }", "`ca` without TLS"),
        ("{ url = 'https://id.example/k', refresh = '10ms' }", "`refresh` is out of bounds"),
        ("{ url = 'https://id.example/k', every = '1m' }", "unknown key `every` in `jwks`"),
        ("7", "a URL such as"),
    ] {
        refused(&jwks(said), &[why]);
    }
}

/// An authenticator that asks over HTTP, with these lines.
fn http(lines: &str) -> String {
    format!("[auth.x]\ntype = 'http'\n{lines}\n")
}

#[test]
fn a_service_is_asked_over_http() {
    let spec = |lines: &str| match &tables(&http(lines)).unwrap().authenticators[0].kind {
        AuthKind::Http(spec) => spec.clone(),
        other => panic!("{other:?}"),
    };
    let told = |spec: &HttpSpec| spec.told.iter().filter_map(Outside::header).collect::<Vec<_>>().join(" ");
    let plain = spec("url = 'https://id.example/auth'\nname = 'X-User'");
    assert_eq!(
        (plain.target.url.to_string(), &*plain.name),
        ("https://id.example/auth".to_owned(), "x-user")
    );
    assert_eq!(
        (told(&plain), plain.scopes, plain.claims),
        ("authorization cookie".to_owned(), None, Vec::new())
    );
    assert_eq!((plain.external.timeout.as_secs(), plain.external.cache), (1, None));
    let all = spec(
        "url = 'http://id.example/'\ninsecure = true\nname = 'x-user'\nscopes = 'X-Scopes'\nheaders = ['X-Key']\n\
         claims = { email = 'X-Email' }\ntimeout = '2s'\ncache = '10s'",
    );
    assert_eq!((told(&all), all.scopes.as_deref()), ("x-key".to_owned(), Some("x-scopes")));
    assert_eq!(all.claims, [("email".to_owned(), "x-email".to_owned())]);
    for (lines, why) in [
        ("", "`x` needs `url`"),
        ("url = 'https://id.example'", "authenticator `x` needs `name`"),
        ("url = 'http://id.example'\nname = 'a'", "would be asked in the clear"),
        ("url = 'https://id.example'\nname = 'a b'", "not a header's name"),
        ("url = 'https://id.example'\nname = 'a'\nheaders = ['Host']", "`Host` does not go along"),
        ("url = 'https://id.example'\nname = 'a'\nheaders = ['x-forwarded-for']", "does not go along"),
        ("url = 'https://id.example'\nname = 'a'\nheaders = ['b', 'B']", "header `b` is listed twice"),
        ("url = 'https://id.example'\nname = 'a'\nclaims = { e = 1 }", "`e` must be"),
        ("url = 'https://id.example'\nname = 'a'\ncache = '2h'", "`cache` is out of bounds"),
        ("url = 'https://id.example'\nname = 'a'\nbind = {}", "unknown key `bind`"),
    ] {
        refused(&http(lines), &[why]);
    }
}

#[test]
fn what_a_service_says_of_the_caller_is_not_taken_from_the_client() {
    let auth = "-- http.toml\n[auth.x]\ntype = 'http'\nurl = 'https://id.example'\nname = 'X-User'\nscopes = 'x-scopes'\n\
                claims = { email = 'X-Email' }\n[auth.y]\ntype = 'unix'\n-- r.toml\n";
    let route = |auth: &str, keys: &str| {
        format!(
            "[backends.b]\nendpoints = ['127.0.0.1:1']\n[[routes]]\nmatch = 'GET /x'\ncall = 's.m'\nauth = '{auth}'\n{keys}\n"
        )
    };
    for keys in [
        "metadata = ['X-User']",
        "metadata = ['other', 'x-scopes']",
        "metadata = ['x-email']",
        "bind = { who = { header = 'X-USER' } }",
    ] {
        refused(&format!("{auth}{}", route("x", keys)), &["the method would take the client's own `x-"]);
        tables(&format!("{auth}{}", route("y", keys))).unwrap();
    }
    tables(&format!("{auth}{}", route("x", "metadata = ['x-other']"))).unwrap();
}

#[test]
fn a_claim_fills_a_field_where_callers_have_it() {
    let bound = |auth: &str, bind: &str| {
        format!(
            "[backends.b]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /x'\ncall = 'a.b'\nauth = {auth}\nbind = {bind}\n"
        )
    };
    let text = format!("{AUTH}-- b.toml\n{}", bound("'local'", "{ user = { claim = 'uid' } }"));
    let spec = call(&tables(&text).unwrap().routes[0]).clone();
    assert_eq!(spec.outside, [Outside::Claim("uid".to_owned())]);
    refused(
        &bound("'staff'", "{ a = { claim = 'tenant' } }"),
        &["no caller of this route has a verified claim `tenant`"],
    );
    refused(
        &bound("'anonymous'", "{ a = { claim = 'uid' } }"),
        &["no caller of this route has a verified claim `uid`"],
    );
    refused(
        &bound("['local', 'anonymous']", "{ a = { claim = 'uid' } }"),
        &["callers who show nothing have no claim"],
    );
    refused(&bound("'local'", "{ a = { claim = 'uid', default = 1 } }"), &["a claim has no `default`"]);
    refused(&bound("'local'", "{ a = { claim = 'uid', split = ',' } }"), &["a claim is one value"]);
}

/// Backends, and an authenticator that asks a method, with those lines.
fn asks(lines: &str) -> String {
    let call = if lines.contains("call") { "" } else { "call = 'identity.check'\n" };
    let bind = if lines.contains("bind") { "" } else { "bind = { token = { header = 'X-Token' } }\n" };
    format!(
        "-- auth.toml\n[backends.identity]\nendpoints = ['127.0.0.1:1']\n[auth.partner]\ntype = 'rpc'\n{call}{bind}{lines}\n\
         -- b.toml\n[backends.shop]\nendpoints = ['127.0.0.1:2']\n"
    )
}

#[test]
fn an_authenticator_may_ask_a_method_as_routes_call_one() {
    let spec = |lines: &str| {
        let tables = tables(&asks(lines)).unwrap();
        let AuthKind::Rpc(rpc) = &tables.authenticators[0].kind else { panic!("rpc") };
        rpc.clone()
    };
    let rpc = spec("");
    let seconds = std::time::Duration::from_secs;
    assert_eq!((rpc.external.timeout, rpc.external.cache), (seconds(1), None));
    assert_eq!(
        (&*rpc.call.backend, &*rpc.call.call.to_string()),
        ("identity", "identity.check"),
        "its file's"
    );
    let rpc = spec(
        "backend = 'shop'\ntimeout = '2s'\ncache = '10s'\n\
         bind = { a = { cookie = 'sid' }, b = { query = 'q' }, c = { client = 'address' }, d.e = { value = 1 } }",
    );
    assert_eq!((rpc.external.timeout, rpc.external.cache), (seconds(2), Some(seconds(10))));
    assert_eq!((&*rpc.call.backend, rpc.call.timeout, rpc.call.outside.len()), ("shop", seconds(2), 4));
    assert_ne!(spec(""), spec("cache = '1s'"));
    assert_ne!(spec(""), spec("backend = 'shop'"));
    assert_eq!(spec(""), spec("backend = 'identity'"));
}

#[test]
fn what_cannot_be_asked_is_refused_where_it_stands() {
    for (lines, expected) in [
        ("call = 'x'", "names no method"),
        ("bind = 1", "bind"),
        ("bind = { t = { claim = 'sub' } }", "who calls is not known yet"),
        ("bind = { t = { form = 'a' } }", "before the body is read"),
        ("bind = { t = { filename = 'a' } }", "before the body is read"),
        ("bind = { t = { content_type = 'a' } }", "before the body is read"),
        ("timeout = '31s'", "30s"),
        ("timeout = '0s'", "1ms"),
        ("cache = '10ms'", "1s"),
        ("cache = '2h'", "1h"),
        ("backend = 'nobody'", "unknown backend `nobody`"),
        ("retry = {}", "retry"),
    ] {
        let told = tables(&asks(lines)).unwrap_err().to_string();
        assert!(told.contains(expected), "{lines}: {told}");
    }
    let without = |line: &str| tables(&asks("").replace(line, "")).unwrap_err().to_string();
    assert!(without("call = 'identity.check'\n").contains("authenticator `partner` needs `call`"));
    assert!(
        without("bind = { token = { header = 'X-Token' } }\n")
            .contains("authenticator `partner` needs `bind`")
    );
    let elsewhere = asks("").replace("-- b.toml\n", "");
    assert!(
        tables(&elsewhere).unwrap_err().to_string().contains("which backend does this authenticator call?")
    );
    let none = "-- a.toml\n[auth.p]\ntype = 'rpc'\ncall = 's.a'\nbind = { t = { header = 'a' } }\n";
    assert!(tables(none).unwrap_err().to_string().contains("there is no backend for this authenticator"));
}

#[test]
fn a_split_goes_by_what_callers_of_its_route_have() {
    let split = |auth: &str, by: &str| {
        let split = "split = [{ backend = 'b', weight = 1 }, { backend = 'c', weight = 1 }]";
        let backends = "[backends.b]\nendpoints = ['h:1']\n[backends.c]\nendpoints = ['h:2']\n";
        format!(
            "{backends}[[routes]]\nmatch = 'GET /x/{{id}}'\ncall = 's.m'\nauth = {auth}\nsplit_by = '{by}'\n{split}\n"
        )
    };
    for (auth, by) in [
        ("'local'", "identity"),
        ("['local', 'anonymous']", "claim:uid"),
        ("'anonymous'", "path:id"),
        ("'anonymous'", "client"),
    ] {
        let tables = tables(&format!("{AUTH}-- b.toml\n{}", split(auth, by))).unwrap();
        let split = &tables.routes[0].action.call().unwrap().policy.split;
        assert_eq!(split.by.as_ref().map(HashBy::text).as_deref(), Some(by));
    }
    for (auth, by, said) in [
        ("'anonymous'", "identity", "no caller of this route has an identity"),
        ("'local'", "claim:tenant", "no caller of this route has a verified claim `tenant`"),
        ("'local'", "path:name", "the route's path has no parameter `name`"),
        ("'local'", "user", "`user` is nothing to hash by"),
    ] {
        refused(&split(auth, by), &[said]);
    }
    let without = split("'local'", "identity")
        .replace("split = [", "shadow = { backend = 'c', share = '1%' }\nbackend = 'b' # [");
    refused(&without, &["`split_by` has no effect", "the route has no `split`"]);
}
