//! Keys that people write who know another gateway, or a later version of this one: what comes nearest here, or that there is no
//! such thing. Without it `cors = true` would only be told to be unknown, and `retries = 3` to be like nothing there is.
//!
//! Names are compared in lower case without `_`, `-` and `.`, so that nobody's spelling matters.

use super::keys;

/// Names, and what is said to whoever writes one of them.
type Hints = &'static [(&'static [&'static str], &'static str)];

const MATCH: &str = "method and path stand together in `match`, as in match = \"GET /v1/orders/{id}\"; each method is a route of its own";
const CALL: &str = "the method is named by `call`, as in call = \"orders.get\"";
const BACKEND: &str = "a route names its backend, as in backend = \"shop\"; where its instances listen stands in [backends.shop]";
const TIMEOUT: &str = "write timeout = \"2s\": it is for the whole call, retries included";
const RATE: &str = "write rate_limit = { rate = \"100/s\", by = \"client\" }";
const HEALTH: &str = "instances are judged by their calls and by pings, without being told to; [backends.NAME.health] has the bounds";
const ENDPOINTS: &str = "write endpoints = [\"127.0.0.1:7101\"]";

/// What holds wherever it is written.
const ANYWHERE: Hints = &[
    (
        &["cors", "accesscontrol", "alloworigin", "allowedorigins", "crossorigin"],
        "there is no CORS in this version; let what stands before the gateway add its headers",
    ),
    (
        &[
            "auth",
            "authentication",
            "authorization",
            "authn",
            "authz",
            "basicauth",
            "jwt",
            "oidc",
            "oauth",
            "oauth2",
            "openid",
            "forwardauth",
            "extauth",
            "extauthz",
            "keyauth",
            "security",
            "scopes",
            "roles",
            "users",
            "consumers",
            "policies",
        ],
        "the gateway checks no credentials in this version; metadata = [\"authorization\"] hands the header to the method",
    ),
    (
        &[
            "tls",
            "ssl",
            "https",
            "mtls",
            "cert",
            "certs",
            "certificate",
            "certificates",
            "keyfile",
            "certfile",
            "acme",
        ],
        "there is no TLS in this version, neither for clients nor to backends",
    ),
    (
        &[
            "plugins",
            "plugin",
            "middlewares",
            "middleware",
            "filters",
            "filter",
            "interceptors",
            "handlers",
            "lua",
            "wasm",
        ],
        "there are no plugins; docs/routes.md lists all that a route can do",
    ),
    (
        &["cache", "caching", "proxycache", "cachettl"],
        "the gateway keeps no answers; a fixed one is `respond`",
    ),
    (&["compress", "compression", "gzip", "brotli", "zstd"], "answers are not compressed in this version"),
    (
        &[
            "accesslog",
            "logging",
            "loglevel",
            "tracing",
            "otel",
            "opentelemetry",
            "zipkin",
            "jaeger",
            "metrics",
            "prometheus",
        ],
        "requests are counted and timed for each route without being told to, on the admin port's /metrics; [log] of gateway.toml is the log",
    ),
    (
        &[
            "allow",
            "deny",
            "allowlist",
            "denylist",
            "whitelist",
            "blacklist",
            "iprestriction",
            "ipallowlist",
            "ipwhitelist",
            "sourceranges",
        ],
        "there are no lists of addresses in this version",
    ),
    (
        &["include", "includes", "import", "imports"],
        "all files of the watched folders make one table; nothing is included",
    ),
    (
        &["apiversion", "kind", "spec"],
        "a table file has [backends.NAME] and [[routes]], and nothing around them",
    ),
];

const ROUTE: Hints = &[
    (
        &[
            "path", "paths", "url", "uri", "uris", "location", "pattern", "rule", "route", "method",
            "methods", "verb", "verbs", "get", "post", "put", "patch", "delete",
        ],
        MATCH,
    ),
    (
        &["host", "hosts", "hostname", "hostnames", "domain", "domains", "servername", "sni", "vhost"],
        "routes match method and path; there is no matching by host in this version",
    ),
    (
        &[
            "query",
            "queryparams",
            "querystring",
            "params",
            "parameters",
            "args",
            "arguments",
            "fields",
            "input",
            "mapping",
            "bind",
            "pathparams",
        ],
        "parameters of path and query fill the fields of their names; nothing needs to be declared",
    ),
    (
        &["header", "headers", "requestheaders", "proxysetheader", "setheaders", "addheaders"],
        "`metadata` lists the request's headers that go along with the call; an arm of `split` can be chosen by one",
    ),
    (
        &["responseheaders", "addheader", "setheader", "moreheaders"],
        "answers of calls have no headers of the table's in this version; `respond` has `headers`",
    ),
    (
        &["status", "statuscode", "code", "returncode", "directresponse"],
        "the status follows from what the call comes to (docs/errors.md); a fixed answer is respond = { status = 404 }, a redirect redirect = { to = \"/…\", status = 308 }",
    ),
    (&["return", "answer", "static", "mock"], "a fixed answer is respond = { status = 200, body = \"…\" }"),
    (&["redirectto", "redirectregex", "redirectscheme"], "write redirect = { to = \"/v2/orders/{id}\" }"),
    (
        &[
            "rewritepath",
            "rewritetarget",
            "rewriteregex",
            "regexrewrite",
            "urlrewrite",
            "replacepath",
            "replacepathregex",
            "pathrewrite",
        ],
        "write rewrite = \"/v2/orders/{id}\"; there are no regular expressions",
    ),
    (
        &[
            "prefix",
            "pathprefix",
            "basepath",
            "contextpath",
            "rootpath",
            "stripprefix",
            "strippath",
            "addprefix",
        ],
        "`prefix` stands at the top of a file, for the paths of all of its routes; calls have no path, so that nothing is stripped",
    ),
    (
        &[
            "upstream",
            "upstreams",
            "proxypass",
            "service",
            "services",
            "serviceid",
            "cluster",
            "target",
            "targets",
            "destination",
            "proxy",
            "proxyto",
            "forward",
            "forwardto",
            "backends",
            "backendref",
            "backendrefs",
            "loadbalancer",
        ],
        BACKEND,
    ),
    (&["endpoints", "endpoint", "servers", "server", "address", "addresses", "upstreamurl"], BACKEND),
    (
        &[
            "handler",
            "rpc",
            "procedure",
            "operation",
            "operationid",
            "function",
            "selector",
            "action",
            "grpcmethod",
        ],
        CALL,
    ),
    (
        &[
            "retries",
            "retrycount",
            "numretries",
            "maxretries",
            "attempts",
            "maxattempts",
            "retryon",
            "retrypolicy",
            "tries",
        ],
        "write retry = { attempts = 3 }: the first time counts",
    ),
    (
        &["pertrytimeout", "hedge", "hedging"],
        "it stands in `retry`, as in retry = { per_try_timeout = \"500ms\" }",
    ),
    (
        &[
            "timeouts",
            "timeoutms",
            "timeoutsecs",
            "requesttimeout",
            "readtimeout",
            "writetimeout",
            "sendtimeout",
            "proxyreadtimeout",
            "responsetimeout",
            "deadline",
        ],
        TIMEOUT,
    ),
    (&["connecttimeout"], "it is a key of [backends.NAME]; of a route write timeout = \"2s\""),
    (
        &[
            "ratelimits",
            "ratelimiting",
            "ratelimiter",
            "limit",
            "limits",
            "limitreq",
            "limitconn",
            "throttle",
            "throttling",
            "quota",
            "rate",
            "rps",
            "burst",
        ],
        RATE,
    ),
    (
        &["mirror", "mirrors", "mirroring", "requestmirror", "requestmirrorpolicies", "tap"],
        "write shadow = { backend = \"shop-next\", share = \"10%\" }",
    ),
    (
        &["weight", "weights", "weighted", "weightedclusters", "canary", "arms", "traffic", "trafficsplit"],
        "write split = [{ backend = \"shop\", weight = 95 }, { backend = \"shop-next\", weight = 5 }]",
    ),
    (&["circuitbreaker", "circuitbreakers", "breaker", "outlierdetection", "healthcheck"], HEALTH),
    (
        &["default", "defaultbackend", "errorpage", "onerror", "failover"],
        "write fallback = { backend = \"other\" } or { status = 200, json = [] }",
    ),
    (
        &["maxbody", "bodylimit", "maxbodysize", "clientmaxbodysize", "maxrequestsize", "bodysize"],
        "`max_body` stands in [server] of gateway.toml, for all routes",
    ),
    (
        &[
            "websocket",
            "websockets",
            "stream",
            "streaming",
            "sse",
            "grpc",
            "grpcweb",
            "protocol",
            "protocols",
            "upgrade",
        ],
        "a call is one request and one answer in this version; there are no streams",
    ),
    (
        &["contenttype", "consumes", "produces", "accept", "encoding"],
        "bodies are JSON on both sides; `body` and `response` say which part of the method's fields they are",
    ),
    (
        &["result", "output", "responsebody", "wrap"],
        "write response = { wrap = \"result\" } or { field = \"order.id\" }",
    ),
    (&["requestbody", "payload", "data"], "write body = \"*\", a field's name, or false"),
    (
        &["name", "id", "description", "summary", "title", "tags", "comment", "doc", "labels", "annotations"],
        "a route is known by its method and path; what is to be said of it stands behind a `#`",
    ),
    (&["enabled", "disabled", "active"], "a route that is not to be there is commented out with `#`"),
    (
        &["order", "precedence", "rank", "regexpriority"],
        "the order does not matter: a literal goes before a parameter, and a parameter before a tail",
    ),
    (
        &["stickysession", "stickysessions", "sticky", "sessionaffinity", "hash", "balance"],
        "write balance = { hash = \"cookie:session\" } in [backends.NAME]",
    ),
];

const BACKEND_KEYS: Hints = &[
    (
        &[
            "servers",
            "server",
            "hosts",
            "host",
            "instances",
            "addresses",
            "address",
            "nodes",
            "targets",
            "target",
            "upstreams",
            "urls",
            "url",
            "endpoint",
            "port",
            "members",
            "loadassignment",
        ],
        ENDPOINTS,
    ),
    (
        &[
            "lb",
            "lbpolicy",
            "loadbalancing",
            "loadbalancer",
            "algorithm",
            "strategy",
            "policy",
            "method",
            "leastconn",
            "roundrobin",
            "iphash",
        ],
        "write balance = \"peak_ewma\", \"least_request\", \"round_robin\", \"random\" or { hash = \"header:x-user\" }",
    ),
    (
        &[
            "sticky",
            "stickysession",
            "stickysessions",
            "sessionaffinity",
            "hash",
            "hashon",
            "affinity",
            "cookie",
        ],
        "write balance = { hash = \"cookie:session\" }",
    ),
    (
        &[
            "healthcheck",
            "healthchecks",
            "check",
            "checks",
            "outlierdetection",
            "circuitbreaker",
            "circuitbreakers",
            "maxfails",
            "failtimeout",
            "passivehealthcheck",
            "activehealthcheck",
        ],
        HEALTH,
    ),
    (
        &[
            "keepalive",
            "maxconnections",
            "maxconns",
            "pool",
            "poolsize",
            "connections",
            "connectionpool",
            "maxidle",
            "idletimeout",
        ],
        "each worker keeps one connection to each instance; `max_calls` bounds the calls on it, `max_in_flight` those of the backend",
    ),
    (&["maxrequests", "maxpendingrequests", "maxconcurrency", "concurrency"], "write max_in_flight = 200"),
    (
        &["protocol", "scheme", "http2", "grpc", "proto"],
        "Callgate speaks its own protocol to backends, which link its SDK; docs/protocol.md",
    ),
    (
        &[
            "discovery",
            "servicediscovery",
            "dns",
            "resolver",
            "resolve",
            "consul",
            "kubernetes",
            "k8s",
            "etcd",
            "eureka",
            "nacos",
            "zookeeper",
            "type",
        ],
        "write endpoints = [\"dns:shop.internal:7101\"] for an instance at each address of a name",
    ),
    (
        &["weight", "weights", "zone", "drain"],
        "it is said of an endpoint, as in endpoints = [{ address = \"127.0.0.1:7101\", weight = 2 }]",
    ),
    (
        &["retries", "retry", "attempts", "maxretries"],
        "`retry` is a route's key; `retry_budget` bounds the retries of a backend",
    ),
    (
        &["ratelimit", "ratelimits", "rate"],
        "`rate_limit` is a route's key; [limits.NAME] is shared by routes",
    ),
    (
        &[
            "readtimeout",
            "sendtimeout",
            "writetimeout",
            "requesttimeout",
            "responsetimeout",
            "timeouts",
            "deadline",
        ],
        "write `timeout` in a route, or at the top of the file for all of its routes",
    ),
    (&["routes", "route", "path", "paths", "match"], "routes stand beside backends, each written [[routes]]"),
    (&["name", "id"], "a backend's name is that of its table, [backends.NAME]"),
];

const ENDPOINT: Hints = &[
    (
        &["host", "port", "url", "ip", "server", "target", "addr", "hostname", "socket", "path", "unix"],
        "write address = \"127.0.0.1:7101\", or \"unix:/run/shop.sock\"",
    ),
    (
        &["down", "disabled", "enabled", "draining", "maintenance", "backup"],
        "write drain = true: no new calls go there",
    ),
    (&["maxfails", "failtimeout", "healthcheck", "check"], HEALTH),
    (
        &["maxconns", "maxconnections", "maxcalls", "maxinflight"],
        "`max_in_flight_per_instance` of the backend bounds the calls of each instance",
    ),
    (&["region", "az", "availabilityzone", "locality", "rack", "datacenter"], "write zone = \"eu-1a\""),
    (
        &["priority", "tier"],
        "instances of the gateway's own `zone` go before others; where none is there, a route has `fallback`",
    ),
    (
        &["version", "labels", "metadata", "tags"],
        "instances say their version themselves; `split` and `version` of a route choose by it",
    ),
];

const FILE: Hints = &[
    (
        &["upstream", "upstreams", "service", "services", "cluster", "clusters", "servers", "targets"],
        "write [backends.NAME] with endpoints = [\"127.0.0.1:7101\"]",
    ),
    (
        &[
            "http",
            "location",
            "locations",
            "paths",
            "rules",
            "virtualhosts",
            "routers",
            "router",
            "ingress",
            "endpoints",
            "api",
            "apis",
        ],
        "write [[routes]] with match = \"GET /v1/orders/{id}\" and call = \"orders.get\"",
    ),
    (
        &["listener", "listeners", "entrypoints", "listen", "port", "ports", "bind", "address"],
        "where HTTP is served stands in gateway.toml, and needs a restart: [server] listen",
    ),
    (
        &["ratelimit", "ratelimits", "ratelimiting", "quotas"],
        "write [limits.NAME] with rate = \"100/s\", and rate_limit = \"NAME\" in the routes",
    ),
    (&["pathprefix", "basepath", "contextpath", "base"], "write prefix = \"/api\""),
    (&["defaultbackend", "defaultservice"], "write backend = \"shop\""),
    (
        &["defaults", "default", "global", "globals", "common"],
        "`prefix`, `metadata`, `backend`, `timeout`, `unknown_fields` and `int64` at the top of a file hold for its routes",
    ),
    (
        &[
            "match",
            "call",
            "respond",
            "redirect",
            "rewrite",
            "body",
            "response",
            "retry",
            "split",
            "shadow",
            "fallback",
            "idempotent",
            "priority",
        ],
        "it is a key of a route, behind the line [[routes]]",
    ),
    (
        &["host", "hosts", "domain", "domains"],
        "routes match method and path; there is no matching by host in this version",
    ),
    (
        &["retries", "healthcheck", "healthchecks", "balance"],
        "what is to be done with calls is said by routes and backends, each for itself",
    ),
];

/// What is said of a key in a table of that kind: `a route`, `a backend`, `an endpoint`, `a table file`, or another.
pub(super) fn help(table: &str, key: &str) -> Option<String> {
    let plain: String =
        key.chars().filter(|c| !matches!(c, '_' | '-' | '.')).flat_map(char::to_lowercase).collect();
    let own: Hints = match table {
        "a route" => ROUTE,
        "a backend" => BACKEND_KEYS,
        "an endpoint" => ENDPOINT,
        "a table file" => FILE,
        _ => &[],
    };
    if matches!(table, "a route" | "a backend") && keys::at_top().contains(&key) {
        return Some(format!(
            "`{key}` holds for all routes of a file where it stands at its top, before the first line with [brackets]"
        ));
    }
    let known = |hints: Hints| hints.iter().find(|(names, _)| names.contains(&plain.as_str()));
    known(own).or_else(|| known(ANYWHERE)).map(|(_, help)| (*help).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_is_there_once_in_the_spelling_that_is_looked_for() {
        for hints in [ROUTE, BACKEND_KEYS, ENDPOINT, FILE, ANYWHERE] {
            let mut seen = BTreeSet::new();
            for name in hints.iter().flat_map(|(names, _)| *names) {
                assert!(seen.insert(name), "{name} is there twice");
                assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{name}");
            }
        }
    }

    #[test]
    fn the_spelling_does_not_matter_and_the_own_table_goes_first() {
        for name in ["proxy_pass", "ProxyPass", "proxy-pass"] {
            assert_eq!(help("a route", name).as_deref(), Some(BACKEND));
        }
        assert_ne!(help("a route", "weight"), help("a backend", "weight"));
        assert!(help("`response`", "cors").is_some_and(|help| help.contains("no CORS")));
        assert_eq!(help("a route", "timout"), None);
        assert!(help("a backend", "prefix").is_some_and(|help| help.contains("at its top")));
    }
}
