//! What a peer can make large, at one size and at twice that: frames, messages in parts, HELLO, metadata, schemas. Work and
//! memory are counted, and may grow by no more than about twice.
#![allow(clippy::unwrap_used)]

use callgate_protocol::call::key;
use callgate_protocol::check;
use callgate_protocol::frame::{Header, MAGIC, flag, kind};
use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Field, Fingerprint, Logical, MethodSchema, Shape, StructDef, Type,
    Variant,
};
use callgate_protocol::wire::{put_bytes, put_varint};
use callgate_protocol::{
    CallHead, CallId, Code, Hello, Inbound, Limits, MetadataBuf, MethodOffer, Outbound, Role, ServiceOffer,
    Status, Streaming,
};
use callgate_scaling::{Case, Cost, cost, grow_like_their_input};
use std::convert::Infallible;

fn frame(kind: u8, flags: u8, call: u32, body: &[u8]) -> Vec<u8> {
    let header = Header { length: body.len() as u32, kind, flags, call };
    [&header.encode()[..], body].concat()
}

fn sent(outbound: &mut Outbound) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !outbound.is_empty() {
        let chunk = outbound.chunk().to_vec();
        bytes.extend_from_slice(&chunk);
        outbound.advance(chunk.len());
    }
    bytes
}

fn hello(services: Vec<ServiceOffer>) -> Vec<u8> {
    sent(&mut Outbound::new(&Hello::new("peer", Limits::default(), services)))
}

/// Takes all of it; what is said is dropped as it comes.
fn take(inbound: &mut Inbound, bytes: &[u8]) {
    let mut at = 0;
    while let (taken @ 1.., _) = inbound.next(&bytes[at..]).unwrap() {
        at += taken;
    }
    assert_eq!(at, bytes.len());
}

/// What a side that was said HELLO to spends on these frames.
fn received(role: Role, frames: &[Vec<u8>]) -> Cost {
    let mut inbound = Inbound::new(role, Limits::default());
    take(&mut inbound, &hello(Vec::new()));
    let frames = frames.concat();
    cost(|| take(&mut inbound, &frames))
}

fn method(service: usize, number: usize) -> MethodOffer {
    let name = format!("m{number:06}");
    let call_id = CallId::of(&format!("s{service}"), &name);
    MethodOffer {
        name,
        call_id,
        schema: Fingerprint([7; 16]),
        wire: Fingerprint([8; 16]),
        idempotent: false,
        streams: Streaming::default(),
    }
}

fn service(number: usize, methods: usize) -> ServiceOffer {
    ServiceOffer {
        name: format!("s{number:06}"),
        version: "1".to_owned(),
        methods: (0..methods).map(|at| method(number, at)).collect(),
    }
}

#[test]
fn what_a_peer_says_costs_what_its_bytes_do() {
    fn said(bytes: Vec<u8>) -> Cost {
        cost(|| take(&mut Inbound::new(Role::Connector, Limits::default()), &bytes))
    }
    let services: Case = ("services", 1024, |n| said(hello((0..n).map(|at| service(at, 1)).collect())));
    let methods: Case = ("methods of a service", 1024, |n| said(hello(vec![service(0, n)])));
    let identity: Case = ("an identity", 64 * 1024, |n| {
        let hello = Hello::new("i".repeat(n), Limits::default(), Vec::new());
        said(sent(&mut Outbound::new(&hello)))
    });
    let unknown: Case = ("fields that are not known", 4096, |n| {
        let mut body = vec![1, 4, 1, 0, 1, 0];
        body.extend([200, 1, 0].repeat(n));
        body.extend([5, 1, b'x'].repeat(n));
        said([&MAGIC[..], &frame(kind::HELLO, 0, 0, &body)].concat())
    });
    grow_like_their_input(&[services, methods, identity, unknown]);
}

#[test]
fn frames_cost_what_their_bytes_do() {
    grow_like_their_input(&[
        ("failures", 1024, |n| {
            let mut out = Outbound::new(&Hello::new("", Limits::default(), Vec::new()));
            sent(&mut out);
            (1..=n as u32).for_each(|call| out.failure(call, &Status::new(Code::NotFound, "there is none")));
            received(Role::Connector, &[sent(&mut out)])
        }),
        ("fragments of a message", 256, |n| {
            let mut frames = vec![frame(kind::REPLY, flag::MORE, 1, b"")];
            frames.extend((1..n).map(|_| frame(kind::DATA, flag::MORE, 1, &[7; 64])));
            frames.push(frame(kind::DATA, 0, 1, &[7; 64]));
            received(Role::Connector, &frames)
        }),
        ("messages under way at once", 256, |n| {
            let first = |call| frame(kind::REPLY, flag::MORE, call as u32, &[7; 64]);
            received(Role::Connector, &(1..=n).map(first).collect::<Vec<_>>())
        }),
        ("a failure's words and details", 8192, |n| {
            let status =
                Status::new(Code::Aborted, "w".repeat(n)).with_details(format!("\"{}\"", "d".repeat(n)));
            let mut out = Outbound::new(&Hello::new("", Limits::default(), Vec::new()));
            sent(&mut out);
            out.set_max_frame(64 * 1024);
            out.failure(1, &status);
            received(Role::Connector, &[sent(&mut out)])
        }),
    ]);
}

#[test]
fn what_is_sent_costs_what_its_bytes_do() {
    fn outbound() -> Outbound {
        let mut out = Outbound::new(&Hello::new("", Limits::default(), Vec::new()));
        sent(&mut out);
        out
    }
    fn call(out: &mut Outbound, number: u32, size: usize) {
        let head = CallHead { call_id: CallId::of("s", "m"), timeout_ms: None, metadata: Default::default() };
        let payload = |bytes: &mut Vec<u8>| {
            bytes.resize(bytes.len() + size, 7);
            Ok::<_, Infallible>(None)
        };
        let Ok(_) = out.call(number, &head, payload);
    }
    grow_like_their_input(&[
        ("short messages", 4096, |n| {
            let mut out = outbound();
            cost(move || {
                (1..=n as u32).for_each(|number| call(&mut out, number, 10));
                sent(&mut out)
            })
        }),
        ("a long message", 128 * 1024, |n| {
            let mut out = outbound();
            cost(move || {
                call(&mut out, 1, n);
                sent(&mut out)
            })
        }),
        ("long messages", 64, |n| {
            let mut out = outbound();
            cost(move || {
                (1..=n as u32).for_each(|number| call(&mut out, number, 4096));
                sent(&mut out)
            })
        }),
        ("metadata", 256, |n| {
            cost(move || {
                let mut metadata = MetadataBuf::default();
                (0..n).for_each(|at| assert!(metadata.push_named(&format!("x-{at:04}"), b"value")));
                assert!(metadata.push(key::CALLER, b"me"));
                assert_eq!(metadata.as_metadata().iter().count(), n + 1);
                metadata
            })
        }),
    ]);
}

fn field(number: usize, ty: Type) -> Field {
    Field::new(format!("f{number:06}"), ty)
}

fn structure(fields: Vec<Field>) -> Definition {
    Definition::Struct(StructDef::new("S", fields))
}

fn variant(number: usize, shape: Shape) -> Variant {
    Variant::new(format!("V{number:06}"), shape)
}

fn enumeration(variants: Vec<Variant>) -> Definition {
    Definition::Enum(EnumDef::new("E", variants))
}

/// What reading a schema of these definitions costs; the first is the request.
fn read(definitions: Vec<Definition>) -> Cost {
    let schema = MethodSchema::new(Type::Ref(0), Type::Unit, definitions);
    let encoded = schema.encode();
    cost(|| MethodSchema::decode(&encoded).unwrap())
}

#[test]
fn schemas_cost_what_their_bytes_do() {
    grow_like_their_input(&[
        ("fields", 1024, |n| read(vec![structure((0..n).map(|at| field(at, Type::U8)).collect())])),
        ("aliases", 1024, |n| {
            let aliases = (0..n).map(|at| format!("a{at:06}")).collect();
            read(vec![structure(vec![Field { aliases, ..field(0, Type::U8) }])])
        }),
        ("variants", 1024, |n| {
            let variants = (0..n).map(|at| variant(at, Shape::Tuple(vec![Type::U8, Type::String]))).collect();
            read(vec![structure(Vec::new()), enumeration(variants)])
        }),
        ("definitions", 1024, |n| {
            let last = n as u32 - 1;
            let next = |at: usize| structure(vec![field(0, Type::Ref(last.min(at as u32 + 1)))]);
            read((0..n).map(next).collect())
        }),
        ("parts of a tuple", 1024, |n| read(vec![structure(vec![field(0, Type::Tuple(vec![Type::U8; n]))])])),
        ("defaults", 256, |n| {
            let default = |at| Field { default: Some(vec![2, b'x', b'y']), ..field(at, Type::String) };
            read(vec![structure((0..n).map(default).collect())])
        }),
        ("words", 16 * 1024, |n| {
            let mut wordy = field(0, Type::U8);
            wordy.doc = "d".repeat(n);
            read(vec![structure(vec![wordy])])
        }),
        ("attributes", 1024, |n| {
            let attributes = (0..n as u32).fold(Attributes::new(), |all, tag| all.with(100 + tag, [7]));
            read(vec![structure(vec![Field { attributes, ..field(0, Type::U8) }])])
        }),
        ("examples", 256, |n| {
            let with = |at| Field {
                attributes: Attributes::new().with_example([1, b'x']),
                ..field(at, Type::String)
            };
            read(vec![structure((0..n).map(with).collect())])
        }),
        ("maps by an enum", 256, |n| {
            let map = Type::Map(Box::new(Type::Ref(1)), Box::new(Type::U8));
            let fields = (0..n).map(|at| field(at, map.clone())).collect();
            read(vec![structure(fields), enumeration((0..n).map(|at| variant(at, Shape::Unit)).collect())])
        }),
    ]);
}

/// What bringing a schema into its canonical form and its wire form costs.
fn formed(definitions: Vec<Definition>) -> Cost {
    let schema = MethodSchema::new(Type::Ref(0), Type::Unit, definitions);
    MethodSchema::decode(&schema.encode()).unwrap();
    cost(|| (schema.canonical(), schema.wire_fingerprint()))
}

/// One field with this default.
fn defaulted(ty: Type, default: Vec<u8>) -> Vec<Definition> {
    vec![structure(vec![Field { default: Some(default), ..field(0, ty) }])]
}

/// So many short texts, the last ones first.
fn texts(n: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, n as u64);
    for at in (0..n).rev() {
        put_bytes(&mut bytes, format!("{at:04}").as_bytes());
        bytes.extend_from_slice(value);
    }
    bytes
}

#[test]
fn canonical_schemas_cost_what_their_bytes_do() {
    grow_like_their_input(&[
        ("a chain of definitions, the last ones first", 1024, |n| {
            let next =
                |at: usize| structure(vec![field(0, Type::Ref(if at == 1 { 0 } else { at as u32 - 1 }))]);
            let first = structure(vec![field(0, Type::Ref(n as u32 - 1))]);
            formed(std::iter::once(first).chain((1..n).map(next)).collect())
        }),
        ("fields that all refer to one definition", 1024, |n| {
            let wide = |n| structure((0..n).map(|at| field(at, Type::Ref(1))).collect());
            formed(vec![wide(n), wide(n)])
        }),
        ("parts of a tuple", 1024, |n| {
            formed(vec![structure(vec![field(0, Type::Tuple(vec![Type::U8; n]))])])
        }),
        ("a map", 512, |n| {
            let map = Type::Map(Box::new(Type::String), Box::new(Type::U8));
            formed(defaulted(map, texts(n, &[7])))
        }),
        ("a set", 512, |n| {
            let list = Type::List(Box::new(Type::String));
            formed(defaulted(Type::Logical(Logical::SET, Box::new(list)), texts(n, &[])))
        }),
        ("defaults and examples", 256, |n| {
            let with = |at| Field {
                default: Some(vec![2, b'x', b'y']),
                attributes: Attributes::new().with_example([1, b'x']),
                ..field(at, Type::String)
            };
            formed(vec![structure((0..n).map(with).collect())])
        }),
        ("attributes that nobody knows", 1024, |n| {
            let attributes = (0..n as u32).fold(Attributes::new(), |all, tag| all.with(100 + tag, [7]));
            formed(vec![structure(vec![Field { attributes, ..field(0, Type::U8) }])])
        }),
    ]);
}

#[test]
fn maps_cost_what_their_bytes_do() {
    fn checked(ty: Type, bytes: Vec<u8>) -> Cost {
        let schema = MethodSchema::new(Type::Ref(0), ty, Vec::new());
        cost(|| check::value(&schema, &schema.response, &bytes))
    }
    fn keyed(n: usize) -> (usize, Cost) {
        let bytes = texts(n, &[7]);
        let map = Type::Map(Box::new(Type::String), Box::new(Type::U8));
        (bytes.len(), checked(map, bytes))
    }
    let keys: Case = ("keys", 4096, |n| keyed(n).1);
    let same: Case = ("one key over and over behind a few others", 4096, |n| {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, n as u64);
        bytes.extend((0..n).flat_map(|at| [at.min(9) as u8, 7]));
        checked(Type::Map(Box::new(Type::U8), Box::new(Type::U8)), bytes)
    });
    grow_like_their_input(&[keys, same]);
    // What is noted of a key takes twelve bytes, and there may be room for as many again.
    let (length, spent) = keyed(1 << 18);
    assert!(spent.peak <= 3 * length as u64, "{spent} for a message of {length} bytes");
}

/// Each level of a map's keys is sorted anew: the bytes of a value are copied as often as it nests, and it nests as deep as a
/// message may.
#[test]
fn a_value_that_nests_as_deep_as_it_may_is_formed_soon() {
    let set = |ty: Type| Type::Logical(Logical::SET, Box::new(Type::List(Box::new(ty))));
    // A set of structs, each with a set of such structs.
    let node = structure(vec![field(0, set(Type::Ref(1)))]);
    let mut value = texts(0, &[]);
    for _ in 0..62 {
        value.splice(0..0, [1]);
    }
    let leaf = vec![0; 60_000];
    value.pop();
    put_varint(&mut value, leaf.len() as u64);
    value.extend_from_slice(&leaf);
    let Definition::Struct(request) = &defaulted(set(Type::Ref(1)), value)[0] else {
        unreachable!("it is one")
    };
    let schema = MethodSchema::new(Type::Ref(0), Type::Unit, vec![Definition::Struct(request.clone()), node]);
    MethodSchema::decode(&schema.encode()).unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(schema.canonical(), schema);
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}
