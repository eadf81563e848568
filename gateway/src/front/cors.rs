//! Which pages of other origins may read a reply, and which requests they may make, as browsers ask for it: CORS, of the Fetch standard.
//!
//! Browsers ask beforehand, by OPTIONS. Such a preflight has no credentials, uses nothing up and reaches nobody: it is answered before the
//! steps of its route. The gateway only says who may read; requests of other pages are served as those of any client are.

use super::asked_host::asked_host;
use super::asked_path::asked_path;
use super::reply::Reply;
use super::slash::{self, Taken};
use crate::fields::{self, ACCESS_CONTROL_REQUEST_METHOD, FieldName, ORIGIN};
use crate::method::Method;
use crate::routes::{Action, Cors, EveryReply, Route, Table, rewritten};
use callgate_http1::{Fields, Request};

/// Says what all replies of a route say in one of them.
pub(super) fn put(every: &EveryReply, fields: Fields<'_>, reply: &mut Reply) {
    for (name, value) in every.security {
        // What the route or its method says itself is meant.
        if !reply.has_field(name) {
            reply.field(name, value);
        }
    }
    let Some(cors) = &every.cors else { return };
    if !cors.spec.is_for_all() {
        reply.field("vary", "origin");
    }
    let origin = text(fields, &ORIGIN).filter(|origin| cors.spec.origins.admit(origin.as_bytes()));
    let Some(origin) = origin else { return };
    put_origin(cors, origin, reply);
    if !cors.expose.is_empty() {
        reply.field("access-control-expose-headers", &cors.expose);
    }
}

/// Says in the reply to OPTIONS what a page may do, if it asks.
pub(super) fn put_preflight(table: &Table, head: &Request, reply: &mut Reply) {
    let fields = head.fields();
    let Some(asked) = text(fields, &ACCESS_CONTROL_REQUEST_METHOD) else { return };
    let Some(origin) = text(fields, &ORIGIN) else { return };
    let asked = if asked == "HEAD" { Some(Method::Get) } else { asked.parse().ok() };
    let of = |method| Some((method, cors_of(route(table, method, head)?)?));
    let all: Vec<(Method, &Cors)> = Method::ALL.into_iter().filter_map(of).collect();
    if all.iter().any(|(_, cors)| !cors.spec.is_for_all()) {
        reply.field("vary", "origin");
    }
    let may = |(method, cors): &&(Method, &Cors)| {
        cors.spec.origins.admit(origin.as_bytes())
            && cors.spec.methods.as_ref().is_none_or(|methods| methods.contains(method))
    };
    let Some((_, cors)) = all.iter().filter(may).find(|(method, _)| Some(*method) == asked) else { return };
    put_origin(cors, origin, reply);
    let methods: Vec<&str> = all.iter().filter(may).flat_map(|(method, _)| names(*method)).copied().collect();
    reply.field("access-control-allow-methods", &methods.join(", "));
    if !cors.request_headers.is_empty() {
        reply.field("access-control-allow-headers", &cors.request_headers);
    }
    if let Some(age) = cors.spec.max_age {
        reply.field("access-control-max-age", &age.as_secs().to_string());
    }
}

/// What replies to a method that a path does not have say: the same as for one that it has.
pub(super) fn of_other_methods<'t>(table: &'t Table, head: &Request) -> Option<&'t EveryReply> {
    let mut routes = Method::ALL.into_iter().filter_map(|method| route(table, method, head));
    routes.find_map(|route| route.every_reply.as_deref())
}

fn put_origin(cors: &Cors, origin: &str, reply: &mut Reply) {
    let origin = if cors.spec.is_for_all() { "*" } else { origin };
    reply.field("access-control-allow-origin", origin);
    if cors.spec.credentials {
        reply.field("access-control-allow-credentials", "true");
    }
}

/// The route that has a path with that method, by a rewrite or not.
fn route<'t>(table: &'t Table, method: Method, head: &Request) -> Option<&'t Route> {
    let (mut asked, mut room) = (String::new(), String::new());
    let (host, path) = (asked_host(table, head), asked_path(head, &mut asked).ok()?);
    let (at, captured) = match table.find(method, host, path) {
        Some(found) => found,
        None => {
            let Taken { at, captured, .. } = slash::take(table, Some(method), host, path, &mut room)?;
            (at, captured)
        }
    };
    let route = table.routes.get(at)?;
    let Action::Rewrite(rewrite) = &route.action else { return Some(&**route) };
    let mut to = String::new();
    rewritten(&rewrite.target, &captured.raw(), &mut to);
    let (at, _) = table.find(method, host, &to)?;
    table.routes.get(at).map(|route| &**route)
}

fn cors_of(route: &Route) -> Option<&Cors> {
    route.every_reply.as_ref()?.cors.as_ref()
}

/// A method, with that which it brings.
fn names(method: Method) -> &'static [&'static str] {
    match method {
        Method::Get => &["GET", "HEAD"],
        Method::Post => &["POST"],
        Method::Put => &["PUT"],
        Method::Patch => &["PATCH"],
        Method::Delete => &["DELETE"],
    }
}

/// The only line of a field, if it is a text that a reply can say.
fn text<'h>(fields: Fields<'h>, name: &FieldName) -> Option<&'h str> {
    fields::line(fields, name).ok().flatten().and_then(fields::text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, Tables};
    use crate::discovery::Lists;
    use crate::fields::NAMES;
    use callgate_http1::RequestBuilder;

    const TABLE: &str = "cors = { origins = ['https://*.a.example', 'https://b.example'], credentials = true, max_age = '90s', expose = ['x-a', 'x-b'] }
[[routes]]
match = 'GET /a'
respond = { body = 'a', headers = { referrer-policy = 'origin' } }
security_headers = 'api'
[[routes]]
match = 'DELETE /a'
respond = { status = 204 }
cors = { origins = ['*'], headers = ['x-c'] }
[[routes]]
match = 'POST /a'
respond = {}
cors = false
[[routes]]
match = 'PUT /a'
respond = {}
cors = { origins = ['https://b.example'], methods = ['PATCH'] }
[[routes]]
match = 'GET /r'
rewrite = '/a'
cors = false
[[routes]]
match = 'GET /none'
respond = {}
cors = false
";

    fn table() -> Table {
        let tables = Tables::parse(vec![Source::new("t.toml", TABLE)]).expect("sound tables");
        Table::next(&Table::empty(), tables, &Lists::default(), 1)
    }

    fn request(path: &str, fields: &[(&str, &str)]) -> Request {
        let builder = RequestBuilder::new(&NAMES, "OPTIONS", path);
        fields.iter().fold(builder, |builder, (name, value)| builder.field(name, value.as_bytes())).build()
    }

    fn lines(reply: Reply) -> String {
        String::from_utf8(reply.lines).expect("text").replace("access-control-", "").replace("\r\n", "; ")
    }

    #[test]
    fn a_preflight_says_what_the_page_may_do_where_it_comes_from_there() {
        let table = table();
        let said = |path: &str, origin: &str, method: &str| {
            let mut reply = Reply::empty(204);
            let fields = [("origin", origin), ("access-control-request-method", method)];
            put_preflight(&table, &request(path, &fields), &mut reply);
            lines(reply)
        };
        let (sub, b) = ("https://x.a.example", "https://b.example");
        let credentials = "allow-credentials: true; ";
        let all = "vary: origin; allow-origin: *; allow-methods: GET, HEAD, DELETE; allow-headers: x-c; ";
        for (path, origin, method, expected) in [
            (
                "/a",
                sub,
                "GET",
                format!(
                    "vary: origin; allow-origin: {sub}; {credentials}allow-methods: GET, HEAD, DELETE; max-age: 90; "
                ),
            ),
            (
                "/r",
                b,
                "HEAD",
                format!(
                    "vary: origin; allow-origin: {b}; {credentials}allow-methods: GET, HEAD; max-age: 90; "
                ),
            ),
            ("/a", b, "DELETE", all.to_owned()),
            ("/a", "https://c.example", "DELETE", all.replace("GET, HEAD, ", "")),
            ("/a", "https://c.example", "GET", "vary: origin; ".to_owned()),
            ("/a", b, "POST", "vary: origin; ".to_owned()),
            ("/a", b, "PUT", "vary: origin; ".to_owned()),
            ("/a", b, "PATCH", "vary: origin; ".to_owned()),
            ("/a", "null", "GET", "vary: origin; ".to_owned()),
            ("/none", b, "GET", String::new()),
        ] {
            assert_eq!(said(path, origin, method), expected, "{method} {path} of {origin}");
        }
        for fields in [
            &[("origin", b)][..],
            &[("access-control-request-method", "GET")],
            &[("origin", b), ("origin", b), ("access-control-request-method", "GET")],
        ] {
            let mut reply = Reply::empty(204);
            put_preflight(&table, &request("/a", fields), &mut reply);
            assert_eq!(lines(reply), "", "{fields:?}");
        }
    }

    #[test]
    fn replies_say_who_may_read_them_and_what_the_route_says_itself_goes_before() {
        let table = table();
        let said = |at: usize, origin: &str, own: &[(&str, &str)]| {
            let every = table.routes[at].every_reply.as_ref().expect("it says something");
            let mut reply = Reply::empty(200);
            own.iter().for_each(|(name, value)| reply.field(name, value));
            put(every, request("/a", &[("origin", origin)]).fields(), &mut reply);
            lines(reply)
        };
        let api = "x-content-type-options: nosniff; content-security-policy: default-src 'none'; frame-ancestors 'none'; \
                   referrer-policy: no-referrer; cross-origin-resource-policy: same-origin; vary: origin; ";
        let own = api.replace("referrer-policy: no-referrer; ", "");
        let cors = "allow-origin: https://b.example; allow-credentials: true; expose-headers: x-a, x-b; ";
        assert_eq!(said(0, "https://b.example", &[]), format!("{api}{cors}"));
        assert_eq!(said(0, "https://c.example", &[]), api);
        assert_eq!(
            said(0, "https://c.example", &[("referrer-policy", "origin")]),
            format!("referrer-policy: origin; {own}")
        );
        assert_eq!(said(1, "https://c.example", &[]), "allow-origin: *; ");
        assert!(table.routes[2].every_reply.is_none());
        let head = request("/a", &[]);
        assert!(of_other_methods(&table, &head).is_some_and(|every| !every.security.is_empty()));
        assert!(of_other_methods(&table, &request("/none", &[])).is_none());
    }
}
