//! Heads: requests read, beside httparse, which checks less and finds no fields; and replies written.
//!
//!     cargo bench -p callgate-http1

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark may fail so")]

use callgate_http1::{Known, KnownNames, Limits, Lines, ReplyBody, ReplyHead, Request, http_date};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// As many as the gateway knows.
static NAMES: KnownNames = KnownNames::new(&[
    "content-type",
    "x-request-id",
    "traceparent",
    "tracestate",
    "authorization",
    "origin",
    "accept",
    "accept-encoding",
    "x-forwarded-for",
    "x-timeout-ms",
    "idempotency-key",
    "cookie",
    "user-agent",
    "access-control-request-method",
    "access-control-request-headers",
]);

const LIMITS: Limits =
    Limits { max_head: 16 * 1024, max_target: 8 * 1024, max_fields: 100, max_trailers: 8 * 1024 };

/// What another service sends.
const SERVICE: &str = "POST /v1/orders/quote?currency=EUR HTTP/1.1\r\n\
    Host: api.example.com\r\n\
    User-Agent: orders/1.42.0\r\n\
    Content-Type: application/json\r\n\
    Content-Length: 153\r\n\
    Accept: application/json\r\n\
    X-Request-Id: 0198c5f1-7d44-7b0e-9a44-3f2d6c1f9e77\r\n\
    Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\
    Authorization: Bearer dGhpcyBpcyBub3QgYSB0b2tlbiBidXQgaXQgaXMgYXMgbG9uZw\r\n\
    \r\n";

/// What a browser sends through a proxy.
const BROWSER: &str = "POST /v1/orders/quote?currency=EUR&session=6f1d HTTP/1.1\r\n\
    Host: api.example.com\r\n\
    Connection: keep-alive\r\n\
    Content-Length: 153\r\n\
    sec-ch-ua: \"Chromium\";v=\"142\", \"Not.A/Brand\";v=\"24\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n\
    Content-Type: application/json\r\n\
    Accept: */*\r\n\
    Origin: https://shop.example.com\r\n\
    Sec-Fetch-Site: same-site\r\n\
    Sec-Fetch-Mode: cors\r\n\
    Sec-Fetch-Dest: empty\r\n\
    Referer: https://shop.example.com/cart/checkout\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Cookie: session=0198c5f17d447b0e9a443f2d6c1f9e77; theme=dark; consent=1-1-0; cart=4bf92f3577b34da6\r\n\
    X-Forwarded-For: 203.0.113.77\r\n\
    X-Forwarded-Proto: https\r\n\
    X-Request-Id: 0198c5f1-7d44-7b0e-9a44-3f2d6c1f9e77\r\n\
    \r\n";

fn requests(criterion: &mut Criterion) {
    for (name, head) in [("service, 8 fields", SERVICE), ("browser, 20 fields", BROWSER)] {
        let mut group = criterion.benchmark_group(format!("request from a {name}"));
        group.throughput(Throughput::Bytes(head.len() as u64));
        let mut request = Request::new(&NAMES);
        group.bench_function("callgate-http1", |bencher| {
            bencher.iter(|| {
                request.buffer().extend_from_slice(black_box(head.as_bytes()));
                assert_eq!(request.parse(&LIMITS), Ok(true));
                black_box(request.fields().known(Known(1)) == Lines::None);
                request.finish(0);
            });
        });
        let mut buffer = Vec::new();
        group.bench_function("httparse", |bencher| {
            bencher.iter(|| {
                buffer.clear();
                buffer.extend_from_slice(black_box(head.as_bytes()));
                let mut fields = [httparse::EMPTY_HEADER; 100];
                let mut request = httparse::Request::new(&mut fields);
                assert!(request.parse(&buffer).unwrap().is_complete());
                black_box(request.headers.len());
            });
        });
        group.finish();
    }
}

fn replies(criterion: &mut Criterion) {
    let date = http_date(1_798_761_599);
    let mut out = Vec::new();
    criterion.bench_function("reply head", |bencher| {
        bencher.iter(|| {
            out.clear();
            let mut head = ReplyHead::begin(&mut out, black_box(200));
            head.prepared(b"content-type: application/json\r\n");
            head.field("x-request-id", black_box(b"0198c5f1-7d44-7b0e-9a44-3f2d6c1f9e77"));
            head.field("date", black_box(&date));
            head.end(ReplyBody::Length(black_box(153)));
            black_box(out.len());
        });
    });
}

criterion_group!(benches, requests, replies);
criterion_main!(benches);
