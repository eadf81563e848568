//! Which instance a call goes to: endpoints of every kind, shares, bounds, and instances that are not there.

use callgate_tests::{Backend, Client, Gateway, Raw, Setup, eventually, free_port};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A backend `calls` with those lines, and the shop's adding and waiting routed to it.
fn table(endpoints: &[&str], lines: &str) -> String {
    format!(
        "[backends.calls]\nendpoints = {endpoints:?}\n{lines}\n\
         [[routes]]\nmatch = \"GET /add\"\ncall = \"calc.add\"\nresponse = {{ wrap = \"result\" }}\n\
         [[routes]]\nmatch = \"GET /delay/{{ms}}\"\ncall = \"echo.delay\"\nresponse = {{ wrap = \"result\" }}\n"
    )
}

async fn gateway(setup: &Setup, backends: &[&Backend], lines: &str) -> Gateway {
    let endpoints: Vec<String> = backends.iter().map(|backend| backend.endpoint()).collect();
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    setup.write_routes("calls.toml", &table(&endpoints, lines));
    let gateway = setup.gateway().await;
    for backend in backends {
        gateway.connected(backend).await;
    }
    gateway
}

async fn adds(client: &Client) {
    let answer = client.get("/add?a=1&b=2").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"result": 3})));
}

/// One call in flight in each of the two workers: connections are spread over them evenly.
async fn occupy_both_workers(gateway: &Gateway) -> [Raw; 2] {
    // Connections that other clients keep would count as well.
    let open = async || gateway.metric("callgate_connections_open", &[]).await;
    assert_eq!(open().await, 0.0);
    let mut raws = [Raw::connect(gateway.addr).await, Raw::connect(gateway.addr).await];
    for raw in &mut raws {
        raw.write("GET /delay/60000 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    }
    let calls = async || gateway.metric("callgate_calls_in_flight", &[]).await;
    eventually("a call in each worker", || async { (calls().await == 2.0).then_some(()) }).await;
    raws
}

#[tokio::test]
async fn calls_are_spread_over_equal_instances() {
    // By latency, one call that the machine has held up makes the other instances the better ones for a while.
    for (n, balance) in [(2, "least_request"), (3, "least_request"), (3, "round_robin"), (2, "random")] {
        let setup = Setup::new();
        let backends: Vec<Backend> = (0..n).map(|_| setup.backend("shop")).collect();
        let lines = format!("balance = \"{balance}\"");
        let gateway = gateway(&setup, &backends.iter().collect::<Vec<_>>(), &lines).await;
        const CALLS: u32 = 600;
        for _ in 0..CALLS {
            adds(&gateway.client).await;
        }
        for backend in &backends {
            let calls =
                gateway.metric("callgate_calls_total", &[&backend.endpoint(), "outcome=\"ok\""]).await;
            let share = f64::from(CALLS) / f64::from(n);
            assert!(
                calls > share * 0.6 && calls < share * 1.4,
                "{balance}: {calls} of {CALLS} to one of {n}"
            );
        }
    }
}

#[tokio::test]
async fn unix_sockets_and_host_names_are_endpoints() {
    let setup = Setup::new();
    let socket = setup.backend_at("shop", format!("unix:{}", setup.log("socket").display()));
    let named = setup.backend_at("shop", format!("localhost:{}", free_port()));
    for backend in [&socket, &named] {
        let gateway = gateway(&setup, &[backend], "").await;
        adds(&gateway.client).await;
        let calls = gateway.metric("callgate_calls_total", &[&backend.endpoint()]).await;
        assert_eq!(calls, 1.0, "{}", backend.endpoint());
    }
}

#[tokio::test]
async fn a_bound_of_calls_gives_503_until_there_is_room() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let gateway = gateway(&setup, &[&backend], "max_calls = 1").await;
    let occupied = occupy_both_workers(&gateway).await;
    let answer = gateway.client.get("/add?a=1&b=2").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    assert!(answer.text().contains("busy"), "{}", answer.text());
    drop(occupied);
    eventually("room", || async { (gateway.client.get("/add?a=1&b=2").await.status == 200).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_method_is_not_called_unknown_while_the_instance_that_offers_it_is_busy_or_away() {
    let setup = Setup::new();
    let mut old = setup.backend("shop");
    let new = setup.backend("shop-next");
    let gateway = gateway(&setup, &[&old, &new], "max_calls = 1\nhold = \"0s\"").await;
    let occupied = occupy_both_workers(&gateway).await;
    for _ in 0..10 {
        let answer = gateway.client.get("/add?a=1&b=2").await;
        assert_eq!(answer.status, 503, "busy: {}", answer.text());
    }
    drop(occupied);
    old.kill();
    for _ in 0..10 {
        let answer = gateway.client.get("/add?a=1&b=2").await;
        assert_eq!(answer.status, 503, "away: {}", answer.text());
    }
    let unknown = "[[routes]]\nmatch = \"GET /unknown\"\ncall = \"calc.unknown\"\nbackend = \"calls\"\n";
    setup.write_routes("unknown.toml", unknown);
    gateway.reload().await;
    assert_eq!(gateway.client.get("/unknown").await.status, 501, "no instance ever offered it");
}

#[tokio::test]
async fn an_instance_that_never_answers_slows_no_call_to_another() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    // One takes connections and is silent; the other's queue is full, so that connecting itself hangs.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let full = TcpSocket::new_v4().expect("a socket");
    full.bind("127.0.0.1:0".parse().expect("an address")).expect("loopback has free ports");
    let full = full.listen(1).expect("it listens");
    let full_addr = full.local_addr().expect("it is bound");
    let mut fill = Vec::new();
    while let Ok(Ok(socket)) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(full_addr)).await
    {
        fill.push(socket);
    }
    let silent = silent.local_addr().expect("it is bound").to_string();
    let endpoints = [backend.endpoint(), silent, full_addr.to_string()];
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    // Calls that waited for it even now and then would take far longer together than they may.
    setup.write_routes("calls.toml", &table(&endpoints, "connect_timeout = \"2s\""));
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let began = Instant::now();
    for _ in 0..200 {
        adds(&gateway.client).await;
    }
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(gateway.metric("callgate_backend_connects_total", &["failed"]).await >= 4.0);
}
