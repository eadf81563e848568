//! Rate limits of real gateways with two workers. Buckets here fill so slowly that no test takes long enough to matter.

use callgate_tests::{Answer, Backend, Client, Gateway, PATIENCE, Raw, Setup};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// A table with a route for each of those, path and `rate_limit`, and lines before them.
fn write(setup: &Setup, backend: &Backend, lines: &str, routes: &[(&str, &str)]) {
    let mut text = format!("[backends.shop]\nendpoints = [{:?}]\n{lines}\n", backend.endpoint());
    for (path, rate_limit) in routes {
        text.push_str(&format!("[[routes]]\nmatch = \"GET {path}\"\ncall = \"calc.add\"\n"));
        text.push_str(&format!("rate_limit = {rate_limit}\n"));
    }
    setup.write_routes("limits.toml", &text);
}

async fn gateway(setup: &Setup, backend: &Backend, lines: &str, routes: &[(&str, &str)]) -> Gateway {
    write(setup, backend, lines, routes);
    let gateway = setup.gateway().await;
    gateway.connected(backend).await;
    gateway
}

async fn get(client: &Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    client.send("GET", &format!("{path}?a=1&b=2"), headers, "").await
}

/// How often each status was answered to so many requests that were sent at once, over connections to both workers.
async fn burst(gateway: &Gateway, path: &str, requests: u32) -> BTreeMap<u16, u32> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..requests {
        let (client, path) = (gateway.client.clone(), path.to_owned());
        tasks.spawn(async move { get(&client, &path, &[]).await.status });
    }
    let mut statuses = BTreeMap::new();
    while let Some(status) = tasks.join_next().await {
        *statuses.entry(status.expect("a request ends")).or_default() += 1;
    }
    assert!(gateway.metric("callgate_connections_total", &[]).await >= 2.0, "one worker did it all");
    statuses
}

/// How many of so many requests, one after another, were let through.
async fn allowed(gateway: &Gateway, path: &str, headers: &[(&str, &str)], requests: u32) -> u32 {
    let mut allowed = 0;
    for _ in 0..requests {
        let answer = get(&gateway.client, path, headers).await;
        assert!([200, 429].contains(&answer.status), "{}", answer.text());
        allowed += u32::from(answer.status == 200);
    }
    allowed
}

async fn counted(gateway: &Gateway, path: &str, outcome: &str) -> f64 {
    let labels = [format!("route=\"{path}\""), format!("outcome=\"{outcome}\"")];
    gateway.metric("callgate_rate_limited_total", &[&labels[0], &labels[1]]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_workers_together_let_through_exactly_the_burst() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let limit = "{ rate = \"1/h\", burst = 50 }";
    let gateway = gateway(&setup, &backend, "", &[("/limited", limit)]).await;
    assert_eq!(burst(&gateway, "/limited", 200).await, BTreeMap::from([(200, 50), (429, 150)]));
    assert_eq!(counted(&gateway, "/limited", "allowed").await, 50.0);
    assert_eq!(counted(&gateway, "/limited", "limited").await, 150.0);
    assert_eq!(gateway.metric("callgate_requests_total", &["status=\"429\""]).await, 150.0);
    assert_eq!(gateway.metric("callgate_calls_total", &[]).await, 50.0, "what is refused is not called");
}

#[tokio::test]
async fn an_answer_says_what_is_left_and_a_refusal_says_when_to_come_again() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let limits = "[{ rate = \"2/h\", burst = 2 }, { rate = \"9/h\", burst = 9, by = \"client\" }]";
    let gateway =
        gateway(&setup, &backend, "", &[("/limited", limits), ("/free", "{ rate = \"1000/s\" }")]).await;
    let answer = get(&gateway.client, "/limited", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("ratelimit"), "\"route:2/h\";r=1;t=1800, \"client:9/h\";r=8;t=400");
    assert_eq!(answer.header("ratelimit-policy"), "");
    // A token is taken whatever becomes of the request, and its answer says so.
    let wrong = gateway.client.get("/limited?a=x&b=2").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.header("ratelimit").starts_with("\"route:2/h\";r=0;t="), "{}", wrong.header("ratelimit"));
    let refused = get(&gateway.client, "/limited", &[]).await;
    assert_eq!((refused.status, refused.header("content-type")), (429, "application/problem+json"));
    let problem = refused.json();
    assert_eq!((&problem["code"], &problem["status"]), (&"resource_exhausted".into(), &429.into()));
    assert_eq!(problem["request_id"], refused.header("x-request-id"));
    let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=1800).contains(&seconds), "{seconds}");
    assert_eq!(refused.header("ratelimit"), format!("\"route:2/h\";r=0;t={seconds}"));
    assert_eq!(refused.header("ratelimit-policy"), "\"route:2/h\";q=2;w=3600, \"client:9/h\";q=9;w=3600");
    // What the first has refused was not taken from the second; and other routes have other buckets.
    let page = gateway.admin.get("/routes").await.json();
    let limits = &page["routes"][0]["rate_limits"];
    assert_eq!(limits[1]["requests"]["allowed"], 2, "{limits}");
    assert_eq!(limits[0]["requests"]["limited"], 1, "{limits}");
    assert_eq!(get(&gateway.client, "/free", &[]).await.status, 200);
}

#[tokio::test]
async fn a_request_is_refused_before_its_body_is_read() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let text = format!("[backends.shop]\nendpoints = [{:?}]\n", backend.endpoint());
    let route =
        "[[routes]]\nmatch = \"POST /limited\"\ncall = \"calc.add\"\nrate_limit = { rate = \"1/h\" }\n";
    setup.write_routes("limits.toml", &format!("{text}{route}"));
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    assert_eq!(gateway.client.post("/limited", r#"{"a":1,"b":2}"#).await.status, 200);
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write("POST /limited HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1000\r\n\r\n")
        .await;
    assert_eq!(raw.status().await, 429, "not 100, and not when the body has come");
}

#[tokio::test]
async fn routes_that_call_nothing_are_limited_as_others_are() {
    let setup = Setup::new();
    let limit = |burst: u32| format!("rate_limit = {{ rate = \"1/h\", burst = {burst} }}");
    let route = |path: &str, action: &str, limit: &str| {
        format!("[[routes]]\nmatch = \"GET {path}\"\n{action}\n{limit}\n")
    };
    let text = route("/fixed", "respond = { body = \"x\" }", &limit(2))
        + &route("/moved", "redirect = { to = \"/fixed\" }", &limit(1))
        + &route("/inside", "rewrite = \"/fixed\"", &limit(3));
    setup.write_routes("limits.toml", &text);
    let gateway = setup.gateway().await;
    let get = async |path: &'static str| gateway.client.get(path).await;
    let first = get("/inside").await;
    assert_eq!((first.status, first.text()), (200, "x".to_owned()));
    assert_eq!(
        first.header("ratelimit"),
        "\"route:1/h\";r=2;t=3600, \"route:1/h\";r=1;t=3600",
        "the limits of both routes"
    );
    assert_eq!(get("/fixed").await.status, 200);
    for path in ["/fixed", "/inside"] {
        let refused = get(path).await;
        assert_eq!((refused.status, refused.header("ratelimit-policy")), (429, "\"route:1/h\";q=1;w=3600"));
        assert_eq!(refused.json()["code"], "resource_exhausted");
    }
    assert_eq!((get("/moved").await.status, get("/moved").await.status), (308, 429));
    assert_eq!((get("/inside").await.status, get("/inside").await.status), (429, 429));
    // The second route has refused two, and then the rewrite itself one.
    for (path, allowed, limited) in [("/fixed", 2.0, 3.0), ("/moved", 1.0, 1.0), ("/inside", 3.0, 1.0)] {
        assert_eq!(counted(&gateway, path, "allowed").await, allowed, "{path}");
        assert_eq!(counted(&gateway, path, "limited").await, limited, "{path}");
    }
    assert_eq!(gateway.metric("callgate_rewrites_total", &[]).await, 3.0);
    let page = gateway.admin.get("/routes").await.json();
    assert_eq!(page["routes"][1]["steps"], serde_json::json!(["rate_limit route:1/h"]));
}

#[tokio::test]
async fn each_value_of_a_header_and_each_api_key_has_a_bucket_of_its_own() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let tenant = "{ rate = \"1/h\", burst = 3, by = \"header:X-Tenant\" }";
    let key = "{ rate = \"1/h\", burst = 2, by = \"api_key\" }";
    let routes = [("/tenant", tenant), ("/key", key)];
    let gateway = gateway(&setup, &backend, "", &routes).await;
    for name in ["a", "b", ""] {
        assert_eq!(allowed(&gateway, "/tenant", &[("x-tenant", name)], 5).await, 3, "{name}");
    }
    assert_eq!(allowed(&gateway, "/tenant", &[], 5).await, 3, "those without share one");
    assert_eq!(allowed(&gateway, "/key", &[("x-api-key", "secret-1")], 4).await, 2);
    assert_eq!(allowed(&gateway, "/key", &[("authorization", "Bearer secret-2")], 4).await, 2);
    assert_eq!(
        allowed(&gateway, "/key", &[("authorization", "bearer secret-1")], 4).await,
        0,
        "the same key"
    );
    assert_eq!(gateway.metric("callgate_rate_limit_keys", &["/tenant"]).await, 4.0);
    let scrape = gateway.admin.get("/metrics").await.text();
    let page = gateway.admin.get("/routes").await.text();
    assert!(!scrape.contains("secret") && !page.contains("secret") && !gateway.log().contains("secret"));
}

/// The status of a request from that loopback address.
async fn status_from(address: &str, gateway: SocketAddr) -> u16 {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::new(address.parse().expect("an address"), 0))
        .expect("loopback has many addresses");
    let mut stream = socket.connect(gateway).await.expect("the gateway listens");
    let request =
        "GET /limited?a=1&b=2 HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 192.0.2.1\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("the gateway reads");
    let mut answer = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.expect("an answer in time").expect("an answer");
    answer[9..12].parse().expect("a status")
}

#[tokio::test]
async fn each_client_address_has_a_bucket_of_its_own() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let limit = "{ rate = \"1/h\", burst = 2, by = \"client\" }";
    let gateway = gateway(&setup, &backend, "", &[("/limited", limit)]).await;
    for address in ["127.0.0.1", "127.0.0.2"] {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(status_from(address, gateway.addr).await);
        }
        assert_eq!(statuses, [200, 200, 429], "{address}");
    }
}

#[tokio::test]
async fn a_dry_run_refuses_nothing_and_says_what_it_would_have() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let limit = "{ rate = \"1/h\", burst = 5, dry_run = true }";
    let gateway = gateway(&setup, &backend, "", &[("/limited", limit)]).await;
    assert_eq!(allowed(&gateway, "/limited", &[], 20).await, 20);
    assert_eq!(get(&gateway.client, "/limited", &[]).await.header("ratelimit"), "", "no client need know");
    assert_eq!(counted(&gateway, "/limited", "allowed").await, 5.0);
    assert_eq!(counted(&gateway, "/limited", "would_limit").await, 16.0);
    let told = gateway.told("requests would have been limited, but for dry_run", "policy").await;
    assert!(told.iter().all(|policy| policy == "route:1/h"), "{told:?}");
    assert!((1..16).contains(&told.len()), "now and then, not each time: {told:?}");
    // When it is meant, it begins with what it has counted.
    write(&setup, &backend, "", &[("/limited", &limit.replace("true", "false"))]);
    gateway.takes_its_tables().await;
    assert_eq!(allowed(&gateway, "/limited", &[], 3).await, 0);
}

#[tokio::test]
async fn a_reload_keeps_buckets_and_another_rate_makes_new_ones() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let limit = "{ rate = \"1/h\", burst = 3, by = \"client\" }";
    let gateway = gateway(&setup, &backend, "", &[("/limited", limit)]).await;
    assert_eq!(allowed(&gateway, "/limited", &[], 5).await, 3);
    // Another route, another place, another setting of the same route, another backend setting.
    let lines = "max_calls = 7\n[[routes]]\nmatch = \"GET /other\"\ncall = \"calc.add\"";
    write(&setup, &backend, lines, &[("/limited", &format!("{limit}\ntimeout = \"3s\""))]);
    gateway.takes_its_tables().await;
    gateway.connected(&backend).await;
    assert_eq!(allowed(&gateway, "/limited", &[], 5).await, 0);
    assert_eq!(counted(&gateway, "/limited", "limited").await, 7.0, "counters go on, too");
    write(&setup, &backend, "", &[("/limited", &limit.replace("1/h", "2/h"))]);
    gateway.takes_its_tables().await;
    gateway.connected(&backend).await;
    assert_eq!(allowed(&gateway, "/limited", &[], 5).await, 3);
}

#[tokio::test]
async fn routes_share_a_limit_by_its_name() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let lines = "[limits.per-client]\nrate = \"1/h\"\nburst = 4\nby = \"client\"";
    let routes = [("/one", "\"per-client\""), ("/two", "[\"per-client\", { rate = \"1/h\", burst = 9 }]")];
    let gateway = gateway(&setup, &backend, lines, &routes).await;
    let answer = get(&gateway.client, "/two", &[]).await;
    assert_eq!(answer.header("ratelimit"), "\"per-client\";r=3;t=3600, \"route:1/h\";r=8;t=3600");
    assert_eq!(allowed(&gateway, "/one", &[], 2).await, 2);
    assert_eq!(allowed(&gateway, "/two", &[], 5).await, 1);
    assert_eq!(allowed(&gateway, "/one", &[], 5).await, 0);
    let page = gateway.admin.get("/routes").await.json();
    assert_eq!(page["routes"][0]["rate_limits"][0]["shared"], true);
    assert_eq!(page["routes"][1]["rate_limits"][0]["keys"], 1);
}
