//! Keys that mean the same wherever they are written.

use super::Hints;

/// What holds wherever it is written.
pub(super) const ANYWHERE: Hints = &[
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
        ],
        "TLS is for listeners with `tls = true` in gateway.toml; their certificates are [[certificates]] in the tables",
    ),
    (
        &["acme", "letsencrypt", "certbot"],
        "certificates are files: let certbot or another ACME client renew them; they are watched, and nothing has to be told",
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
        "the gateway keeps no replies; a fixed one is `respond`",
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
