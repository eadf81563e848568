//! The page on the admin port without a browser: its files and their headers, who gets them, what they are made of, and that neither large
//! tables nor clients that do not read make it heavy.

use callgate_tests::{Answer, Gateway, Setup, eventually};
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");

async fn page(gateway: &Gateway) -> Answer {
    gateway.admin.send("GET", "/", &[HTML], "").await
}

/// What stands between quotes in a text and begins so.
fn quoted<'t>(text: &'t str, begin: &'t str) -> impl Iterator<Item = &'t str> {
    text.split('"').skip(1).step_by(2).filter(move |one| one.starts_with(begin))
}

#[tokio::test]
async fn browsers_get_the_page_and_programs_the_list() {
    let setup = Setup::new();
    let gateway = setup.gateway().await;
    let page = page(&gateway).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let list = gateway.admin.get("/").await;
    assert!(list.text().starts_with("GET  /"), "{}", list.text());
    for line in list.text().lines().filter(|line| line.starts_with("GET")) {
        let path = line.split_whitespace().nth(1).expect("a path").trim_end_matches(',');
        assert_eq!(gateway.admin.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn every_file_that_the_page_names_is_there_and_nothing_may_come_from_elsewhere() {
    let setup = Setup::new();
    let gateway = setup.gateway().await;
    let mut wanted: Vec<String> = quoted(&page(&gateway).await.text(), "/page/").map(str::to_owned).collect();
    let mut seen = BTreeSet::from(["/".to_owned()]);
    while let Some(path) = wanted.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let file = gateway.admin.get(&path).await;
        assert_eq!(file.status, 200, "{path}");
        let own = quoted(&file.text(), "./").map(|name| name.replacen('.', "/page", 1)).collect::<Vec<_>>();
        wanted.extend(own);
    }
    assert!(seen.len() > 10, "{seen:?}");
    for path in &seen {
        let file = gateway.admin.send("GET", path, &[HTML], "").await;
        let policy = file.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "),
            "{path}: {policy}"
        );
        assert!(
            policy.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"),
            "{policy}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-cache"),
        ] {
            assert_eq!(file.header(name), value, "{path} {name}");
        }
        let again =
            gateway.admin.send("GET", path, &[HTML, ("if-none-match", file.header("etag"))], "").await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        let head = gateway.admin.send("HEAD", path, &[HTML], "").await;
        assert_eq!((head.status, head.header("etag")), (200, file.header("etag")), "{path}");
        let post = gateway.admin.send("POST", path, &[HTML], "").await;
        assert!([404, 405].contains(&post.status), "{path}: {}", post.status);
    }
    for path in ["/page/", "/page/nothing.js", "/page/../routes", "/page/index.html"] {
        assert_eq!(gateway.admin.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_page_needs_no_token_and_what_it_shows_does() {
    let setup = Setup::new().admin("token = \"s3cret-of-the-port\"\nread_token = \"for-reading\"");
    let gateway = setup.gateway().await;
    assert_eq!(page(&gateway).await.status, 200);
    assert_eq!(gateway.admin.get("/page/main.js").await.status, 200);
    let elsewhere = [HTML, ("host", "evil.example")];
    assert_eq!(gateway.admin.send("GET", "/", &elsewhere, "").await.status, 403, "an attacker's name");
    for path in [
        "/overview",
        "/overview/history",
        "/overview/routes",
        "/overview/backends",
        "/overview/instances",
        "/reasons",
        "/reloads",
    ] {
        assert_eq!(gateway.admin.get(path).await.status, 401, "{path}");
        let read = ("authorization", "Bearer for-reading");
        let shown = gateway.admin.send("GET", path, &[read], "").await;
        assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"), "{path}");
        assert_eq!(shown.header("x-content-type-options"), "nosniff");
        assert!(!shown.text().contains("s3cret") && !shown.text().contains("for-reading"), "{path}");
    }
}

#[tokio::test]
async fn the_overview_says_what_metrics_say_and_what_is_wrong_and_why() {
    let setup = Setup::new();
    let (mut backend, gateway) = setup.shop().await;
    assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.status, 200);
    assert_eq!(gateway.client.get("/nowhere").await.status, 404);
    let shown = gateway.admin.get("/overview").await.json();
    assert_eq!(shown["problems"], serde_json::json!([]));
    assert_eq!((&shown["totals"]["answers"][0], &shown["totals"]["answers"][2]), (&1.into(), &1.into()));
    assert_eq!(shown["totals"]["failures"], serde_json::json!({ "no_route": 1 }));
    let count = gateway.metric("callgate_request_duration_seconds_count", &[]).await;
    assert_eq!(shown["totals"]["durations"]["count"].as_f64(), Some(count));
    backend.stop().await;
    let problem = eventually("a problem", async || {
        gateway.admin.get("/overview").await.json()["problems"].get(0).cloned()
    })
    .await;
    assert_eq!(
        (&problem["severity"], &problem["see"]),
        (&"error".into(), &"instances?backend=shop&state=unwell".into())
    );
    assert!(problem["what"] == "Backend shop has no instance that takes calls", "{problem}");
    assert!(problem["why"].as_str().is_some_and(|why| why.contains(&backend.endpoint())), "{problem}");
    setup.write_routes("more.toml", "[[routes]]\nmatch = \"GET /v1/calc/add\"\nrespond = {}\n");
    assert_eq!(gateway.reload().await, "failed");
    let shown = gateway.admin.get("/overview").await.json();
    let problems: Vec<&str> =
        shown["problems"].as_array().into_iter().flatten().filter_map(|one| one["what"].as_str()).collect();
    assert!(
        problems.iter().any(|what| what.starts_with("The files of the tables have mistakes")),
        "{problems:?}"
    );
    let history = gateway.admin.get("/overview/history").await.json();
    assert!(history["totals"].as_array().is_some_and(|notes| !notes.is_empty() && notes.len() <= 60));
}

#[tokio::test]
async fn reloads_are_kept_with_what_they_changed() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let route =
        |status: u16| format!("[[routes]]\nmatch = \"GET /new\"\nrespond = {{ status = {status} }}\n");
    setup.write_routes("new.toml", &route(204));
    gateway.takes_its_tables().await;
    setup.write_routes("new.toml", &route(299).replace("[[", "["));
    assert_eq!(gateway.reload().await, "failed");
    setup.write_routes("new.toml", &route(205));
    gateway.takes_its_tables().await;
    std::fs::remove_file(setup.routes().join("new.toml")).expect("it can be removed");
    gateway.takes_its_tables().await;
    let shown = gateway.admin.get("/reloads").await.json();
    let reloads = shown["reloads"].as_array().cloned().unwrap_or_default();
    let told: Vec<String> = reloads
        .iter()
        .filter(|one| one["outcome"] == "ok")
        .flat_map(|one| one["changes"].as_array().cloned().unwrap_or_default())
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect();
    let of_new: Vec<&String> = told.iter().filter(|one| one.contains("`GET /new`")).collect();
    let starts = [
        "route `GET /new` is gone",
        "route `GET /new` has changed: what it does (",
        "route `GET /new` is new (",
    ];
    assert!(
        of_new.len() == 3 && of_new.iter().zip(starts).all(|(one, start)| one.starts_with(start)),
        "{told:?}"
    );
    let failed = reloads.iter().find(|one| one["outcome"] == "failed").expect("one was refused");
    assert!(failed["why"].as_str().is_some_and(|why| why.contains("new.toml:1")), "{failed}");
    assert_eq!(reloads.last().map(|one| &one["cause"]), Some(&Value::from("start")));
}

/// Tables of that many routes, and a backend of that many instances, of which nobody is there.
fn large(routes: usize, instances: usize) -> String {
    let endpoints: Vec<String> =
        (0..instances).map(|n| format!("127.1.{}.{}:9", n / 250, n % 250 + 1)).collect();
    let routes = (0..routes).map(|n| {
        format!(
            "[[routes]]\nmatch = \"GET /v1/things/{n}/{{id}}\"\ncall = \"things.get\"\nbackend = \"many\"\n"
        )
    });
    format!("[backends.many]\nendpoints = {endpoints:?}\n{}", routes.collect::<String>())
}

#[tokio::test]
async fn parts_of_large_tables_are_small_sorted_and_found() {
    let setup = Setup::new();
    setup.write_routes("large.toml", &large(2000, 300));
    let gateway = setup.gateway().await;
    let get = async |path: &str| gateway.admin.get(path).await;
    let routes = get("/overview/routes?q=things/19+get&sort=-match&offset=10&limit=5").await.json();
    assert_eq!(
        (&routes["total"], &routes["found"], &routes["offset"]),
        (&2000.into(), &111.into(), &10.into())
    );
    let names: Vec<&str> =
        routes["routes"].as_array().into_iter().flatten().filter_map(|one| one["match"].as_str()).collect();
    assert!(names.len() == 5 && names.is_sorted_by(|one, other| one > other), "{names:?}");
    let instances = get("/overview/instances?backend=many&state=unwell&sort=address&limit=7").await.json();
    assert_eq!(
        (&instances["total"], instances["instances"].as_array().map(Vec::len)),
        (&300.into(), Some(7))
    );
    let backends = get("/overview/backends?state=unwell").await.json();
    assert_eq!((&backends["found"], &backends["backends"][0]["well"]), (&1.into(), &0.into()));
    for path in [
        "/overview",
        "/overview/routes",
        "/overview/instances",
        "/overview/backends",
        "/reloads",
        "/overview/history",
    ] {
        let shown = get(path).await;
        assert!(shown.body.len() < 100_000, "{path}: {} bytes", shown.body.len());
    }
    let one = get("/routes?offset=17&limit=1").await.json();
    assert_eq!(
        (one["routes"].as_array().map(Vec::len), &one["routes"][0]["match"]),
        (Some(1), &"GET /v1/things/17/{id}".into())
    );
    let one = get("/backends?backend=many&endpoint=127.1.0.3:9").await.json();
    assert_eq!(one["backends"][0]["endpoints"].as_array().map(Vec::len), Some(1));
    for (path, told) in [
        ("/overview/routes?limit=x", "`limit` must be a number"),
        ("/overview/routes?sort=nothing", "cannot be sorted by `nothing`"),
        ("/overview/instances?staet=ok", "did you mean `state`?"),
        ("/overview/backends?state=odd", "do not stand so: `odd`"),
        ("/routes?q=%ff", "not UTF-8"),
    ] {
        let refused = get(path).await;
        assert!(refused.status == 400 && refused.text().contains(told), "{path}: {}", refused.text());
    }
}

/// Browsers that ask for long pages and read nothing: what lies there for them has a bound, and others are answered.
#[tokio::test]
async fn clients_that_do_not_read_hold_little_and_keep_nobody_out() {
    const BOUND: usize = 64 << 20;
    let setup = Setup::new();
    // Few routes, each with much to say of itself, are made quickly.
    let path = "a-long-path/".repeat(600);
    let route = |n: usize| format!("[[routes]]\nmatch = \"GET /{path}{n}\"\nrespond = {{}}\n");
    setup.write_routes("large.toml", &(0..1600).map(route).collect::<String>());
    let gateway = setup.gateway().await;
    let page = gateway.admin.get("/routes").await.body.len();
    // What sockets take is not held here.
    let clients = BOUND / (page - (6 << 20)) + 6;
    let mut idle = Vec::new();
    for _ in 0..clients {
        let mut one = TcpStream::connect(gateway.admin_addr).await.expect("it listens");
        one.write_all(b"GET /routes HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await
            .expect("it reads");
        // The reply has begun.
        one.readable().await.expect("it answers");
        idle.push(one);
        assert_eq!(gateway.admin.get("/overview").await.status, 200);
        assert_eq!(gateway.admin.get("/healthz").await.status, 200);
        let _ = gateway.client.get("/nowhere").await;
    }
    let mut got = Vec::new();
    for mut one in idle {
        let mut read = Vec::new();
        // A connection that was closed may be reset.
        let _ = one.read_to_end(&mut read).await;
        got.push(read.len() > page);
    }
    assert!(!got[0], "the first has waited longest: {got:?}");
    assert_eq!(got.last(), Some(&true), "the last has its page: {got:?}");
}
