//! `hello.json`: what each side sends first.

use crate::{check, hex, kept, unhex};
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{
    CallId, Event, Hello, Inbound, Limits, MethodOffer, Outbound, Role, ServiceOffer, Streaming, Token,
};
use serde::Serialize;
use serde_json::{Value, json};

/// What a caller brings along in the vectors.
const TOKEN: &str = "example-token";

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    description: &'static str,
    hex: String,
    hello: Value,
}

fn describe(hello: &Hello) -> Value {
    let method = |method: &MethodOffer| {
        json!({
            "name": method.name,
            "call_id": method.call_id.get(),
            "schema": method.schema.to_string(),
            "wire": method.wire.to_string(),
            "idempotent": method.idempotent,
        })
    };
    let service = |service: &ServiceOffer| {
        json!({
            "name": service.name,
            "version": service.version,
            "methods": service.methods.iter().map(method).collect::<Vec<_>>(),
        })
    };
    let mut described = json!({
        "versions": [hello.versions.0, hello.versions.1],
        "max_frame": hello.limits.max_frame,
        "max_message": hello.limits.max_message,
        "max_calls": hello.limits.max_calls,
        "window": hello.limits.window,
        "identity": hello.identity,
        "services": hello.services.iter().map(service).collect::<Vec<_>>(),
    });
    if let Some(token) = &hello.token {
        assert!(token.is(TOKEN.as_bytes()), "a token shows itself nowhere");
        described["token"] = TOKEN.into();
    }
    described
}

fn entry(name: &'static str, description: &'static str, hello: &Hello) -> Entry {
    Entry { name, description, hex: hex(&Outbound::new(hello).chunk().to_vec()), hello: describe(hello) }
}

fn method(name: &str, idempotent: bool) -> MethodOffer {
    MethodOffer {
        name: name.into(),
        call_id: CallId::of("calc", name),
        schema: Fingerprint::of(name.as_bytes()),
        wire: Fingerprint::of(format!("wire form of {name}").as_bytes()),
        idempotent,
        streams: Streaming::default(),
    }
}

#[test]
fn hellos_are_written_and_understood_as_their_vectors_say() {
    let service = ServiceOffer {
        name: "calc".into(),
        version: "1.2.0".into(),
        methods: vec![method("add", true), method("reset", false)],
    };
    let unversioned = ServiceOffer { name: "clock".into(), version: String::new(), methods: Vec::new() };
    let small = Limits { max_frame: 4096, max_message: 1_048_576, max_calls: 64, window: 4_194_304 };
    let mut later = Hello::new("later/9", Limits::default(), Vec::new());
    later.versions = (1, 9);
    let mut with_token = Hello::new("edge/0.1.0", Limits::default(), Vec::new());
    with_token.token = Token::parse(TOKEN).ok();
    let entries = [
        entry(
            "caller",
            "magic and HELLO of a side that offers nothing",
            &Hello::new("edge/0.1.0", Limits::default(), Vec::new()),
        ),
        entry(
            "backend",
            "a side with limits of its own that offers two services",
            &Hello::new("shop/0.1.0 pid 4711", small, vec![service, unversioned]),
        ),
        entry("later", "a side that speaks versions 1 to 9: version 1 is spoken with it", &later),
        entry("token", "a side that offers nothing and brings a token along", &with_token),
    ];
    check("hello.json", &entries);
    for entry in kept("hello.json").as_array().expect("a list") {
        let (bytes, mut inbound) = (unhex(&entry["hex"]), Inbound::new(Role::Connector, Limits::default()));
        let (magic, _) = inbound.next(&bytes).expect("the magic");
        let Ok((taken, Some(Event::Hello(hello)))) = inbound.next(&bytes[magic..]) else {
            panic!("no HELLO in {}", entry["name"]);
        };
        assert_eq!(magic + taken, bytes.len());
        assert_eq!(describe(&hello), entry["hello"]);
    }
}
