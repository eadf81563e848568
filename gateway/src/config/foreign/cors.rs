//! Keys that people write in `cors`.

use super::Hints;

pub(super) const CORS: Hints = &[
    (
        &[
            "origin",
            "alloworigin",
            "alloworigins",
            "allowedorigins",
            "alloworiginlist",
            "alloworiginregex",
            "alloworiginlistregex",
            "alloworiginstringmatch",
            "accesscontrolalloworigin",
            "accesscontrolalloworiginlist",
        ],
        "write origins = [\"https://app.example.com\"]; a `*` stands for one label: \"https://*.example.com\"",
    ),
    (
        &["method", "allowmethods", "allowedmethods", "accesscontrolallowmethods"],
        "write methods = [\"GET\"], or leave it out: then pages may use all methods that a path has",
    ),
    (
        &["header", "allowheaders", "allowedheaders", "accesscontrolallowheaders"],
        "write headers = [\"x-tenant\"], or leave it out: then pages may send what the route reads",
    ),
    (
        &["exposeheaders", "exposedheaders", "exposed", "accesscontrolexposeheaders"],
        "write expose = [\"x-request-id\"]",
    ),
    (
        &["allowcredentials", "supportscredentials", "withcredentials", "accesscontrolallowcredentials"],
        "write credentials = true",
    ),
    (&["accesscontrolmaxage", "preflightmaxage", "ttl"], "write max_age = \"10m\""),
    (&["enabled", "enable"], "where there is no `cors`, no page may come; a route writes cors = false"),
];
