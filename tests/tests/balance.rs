//! How a backend's calls are spread: by key, by weight, by zone.

use callgate_sdk::Context;
use callgate_tests::moody::{Moody, beside};
use callgate_tests::{Backend, Gateway, Setup, eventually};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Instances have their share at once, and nobody is left for being slow on a busy machine.
const HEALTH: &str = "health = { slow_start = \"1ms\", max_ejected = 0 }";

/// A backend and a route to it, both of that name; `endpoints` as the table writes them.
fn table(name: &str, endpoints: &[String], balance: &str) -> String {
    format!(
        "[backends.{name}]\nendpoints = [{}]\nbalance = {balance}\n{HEALTH}\n\
         [[routes]]\nmatch = \"GET /{name}\"\nbackend = \"{name}\"\ncall = \"moody.ask\"\n\
         response = {{ wrap = \"pid\" }}\n",
        endpoints.join(", ")
    )
}

fn plain(backends: &[&Backend]) -> Vec<String> {
    backends.iter().map(|backend| format!("{:?}", backend.endpoint())).collect()
}

/// A gateway with a connection to each of these from each worker, and all of them with their whole share.
async fn gateway(setup: &Setup, backends: &[&Backend]) -> Gateway {
    let gateway = setup.gateway().await;
    for backend in backends {
        at_full_share(&gateway, backend).await;
    }
    gateway
}

/// Waits until an instance gets all of its share from each worker.
async fn at_full_share(gateway: &Gateway, backend: &Backend) {
    // One that a worker has not heard of yet is shown as none of its troubles.
    gateway.connected(backend).await;
    stands(gateway, backend, "ok").await;
}

/// Waits until an instance stands so with each worker, in every backend.
async fn stands(gateway: &Gateway, backend: &Backend, state: &str) {
    let (admin, endpoint) = (&gateway.admin, &backend.endpoint());
    eventually(&format!("{endpoint} to be {state}"), || async move {
        let page = admin.get("/backends").await.json();
        let backends = page["backends"].as_array()?.iter();
        let endpoints = backends.filter_map(|backend| backend["endpoints"].as_array()).flatten();
        let ours = endpoints.filter(|one| one["address"] == endpoint.as_str());
        let mut workers = ours.filter_map(|one| one["health"].as_array()).flatten();
        workers.all(|worker| worker["state"] == state).then_some(())
    })
    .await;
}

/// Which process answers.
async fn ask(gateway: &Gateway, path: &str, header: Option<(&str, &str)>) -> u64 {
    let headers: Vec<(&str, &str)> = header.into_iter().collect();
    let answer = gateway.client.send("GET", path, &headers, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["pid"].as_u64().expect("a process")
}

/// Which process answers each of many users, each asking several times at once, so that both workers are asked.
async fn users(gateway: &Gateway, path: &str, header: &str, value: fn(usize) -> String) -> Vec<u64> {
    let mut pids = Vec::new();
    for user in 0..100 {
        let value = value(user);
        let four = [(); 4].map(|()| ask(gateway, path, Some((header, &value))));
        let [a, b, c, d] = four;
        let (a, b, c, d) = tokio::join!(a, b, c, d);
        assert!(a == b && b == c && c == d, "{value}: {a} {b} {c} {d}");
        pids.push(a);
    }
    pids
}

/// How many of so many calls each process answers, in percent.
async fn shares(gateway: &Gateway, path: &str) -> BTreeMap<u64, f64> {
    const CALLS: usize = 400;
    let mut counts = BTreeMap::new();
    for _ in 0..CALLS / 4 {
        let asked = tokio::join!(
            ask(gateway, path, None),
            ask(gateway, path, None),
            ask(gateway, path, None),
            ask(gateway, path, None)
        );
        for pid in [asked.0, asked.1, asked.2, asked.3] {
            *counts.entry(pid).or_insert(0.0) += 100.0 / CALLS as f64;
        }
    }
    counts
}

/// What `/backends` has of that backend.
async fn page(gateway: &Gateway, name: &str) -> Value {
    let page = gateway.admin.get("/backends").await.json();
    let backends = page["backends"].as_array().expect("a list").iter();
    backends.clone().find(|one| one["name"] == name).expect("it is in the table").clone()
}

#[tokio::test]
async fn a_user_stays_with_an_instance_by_header_or_cookie_in_all_workers_and_gateways() {
    let setup = Setup::new();
    let mut backends: Vec<Backend> = (0..4).map(|_| setup.backend("moody")).collect();
    let three = plain(&backends[..3].iter().collect::<Vec<_>>());
    let four = plain(&backends.iter().collect::<Vec<_>>());
    setup.write_routes("by_header.toml", &table("by_header", &three, "{ hash = \"header:X-User\" }"));
    setup.write_routes("by_cookie.toml", &table("by_cookie", &three, "{ hash = \"cookie:session\" }"));
    let gateway = gateway(&setup, &backends[..3].iter().collect::<Vec<_>>()).await;
    let user: fn(usize) -> String = |user| format!("user-{user}");
    let session: fn(usize) -> String = |user| format!("theme=dark; session=user-{user}");

    let by_header = users(&gateway, "/by_header", "x-user", user).await;
    let by_cookie = users(&gateway, "/by_cookie", "cookie", session).await;
    assert_eq!(by_header, by_cookie, "the key is the same");
    assert_eq!(by_header.iter().collect::<BTreeSet<_>>().len(), 3, "all instances have users");
    let second = self::gateway(&setup, &backends[..3].iter().collect::<Vec<_>>()).await;
    assert_eq!(users(&second, "/by_header", "x-user", user).await, by_header);

    // One more takes some users over, and leaves the others where they are.
    setup.write_routes("by_header.toml", &table("by_header", &four, "{ hash = \"header:X-User\" }"));
    gateway.takes_its_tables().await;
    at_full_share(&gateway, &backends[3]).await;
    let new = beside(&backends[3].endpoint()).ask(&Context::background()).await.expect("an answer");
    let after = users(&gateway, "/by_header", "x-user", user).await;
    let moved = by_header.iter().zip(&after).filter(|(before, after)| before != after);
    assert!(moved.clone().all(|(_, after)| *after == u64::from(new)), "to the new one only");
    assert!((5..50).contains(&moved.count()));

    // Without the first, its users go to others, and nobody else moves.
    let gone =
        u64::from(beside(&backends[0].endpoint()).ask(&Context::background()).await.expect("an answer"));
    backends[0].kill();
    for (user, before) in after.iter().enumerate() {
        let now = ask(&gateway, "/by_header", Some(("x-user", &format!("user-{user}")))).await;
        assert!(now != gone && (now == *before || *before == gone), "{user}: {before}, now {now}");
    }
    let moved = gateway.metric("callgate_calls_diverted_total", &["by_header", "moved"]).await;
    assert!(moved > 0.0);
}

#[tokio::test]
async fn a_client_stays_with_an_instance_and_requests_without_a_key_go_anywhere() {
    let setup = Setup::new();
    let backends: Vec<Backend> = (0..2).map(|_| setup.backend("moody")).collect();
    let endpoints = plain(&backends.iter().collect::<Vec<_>>());
    setup.write_routes("client.toml", &table("client", &endpoints, "{ hash = \"client\" }"));
    setup.write_routes("user.toml", &table("user", &endpoints, "{ hash = \"header:x-user\" }"));
    let gateway = gateway(&setup, &backends.iter().collect::<Vec<_>>()).await;
    assert_eq!(shares(&gateway, "/client").await.len(), 1, "all requests are from one address");
    assert_eq!(shares(&gateway, "/user").await.len(), 2);
    let keyless = gateway.metric("callgate_calls_diverted_total", &["user", "no_key"]).await;
    assert_eq!(keyless, 400.0);
    assert_eq!(gateway.metric("callgate_calls_diverted_total", &["client"]).await, 0.0);
}

#[tokio::test]
async fn a_path_parameter_is_a_key() {
    let setup = Setup::new();
    let backends: Vec<Backend> = (0..3).map(|_| setup.backend("shop")).collect();
    let endpoints = plain(&backends.iter().collect::<Vec<_>>());
    setup.write_routes(
        "path.toml",
        &format!(
            "[backends.path]\nendpoints = [{}]\nbalance = {{ hash = \"path:ms\", load_factor = \"200%\" }}\n\
             {HEALTH}\n[[routes]]\nmatch = \"GET /delay/{{ms}}\"\ncall = \"echo.delay\"\n",
            endpoints.join(", ")
        ),
    );
    let gateway = gateway(&setup, &backends.iter().collect::<Vec<_>>()).await;
    for key in 0..12 {
        let mut counts = Vec::new();
        for backend in &backends {
            counts.push(gateway.metric("callgate_calls_total", &[&backend.endpoint()]).await);
        }
        for _ in 0..5 {
            let answer = gateway.client.get(&format!("/delay/{key}")).await;
            assert!(answer.status < 300, "{}", answer.text());
        }
        let mut others = 0;
        for (backend, before) in backends.iter().zip(counts) {
            let after = gateway.metric("callgate_calls_total", &[&backend.endpoint()]).await;
            assert!(after == before || after == before + 5.0, "{key}: {before}, then {after}");
            others += usize::from(after == before);
        }
        assert_eq!(others, 2);
    }
    assert_eq!(page(&gateway, "path").await["balance"]["load_factor_percent"], 200);
}

#[tokio::test]
async fn calls_are_shared_by_weight() {
    let setup = Setup::new();
    let backends: Vec<Backend> = (0..2).map(|_| setup.backend("moody")).collect();
    let weights = [1, 4];
    let endpoints: Vec<String> = backends
        .iter()
        .zip(weights)
        .map(|(one, weight)| format!("{{ address = {:?}, weight = {weight} }}", one.endpoint()))
        .collect();
    // Not by latency: one call that the machine has held up would be told there.
    let strategies = ["round_robin", "random", "least_request"];
    for name in strategies {
        setup.write_routes(&format!("{name}.toml"), &table(name, &endpoints, &format!("{name:?}")));
    }
    let gateway = gateway(&setup, &backends.iter().collect::<Vec<_>>()).await;
    let heavy =
        u64::from(beside(&backends[1].endpoint()).ask(&Context::background()).await.expect("an answer"));
    for name in strategies {
        let shares = shares(&gateway, &format!("/{name}")).await;
        assert!((68.0..92.0).contains(&shares[&heavy]), "{name}: {shares:?}");
        let page = page(&gateway, name).await;
        assert_eq!(
            (&page["balance"], &page["endpoints"][1]["weight"]),
            (&name.into(), &4.into()),
            "{page:#}"
        );
    }
    // A weight may change while connections stay.
    let connects = gateway.metric("callgate_backend_connects_total", &[]).await;
    let equal = table("random", &plain(&backends.iter().collect::<Vec<_>>()), "\"random\"");
    setup.write_routes("random.toml", &equal);
    gateway.takes_its_tables().await;
    let shares = shares(&gateway, "/random").await;
    assert!((35.0..65.0).contains(&shares[&heavy]), "{shares:?}");
    assert_eq!(gateway.metric("callgate_backend_connects_total", &[]).await, connects);
}

#[tokio::test]
async fn a_zones_instances_are_preferred_while_they_are_enough() {
    let setup = Setup::new().env("CALLGATE_ZONE", "a");
    let backends: Vec<Backend> = (0..3).map(|_| setup.backend("moody")).collect();
    let zoned =
        |(one, zone): (&Backend, &str)| format!("{{ address = {:?}, zone = {zone:?} }}", one.endpoint());
    let endpoints: Vec<String> = backends.iter().zip(["a", "a", "b"]).map(zoned).collect();
    for name in ["peak_ewma", "round_robin"] {
        setup.write_routes(&format!("{name}.toml"), &table(name, &endpoints, &format!("{name:?}")));
    }
    let gateway = gateway(&setup, &backends.iter().collect::<Vec<_>>()).await;
    let moodies: Vec<_> = backends.iter().map(|one| beside(&one.endpoint())).collect();
    let away = u64::from(moodies[2].ask(&Context::background()).await.expect("an answer"));
    let share = async |name: &str| *shares(&gateway, &format!("/{name}")).await.get(&away).unwrap_or(&0.0);
    for name in ["peak_ewma", "round_robin"] {
        assert_eq!(share(name).await, 0.0, "{name}: the zone is well");
    }
    assert_eq!(gateway.metric("callgate_calls_diverted_total", &["other_zone"]).await, 0.0);
    let shown = gateway.admin.get("/backends").await.json();
    assert_eq!((&shown["zone"], &shown["backends"][0]["endpoints"][2]["zone"]), (&"a".into(), &"b".into()));

    // Half of the zone is reckoned to bear 70 % of its calls.
    let not_ready = async |at: usize| {
        moodies[at].set_ready(false).await.expect("it does as it is told");
        stands(&gateway, &backends[at], "not_ready").await;
    };
    not_ready(0).await;
    for name in ["peak_ewma", "round_robin"] {
        let share = share(name).await;
        assert!((18.0..42.0).contains(&share), "{name}: {share}");
    }
    assert!(gateway.metric("callgate_calls_diverted_total", &["other_zone"]).await > 100.0);
    not_ready(1).await;
    for name in ["peak_ewma", "round_robin"] {
        assert_eq!(share(name).await, 100.0, "{name}: nobody else is left");
    }
}
