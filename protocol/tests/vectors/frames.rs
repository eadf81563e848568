//! `frames.json`: each frame as its sender writes it, and what its receiver understands.

use crate::{check, hex, kept, unhex};
use callgate_protocol::call::{Metadata, MetadataBuf, key};
use callgate_protocol::frame::{HEADER, Header, kind};
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{CallHead, CallId, Event, Hello, Inbound, Limits, Outbound, Role, Status};
use serde::Serialize;
use serde_json::{Value, json};
use std::convert::Infallible;

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    description: &'static str,
    /// Who receives it: connector, acceptor.
    to: &'static str,
    hex: String,
    frames: Vec<HeaderFields>,
    says: Vec<Value>,
}

#[derive(Serialize)]
struct HeaderFields {
    kind: &'static str,
    length: u32,
    flags: u8,
    call: u32,
}

fn kind_name(number: u8) -> &'static str {
    match number {
        kind::SCHEMA_REQUEST => "SCHEMA_REQUEST",
        kind::SCHEMA => "SCHEMA",
        kind::PING => "PING",
        kind::PONG => "PONG",
        kind::GO_AWAY => "GO_AWAY",
        kind::CALL => "CALL",
        kind::REPLY => "REPLY",
        kind::FAILURE => "FAILURE",
        kind::CANCEL => "CANCEL",
        kind::DATA => "DATA",
        kind::READY => "READY",
        other => panic!("no vector for kind {other:#x}"),
    }
}

fn entry(
    name: &'static str,
    description: &'static str,
    to: Role,
    write: impl FnOnce(&mut Outbound),
) -> Entry {
    let mut outbound = Outbound::new(&Hello::new("", Limits::default(), Vec::new()));
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    // A sender may cut a message anywhere; short fragments are easier to read.
    outbound.set_max_frame(if name.contains("fragments") { 16 } else { 65_536 });
    write(&mut outbound);
    let mut bytes = Vec::new();
    while !outbound.is_empty() {
        let chunk = outbound.chunk().to_vec();
        bytes.extend_from_slice(&chunk);
        outbound.advance(chunk.len());
    }
    Entry {
        name,
        description,
        to: if to == Role::Acceptor { "acceptor" } else { "connector" },
        frames: headers(&bytes),
        says: understood(to, &bytes),
        hex: hex(&bytes),
    }
}

fn headers(mut bytes: &[u8]) -> Vec<HeaderFields> {
    let mut headers = Vec::new();
    while let Some(header) = Header::decode(bytes) {
        headers.push(HeaderFields {
            kind: kind_name(header.kind),
            length: header.length,
            flags: header.flags,
            call: header.call,
        });
        bytes = &bytes[HEADER + header.length as usize..];
    }
    headers
}

/// What the receiver makes of the bytes, after a HELLO.
fn understood(role: Role, bytes: &[u8]) -> Vec<Value> {
    let mut inbound = Inbound::new(role, Limits::default());
    let mut all = Outbound::new(&Hello::new("", Limits::default(), Vec::new())).chunk().to_vec();
    all.extend_from_slice(bytes);
    let (mut at, mut says) = (0, Vec::new());
    while at < all.len() {
        let (taken, event) = inbound.next(&all[at..]).expect("a vector is well-formed");
        assert!(taken > 0, "a vector is whole");
        at += taken;
        says.extend(event.and_then(describe));
    }
    says
}

/// What an event says; nothing where the vectors have nothing of it.
pub(crate) fn describe(event: Event<'_>) -> Option<Value> {
    Some(match event {
        Event::Hello(_) | Event::ItemBegins { .. } => return None,
        Event::SchemaRequest(fingerprint) => json!({"schema_request": fingerprint.to_string()}),
        Event::Schema(fingerprint, bytes) => {
            json!({"schema": {"fingerprint": fingerprint.to_string(), "bytes": hex(bytes)}})
        }
        Event::Ping(token) => json!({"ping": hex(&token)}),
        Event::Pong(token) => json!({"pong": hex(&token)}),
        Event::Ready(ready) => json!({"ready": ready}),
        Event::GoAway { last_call, reason } => json!({"go_away": {"last_call": last_call, "reason": reason}}),
        Event::Call { number, head, payload } => {
            json!({"call": {
                "number": number,
                "call_id": head.call_id.get(),
                "timeout_ms": head.timeout_ms,
                "metadata": entries(head.metadata),
                "payload": hex(payload),
            }})
        }
        Event::Reply { number, metadata, payload } => json!({"reply": {
            "number": number,
            "metadata": entries(metadata),
            "payload": hex(payload),
        }}),
        Event::Failure { number, status } => json!({"failure": {
            "number": number,
            "code": status.code.name(),
            "message": status.message,
            "details": status.details,
            "error": status.error.map(|error| hex(&error)),
            "retry_after_ms": status.retry_after_ms,
            "not_executed": status.not_executed,
            "metadata": entries(status.metadata.as_metadata()),
        }}),
        Event::Item { number, payload } => json!({"item": {"number": number, "payload": hex(payload)}}),
        Event::End { number, metadata } => json!({"end": {"number": number, "metadata": entries(metadata)}}),
        Event::Credit { number, items, bytes } => {
            json!({"credit": {"number": number, "items": items, "bytes": bytes}})
        }
        Event::Cancel { number } => json!({"cancel": number}),
        Event::TooLarge { number } | Event::ItemTooLarge { number } => json!({"too_large": number}),
        Event::NoRoom { number } | Event::ItemNoRoom { number } => json!({"no_room": number}),
    })
}

fn entries(metadata: Metadata<'_>) -> Vec<Value> {
    metadata.iter().map(|(name, value)| json!([name, hex(value)])).collect()
}

fn head<'a>(timeout_ms: Option<u32>, metadata: Metadata<'a>) -> CallHead<'a> {
    CallHead { call_id: CallId::of("calc", "add"), timeout_ms, metadata }
}

fn call(outbound: &mut Outbound, number: u32, head: &CallHead<'_>, payload: &[u8]) {
    let Ok(_) = outbound.call(number, head, |out| {
        out.extend_from_slice(payload);
        Ok::<_, Infallible>(None)
    });
}

fn metadata() -> MetadataBuf {
    let mut metadata = MetadataBuf::default();
    metadata.push(key::REQUEST_ID, b"r-1");
    metadata.push(key::CALLER, b"edge");
    metadata.push_named("tenant", b"blue");
    metadata
}

fn calls() -> Vec<Entry> {
    let (a, c) = (Role::Acceptor, Role::Connector);
    let (long, none): (Vec<u8>, _) = ((0..40).collect(), Metadata::default());
    vec![
        entry(
            "call",
            "calc.add(1, 300) as call 1, without deadline and metadata: 18 bytes beside the arguments",
            a,
            |out| {
                call(out, 1, &head(None, Metadata::default()), &[1, 251, 44, 1]);
            },
        ),
        entry("call-deadline", "call 2 with 1500 ms left, no arguments", a, |out| {
            call(out, 2, &head(Some(1500), Metadata::default()), &[]);
        }),
        entry("call-metadata", "call 3 with three metadata entries: two numbered, one named", a, |out| {
            call(out, 3, &head(Some(250), metadata().as_metadata()), &[2]);
        }),
        entry(
            "call-in-fragments",
            "call 4, metadata and 40 bytes of arguments, cut at every 16 bytes; an empty first frame holds its place among the numbers",
            a,
            |out| {
                call(out, 4, &head(Some(1000), metadata().as_metadata()), &long);
            },
        ),
        entry("cancel", "the caller no longer wants the answer to call 3", a, |out| out.cancel(3)),
        entry("reply", "call 1 gives 301 as a u32", c, |out| out.reply_with(1, none, vec![251, 45, 1])),
        entry("reply-unit", "call 2 gives a unit: no bytes", c, |out| out.reply_with(2, none, Vec::new())),
        entry("reply-metadata", "call 3 gives 7, and says something beside it", c, |out| {
            let mut metadata = MetadataBuf::default();
            metadata.push_named("served-by", b"shop-2");
            out.reply_with(3, metadata.as_metadata(), vec![7]);
        }),
        entry(
            "reply-metadata-in-fragments",
            "metadata is the beginning of the body, cut as the rest",
            c,
            |out| {
                out.reply_with(3, metadata().as_metadata(), long.clone());
            },
        ),
        entry(
            "replies-in-fragments",
            "two long replies and a short one take turns; DATA belongs to the frame before it of the same number",
            c,
            |out| {
                out.reply_with(4, none, long.clone());
                out.reply_with(5, none, long[..20].to_vec());
                out.reply_with(6, none, vec![9]);
            },
        ),
        entry("reply-given-up", "a long reply began; then the call failed, which ends it", c, |out| {
            out.set_max_frame(16);
            out.reply_with(7, none, long.clone());
            assert!(!out.chunk().is_empty() && out.abandon(7));
            out.failure(7, &Status::cancelled(""));
        }),
    ]
}

fn others() -> Vec<Entry> {
    let (a, c) = (Role::Acceptor, Role::Connector);
    vec![
        entry("failure", "code and message only", c, |out| {
            out.failure(1, &Status::not_found("no such order"))
        }),
        entry("failure-full", "everything that a failure can say", c, |out| {
            let status = Status::unavailable("full").with_details("{\"queue\":7}").with_retry_after_ms(1500);
            out.failure(2, &status.not_executed());
        }),
        entry(
            "failure-error",
            "a value of the method's error type: its variant 1, with the u32 300",
            c,
            |out| {
                out.failure(3, &Status::already_exists("taken").with_error([1, 251, 44, 1]));
            },
        ),
        entry("failure-metadata", "what the method says beside it: a name of its own", c, |out| {
            let mut metadata = MetadataBuf::default();
            assert!(metadata.push_named("served-by", b"shop-2"));
            out.failure(4, &Status::not_found("no such order").with_metadata(metadata));
        }),
        entry("ping", "are you there?", a, |out| out.ping(*b"01234567")),
        entry("pong", "I am: the same 8 bytes", c, |out| out.pong(*b"01234567")),
        entry("go-away", "calls to 41 are still answered, later ones have not run", c, |out| {
            out.go_away(41, "shutting down")
        }),
        entry("go-away-of-a-caller", "no more calls will come", a, |out| out.go_away(0, "")),
        entry("ready-not", "no calls at the moment, please", c, |out| out.ready(false)),
        entry("ready-again", "calls are welcome again", c, |out| out.ready(true)),
        entry("schema-request", "by fingerprint", a, |out| {
            out.schema_request(Fingerprint(*b"0123456789abcdef"))
        }),
        entry("schema", "the schema that takes and gives nothing", c, |out| {
            let schema = [1, 0, 37, 0, 0, 0, 0, 1, 48, 0, 0, 0, 0, 0];
            out.schema(Fingerprint::of(&schema), &schema);
        }),
        entry("schema-absent", "there is none of that fingerprint", c, |out| {
            out.schema(Fingerprint([0; 16]), &[])
        }),
    ]
}

#[test]
fn frames_are_written_and_understood_as_their_vectors_say() {
    let mut entries = calls();
    entries.extend(others());
    check("frames.json", &entries);
    for entry in kept("frames.json").as_array().expect("a list") {
        let role = if entry["to"] == "acceptor" { Role::Acceptor } else { Role::Connector };
        assert_eq!(json!(understood(role, &unhex(&entry["hex"]))), entry["says"], "{}", entry["name"]);
    }
}
