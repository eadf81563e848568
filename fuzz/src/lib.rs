//! What reads bytes from outside, attacked. A target is a function that takes any bytes and panics where a promise is broken.
//!
//! `make test` calls it with each file of its corpus (`tests/corpus.rs`), `make fuzz` has libFuzzer call it with what it makes of these
//! (`targets/`). docs/fuzzing.md lists the promises.

#![forbid(unsafe_code)]

pub mod auth;
pub mod bound;
pub mod clients;
pub mod codings;
pub mod events;
pub mod forms;
pub mod gateway;
pub mod http1;
pub mod http2;
pub mod items;
pub mod protocol;
pub mod rules;
pub mod templates;
pub mod tls;
pub mod tools;
pub mod transcode;

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of its file in `targets/`.
    pub name: &'static str,
    /// The folder in `corpus/` with its inputs. Those that read the same kind of bytes share one.
    pub corpus: &'static str,
    /// What is done with an input.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("requests", "requests", http1::requests),
    target("cuts", "requests", http1::cuts),
    target("hyper", "requests", http1::hyper),
    target("replies", "replies", http1::replies),
    target("ranges", "ranges", http1::ranges),
    target("websocket", "websocket", http1::websocket),
    target("multipart", "multipart", forms::multipart),
    target("forms", "forms", forms::forms),
    target("items", "items", items::items),
    target("codings", "codings", codings::codings),
    target("events", "events", events::events),
    target("tools", "tools", tools::tools),
    target("bound", "bound", bound::bound),
    target("rules", "rules", rules::rules),
    target("templates", "templates", templates::templates),
    target("http2_frames", "http2_frames", http2::http2_frames),
    target("proxy", "proxy", clients::proxy),
    target("forwarded", "forwarded", clients::forwarded),
    target("frames", "frames", protocol::frames),
    target("connections", "frames", protocol::connections),
    target("handshake", "handshake", protocol::handshake),
    target("schemas", "schemas", protocol::schemas),
    target("messages", "messages", transcode::messages),
    target("json", "json", transcode::json),
    target("bincode", "bincode", transcode::bincode),
    target("query", "query", gateway::query),
    target("routes", "routes", gateway::routes),
    target("tables", "tables", gateway::tables),
    target("settings", "settings", gateway::settings),
    target("pem", "pem", tls::pem),
    target("tokens", "tokens", auth::tokens),
    target("answers", "answers", auth::answers),
    target("key_files", "key_files", auth::key_files),
];

const fn target(name: &'static str, corpus: &'static str, run: fn(&[u8])) -> Target {
    Target { name, corpus, run }
}
