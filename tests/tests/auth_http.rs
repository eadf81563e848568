//! Who calls by the word of a service that is asked over HTTP: a process in Python that says what it is told to.

use callgate_tests::provider::Provider;
use callgate_tests::tls::Ca;
use callgate_tests::{Answer, Backend, Gateway, Setup, eventually, free_port};
use serde_json::{Value, json};

/// A service that notes its calls behind a gateway, and one that says who calls.
struct Asked {
    setup: Setup,
    gateway: Gateway,
    service: Provider,
    _backend: Backend,
}

const ROUTES: &str = "unknown_fields = 'ignore'\n[[routes]]\nmatch = 'GET /who'\ncall = 'guarded.who'\nresponse = { wrap = 'caller' }\nauth = 'gate'\n\
    forward_claims = ['tenant']\n\
    [[routes]]\nmatch = 'GET /write'\ncall = 'guarded.who'\nresponse = { wrap = 'caller' }\nauth = 'gate'\n\
    require = { scopes = ['write'], claims = { tenant = 'acme' } }\n\
    [[routes]]\nmatch = 'GET /open'\ncall = 'guarded.who'\nresponse = { wrap = 'caller' }\nauth = ['gate', 'anonymous']\n";

impl Asked {
    async fn start(setup: Setup, tls: Option<(Ca, std::path::PathBuf)>, keys: &str) -> Asked {
        let certificate =
            tls.as_ref().map(|(ca, _)| ca.server(&["localhost"]).write(setup.folder(), "service"));
        let mut service = Provider::new(&setup, "service", certificate);
        service.answers(&json!({ "status": 401 }));
        service.start().await;
        let endpoint = format!("127.0.0.1:{}", free_port());
        let notes = setup.file("notes").display().to_string();
        let backend = setup.backend_told("guarded", endpoint.clone(), &["--notes", &notes]);
        let ca = tls.map(|(_, file)| format!("ca = {file:?}\n")).unwrap_or_default();
        let auth = format!(
            "[auth.gate]\ntype = 'http'\nurl = '{}'\n{ca}name = 'x-user'\nscopes = 'x-scopes'\nclaims = {{ tenant = 'x-tenant' }}\n{keys}",
            service.url("/auth?of=gate")
        );
        setup.write_routes("auth.toml", &auth);
        setup.write_routes(
            "routes.toml",
            &format!("{ROUTES}[backends.guarded]\nendpoints = [{endpoint:?}]\n"),
        );
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Asked { setup, gateway, service, _backend: backend }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        let headers =
            [("authorization", token), ("x-user", "root"), ("x-tenant", "root"), ("x-forwarded-uri", "/")];
        self.gateway.client.send("GET", path, &headers, "").await
    }

    async fn said(&self, result: &str) -> f64 {
        let labels = ["authenticator=\"gate\"".to_owned(), format!("result=\"{result}\"")];
        self.gateway.metric("callgate_auth_total", &[&labels[0], &labels[1]]).await
    }

    fn notes(&self) -> Vec<String> {
        let notes = std::fs::read_to_string(self.setup.file("notes")).unwrap_or_default();
        notes.lines().map(str::to_owned).collect()
    }
}

fn ada() -> Value {
    json!({ "status": 200, "headers": { "X-User": "ada", "x-scopes": "read write", "x-tenant": "acme" }, "body": "welcome" })
}

#[tokio::test]
async fn a_service_says_who_calls_and_what_it_may() {
    let asked = Asked::start(Setup::new().workers(1), None, "").await;
    asked.service.answers(&ada());
    let who = asked.get("/who?x=%20y", "Bearer t").await;
    let expected =
        json!({ "name": "ada", "authenticator": "gate", "scopes": ["read", "write"], "tenant": "acme" });
    assert_eq!((who.status, &who.json()["caller"]), (200, &expected), "{}", who.text());
    assert_eq!(asked.get("/write", "Bearer t").await.status, 200);
    let told = &asked.service.asked()[0];
    let headers: Vec<(&str, &str)> = told["headers"]
        .as_array()
        .expect("headers")
        .iter()
        .map(|pair| (pair[0].as_str().expect("a name"), pair[1].as_str().expect("a value")))
        .collect();
    assert_eq!(
        (told["method"].as_str(), told["path"].as_str(), told["body"].as_str()),
        (Some("GET"), Some("/auth?of=gate"), Some(""))
    );
    for expected in [
        ("authorization", "Bearer t"),
        ("x-forwarded-method", "GET"),
        ("x-forwarded-uri", "/who?x=%20y"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-for", "127.0.0.1"),
    ] {
        assert!(headers.contains(&expected), "{expected:?}: {headers:?}");
    }
    // Nothing else of the client's goes along, and nothing of it under a name that the service believes.
    assert!(headers.iter().all(|(name, _)| !["x-user", "x-tenant"].contains(name)), "{headers:?}");
    assert_eq!(headers.iter().filter(|(name, _)| *name == "x-forwarded-uri").count(), 1);

    // Who shows nothing that is asked about, shows nothing.
    let nothing = asked.gateway.client.send("GET", "/open", &[("x-user", "root")], "").await;
    assert_eq!((nothing.status, nothing.json()), (200, json!({ "caller": null })));
    assert_eq!(asked.service.asked().len(), 2, "nothing is kept, and nothing is asked about nobody");
    // It may have hung up meanwhile; whoever asks does not notice.
    let mut asked = asked;
    asked.service.stop().await;
    asked.service.start().await;
    assert_eq!(asked.get("/who", "Bearer t").await.status, 200);
    assert_eq!(asked.notes(), ["ada", "ada", "-", "ada"]);
}

#[tokio::test]
async fn a_service_that_does_not_say_who_calls_lets_nobody_in() {
    let asked = Asked::start(Setup::new(), None, "timeout = '1s'\n").await;
    let challenge = "Bearer realm=\"id\", error=\"invalid_token\"";
    let twice = json!({ "X-User": ["ada", "bob"] });
    for (answer, status, result) in [
        (json!({ "status": 401, "headers": { "www-authenticate": challenge } }), 401, "unknown"),
        (json!({ "status": 403, "headers": { "X-User": "ada" } }), 403, "forbidden"),
        (
            json!({ "status": 302, "headers": { "location": asked.service.url("/login"), "X-User": "ada" } }),
            503,
            "away",
        ),
        (json!({ "status": 500 }), 503, "away"),
        (json!({ "status": 200 }), 503, "bad_answer"),
        (json!({ "status": 200, "headers": twice }), 503, "bad_answer"),
        (
            json!({ "status": 200, "headers": { "X-User": "ada" }, "body": "x".repeat(100_000) }),
            503,
            "bad_answer",
        ),
        (json!({ "stall": true }), 503, "late"),
    ] {
        asked.service.answers(&answer);
        let before = asked.said(result).await;
        let refused = asked.get("/who", "Bearer t").await;
        assert_eq!(refused.status, status, "{answer}: {}", refused.text());
        let expected = if status == 401 { challenge } else { "" };
        assert_eq!(refused.header("www-authenticate"), expected, "{answer}");
        assert_eq!(asked.get("/open", "Bearer t").await.status, status, "{answer}");
        assert_eq!(asked.said(result).await, before + 2.0, "{answer}");
    }
    let mut asked = asked;
    asked.service.stop().await;
    assert_eq!(asked.get("/who", "Bearer t").await.status, 503);
    let told = asked.gateway.told("nobody could say who calls", "flaw").await;
    assert!(told.contains(&json!("away")) && told.contains(&json!("late")), "{told:?}");
    assert!(asked.service.asked().iter().all(|one| one["path"] == "/auth?of=gate"), "it goes nowhere else");
    assert_eq!(asked.notes(), [] as [&str; 0]);
}

#[tokio::test]
async fn answers_are_kept_by_all_that_was_told_where_the_table_says_so() {
    let setup = Setup::new().workers(1);
    let ca = Ca::new("a service's CA");
    let file = setup.file("ca.pem");
    std::fs::write(&file, ca.pem()).expect("it can be written");
    let asked = Asked::start(setup, Some((ca, file)), "cache = '1h'\n").await;
    asked.service.answers(&ada());
    for (path, token, questions) in [
        ("/who", "Bearer t", 1),
        ("/who", "Bearer t", 1),
        ("/who", "Bearer u", 2),
        ("/who?x=1", "Bearer t", 3),
        ("/write", "Bearer t", 4),
        ("/who", "Bearer t", 4),
    ] {
        assert_eq!(asked.get(path, token).await.status, 200);
        assert_eq!(asked.service.asked().len(), questions, "{path} {token}");
    }
    // What is kept is who calls, and never that nobody does.
    asked.service.answers(&json!({ "status": 401 }));
    assert_eq!(asked.get("/who", "Bearer v").await.status, 401);
    assert_eq!(asked.get("/who", "Bearer t").await.status, 200);
    asked.service.answers(&ada());
    eventually("her again", || async { (asked.get("/who", "Bearer v").await.status == 200).then_some(()) })
        .await;
}
