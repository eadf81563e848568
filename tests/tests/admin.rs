//! The admin port against browsers and strangers: who may ask what, and signals that mean nothing.

use callgate_tests::tokens::write;
use callgate_tests::{Answer, Gateway, Setup, eventually};
use nix::sys::signal::Signal;

async fn send(gateway: &Gateway, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    gateway.admin.send(method, path, headers, "").await
}

const OPEN: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
const PAGES: [&str; 6] = ["/", "/routes", "/backends", "/config", "/openapi.json", "/nowhere"];

#[tokio::test]
async fn a_form_on_another_site_drains_nothing() {
    let setup = Setup::new();
    let (backend, gateway) = setup.shop().await;
    let drain = format!("/-/drain?endpoint={}", backend.endpoint());
    let form = ("content-type", "application/x-www-form-urlencoded");
    for header in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("host", "evil.example"),
    ] {
        for path in [&drain, "/-/undrain", "/-/reload"] {
            let refused = send(&gateway, "POST", path, &[form, header]).await;
            assert_eq!(refused.status, 403, "{path} {header:?}: {}", refused.text());
        }
    }
    let draining = gateway.metric("callgate_endpoint_draining", &[]).await;
    assert_eq!(draining, 0.0);
    // The port's own page, and programs.
    let own = format!("http://{}", gateway.admin_addr);
    for headers in [vec![("origin", own.as_str()), ("sec-fetch-site", "same-origin")], vec![form]] {
        assert_eq!(send(&gateway, "POST", &drain, &headers).await.status, 200);
    }
    assert_eq!(gateway.metric("callgate_endpoint_draining", &[]).await, 1.0);
}

#[tokio::test]
async fn a_name_that_is_not_listed_gets_only_health_and_metrics() {
    let setup = Setup::new().admin("hosts = [\"gateway.example\"]");
    let (_backend, gateway) = setup.shop().await;
    for path in PAGES {
        let refused = send(&gateway, "GET", path, &[("host", "evil.example")]).await;
        assert_eq!(refused.status, 403, "{path}");
        assert!(refused.text().contains("`hosts` in [admin]"), "{}", refused.text());
        for known in ["gateway.example:8081", "localhost", "127.0.0.1:8081"] {
            assert_ne!(send(&gateway, "GET", path, &[("host", known)]).await.status, 403, "{path} {known}");
        }
    }
    for path in OPEN {
        let headers = [("host", "gateway:8081"), ("origin", "http://evil.example")];
        assert_eq!(send(&gateway, "GET", path, &headers).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn tokens_in_files_change_while_the_gateway_serves_and_bad_ones_leave_what_was_in_force() {
    let setup = Setup::new();
    let (all, read) = (write(&setup, "all", "t0ken-first\n"), write(&setup, "read", "t0ken-second\n"));
    let setup = setup.admin(&format!("token = {{ file = {all:?} }}\nread_token = {{ file = {read:?} }}"));
    let gateway = setup.gateway().await;
    let by = async |token: &str| {
        let shown = format!("Bearer {token}");
        gateway.admin.send("GET", "/config", &[("authorization", &shown)], "").await.status
    };
    assert_eq!([by("t0ken-first").await, by("t0ken-second").await, by("t0ken-third").await], [200, 200, 401]);
    write(&setup, "all", "t0ken-third\n");
    gateway.told("the tokens of the admin port changed", "level").await;
    assert_eq!([by("t0ken-first").await, by("t0ken-second").await, by("t0ken-third").await], [401, 200, 200]);
    // As the other one, none, and gone.
    write(&setup, "read", "t0ken-third\n");
    let problem = "the tokens of the admin port cannot be read; what was in force stays so";
    let told = gateway.told(problem, "error").await;
    assert_eq!([by("t0ken-second").await, by("t0ken-third").await], [200, 200]);
    std::fs::remove_file(&all).expect("it can be removed");
    eventually("that it is gone", async || {
        (gateway.logged(problem, "error").len() > told.len()).then_some(())
    })
    .await;
    assert_eq!([by("t0ken-second").await, by("t0ken-third").await], [200, 200]);
    write(&setup, "read", "t0ken-fourth\n");
    write(&setup, "all", "t0ken-third\n");
    eventually("the new one", async || (by("t0ken-fourth").await == 200).then_some(())).await;
    assert_eq!([by("t0ken-second").await, by("t0ken-third").await], [401, 200]);
    let log = gateway.log();
    assert!(
        ["t0ken-first", "t0ken-second", "t0ken-third", "t0ken-fourth"]
            .iter()
            .all(|token| !log.contains(token)),
        "{log}"
    );
}

#[tokio::test]
async fn a_token_is_asked_for_and_never_shown() {
    let setup = Setup::new().admin("token = \"s3cret-of-the-port\"").env("CALLGATE_LOG", "debug");
    let (backend, gateway) = {
        let backend = setup.backend("shop");
        setup.write_shop(&[&backend]);
        (backend, setup.gateway().await)
    };
    let right = ("authorization", "Bearer s3cret-of-the-port");
    let drain = format!("/-/drain?endpoint={}", backend.endpoint());
    let posts = [drain.as_str(), "/-/reload", "/-/nowhere"].map(|path| ("POST", path));
    for (method, path) in PAGES.map(|path| ("GET", path)).into_iter().chain(posts) {
        for headers in [vec![], vec![("authorization", "Bearer wrong")], vec![right, right]] {
            let refused = send(&gateway, method, path, &headers).await;
            assert_eq!(refused.status, 401, "{path} {headers:?}");
            assert!(refused.header("www-authenticate").starts_with("Bearer"));
        }
        assert_ne!(send(&gateway, method, path, &[right]).await.status, 401, "{path}");
    }
    for path in OPEN {
        assert_eq!(send(&gateway, "GET", path, &[]).await.status, 200, "{path}");
    }
    let config = send(&gateway, "GET", "/config", &[right]).await;
    assert_eq!(config.json()["settings"]["admin"]["token"], true);
    assert!(!config.text().contains("s3cret") && !gateway.log().contains("s3cret"));
}

#[tokio::test]
async fn signals_without_a_meaning_change_nothing() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    for signal in [
        Signal::SIGUSR1,
        Signal::SIGALRM,
        Signal::SIGVTALRM,
        Signal::SIGPROF,
        Signal::SIGIO,
        Signal::SIGPWR,
        Signal::SIGXFSZ,
        Signal::SIGPIPE,
        Signal::SIGWINCH,
    ] {
        gateway.signal(signal);
        assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.status, 200, "{signal}");
    }
    // Real-time ones have no names.
    for number in [34, 50, 63] {
        let kill = format!("kill -{number} {}", gateway.pid());
        let told = std::process::Command::new("sh").args(["-c", &kill]).status().expect("a shell runs");
        assert!(told.success());
        assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.status, 200, "{number}");
    }
    assert!(gateway.is_running());
}
