//! Tables that change while requests run, and backends that are restarted: no client notices.
//!
//! The short form runs in `make test`. `scripts/soak` runs the long one: `CALLGATE_SOAK=long`, a thousand reloads and
//! fifty restarts.

use callgate_tests::{Backend, Client, Raw, Setup, binary, eventually};
use nix::sys::signal::Signal;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Requests that go on until they are told to stop; each answer is checked.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    tasks: tokio::task::JoinSet<Vec<String>>,
}

impl Load {
    fn start(client: &Client, tasks: usize) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicU64::new(0));
        let mut running = tokio::task::JoinSet::new();
        for task in 0..tasks {
            let (client, stop, answered) = (client.clone(), stop.clone(), answered.clone());
            running.spawn(async move {
                let mut wrong = Vec::new();
                for n in 0u64.. {
                    if stop.load(Relaxed) {
                        break;
                    }
                    if let Err(error) = one(&client, task, n).await {
                        wrong.push(error);
                    }
                    answered.fetch_add(1, Relaxed);
                }
                wrong
            });
        }
        Load { stop, answered, tasks: running }
    }

    /// Stops and gives the number of requests; panics if any was not answered rightly.
    async fn finish(mut self) -> u64 {
        self.stop.store(true, Relaxed);
        let mut wrong = Vec::new();
        while let Some(result) = self.tasks.join_next().await {
            wrong.extend(result.expect("a task that collects"));
        }
        let answered = self.answered.load(Relaxed);
        let few: Vec<_> = wrong.iter().take(5).collect();
        assert!(wrong.is_empty(), "{} of {answered} requests were lost: {few:#?}", wrong.len());
        answered
    }
}

/// One request, a cheap one, one with a body, or one that takes a while; the error says what was wrong.
async fn one(client: &Client, task: usize, n: u64) -> Result<(), String> {
    let json_type = [("content-type", "application/json")];
    let (answer, expected) = match n % 4 {
        0 => {
            let items = json!([{"sku": "s", "qty": 2, "unit_price": 1.5}]);
            let body = json!({"customer": "c", "express": false, "items": items}).to_string();
            let id = format!("{task}-{n}");
            let answer = client.try_send("POST", &format!("/v1/orders/{id}/quote"), &json_type, body).await?;
            let line = json!({"sku": "s", "qty": 2, "amount": 3.0});
            (answer, json!({"order_id": id, "total": 3.0, "lines": [line], "express": false}))
        }
        1 => (client.try_send("GET", "/v1/delay/3", &[], "").await?, json!({"result": 3})),
        _ => {
            let answer = client.try_send("GET", &format!("/v1/calc/add?a={n}&b={task}"), &[], "").await?;
            (answer, json!({"result": n + task as u64}))
        }
    };
    if answer.status != 200 || answer.json() != expected {
        return Err(format!("{}: {}", answer.status, answer.text()));
    }
    Ok(())
}

/// Routes that come and go beside the shop's.
fn extra_routes(n: usize) -> String {
    let route = |at: usize| {
        format!("[[routes]]\nmatch = \"GET /extra/{n}/{at}\"\ncall = \"calc.add\"\nbackend = \"shop\"\n")
    };
    (0..n % 7).map(route).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_and_restarts_lose_no_request() {
    let long = std::env::var("CALLGATE_SOAK").is_ok_and(|form| form == "long");
    let (reloads, restarts) = if long { (1000, 50) } else { (200, 10) };
    let setup = Arc::new(Setup::new());
    let mut backends = [setup.backend("shop"), setup.backend("shop")];
    let third = setup.backend("shop");
    setup.write_shop(&[&backends[0], &backends[1]]);
    let gateway = Arc::new(setup.gateway().await);
    for backend in &backends {
        gateway.connected(backend).await;
    }
    let load = Load::start(&gateway.client, 16);

    let reloading = {
        let (setup, gateway) = (setup.clone(), gateway.clone());
        let endpoints: Vec<String> = backends.iter().chain([&third]).map(Backend::endpoint).collect();
        let shop = std::fs::read_to_string(setup.routes().join("shop.toml")).expect("it was written");
        let line = shop.lines().find(|line| line.starts_with("endpoints")).expect("a line").to_owned();
        tokio::spawn(async move {
            let mut refused = 0;
            for n in 0..reloads {
                let with_third = &endpoints[..2 + n % 2];
                setup.write_routes("shop.toml", &shop.replace(&line, &format!("endpoints = {with_third:?}")));
                setup.write_routes("extra.toml", &extra_routes(n));
                match n % 10 {
                    9 => gateway.signal(Signal::SIGHUP),
                    _ => refused += usize::from(gateway.reload().await == "failed"),
                }
            }
            assert_eq!(refused, 0, "every table was sound");
        })
    };
    for n in 0..restarts {
        let backend = &mut backends[n % 2];
        backend.stop().await;
        backend.start();
        gateway.connected(backend).await;
    }
    reloading.await.expect("a task that asserts");
    let answered = load.finish().await;
    let taken = gateway.metric("callgate_reloads_total", &["outcome=\"ok\""]).await;
    assert!(taken > reloads as f64 / 3.0, "reloads were real: {taken}");
    println!("{answered} requests, {reloads} reloads, {restarts} restarts: none lost");
}

/// The shop's tables with their backend under that name.
fn renamed(shop: &str, name: &str) -> String {
    shop.replace("[backends.shop]", &format!("[backends.{name}]"))
        .replace("backend = \"shop\"", &format!("backend = \"{name}\""))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_that_are_renamed_and_endpoints_that_move_lose_no_request() {
    let setup = Setup::new();
    let backends = [setup.backend("shop"), setup.backend("shop")];
    setup.write_shop(&[&backends[0], &backends[1]]);
    let gateway = setup.gateway().await;
    // Ready is also a gateway that has tried in vain: the backends may need longer to start.
    for backend in &backends {
        gateway.connected(backend).await;
    }
    let shop = std::fs::read_to_string(setup.routes().join("shop.toml")).expect("it was written");
    let line = shop.lines().find(|line| line.starts_with("endpoints")).expect("a line");
    let load = Load::start(&gateway.client, 12);
    for n in 0..60 {
        // One endpoint stays and the other moves, then both are in a backend of another name.
        let at = backends[n % 2].endpoint();
        let other = format!("[backends.other]\nendpoints = [\"{}\"]\n", backends[(n + 1) % 2].endpoint());
        let split = shop.replace(line, &format!("endpoints = [\"{at}\"]\n{other}"));
        setup.write_routes("shop.toml", &split);
        let (first, second) = tokio::join!(gateway.reload(), async {
            setup.write_routes("shop.toml", &renamed(&shop, &format!("name{n}")));
            gateway.reload().await
        });
        assert!(first != "failed" && second != "failed", "{first}, {second}");
    }
    println!("{} requests", load.finish().await);
    let left = async || gateway.metric("callgate_calls_in_flight", &[]).await;
    eventually("the calls' end", || async { (left().await == 0.0).then_some(()) }).await;
}

#[tokio::test]
async fn a_request_whose_backend_is_renamed_while_its_body_arrives_is_answered() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let shop = std::fs::read_to_string(setup.routes().join("shop.toml")).expect("it was written");
    let mut raw = Raw::connect(gateway.addr).await;
    let head =
        "POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 6\r\n\r\n";
    raw.write(format!("{head}[1,")).await;
    let open = async || gateway.metric("callgate_requests_in_flight", &[]).await;
    eventually("the request", || async { (open().await == 1.0).then_some(()) }).await;
    setup.write_routes("shop.toml", &renamed(&shop, "other"));
    gateway.reload().await;
    raw.write("22]").await;
    assert_eq!(raw.answer().await.expect("an answer").1, "[1,22]");
}

#[tokio::test]
async fn files_are_taken_as_they_change_and_what_stayed_keeps_its_counters_and_connections() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.status, 200);
    assert_eq!(gateway.client.get("/new?a=1&b=2").await.status, 404);
    let connects = gateway.metric("callgate_backend_connects_total", &["outcome=\"ok\""]).await;
    setup.write_routes("new.toml", "[[routes]]\nmatch = \"GET /new\"\ncall = \"calc.add\"\n");
    let (client, admin) = (&gateway.client, &gateway);
    eventually("the new route", || async { (client.get("/new?a=1&b=2").await.status == 200).then_some(()) })
        .await;
    std::fs::remove_file(setup.routes().join("new.toml")).expect("it is there");
    eventually("its end", || async { (client.get("/new?a=1&b=2").await.status == 404).then_some(()) }).await;
    let counted = admin.metric("callgate_requests_total", &["/v1/calc/add", "200"]).await;
    assert_eq!(counted, 1.0, "the route that stayed went on counting");
    assert_eq!(gateway.metric("callgate_backend_connects_total", &["outcome=\"ok\""]).await, connects);
}

#[tokio::test]
async fn a_config_map_that_is_swapped_by_symlink_is_taken() {
    let setup = Setup::new();
    let routes = setup.routes();
    // As the kubelet lays a mounted ConfigMap out: the files are links through `..data`, which a rename replaces.
    let publish = |version: &str, path: &str| {
        let folder = routes.join(format!("..{version}"));
        std::fs::create_dir(&folder).expect("a new folder");
        let table = format!("[[routes]]\nmatch = \"GET {path}\"\ncall = \"calc.add\"\n");
        std::fs::write(folder.join("mapped.toml"), table).expect("it can be written");
        symlink(format!("..{version}"), routes.join("..data_tmp")).expect("it can be linked");
        std::fs::rename(routes.join("..data_tmp"), routes.join("..data")).expect("it can be swapped");
    };
    publish("v1", "/v1");
    symlink("..data/mapped.toml", routes.join("mapped.toml")).expect("it can be linked");
    let (_backend, gateway) = setup.shop().await;
    let client = &gateway.client;
    assert_eq!(client.get("/v1?a=1&b=2").await.status, 200);
    for version in ["v2", "v3", "v4"] {
        publish(version, &format!("/{version}"));
        let path = &format!("/{version}?a=1&b=2");
        eventually(version, || async { (client.get(path).await.status == 200).then_some(()) }).await;
    }
    assert_eq!(client.get("/v1?a=1&b=2").await.status, 404);
}

#[tokio::test]
async fn a_table_with_a_mistake_leaves_the_old_one_serving_and_says_why() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let hash = gateway.admin.get("/config").await.json()["tables"]["hash"].clone();
    let bad = "[[routes]]\nmatch = \"GET /bad\"\ncall = \"calc.add\"\nbackend = \"shpo\"\n";
    setup.write_routes("bad.toml", bad);
    let failed = async || gateway.metric("callgate_reloads_total", &["outcome=\"failed\""]).await;
    eventually("the file event", || async { (failed().await >= 1.0).then_some(()) }).await;
    let answer = gateway.admin.send("POST", "/-/reload", &[], "").await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["outcome"], "failed");
    let tables = gateway.admin.get("/config").await.json()["tables"].clone();
    assert_eq!(tables["hash"], hash, "the old tables stay in force");
    let error = tables["last_error"].as_str().expect("the error is told").to_owned();
    for part in ["bad.toml:4:11", "shpo", "`shop`"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let logged = || async { gateway.log().contains("bad.toml:4").then_some(()) };
    eventually("the mistake in the log", logged).await;
    assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.status, 200);
    std::fs::remove_file(setup.routes().join("bad.toml")).expect("it is there");
    eventually("a word on the mistake's end", || async {
        gateway.log().contains("sound again").then_some(())
    })
    .await;
    setup.write_routes("bad.toml", bad);
    let check = Command::new(binary("callgate")).args(["check", "--config"]).arg(&gateway.config).output();
    let check = check.expect("callgate runs");
    assert_eq!(check.status.code(), Some(1));
    let told = String::from_utf8_lossy(&check.stderr).into_owned();
    assert!(told.contains("bad.toml:4:11") && told.contains("backend = \"shpo\""), "{told}");
    setup.write_routes("bad.toml", &bad.replace("shpo", "shop"));
    assert_ne!(gateway.reload().await, "failed");
    assert_eq!(gateway.admin.get("/config").await.json()["tables"]["last_error"], serde_json::Value::Null);
    assert_eq!(gateway.client.get("/bad?a=1&b=2").await.status, 200);
    let check = Command::new(binary("callgate")).args(["check", "--config"]).arg(&gateway.config).output();
    assert_eq!(check.expect("callgate runs").status.code(), Some(0));
}

#[tokio::test]
async fn a_gateway_that_is_told_to_end_answers_what_it_has() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let client = gateway.client.clone();
    let slow = tokio::spawn(async move { client.get("/v1/delay/500").await });
    let in_flight = async || gateway.metric("callgate_calls_in_flight", &[]).await;
    eventually("the call in flight", || async { (in_flight().await == 1.0).then_some(()) }).await;
    gateway.signal(Signal::SIGTERM);
    let answer = slow.await.expect("a task that asserts");
    assert_eq!(answer.json(), json!({"result": 500}));
    assert!(gateway.ended().await, "it ends well");
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_call() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let mut socket = tokio::net::TcpStream::connect(gateway.addr).await.expect("the gateway listens");
    let request = b"GET /v1/delay/60000 HTTP/1.1\r\nhost: x\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut socket, request).await.expect("it reads");
    let in_flight = async || gateway.metric("callgate_calls_in_flight", &[]).await;
    eventually("the call in flight", || async { (in_flight().await == 1.0).then_some(()) }).await;
    drop(socket);
    let cancelled = async || gateway.metric("callgate_calls_total", &["cancelled"]).await;
    eventually("its cancelling", || async { (cancelled().await == 1.0).then_some(()) }).await;
    assert_eq!(in_flight().await, 0.0);
}

/// What the gateway says of tables that wait.
const WAITS: &str = "the new tables lose much, and are taken when they have stayed so for two seconds";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_truncated_before_it_is_written_is_never_served_empty() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let file = setup.routes().join("shop.toml");
    let shop = std::fs::read_to_string(&file).expect("it was written");
    let load = Load::start(&gateway.client, 8);
    for round in 1..=3 {
        std::fs::write(&file, "").expect("it can be truncated");
        eventually("the word that it waits", || async {
            (gateway.logged(WAITS, "hash").len() == round).then_some(())
        })
        .await;
        let tables = gateway.admin.get("/config").await.json()["tables"].clone();
        let all = shop.matches("[[routes]]").count();
        assert_eq!(tables["waiting"], format!("{all} of {all} routes are gone"));
        std::fs::write(&file, &shop).expect("it can be written");
        eventually("the end of waiting", || async {
            let tables = gateway.admin.get("/config").await.json()["tables"].clone();
            tables["waiting"].is_null().then_some(())
        })
        .await;
    }
    assert!(load.finish().await > 0);
    assert_eq!(gateway.metric("callgate_reloads_total", &["waited"]).await, 3.0);
}

#[tokio::test]
async fn a_table_that_stays_empty_is_taken_later_and_at_once_where_somebody_asks_for_it() {
    let setup = Setup::new();
    setup.write_routes("up.toml", "[[routes]]\nmatch = \"GET /up\"\nrespond = { body = \"up\" }\n");
    let gateway = setup.gateway().await;
    let file = setup.routes().join("up.toml");
    let up = std::fs::read_to_string(&file).expect("it was written");
    let client = &gateway.client;
    let status =
        |expected: u16| move || async move { (client.get("/up").await.status == expected).then_some(()) };
    std::fs::write(&file, "").expect("it can be truncated");
    eventually("its end", status(404)).await;
    assert_eq!(gateway.logged(WAITS, "why"), ["1 of 1 routes are gone"]);
    for told in 2.. {
        std::fs::write(&file, &up).expect("it can be written");
        eventually("its return", status(200)).await;
        std::fs::write(&file, "").expect("it can be truncated");
        eventually("the word that it waits", || async {
            (gateway.logged(WAITS, "why").len() == told).then_some(())
        })
        .await;
        let asked = gateway.reload().await;
        assert_eq!(client.get("/up").await.status, 404);
        // On a busy machine it may have stayed so for its two seconds before anybody could ask.
        if asked != "unchanged" || told > 10 {
            assert_eq!(asked, "ok");
            break;
        }
    }
}
