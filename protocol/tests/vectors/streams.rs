//! `streams.json`: what streams will look like. This side has not announced field 7 of HELLO, so it skips what is announced, does not
//! see the methods, and ends the connection on the frames.

use crate::{check, hex, kept, unhex};
use callgate_protocol::frame::{Header, MAGIC, flag, kind};
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::wire::{put_bytes, put_field};
use callgate_protocol::{CallId, Event, Hello, Inbound, Limits, Outbound, ProtocolError, Role};
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
    ]
}

/// What a side without streams makes of the bytes.
fn refused(role: Role, bytes: &[u8]) -> Option<ProtocolError> {
    let mut inbound = Inbound::new(role, Limits::default());
    let mut all = Outbound::new(&Hello::new("", Limits::default(), Vec::new())).chunk().to_vec();
    all.extend_from_slice(bytes);
    let mut at = 0;
    loop {
        match inbound.next(&all[at..]) {
            Ok((0, _)) => return None,
            Ok((taken, _)) => at += taken,
            Err(error) => return Some(error),
        }
    }
}

#[test]
fn streams_are_written_as_their_vectors_say_and_are_not_in_use() {
    check("streams.json", &Vectors { hellos: vec![hello()], frames: frames() });
    let kept = kept("streams.json");
    for entry in kept["frames"].as_array().expect("a list") {
        let role = if entry["to"] == "acceptor" { Role::Acceptor } else { Role::Connector };
        let bytes = unhex(&entry["hex"]);
        assert_eq!(
            refused(role, &bytes),
            Some(ProtocolError::UnexpectedFrame(bytes[4])),
            "{}",
            entry["name"]
        );
    }
    let (bytes, mut inbound) =
        (unhex(&kept["hellos"][0]["hex"]), Inbound::new(Role::Connector, Limits::default()));
    let (magic, _) = inbound.next(&bytes).expect("the magic");
    let Ok((_, Some(Event::Hello(hello)))) = inbound.next(&bytes[magic..]) else { panic!("it is a HELLO") };
    let offered: Vec<_> = hello.services[0].methods.iter().map(|method| &*method.name).collect();
    assert_eq!(offered, ["count"]);
}
