//! Keys that people write at the top of a table file.

use super::Hints;

pub(super) const FILE: Hints = &[
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
    (
        &["tls", "ssl", "https", "cert", "certs", "certificate", "keyfile", "certfile"],
        "write [[certificates]] with names = [\"api.example.com\"], cert = \"api.pem\" and key = \"api.key\"",
    ),
    (&["pathprefix", "basepath", "contextpath", "base"], "write prefix = \"/api\""),
    (
        &[
            "trailingslashes",
            "strictslash",
            "redirectslashes",
            "redirecttrailingslash",
            "stripslash",
            "appendslash",
        ],
        "write trailing_slash = \"redirect\", or \"ignore\"",
    ),
    (
        &["ignorequery", "ignorequeryparams", "stripquery", "ignoredqueryparameters", "allowedqueryparams"],
        "write ignore_query = [\"utm_*\", \"fbclid\"]",
    ),
    (&["defaultbackend", "defaultservice"], "write backend = \"shop\""),
    (
        &["defaults", "default", "global", "globals", "common"],
        "`prefix`, `hosts`, `metadata`, `backend`, `timeout`, `unknown_fields`, `int64`, `decimal`, `clients`, `cors`, `security_headers`, `auth`, `require`, `trailing_slash` and `ignore_query` at the top of a file hold for its routes",
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
        &["host", "hostname", "hostnames", "domain", "domains", "servername", "vhost"],
        "write hosts = [\"api.example.com\"], for all routes of the file",
    ),
    (
        &["retries", "healthcheck", "healthchecks", "balance"],
        "what is to be done with calls is said by routes and backends, each for itself",
    ),
];
