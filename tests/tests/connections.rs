//! HTTP/1.1 byte by byte: what a client connection is good for after each kind of answer, and the older and rarer ways
//! to ask.

use callgate_tests::{Raw, Setup, eventually, header};

const ADD: &str = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";
const SUM: &str = r#"{"result":3}"#;

fn post(path: &str, headers: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_connection_serves_on_after_an_error() {
    let setup = Setup::new().server("max_body = \"1KiB\"");
    let (_backend, gateway) = setup.shop().await;
    let json = "content-type: application/json\r\n";
    let large = format!("\"{}\"", "x".repeat(2000));
    let chunked = format!("7d2\r\n{large}\r\n0\r\n\r\n");
    let chunked_head =
        format!("POST /v1/echo HTTP/1.1\r\nhost: x\r\n{json}transfer-encoding: chunked\r\n\r\n");
    let errors = [
        (404, post("/nowhere", json, "{}")),
        (405, post("/v1/calc/add", json, "{}")),
        (413, post("/v1/echo", json, &large)),
        (413, format!("{chunked_head}{chunked}")),
        (415, post("/v1/echo", "content-type: text/plain\r\n", "{}")),
        (415, post("/v1/echo", "content-encoding: compress\r\n", "{}")),
        (400, post("/v1/echo", json, "{")),
        (400, post("/v1/orders/1/quote", json, "{}")),
        (400, post("/v1/orders/1/quote", "", "")),
        (400, "GET /v1/orders/%ff HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
        (409, "GET /v1/fail/aborted HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()),
    ];
    let mut raw = Raw::connect(gateway.addr).await;
    for (status, request) in errors {
        raw.write(&request).await;
        assert_eq!(raw.status().await, status, "{request}");
        raw.write(ADD).await;
        assert_eq!(raw.answer().await.expect("it serves on").1, SUM, "after {request}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let mut raw = Raw::connect(gateway.addr).await;
    let requests: String = (0..50)
        .map(|n| match n % 3 {
            0 => post("/v1/echo", "content-type: application/json\r\n", &n.to_string()),
            1 => format!("GET /v1/calc/add?a={n}&b=0 HTTP/1.1\r\nhost: x\r\n\r\n"),
            _ => format!("GET /v1/delay/{} HTTP/1.1\r\nhost: x\r\n\r\n", n % 5),
        })
        .collect();
    raw.write(requests).await;
    for n in 0..50 {
        let expected = match n % 3 {
            0 => n.to_string(),
            1 => format!("{{\"result\":{n}}}"),
            _ => format!("{{\"result\":{}}}", n % 5),
        };
        assert_eq!(raw.answer().await.expect("an answer").1, expected);
    }
}

#[tokio::test]
async fn an_answer_does_not_wait_for_the_rest_of_the_next_request() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    // Some clients send a line end after a body.
    for (beginning, rest) in [("GET /v1/ca", "lc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n"), ("\r\n", ADD)] {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(format!("{ADD}{beginning}")).await;
        assert_eq!(raw.answer().await.expect("an answer").1, SUM);
        raw.write(rest).await;
        assert_eq!(raw.answer().await.expect("an answer").1, SUM);
    }
}

#[tokio::test]
async fn expect_100_continue_is_asked_for_the_body_or_refused_at_once() {
    let setup = Setup::new().server("max_body = \"1KiB\"");
    let (_backend, gateway) = setup.shop().await;
    let expect = "content-type: application/json\r\nexpect: 100-continue\r\n";
    let head = |length: usize| {
        format!("POST /v1/echo HTTP/1.1\r\nhost: x\r\n{expect}content-length: {length}\r\n\r\n")
    };
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(head(2)).await;
    assert_eq!(raw.status().await, 100);
    raw.write("{}").await;
    assert_eq!(raw.answer().await.expect("an answer").1, "{}");
    raw.write(head(2000)).await;
    let (answer, _) = raw.answer().await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(header(&answer, "connection"), Some("close"), "the body may come or not: nobody can tell");
    assert!(raw.ended().await);
}

#[tokio::test]
async fn older_and_rarer_ways_to_ask_are_understood() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let add = "/v1/calc/add?a=1&b=2";
    // The request, the status, and whether the connection ends after it.
    let cases = [
        (format!("GET http://elsewhere{add} HTTP/1.1\r\nhost: elsewhere\r\n\r\n"), 200, false),
        (format!("GET {add} HTTP/1.0\r\n\r\n"), 200, true),
        (format!("GET {add} HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"), 200, false),
        (format!("GET {add} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"), 200, true),
        (format!("\r\n{ADD}"), 200, false),
        // RFC 9112, 2.2: one empty line, which clients that are wrong send behind a body.
        (format!("\r\n\r\n{ADD}"), 400, true),
        ("CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n".to_owned(), 501, true),
        (format!("HEAD {add} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"), 200, true),
        (format!("GET {add} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"), 200, false),
        ("OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(), 204, false),
        ("GARBAGE\r\n\r\n".to_owned(), 400, true),
        (format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(32 << 10)), 414, true),
        (format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "x".repeat(32 << 10)), 431, true),
        // RFC 9112, 3.2: one Host, and none in HTTP/1.0 only.
        (format!("GET {add} HTTP/1.1\r\n\r\n"), 400, true),
        (format!("GET {add} HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n"), 400, true),
        (format!("GET {add} HTTP/1.0\r\nhost: x\r\nhost: y\r\n\r\n"), 400, true),
    ];
    for (request, status, ends) in cases {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(&request).await;
        let start: String = request.chars().take(80).collect();
        if request.starts_with("HEAD") {
            // Its length is that of the body which is left out.
            assert!(raw.answer().await.is_none() && raw.ended().await);
            continue;
        }
        assert_eq!(raw.status().await, status, "{start}");
        if ends {
            assert!(raw.ended().await, "{start}");
        } else {
            raw.write(ADD).await;
            assert_eq!(raw.status().await, 200, "after {start}");
        }
    }
}

#[tokio::test]
async fn after_load_with_clients_that_break_off_every_gauge_is_back() {
    let setup = Setup::new();
    let (mut backend, gateway) = setup.shop().await;
    let head =
        "POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    for round in 0..40 {
        let mut clients = Vec::new();
        for n in 0..10 {
            let mut raw = Raw::connect(gateway.addr).await;
            let request = match n % 5 {
                0 => ADD.to_owned(),
                1 => "GET /v1/delay/60000 HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
                2 => format!("{head}[1,2"),
                3 => "GET /v1/ca".to_owned(),
                _ => format!("{ADD}{ADD}GET /v1/delay/60000 HTTP/1.1\r\nhost: x\r\n\r\n"),
            };
            raw.write(request).await;
            if n % 2 == round % 2 && n % 5 == 0 {
                assert!(matches!(raw.status().await, 200 | 503));
            }
            clients.push(raw);
        }
        match round {
            // Its connections, and the calls on them, are lost.
            15 => backend.kill(),
            20 => {
                backend.start();
                gateway.connected(&backend).await;
            }
            25 => {
                // It would wait for the calls in flight.
                clients.clear();
                backend.stop().await;
                backend.start();
                gateway.connected(&backend).await;
            }
            _ => {}
        }
    }
    let gauges = [
        ("callgate_connections_open", 0.0),
        ("callgate_requests_in_flight", 0.0),
        ("callgate_calls_in_flight", 0.0),
        ("callgate_backend_connections", 2.0),
    ];
    for (name, expected) in gauges {
        let mut last = 0.0;
        let back = tokio::time::timeout(callgate_tests::PATIENCE, async {
            loop {
                last = gateway.metric(name, &[]).await;
                if last == expected {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        });
        assert!(back.await.is_ok(), "{name} is {last}");
    }
    assert!(!gateway.log().contains("panicked"), "{}", gateway.log());
    eventually("service", || async {
        (gateway.client.get("/v1/calc/add?a=1&b=2").await.status == 200).then_some(())
    })
    .await;
}
