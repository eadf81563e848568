//! Keys that people write in a backend, and in an endpoint of one.

use super::{HEALTH, Hints};

const ENDPOINTS: &str = "write endpoints = [\"127.0.0.1:7101\"]";

pub(super) const BACKEND: Hints = &[
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

pub(super) const ENDPOINT: Hints = &[
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
