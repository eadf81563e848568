//! The keys of a route, each declared once: its name, which actions take it, whether it may stand at the top of a file, and what it
//! is in a few words. What a table file may say, what is said of a key that has no effect, and what docs/routes.md has to explain
//! follow from these lists; what a key's value may be and how it is read stands in the file of what it means, and `route_keys.rs` joins the two.
//!
//! Here are those of calls. The steps that a route asks for have theirs in `policy.rs`, and the replies of the gateway's own in
//! `local_reply/`; `route_keys.rs` puts all of them together.

use std::sync::LazyLock;

/// A key.
pub(super) struct Key {
    /// As it is written.
    pub(super) name: &'static str,
    /// Only routes that call take it.
    pub(super) of_calls: bool,
    /// It may stand at the top of a file, and then holds for the routes of the file that do not say it themselves.
    pub(super) at_top: bool,
    /// What it is. docs/routes.md explains it with these words.
    pub(super) words: &'static str,
}

impl Key {
    /// A key that every route takes, whatever its action is, and no file.
    pub(super) const fn of_every_route(name: &'static str, words: &'static str) -> Key {
        Key { name, of_calls: false, at_top: false, words }
    }
}

const EVERY: bool = false;
const CALLS: bool = true;
const AT_TOP: bool = true;
const NOT_AT_TOP: bool = false;

macro_rules! keys {
    ($($key:ident $name:literal, $of_calls:ident, $at_top:ident, $words:literal;)+) => {
        $(
            #[doc = $words]
            pub(super) const $key: Key = Key {
                name: $name,
                of_calls: $of_calls,
                at_top: $at_top,
                words: $words,
            };
        )+
        /// All of them.
        pub(super) const KEYS: &[Key] = &[$($key),+];
    };
}

keys! {
    MATCH "match", EVERY, NOT_AT_TOP, "method and path";
    HOSTS "hosts", EVERY, AT_TOP, "the hosts whose requests it takes";
    CALL "call", EVERY, NOT_AT_TOP, "the method by name";
    REWRITE "rewrite", EVERY, NOT_AT_TOP, "looked up again under another path";
    BACKEND "backend", CALLS, AT_TOP, "which backend is called";
    MAX_STREAM "max_stream", CALLS, AT_TOP, "how long a call that streams may take, and how many bytes its reply may have, and its body where that streams";
    STREAM_IDLE "stream_idle", CALLS, AT_TOP, "how long it may take until the next item of a stream has gone to the client";
    TIMEOUT "timeout", CALLS, AT_TOP, "how long the whole call may take, retries included";
    MODE "mode", CALLS, NOT_AT_TOP, "whether whoever asks hears what the method replies";
    IDEMPOTENT "idempotent", CALLS, NOT_AT_TOP, "whether running a call twice does what running it once does";
    IDEMPOTENCY_KEY "idempotency_key", CALLS, NOT_AT_TOP, "whether a request with `Idempotency-Key` counts as idempotent";
    RETRY "retry", CALLS, NOT_AT_TOP, "how often a call is sent, and after what";
    BODY "body", CALLS, NOT_AT_TOP, "what the HTTP body is";
    WEBSOCKET "websocket", CALLS, NOT_AT_TOP, "whether its requests begin a WebSocket";
    BIND "bind", CALLS, NOT_AT_TOP, "what fills fields that are not filled by their names";
    RESPONSE "response", CALLS, NOT_AT_TOP, "what of the result is the reply's body";
    ERRORS "errors", CALLS, NOT_AT_TOP, "the statuses of the method's errors";
    ETAG "etag", CALLS, NOT_AT_TOP, "what is the entity tag of a result";
    UNKNOWN_FIELDS "unknown_fields", CALLS, AT_TOP, "members and query parameters that name no field";
    INT64 "int64", CALLS, AT_TOP, "how 64-bit integers are written";
    DECIMAL "decimal", CALLS, AT_TOP, "how decimals are written";
    RULES "rules", CALLS, AT_TOP, "conditions that all must hold before a call is sent";
    METADATA "metadata", CALLS, AT_TOP, "headers that go along";
    FORWARD_CLAIMS "forward_claims", CALLS, AT_TOP, "claims of the caller that go along";
    PRIORITY "priority", CALLS, NOT_AT_TOP, "what is shed first";
    SPLIT "split", CALLS, NOT_AT_TOP, "parts of the calls go to other backends, or to versions";
    SPLIT_BY "split_by", CALLS, NOT_AT_TOP, "what keeps calls at a target of the split";
    VERSION "version", CALLS, NOT_AT_TOP, "calls go to instances of that version only";
    SHADOW "shadow", CALLS, NOT_AT_TOP, "a share of the calls is copied";
    FALLBACK "fallback", CALLS, NOT_AT_TOP, "who replies when no instance is there";
    TOOL "tool", CALLS, NOT_AT_TOP, "whether agents can call it as a tool";
}

/// The key that says who may call. At the top of a file it is also where authenticators are declared.
pub(super) const AUTH: &str = "auth";
/// The key that says what callers need beside an identity.
pub(super) const REQUIRE: &str = "require";
/// The key of a step that a file narrows for its routes.
pub(super) const CLIENTS: &str = "clients";
/// The key that says which pages may come.
pub(super) const CORS: &str = "cors";
/// The key that says which headers replies have for browsers.
pub(super) const SECURITY_HEADERS: &str = "security_headers";

/// Another key of every route that may.
pub(super) const COMPRESS: &str = "compress";

/// Those of a route's policy that may stand at the top of a file.
pub(super) const OF_POLICY_AT_TOP: [&str; 6] = [CLIENTS, AUTH, REQUIRE, CORS, SECURITY_HEADERS, COMPRESS];

/// A key that is a file's alone: what is put before the paths of its routes.
pub(super) const PREFIX: &str = "prefix";
/// Another: what becomes of paths that are a route's but for a slash at their end.
pub(super) const TRAILING_SLASH: &str = "trailing_slash";
/// Another: what a change opens that is meant so.
pub(super) const ACCEPT_EXPOSURE: &str = "accept_exposure";
/// Another: parameters of queries that fill nothing.
pub(super) const IGNORE_QUERY: &str = "ignore_query";

/// The names of those that may stand at the top of a file.
pub(super) fn at_top() -> &'static [&'static str] {
    static AT_TOP: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let at_top = KEYS.iter().filter(|key| key.at_top).map(|key| key.name);
        at_top
            .chain(OF_POLICY_AT_TOP)
            .chain([PREFIX, TRAILING_SLASH, IGNORE_QUERY, ACCEPT_EXPOSURE])
            .collect()
    });
    &AT_TOP
}
