//! Frames: calls into a connection's send buffer, and replies out of its receive buffer, sixty-four in a turn.
//!
//!     cargo bench -p callgate-protocol

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark may fail so")]

use callgate_protocol::{CallHead, CallId, Event, Hello, Inbound, Limits, Metadata, Outbound, Role};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::convert::Infallible;
use std::hint::black_box;

/// Messages in one turn of the loop, as with so many clients.
const BATCH: u32 = 64;

/// Payloads: a small quote, one in a frame of nearly full size, and one in fragments.
const SIZES: [(&str, usize); 3] = [("small", 150), ("frame", 60_000), ("fragments", 200_000)];

fn open_outbound() -> Outbound {
    let mut outbound = Outbound::new(&Hello::new("bench", Limits::default(), Vec::new()));
    outbound.set_max_frame(Limits::default().max_frame);
    send(&mut outbound, &mut Vec::new());
    outbound
}

/// Takes all that is to be sent, as the owner of a socket does.
fn send(outbound: &mut Outbound, wire: &mut Vec<u8>) {
    while !outbound.is_empty() {
        let chunk = outbound.chunk();
        let size = chunk.len();
        chunk.pieces().for_each(|piece| wire.extend_from_slice(piece));
        outbound.advance(size);
    }
}

fn encode(criterion: &mut Criterion) {
    let head = CallHead {
        call_id: CallId::of("orders", "quote"),
        timeout_ms: Some(2_000),
        metadata: Metadata::default(),
    };
    let mut group = criterion.benchmark_group("encode 64 calls");
    for (name, size) in SIZES {
        let payload = vec![7; size];
        let (mut outbound, mut number) = (open_outbound(), 0);
        let mut wire = Vec::new();
        group.throughput(Throughput::Elements(BATCH.into()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for _ in 0..BATCH {
                    number += 1;
                    let write = |out: &mut Vec<u8>| {
                        out.extend_from_slice(black_box(&payload));
                        Ok::<_, Infallible>(None)
                    };
                    outbound.call(number, &head, write).unwrap();
                }
                wire.clear();
                send(&mut outbound, &mut wire);
                black_box(wire.len())
            });
        });
    }
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode 64 replies");
    for (name, size) in SIZES {
        let mut wire = Vec::new();
        let mut outbound = open_outbound();
        for number in 1..=BATCH {
            outbound.reply_with(number, Metadata::default(), vec![7; size]);
        }
        send(&mut outbound, &mut wire);
        let mut inbound = open_inbound();
        group.throughput(Throughput::Elements(BATCH.into()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| assert_eq!(replies(&mut inbound, black_box(&wire)), BATCH));
        });
    }
    group.finish();
}

fn open_inbound() -> Inbound {
    let mut inbound = Inbound::new(Role::Connector, Limits::default());
    let mut greeting = Vec::new();
    send(&mut Outbound::new(&Hello::new("bench", Limits::default(), Vec::new())), &mut greeting);
    replies(&mut inbound, &greeting);
    inbound
}

/// Takes all frames of `wire`, and counts the replies.
fn replies(inbound: &mut Inbound, mut wire: &[u8]) -> u32 {
    let mut count = 0;
    loop {
        let (taken, event) = inbound.next(wire).unwrap();
        if let Some(Event::Reply { payload, .. }) = event {
            black_box(payload);
            count += 1;
        }
        if taken == 0 {
            return count;
        }
        wire = &wire[taken..];
    }
}

criterion_group!(benches, encode, decode);
criterion_main!(benches);
