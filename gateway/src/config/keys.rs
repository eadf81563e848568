//! The keys of a route, each declared once: its name, which actions take it, whether it may stand at the top of a file, and what it
//! is in a few words. What a table file may say, what is said of a key that has no effect, and what docs/routes.md has to explain
//! follow from this list; how a key's value is read stands in the file of what it means.

use std::sync::LazyLock;

/// A key.
pub(super) struct Key {
    /// As it is written.
    pub(super) name: &'static str,
    /// The actions that take it, each by its own key; none: every route takes it.
    actions: &'static [&'static str],
    /// It may stand at the top of a file, and then holds for the routes of the file that do not say it themselves.
    pub(super) at_top: bool,
    /// What it is. docs/routes.md explains it with these words.
    #[cfg(test)]
    pub(super) words: &'static str,
}

impl Key {
    /// Whether a route with that action takes it.
    pub(super) fn is_of(&self, action: &str) -> bool {
        self.actions.is_empty() || self.actions.contains(&action)
    }
}

/// Every route's.
const EVERY: &[&str] = &[];
/// A route's that calls.
const CALL_ONLY: &[&str] = &["call"];
const AT_TOP: bool = true;
const NOT_AT_TOP: bool = false;

macro_rules! keys {
    ($($key:ident $name:literal, $actions:ident, $at_top:ident, $words:literal;)+) => {
        $(
            #[doc = $words]
            pub(super) const $key: Key = Key {
                name: $name,
                actions: $actions,
                at_top: $at_top,
                #[cfg(test)]
                words: $words,
            };
        )+
        /// All of them.
        pub(super) const ROUTE: &[Key] = &[$($key),+];
    };
}

keys! {
    MATCH "match", EVERY, NOT_AT_TOP, "method and path";
    CALL "call", EVERY, NOT_AT_TOP, "the method by name";
    RESPOND "respond", EVERY, NOT_AT_TOP, "an answer that is always the same";
    REDIRECT "redirect", EVERY, NOT_AT_TOP, "the client is sent elsewhere";
    REWRITE "rewrite", EVERY, NOT_AT_TOP, "looked up again under another path";
    RATE_LIMIT "rate_limit", EVERY, NOT_AT_TOP, "how many requests it takes in a time";
    MAX_IN_FLIGHT "max_in_flight", EVERY, NOT_AT_TOP, "requests of the route open at once, over all workers";
    BACKEND "backend", CALL_ONLY, AT_TOP, "which backend is called";
    TIMEOUT "timeout", CALL_ONLY, AT_TOP, "how long the whole call may take, retries included";
    IDEMPOTENT "idempotent", CALL_ONLY, NOT_AT_TOP, "whether running a call twice does what running it once does";
    RETRY "retry", CALL_ONLY, NOT_AT_TOP, "how often a call is sent, and after what";
    BODY "body", CALL_ONLY, NOT_AT_TOP, "what the HTTP body is";
    RESPONSE "response", CALL_ONLY, NOT_AT_TOP, "what of the result is the answer's body";
    UNKNOWN_FIELDS "unknown_fields", CALL_ONLY, AT_TOP, "members and query parameters that name no field";
    INT64 "int64", CALL_ONLY, AT_TOP, "how 64-bit integers are written";
    METADATA "metadata", CALL_ONLY, AT_TOP, "headers that go along";
    PRIORITY "priority", CALL_ONLY, NOT_AT_TOP, "what is shed first";
    SPLIT "split", CALL_ONLY, NOT_AT_TOP, "parts of the calls go to other backends, or to versions";
    VERSION "version", CALL_ONLY, NOT_AT_TOP, "calls go to instances of that version only";
    SHADOW "shadow", CALL_ONLY, NOT_AT_TOP, "a share of the calls is copied";
    FALLBACK "fallback", CALL_ONLY, NOT_AT_TOP, "who answers when no instance is there";
}

/// The keys that say what a route does: it has one of them.
pub(super) const ACTIONS: [&Key; 4] = [&CALL, &RESPOND, &REDIRECT, &REWRITE];

/// The only key that is a file's alone: what is put before the paths of its routes.
pub(super) const PREFIX: &str = "prefix";

/// The names of the keys that a route with that action takes.
pub(super) fn of_action(action: &str) -> &'static [&'static str] {
    static OF_CALLS: LazyLock<Vec<&str>> = LazyLock::new(|| names(|key| key.is_of(CALL.name)));
    static OF_OTHERS: LazyLock<Vec<&str>> = LazyLock::new(|| names(|key| key.is_of("")));
    if action == CALL.name { &OF_CALLS } else { &OF_OTHERS }
}

/// The names of those that may stand at the top of a file.
pub(super) fn at_top() -> &'static [&'static str] {
    static AT_TOP: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let mut names = names(|key| key.at_top);
        names.push(PREFIX);
        names
    });
    &AT_TOP
}

fn names(which: impl Fn(&Key) -> bool) -> Vec<&'static str> {
    ROUTE.iter().filter(|key| which(key)).map(|key| key.name).collect()
}
