//! Routes with `mode = "notify"`, with curl: 202 while the method still runs, what fails before and after it, and who waits for the call.

use callgate_tests::gate::{Gate as _, GateClient, beside};
use callgate_tests::{Backend, Gateway, Setup, eventually, free_port};
use nix::sys::signal::Signal;
use tokio::process::Command;

/// A gateway before one instance of the gate and one of the shop.
struct Rig {
    // Dropped first.
    gateway: Gateway,
    gate: Backend,
    shop: Backend,
    _setup: Setup,
}

const ROUTES: &str = r#"
[[routes]]
match = "POST /enter/{name}"
call = "gate.enter"
backend = "gate"
mode = "notify"

[[routes]]
match = "POST /one/{name}"
call = "gate.enter"
backend = "gate"
mode = "notify"
max_in_flight = 1

[[routes]]
match = "POST /short/{name}"
call = "gate.enter"
backend = "gate"
mode = "notify"
timeout = "200ms"

[[routes]]
match = "POST /fail/{code}"
call = "echo.fail"
backend = "shop"
mode = "notify"

[[routes]]
match = "POST /split/{code}"
call = "echo.fail"
mode = "notify"
fallback = { status = 503, body = "later" }
split = [{ backend = "shop", weight = 1 }, { backend = "gone", weight = 0, header = "x-gone: yes" }]

[[routes]]
match = "POST /count"
call = "echo.count"
backend = "shop"
mode = "notify"
"#;

async fn start() -> Rig {
    let setup = Setup::new();
    let (gate, shop) = (setup.backend("gate"), setup.backend("shop"));
    let gone = format!("127.0.0.1:{}", free_port());
    let backend = |name: &str, endpoint: &str| format!("[backends.{name}]\nendpoints = [{endpoint:?}]\n");
    let backends = [("gate", gate.endpoint()), ("shop", shop.endpoint()), ("gone", gone)];
    let backends: String = backends.iter().map(|(name, endpoint)| backend(name, endpoint)).collect();
    setup.write_routes("notify.toml", &format!("{backends}{ROUTES}"));
    let gateway = setup.gateway().await;
    gateway.connected(&gate).await;
    gateway.connected(&shop).await;
    Rig { gateway, gate, shop, _setup: setup }
}

/// What curl shows of an answer to a POST: its status, its type and its body.
async fn post(gateway: &Gateway, path: &str, words: &[&str]) -> (String, String) {
    let url = format!("http://{}{path}", gateway.addr);
    let curl = Command::new("curl")
        .args(["-sS", "-m", "60", "--noproxy", "*", "-X", "POST", "-w", "\n%{http_code} %{content_type}"])
        .args(words)
        .arg(url)
        .kill_on_drop(true)
        .output();
    let output = curl.await.expect("curl runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, told) = said.rsplit_once('\n').expect("the status is in a line of its own");
    (told.to_owned(), body.to_owned())
}

fn accepted() -> (String, String) {
    ("202 ".to_owned(), String::new())
}

impl Rig {
    fn beside(&self) -> GateClient {
        beside(&self.gate.endpoint())
    }

    async fn entered(&self, names: &[&str]) {
        let gate = self.beside();
        eventually("those who are in", async || (gate.entered().await.ok()? == names).then_some(())).await;
    }

    async fn counts(&self, outcome: &str, times: f64) {
        let label = format!("outcome={outcome:?}");
        eventually(outcome, async || {
            let n = self.gateway.metric("callgate_notified_calls_total", &[&label]).await;
            (n == times).then_some(())
        })
        .await;
    }

    async fn open(&self) -> f64 {
        self.gateway.metric("callgate_notified_calls_open", &[]).await
    }
}

#[tokio::test]
async fn the_client_has_its_202_while_the_method_runs() {
    let rig = start().await;
    assert_eq!(post(&rig.gateway, "/enter/ada", &[]).await, accepted());
    rig.entered(&["ada"]).await;
    assert_eq!(rig.open().await, 1.0);
    // There is nothing that a client would have to take.
    assert_eq!(post(&rig.gateway, "/enter/bob", &["-H", "accept: text/html"]).await, accepted());
    rig.entered(&["ada", "bob"]).await;
    rig.beside().open(2).await.expect("the gate is there");
    rig.counts("ok", 2.0).await;
    eventually("the end of both", async || (rig.open().await == 0.0).then_some(())).await;
    let shown = rig.gateway.admin.get("/routes").await.json();
    assert_eq!(shown["routes"][0]["mode"], "notify");
}

#[tokio::test]
async fn what_fails_later_is_counted_and_logged() {
    let mut rig = start().await;
    assert_eq!(post(&rig.gateway, "/fail/not_found", &[]).await, accepted());
    rig.counts("method_failed", 1.0).await;
    assert_eq!(post(&rig.gateway, "/short/ada", &[]).await, accepted());
    rig.counts("deadline", 1.0).await;
    assert_eq!(post(&rig.gateway, "/enter/bob", &[]).await, accepted());
    rig.entered(&["ada", "bob"]).await;
    rig.gate.kill();
    rig.counts("lost", 1.0).await;
    let reasons = eventually("the log", async || {
        let reasons = rig.gateway.logged("a call failed for which nobody waits", "reason");
        (reasons.len() >= 3).then_some(reasons)
    })
    .await;
    assert_eq!(reasons, ["method_failed", "deadline", "lost"]);
    assert_eq!(rig.open().await, 0.0);
}

#[tokio::test]
async fn what_fails_before_is_a_problem_as_any() {
    let mut rig = start().await;
    let problem = |status: u16| format!("{status} application/problem+json");
    let (told, body) = post(&rig.gateway, "/enter/ada?nam=x", &[]).await;
    assert!(told == problem(400) && body.contains("\"/nam\""), "{told} {body}");
    assert_eq!(post(&rig.gateway, "/split/ok", &["-H", "x-gone: yes"]).await.1, "later");
    assert_eq!(post(&rig.gateway, "/count?from=1&to=2", &[]).await.0, problem(500));
    let misfit = rig.gateway.told("a route does not fit its method", "error").await;
    assert!(misfit[0].as_str().is_some_and(|why| why.contains("`mode = \"notify\"`")), "{misfit:?}");
    rig.shop.kill();
    eventually("nobody", async || {
        let (told, _) = post(&rig.gateway, "/fail/not_found", &[]).await;
        (told == problem(503)).then_some(())
    })
    .await;
    assert!(rig.gateway.logged("a call failed for which nobody waits", "reason").is_empty());
}

#[tokio::test]
async fn a_call_holds_its_place_until_its_method_has_ended() {
    let rig = start().await;
    assert_eq!(post(&rig.gateway, "/one/ada", &[]).await, accepted());
    rig.entered(&["ada"]).await;
    let (told, body) = post(&rig.gateway, "/one/bob", &[]).await;
    assert!(told.starts_with("503 ") && body.contains("of this kind"), "{told} {body}");
    rig.beside().open(1).await.expect("the gate is there");
    rig.counts("ok", 1.0).await;
    assert_eq!(post(&rig.gateway, "/one/cyd", &[]).await, accepted());
    rig.beside().open(1).await.expect("the gate is there");
    rig.counts("ok", 2.0).await;
}

#[tokio::test]
async fn the_end_of_the_gateway_waits_for_the_call() {
    let mut rig = start().await;
    assert_eq!(post(&rig.gateway, "/enter/ada", &[]).await, accepted());
    rig.entered(&["ada"]).await;
    rig.gateway.signal(Signal::SIGTERM);
    eventually("the drain", async || rig.gateway.log().contains("draining").then_some(())).await;
    // Its client has gone, and the method has not heard that it should end.
    assert!(rig.gateway.is_running());
    rig.beside().open(1).await.expect("the gate is there");
    assert!(rig.gateway.ended().await);
    let log = rig.gateway.log();
    assert!(
        log.contains("drained") && !log.contains("nobody waits") && !log.contains("do not wait"),
        "{log}"
    );
}
