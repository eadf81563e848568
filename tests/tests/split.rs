//! Routes whose calls are split: by weight over backends and over versions, by header, and pinned to a version.

use callgate_tests::tokens::{tokens, write};
use callgate_tests::{Backend, Client, Gateway, Setup, eventually};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// A backend for each instance, and `GET /ask` with those lines.
fn table(backends: &[(&str, &Backend)], lines: &str) -> String {
    let mut text = String::new();
    for (name, backend) in backends {
        text.push_str(&format!("[backends.{name}]\nendpoints = [{:?}]\nhold = \"0s\"\n", backend.endpoint()));
    }
    text.push_str("[[routes]]\nmatch = \"GET /ask\"\ncall = \"moody.ask\"\nresponse = { wrap = \"pid\" }\n");
    text + lines
}

const CANARY: &str = "split = [{ backend = \"old\", weight = 95 }, { backend = \"new\", weight = 5 }]\n";

async fn start(setup: &Setup, backends: &[(&str, &Backend)], lines: &str) -> Gateway {
    setup.write_routes("ask.toml", &table(backends, lines));
    let gateway = setup.gateway().await;
    for (_, backend) in backends {
        gateway.connected(backend).await;
    }
    gateway
}

/// So many requests from 16 clients at once; how many answers had that status and that value.
async fn ask(client: &Client, n: u32, headers: &'static [(&str, &str)]) -> HashMap<(u16, Value), u32> {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..16 {
        let client = client.clone();
        tasks.spawn(async move {
            let mut seen: HashMap<(u16, Value), u32> = HashMap::new();
            for _ in 0..n / 16 + u32::from(task < n % 16) {
                let answer = client.send("GET", "/ask", headers, "").await;
                let pid = if answer.status == 200 { answer.json()["pid"].take() } else { Value::Null };
                *seen.entry((answer.status, pid)).or_default() += 1;
            }
            seen
        });
    }
    let mut all = HashMap::new();
    while let Some(seen) = tasks.join_next().await {
        for (what, n) in seen.expect("a task that asserts nothing") {
            *all.entry(what).or_default() += n;
        }
    }
    all
}

/// What the number of hits in `n` draws of chance `p` lies within, but for one case in a million: Chernoff's bound, which holds
/// for every `n` and `p`.
fn within(n: u32, p: f64) -> RangeInclusive<f64> {
    let rare = |hits: f64| {
        let q = hits / f64::from(n);
        let part = |q: f64, p: f64| if q > 0.0 { q * (q / p).ln() } else { 0.0 };
        // Half of it for each side.
        f64::from(n) * (part(q, p) + part(1.0 - q, 1.0 - p)) > (2e6_f64).ln()
    };
    let mean = f64::from(n) * p;
    let side = |step: f64| {
        let mut hits = mean.round();
        while (0.0..=f64::from(n)).contains(&(hits + step)) && !rare(hits + step) {
            hits += step;
        }
        hits
    };
    side(-1.0)..=side(1.0)
}

/// Calls that took an arm.
async fn taken(gateway: &Gateway, arm: &str, by: &str) -> f64 {
    let (arm, by) = (format!("arm=\"{arm}\""), format!("by=\"{by}\""));
    gateway.metric("callgate_route_split_total", &["route=\"/ask\"", &arm, &by]).await
}

/// Calls that ended at an instance.
async fn calls(gateway: &Gateway, backend: &Backend) -> f64 {
    gateway.metric("callgate_calls_total", &[&backend.endpoint()]).await
}

#[test]
fn the_bound_is_not_wider_than_it_must_be() {
    let bound = within(10_000, 0.05);
    assert!(*bound.start() > 370.0 && *bound.end() < 640.0, "{bound:?}");
    assert_eq!(within(10, 1.0), 10.0..=10.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_at_5_percent_gets_5_percent_and_a_reload_that_changes_it_keeps_all_connections() {
    let setup = Setup::new();
    let (old, new) = (setup.backend("moody"), setup.backend("moody"));
    let backends = [("old", &old), ("new", &new)];
    let gateway = start(&setup, &backends, CANARY).await;
    const N: u32 = 10_000;
    let seen = ask(&gateway.client, N, &[]).await;
    assert!(seen.keys().all(|(status, _)| *status == 200), "{seen:?}");
    assert_eq!(seen.len(), 2, "both: {seen:?}");
    let canary = calls(&gateway, &new).await;
    assert!(within(N, 0.05).contains(&canary), "{canary} of {N}");
    assert_eq!(taken(&gateway, "new", "weight").await, canary);
    assert_eq!(taken(&gateway, "old", "weight").await, f64::from(N) - canary);

    let connects = async || gateway.metric("callgate_backend_connects_total", &["outcome=\"ok\""]).await;
    let before = connects().await;
    setup.write_routes("ask.toml", &table(&backends, &CANARY.replace("= 5 ", "= 95 ")));
    gateway.takes_its_tables().await;
    let seen = ask(&gateway.client, 2000, &[]).await;
    assert!(seen.keys().all(|(status, _)| *status == 200), "{seen:?}");
    let half = calls(&gateway, &new).await - canary;
    assert!(within(2000, 0.5).contains(&half), "{half} of 2000");
    assert_eq!(taken(&gateway, "new", "weight").await, canary + half, "the counters go on");
    assert_eq!(connects().await, before, "no connection was made anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_the_header_takes_its_arm_whatever_the_weights() {
    let setup = Setup::new();
    let (old, mut new) = (setup.backend("moody"), setup.backend("moody"));
    let lines = "split = [{ backend = \"old\", weight = 1 }, \
                 { backend = \"new\", header = [\"X-Canary: yes\", \"x-beta\"] }]\n";
    let gateway = start(&setup, &[("old", &old), ("new", &new)], lines).await;
    ask(&gateway.client, 100, &[]).await;
    ask(&gateway.client, 100, &[("x-canary", "no")]).await;
    assert_eq!((calls(&gateway, &old).await, calls(&gateway, &new).await), (200.0, 0.0));
    ask(&gateway.client, 100, &[("x-canary", "yes")]).await;
    ask(&gateway.client, 100, &[("x-beta", "whatever")]).await;
    assert_eq!((calls(&gateway, &old).await, calls(&gateway, &new).await), (200.0, 200.0));
    assert_eq!(taken(&gateway, "new", "header").await, 200.0);
    // Who asks for the canary does not get something else when it is away.
    new.kill();
    eventually("its end", async || {
        (gateway.metric("callgate_backend_connections", &["\"new\""]).await == 0.0).then_some(())
    })
    .await;
    let seen = ask(&gateway.client, 20, &[("x-canary", "yes")]).await;
    assert!(seen.keys().all(|(status, _)| *status == 503), "{seen:?}");
    let seen = ask(&gateway.client, 20, &[]).await;
    assert!(seen.keys().all(|(status, _)| *status == 200), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arm_without_an_instance_loses_its_share_to_the_others_until_it_is_back() {
    let setup = Setup::new();
    let (old, mut new) = (setup.backend("moody"), setup.backend("moody"));
    let lines = CANARY.replace("= 95 ", "= 50 ").replace("= 5 ", "= 50 ");
    let gateway = start(&setup, &[("old", &old), ("new", &new)], &lines).await;
    new.kill();
    // Idempotent: what is in flight when the instance dies would be sent again, but in its own arm.
    eventually("its end", async || {
        (gateway.metric("callgate_backend_connections", &["\"new\""]).await == 0.0).then_some(())
    })
    .await;
    let seen = ask(&gateway.client, 200, &[]).await;
    assert_eq!((seen.len(), seen.values().sum::<u32>()), (1, 200), "all by the one that is there: {seen:?}");
    assert!(seen.keys().all(|(status, _)| *status == 200), "{seen:?}");
    let spilled = taken(&gateway, "old", "spill").await;
    assert!(within(200, 0.5).contains(&spilled), "{spilled} of 200");
    new.start();
    gateway.connected(&new).await;
    assert_eq!(ask(&gateway.client, 200, &[]).await.len(), 2, "both again");
    assert_eq!(taken(&gateway, "old", "spill").await, spilled);
}

/// An old and a new version of the shop in one backend, and its quotes with those lines.
async fn versions(setup: &Setup, lines: &str) -> (Backend, Backend, Gateway) {
    let (old, new) = (setup.backend("shop"), setup.backend("shop-next"));
    let text = format!(
        "[backends.shop]\nendpoints = [{:?}, {:?}]\nhold = \"0s\"\n\
         [[routes]]\nmatch = \"POST /quote\"\ncall = \"orders.quote\"\n{lines}\n\
         [[routes]]\nmatch = \"GET /add\"\ncall = \"calc.add\"\nresponse = {{ wrap = \"result\" }}\n",
        old.endpoint(),
        new.endpoint(),
    );
    setup.write_routes("shop.toml", &text);
    let gateway = setup.gateway().await;
    for backend in [&old, &new] {
        gateway.connected(backend).await;
    }
    (old, new, gateway)
}

async fn quotes(client: &Client, n: u32) -> HashMap<u16, u32> {
    let order = json!({"order_id": "1", "customer": "ada", "express": true, "items": []}).to_string();
    let mut seen = HashMap::new();
    for _ in 0..n {
        *seen.entry(client.post("/quote", order.clone()).await.status).or_default() += 1;
    }
    seen
}

#[tokio::test]
async fn arms_may_be_versions_of_the_instances_of_one_backend() {
    let setup = Setup::new();
    let lines = "split = [{ version = \"1.0\", weight = 75 }, { version = \"2.0\", weight = 25 }]";
    let (old, new, gateway) = versions(&setup, lines).await;
    const N: u32 = 2000;
    assert_eq!(quotes(&gateway.client, N).await, HashMap::from([(200, N)]));
    let (olds, news) = (calls(&gateway, &old).await, calls(&gateway, &new).await);
    assert!(within(N, 0.25).contains(&news) && olds + news == f64::from(N), "{olds} and {news}");
    let by_arm = gateway.metric("callgate_route_split_total", &["arm=\"shop@2.0\"", "by=\"weight\""]).await;
    assert_eq!(by_arm, news);
    let routes = gateway.admin.get("/routes").await.json();
    let arms = &routes["routes"][0]["split"];
    assert_eq!((&arms[1]["version"], &arms[1]["weight"]), (&json!("2.0"), &json!(25)), "{routes}");
    assert_eq!(arms[1]["calls"]["weight"].as_f64(), Some(news), "{routes}");
}

#[tokio::test]
async fn a_pinned_route_goes_to_instances_of_its_version_only_even_if_there_is_none() {
    let setup = Setup::new();
    let (old, mut new, gateway) = versions(&setup, "version = \"2.0\"").await;
    assert_eq!(quotes(&gateway.client, 200).await, HashMap::from([(200, 200)]));
    assert_eq!((calls(&gateway, &old).await, calls(&gateway, &new).await), (0.0, 200.0));
    new.kill();
    eventually("its end", async || {
        (quotes(&gateway.client, 1).await == HashMap::from([(503, 1)])).then_some(())
    })
    .await;
    assert_eq!(calls(&gateway, &old).await, 0.0);
    new.start();
    eventually("its return", async || {
        (quotes(&gateway.client, 1).await == HashMap::from([(200, 1)])).then_some(())
    })
    .await;
    assert_eq!(calls(&gateway, &old).await, 0.0);
}

#[tokio::test]
async fn an_instance_whose_schema_lacks_the_method_gets_none_of_its_calls() {
    let setup = Setup::new();
    let (old, new, gateway) = versions(&setup, "").await;
    const N: u32 = 2000;
    for n in 0..N {
        let answer = gateway.client.get(&format!("/add?a={n}&b=1")).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"result": n + 1})));
    }
    assert_eq!((calls(&gateway, &old).await, calls(&gateway, &new).await), (f64::from(N), 0.0));
    // What both have goes to both.
    assert_eq!(quotes(&gateway.client, 200).await, HashMap::from([(200, 200)]));
    assert!(calls(&gateway, &new).await > 0.0);
}

#[tokio::test]
async fn callers_stay_at_their_target_where_the_split_goes_by_who_they_are() {
    let setup = Setup::new().workers(2);
    let (old, new) = (setup.backend("moody"), setup.backend("moody"));
    let secret = write(&setup, "secret", "a secret of the tests, 32 bytes!\n");
    setup.write_routes(
        "auth.toml",
        &format!("[auth.staff]\ntype = 'jwt'\nsecret = {{ file = {secret:?} }}\nalgorithms = ['HS256']\n"),
    );
    let lines = "auth = ['staff', 'anonymous']\nsplit_by = 'identity'\nsplit = [{ backend = 'old', weight = 50 }, { backend = 'new', weight = 50 }]\n";
    let gateway = start(&setup, &[("old", &old), ("new", &new)], lines).await;
    let claims: Vec<Value> =
        (0..40).map(|at| json!({ "sub": format!("user {at}"), "exp": 4_102_444_800u64 })).collect();
    let callers = tokens("HS256", &secret, &claims).await;
    let mut at: HashMap<u64, u32> = HashMap::new();
    for shown in &callers {
        let mut seen = Vec::new();
        for _ in 0..8 {
            // Each time another connection, so that both workers serve some.
            let client = Client::new(gateway.addr);
            let answer = client.send("GET", "/ask", &[("authorization", shown)], "").await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            seen.push(answer.json()["pid"].as_u64().expect("a pid"));
        }
        assert!(seen.iter().all(|pid| *pid == seen[0]), "{seen:?}");
        *at.entry(seen[0]).or_default() += 1;
    }
    assert!(at.len() == 2 && at.values().all(|callers| *callers > 4), "{at:?}");
    // Who shows nothing is drawn.
    assert_eq!(ask(&gateway.client, 200, &[]).await.len(), 2);
}
