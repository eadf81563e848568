//! `streams.json`: the frames of streams, and a HELLO of a side that speaks them. A side that has not announced field 7 of HELLO skips
//! what is announced, does not see the methods, and ends the connection on the frames.

use crate::frames::describe;
use crate::{check, hex, kept, unhex};
use callgate_protocol::frame::{Header, MAGIC, flag, kind};
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::wire::{put_bytes, put_field};
use callgate_protocol::{CallId, Event, Hello, Inbound, Limits, Outbound, ProtocolError};
use callgate_protocol::{Role, StreamCredit};
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Serialize)]
struct Vectors {
    hellos: Vec<HelloEntry>,
    frames: Vec<Entry>,
}

#[derive(Serialize)]
struct HelloEntry {
    name: &'static str,
    description: &'static str,
    hex: String,
    hello: Value,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    description: &'static str,
    /// Who receives it: connector, acceptor.
    to: &'static str,
    hex: String,
    says: Vec<Value>,
}

fn frame(kind: u8, flags: u8, call: u32, body: &[u8]) -> Vec<u8> {
    let header = Header { length: body.len() as u32, kind, flags, call };
    [&header.encode()[..], body].concat()
}

/// A HELLO with a credit of 16 items and 64 KiB, and a method of each kind.
fn hello() -> HelloEntry {
    let (mut body, mut methods, mut service) = (Vec::new(), Vec::new(), Vec::new());
    put_field(&mut body, 1, &[1, 0, 1, 0]);
    put_field(&mut body, 5, b"feed/1.0");
    put_field(&mut body, 7, &[16, 0, 0, 0, 0, 0, 1, 0]);
    put_field(&mut service, 1, b"feed");
    for (name, flags) in [("count", 0_u8), ("upload", 2), ("follow", 5), ("chat", 6)] {
        let (call_id, schema) = (CallId::of("feed", name), Fingerprint::of(name.as_bytes()));
        let wire = Fingerprint::of(format!("wire form of {name}").as_bytes());
        let mut method = Vec::new();
        put_field(&mut method, 1, name.as_bytes());
        put_field(&mut method, 2, &call_id.get().to_le_bytes());
        put_field(&mut method, 3, &schema.0);
        if flags > 0 {
            put_field(&mut method, 4, &[flags]);
        }
        put_field(&mut method, 5, &wire.0);
        put_field(&mut service, 2, &method);
        methods.push(json!({
            "name": name,
            "call_id": call_id.get(),
            "schema": schema.to_string(),
            "wire": wire.to_string(),
            "caller_streams": flags & 2 != 0,
            "service_streams": flags & 4 != 0,
            "idempotent": flags & 1 != 0,
        }));
    }
    put_field(&mut body, 6, &service);
    HelloEntry {
        name: "hello",
        description: "a side that speaks streams: its credit for each, and methods that stream in each direction",
        hex: hex(&[&MAGIC[..], &frame(kind::HELLO, 0, 0, &body)].concat()),
        hello: json!({
            "versions": [1, 1],
            "identity": "feed/1.0",
            "streams": {"items": 16, "bytes": 65536},
            "services": [{"name": "feed", "methods": methods}],
        }),
    }
}

fn item(number: u32, payload: &[u8]) -> Value {
    json!({"item": {"number": number, "payload": hex(payload)}})
}

fn entry(
    name: &'static str,
    description: &'static str,
    to: Role,
    frames: &[Vec<u8>],
    says: Vec<Value>,
) -> Entry {
    let to = if to == Role::Acceptor { "acceptor" } else { "connector" };
    Entry { name, description, to, hex: hex(&frames.concat()), says }
}

fn frames() -> Vec<Entry> {
    let (a, c) = (Role::Acceptor, Role::Connector);
    let text = |text: &str| {
        let mut out = Vec::new();
        put_bytes(&mut out, text.as_bytes());
        out
    };
    let more = flag::MORE;
    let long: Vec<u8> = (0..20).collect();
    let block = [&[0x0d, 0][..], &[1, 3], b"r-1", &[0, 4], b"rows", &[1], b"2"].concat();
    let entries = json!([["request-id", hex(b"r-1")], ["rows", hex(b"2")]]);
    vec![
        entry(
            "items",
            "two items of stream 1, of type string, and its end",
            c,
            &[
                frame(kind::ITEM, 0, 1, &text("a")),
                frame(kind::ITEM, 0, 1, &text("b")),
                frame(kind::END, 0, 1, b""),
            ],
            vec![item(1, &text("a")), item(1, &text("b")), json!({"end": {"number": 1, "metadata": []}})],
        ),
        entry(
            "item-in-fragments",
            "an item of 20 bytes in three frames; credit for the other direction passes between them",
            a,
            &[
                frame(kind::ITEM, more, 7, &long[..8]),
                frame(kind::CREDIT, 0, 7, &[4, 0, 0, 0, 0, 64, 0, 0]),
                frame(kind::DATA, more, 7, &long[8..16]),
                frame(kind::DATA, 0, 7, &long[16..]),
                frame(kind::END, 0, 7, b""),
            ],
            vec![
                json!({"credit": {"number": 7, "items": 4, "bytes": 16384}}),
                item(7, &long),
                json!({"end": {"number": 7, "metadata": []}}),
            ],
        ),
        entry(
            "end-metadata",
            "the end of stream 3, with something beside it",
            c,
            &[frame(kind::END, flag::METADATA, 3, &block)],
            vec![json!({"end": {"number": 3, "metadata": entries}})],
        ),
        entry(
            "credit",
            "16 more items and 65,536 more bytes may be sent of stream 2",
            c,
            &[frame(kind::CREDIT, 0, 2, &[16, 0, 0, 0, 0, 0, 1, 0])],
            vec![json!({"credit": {"number": 2, "items": 16, "bytes": 65536}})],
        ),
        entry(
            "end-in-fragments",
            "the same end of stream 3 in two frames; an item of another stream passes between them",
            c,
            &[
                frame(kind::END, more | flag::METADATA, 3, &block[..5]),
                frame(kind::ITEM, 0, 1, &text("c")),
                frame(kind::DATA, 0, 3, &block[5..]),
            ],
            vec![item(1, &text("c")), json!({"end": {"number": 3, "metadata": entries}})],
        ),
    ]
}

/// What a side with that HELLO, to whose peer the same stands for, makes of the bytes.
fn heard(role: Role, hello: &Hello, bytes: &[u8]) -> Result<Vec<Value>, ProtocolError> {
    let mut inbound = Inbound::of(role, hello, None);
    let mut all = Outbound::new(hello).chunk().to_vec();
    if role == Role::Acceptor {
        // What comes to an acceptor is of calls that it has heard of.
        all.extend(frame(kind::CALL, 0, 7, &[1, 0, 0, 0, 0, 0, 0, 0]));
    }
    all.extend_from_slice(bytes);
    let (mut at, mut says) = (0, Vec::new());
    loop {
        let (taken, event) = inbound.next(&all[at..])?;
        at += taken;
        match event {
            None if taken == 0 => return Ok(says),
            // What goes before the frames of streams is not theirs.
            Some(Event::Call { .. }) | None => {}
            Some(event) => says.extend(describe(event)),
        }
    }
}

#[test]
fn streams_are_read_and_written_as_their_vectors_say_where_both_sides_speak_them() {
    check("streams.json", &Vectors { hellos: vec![hello()], frames: frames() });
    let silent = Hello::new("", Limits::default(), Vec::new());
    let speaking = silent.clone().speaking_streams(StreamCredit::default());
    for entry in kept("streams.json")["frames"].as_array().expect("a list") {
        let role = if entry["to"] == "acceptor" { Role::Acceptor } else { Role::Connector };
        let (name, bytes) = (&entry["name"], unhex(&entry["hex"]));
        let says = heard(role, &speaking, &bytes).expect("sound");
        assert_eq!(&Value::from(says), &entry["says"], "{name}");
        let refused = Err(ProtocolError::UnexpectedFrame(bytes[4]));
        assert_eq!(heard(role, &silent, &bytes), refused, "{name}: no streams are spoken");
    }
}

#[test]
fn who_speaks_no_streams_does_not_see_the_methods_that_need_them() {
    let kept = kept("streams.json");
    let (bytes, told) = (unhex(&kept["hellos"][0]["hex"]), &kept["hellos"][0]["hello"]);
    let silent = Hello::new("", Limits::default(), Vec::new());
    let speaking = silent.clone().speaking_streams(StreamCredit::default());
    for (own, seen) in [(silent, vec!["count"]), (speaking, vec!["count", "upload", "follow", "chat"])] {
        let mut inbound = Inbound::of(Role::Connector, &own, None);
        let (magic, _) = inbound.next(&bytes).expect("the magic");
        let Ok((_, Some(Event::Hello(hello)))) = inbound.next(&bytes[magic..]) else {
            panic!("it is a HELLO")
        };
        let methods = &hello.services[0].methods;
        assert_eq!(methods.iter().map(|method| &*method.name).collect::<Vec<_>>(), seen);
        for (method, told) in methods.iter().zip(told["services"][0]["methods"].as_array().expect("a list")) {
            assert_eq!(
                (method.streams.caller, method.streams.service),
                (told["caller_streams"] == true, told["service_streams"] == true)
            );
        }
        let credit = hello.streams.map(|credit| json!({"items": credit.items, "bytes": credit.bytes}));
        assert_eq!(credit, own.streams.map(|_| told["streams"].clone()));
    }
}
