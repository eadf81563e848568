//! Keys that people write in a route.

use super::{HEALTH, Hints};

const MATCH: &str =
    "method and path stand together in `match`, as in match = \"GET /v1/orders/{id}\", or a list of such";
const CALL: &str = "the method is named by `call`, as in call = \"orders.get\"";
pub(super) const BACKEND: &str = "a route names its backend, as in backend = \"shop\"; where its instances listen stands in [backends.shop]";
const TIMEOUT: &str = "write timeout = \"2s\": it is for the whole call, retries included";
const RATE: &str = "write rate_limit = { rate = \"100/s\", by = \"client\" }";

pub(super) const ROUTE: Hints = &[
    (
        &[
            "path", "paths", "url", "uri", "uris", "location", "pattern", "rule", "route", "method",
            "methods", "verb", "verbs", "get", "post", "put", "patch", "delete",
        ],
        MATCH,
    ),
    (
        &["host", "hostname", "hostnames", "domain", "domains", "servername", "sni", "vhost"],
        "write hosts = [\"api.example.com\"]; `*.example.com` are all that are one label longer",
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
            "pathparams",
        ],
        "parameters of path and query fill the fields of their names; `bind` names what fills others, as in bind = { limit = { query = \"page_size\" } }",
    ),
    (
        &["header", "headers", "requestheaders", "proxysetheader", "setheaders", "addheaders"],
        "`bind` fills a field from a header, as in bind = { tenant = { header = \"x-tenant\" } }; `metadata` lists the headers that go along with the call; an arm of `split` can be chosen by one",
    ),
    (
        &["responseheaders", "addheader", "setheader", "moreheaders"],
        "write response = { headers = { cache-control = \"no-store\" } }; `respond` has `headers` too",
    ),
    (
        &["status", "statuscode", "code", "returncode", "directresponse"],
        "write response = { status = 201 } for a result; a fixed reply is respond = { status = 404 }, a redirect redirect = { to = \"/…\", status = 308 }",
    ),
    (
        &[
            "helmet",
            "secureheaders",
            "securityheader",
            "customresponseheaders",
            "framedeny",
            "contenttypenosniff",
        ],
        "write security_headers = \"api\", or \"page\" for what people see",
    ),
    (&["return", "answer", "static", "mock"], "a fixed reply is respond = { status = 200, body = \"…\" }"),
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
    (&["websockets", "ws", "upgrade"], "write websocket = true"),
    (
        &["stream", "streaming", "sse", "grpc", "grpcweb", "protocol", "protocols"],
        "a call is one request and one reply in this version; there are no streams",
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
