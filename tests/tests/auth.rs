//! Who may call: by certificate, by user, by token; with curl, and with tokens that Python and openssl make.

use callgate_tests::tls::{Ca, Issued};
use callgate_tests::tokens::{rsa, token, tokens, write};
use callgate_tests::{Backend, Gateway, Setup, binary, eventually, free_port};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// The year 2100.
const LATER: u64 = 4_102_444_800;

/// A service that notes its calls behind a gateway.
struct Guarded {
    setup: Setup,
    gateway: Gateway,
    _backend: Backend,
}

impl Guarded {
    /// With those tables beside, in which the backend is `guarded`.
    async fn start(setup: Setup, tables: &[(&str, &str)]) -> Guarded {
        let endpoint = format!("127.0.0.1:{}", free_port());
        let notes = setup.file("notes").display().to_string();
        let backend = setup.backend_told("guarded", endpoint.clone(), &["--notes", &notes]);
        setup.write_routes("backend.toml", &format!("[backends.guarded]\nendpoints = [{endpoint:?}]\n"));
        for (name, text) in tables {
            setup.write_routes(name, text);
        }
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Guarded { setup, gateway, _backend: backend }
    }

    /// What a GET with these headers gets.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> callgate_tests::Answer {
        self.gateway.client.send("GET", path, headers, "").await
    }

    /// Who has called the instance, in order.
    fn notes(&self) -> Vec<String> {
        let notes = std::fs::read_to_string(self.setup.file("notes")).expect("there are notes");
        notes.lines().map(str::to_owned).collect()
    }

    /// How often an authenticator has said that.
    async fn said(&self, authenticator: &str, result: &str) -> f64 {
        let labels = [format!("authenticator=\"{authenticator}\""), format!("result=\"{result}\"")];
        self.gateway.metric("callgate_auth_total", &[&labels[0], &labels[1]]).await
    }
}

/// What curl prints: the status, a space, and the body.
async fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["-s", "-S", "--max-time", "20", "-w", "%{stderr}%{http_code}"])
        .args(arguments)
        .output()
        .await
        .expect("curl is there");
    format!("{} {}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}

const WHO: &str = "[[routes]]\nmatch = 'GET /who'\ncall = 'guarded.who'\nresponse = { wrap = 'caller' }\n";

fn certificate(clients: &Ca, setup: &Setup) -> (Ca, String) {
    let ca = Ca::new("a test's CA");
    std::fs::write(setup.file("clients.pem"), clients.pem()).expect("it can be written");
    std::fs::write(setup.file("ca.pem"), ca.pem()).expect("it can be written");
    let (cert, key) = ca.server(&["localhost"]).write(setup.folder(), "server");
    (ca, format!("[[certificates]]\nnames = ['localhost']\ncert = {cert:?}\nkey = {key:?}\n"))
}

#[tokio::test]
async fn a_client_calls_by_the_name_in_its_certificate() {
    let listener = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let section = format!(
        "[[listeners]]\nid = 'mutual'\naddress = '{listener}'\ntls = {{ client_certificates = 'optional', ca = 'clients.pem' }}\n"
    );
    let setup = Setup::new().section(&section);
    let clients = Ca::new("clients");
    let (_ca, certificates) = certificate(&clients, &setup);
    let [billing, others]: [Issued; 2] = ["billing", "others"].map(|name| clients.client(name));
    let billing = billing.write(setup.folder(), "billing");
    let others = others.write(setup.folder(), "others");
    let auth = "[auth.services]\ntype = 'mtls'\nname = 'dns'\nallow = ['bill*']\n";
    let routes = format!("auth = 'services'\n{WHO}");
    let tables = [("certificates.toml", &*certificates), ("auth.toml", auth), ("routes.toml", &routes)];
    let guarded = Guarded::start(setup, &tables).await;
    let url = format!("https://localhost:{}/who", listener.port());
    let ca = guarded.setup.file("ca.pem").display().to_string();
    let ask = async |own: Option<&(PathBuf, PathBuf)>| {
        let own = own.map(|(cert, key)| [cert, key].map(|path| path.display().to_string()));
        let mut arguments = vec!["--cacert", &ca, "-i", &url];
        if let Some([cert, key]) = &own {
            arguments.extend(["--cert", cert, "--key", key]);
        }
        curl(&arguments).await
    };
    let known = ask(Some(&billing)).await;
    assert!(known.starts_with("200"), "{known}");
    assert!(known.contains(r#""name":"billing","authenticator":"services","scopes":[]"#), "{known}");
    for own in [None, Some(&others)] {
        let refused = ask(own).await.to_lowercase();
        assert!(refused.starts_with("401"), "{refused}");
        assert!(refused.contains("www-authenticate: clientcertificate realm=\"callgate\"\r\n"), "{refused}");
    }
    assert_eq!(guarded.notes(), ["billing"]);
    assert_eq!(
        (guarded.said("services", "ok").await, guarded.said("services", "not_allowed").await),
        (1.0, 1.0)
    );
    let told = guarded.gateway.told("a caller was not let in", "flaw").await;
    assert_eq!(told[0], "not_allowed");
}

#[tokio::test]
async fn a_process_calls_by_its_user_through_a_unix_socket() {
    let setup = Setup::new();
    let socket = setup.file("http.sock").display().to_string();
    let setup = setup.section(&format!("[[listeners]]\nid = 'unix'\naddress = 'unix:{socket}'\n"));
    let uid = nix::unistd::geteuid().as_raw();
    let auth = format!(
        "[auth.mine]\ntype = 'unix'\nusers = [{uid}]\n[auth.others]\ntype = 'unix'\nusers = [{}]\n",
        uid + 1
    );
    let routes = format!(
        "{WHO}auth = 'mine'\nforward_claims = ['uid']\n{}auth = 'others'\n{}auth = ['mine', 'anonymous']\n",
        WHO.replace("/who", "/others"),
        WHO.replace("/who", "/open"),
    );
    let guarded = Guarded::start(setup, &[("auth.toml", &auth), ("routes.toml", &routes)]).await;
    let ask = async |path: &str| curl(&["--unix-socket", &socket, &format!("http://localhost{path}")]).await;
    let name = format!("\"name\":\"{uid}\"");
    for (path, status) in [("/who", "200"), ("/others", "401"), ("/open", "200")] {
        let answer = ask(path).await;
        assert!(
            answer.starts_with(status) && (status != "200" || answer.contains(&name)),
            "{path}: {answer}"
        );
    }
    // By TCP nobody knows the user.
    assert_eq!(guarded.get("/who", &[]).await.status, 401);
    assert_eq!(guarded.get("/open", &[]).await.json(), json!({ "caller": null }));
    assert_eq!(guarded.notes(), [&uid.to_string(), &uid.to_string(), "-"]);
}

/// A table with an authenticator of tokens that are signed with a secret.
fn by_secret(setup: &Setup) -> (PathBuf, String) {
    let secret = write(setup, "secret", "a secret of the tests, 32 bytes!\n");
    let auth = format!(
        "[auth.staff]\ntype = 'jwt'\nsecret = {{ file = {secret:?} }}\nalgorithms = ['HS256']\nissuer = 'https://id.example'\naudience = 'orders'\n"
    );
    (secret, auth)
}

fn claims(more: Value) -> Value {
    let mut claims = json!({ "sub": "ada", "iss": "https://id.example", "aud": "orders", "exp": LATER });
    for (name, value) in more.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

#[tokio::test]
async fn a_token_says_who_calls_and_what_it_may() {
    let setup = Setup::new();
    let (secret, auth) = by_secret(&setup);
    let routes = format!(
        "auth = 'staff'\nforward_claims = ['tenant']\n{WHO}\
         {}require = {{ scopes = ['orders:write', 'orders:read'] }}\n\
         {}require = {{ claims = {{ tenant = ['acme', 'b'] }} }}\n\
         [[routes]]\nmatch = 'GET /list'\ncall = 'guarded.list'\nbind = {{ tenant = {{ claim = 'tenant' }} }}\n\
         [[routes]]\nmatch = 'POST /list'\ncall = 'guarded.list'\nbind = {{ tenant = {{ claim = 'tenant' }} }}\n\
         {}rate_limit = {{ rate = '1/h', burst = 1, by = 'claim:sub' }}\n",
        WHO.replace("/who", "/write"),
        WHO.replace("/who", "/tenant"),
        WHO.replace("/who", "/limited"),
    );
    let guarded = Guarded::start(setup, &[("auth.toml", &auth), ("routes.toml", &routes)]).await;
    let more = json!({ "tenant": "acme", "scope": "orders:write orders:read" });
    let ada = token("HS256", &secret, claims(more)).await;
    let poor =
        token("HS256", &secret, claims(json!({ "sub": "bob", "scope": "orders:read", "tenant": ["c"] })))
            .await;
    let as_ada = [("authorization", &*ada)];
    let as_bob = [("authorization", &*poor)];

    let who = guarded.get("/who", &as_ada).await;
    let expected = json!({ "name": "ada", "authenticator": "staff", "scopes": ["orders:read", "orders:write"], "tenant": "acme" });
    assert_eq!((who.status, &who.json()["caller"]), (200, &expected));
    for path in ["/write", "/tenant"] {
        assert_eq!(guarded.get(path, &as_ada).await.status, 200, "{path}");
    }
    let missing = guarded.get("/write", &as_bob).await;
    let challenge =
        "Bearer realm=\"callgate\", error=\"insufficient_scope\", scope=\"orders:write orders:read\"";
    assert_eq!((missing.status, missing.header("www-authenticate")), (403, challenge));
    let missing = guarded.get("/tenant", &as_bob).await;
    assert_eq!(
        (missing.status, missing.header("www-authenticate")),
        (403, "Bearer realm=\"callgate\", error=\"insufficient_scope\"")
    );

    // A field that a claim fills.
    assert_eq!(guarded.get("/list", &as_ada).await.json(), json!("acme"));
    assert_eq!(guarded.get("/list?tenant=other", &as_ada).await.status, 400);
    let sent = guarded
        .gateway
        .client
        .send(
            "POST",
            "/list",
            &[("authorization", &ada), ("content-type", "application/json")],
            r#"{"tenant":"acme"}"#,
        )
        .await;
    assert_eq!(sent.status, 400, "even the right one: {}", sent.text());
    assert_eq!(guarded.get("/list", &as_bob).await.status, 403, "a list is no tenant");

    let limited = async |headers| guarded.get("/limited", headers).await.status;
    assert_eq!([limited(&as_ada).await, limited(&as_ada).await, limited(&as_bob).await], [200, 429, 200]);
    assert!(guarded.notes().iter().all(|who| who == "ada" || who == "bob"));
}

#[tokio::test]
async fn a_caller_who_is_not_known_hears_what_the_rfc_says_and_nothing_more() {
    let setup = Setup::new();
    let (secret, auth) = by_secret(&setup);
    let revoked = write(&setup, "revoked", "jti gone\n");
    let auth = format!("{auth}revoked = {revoked:?}\n");
    let routes =
        format!("auth = 'staff'\n{WHO}{}auth = ['staff', 'anonymous']\n", WHO.replace("/who", "/open"));
    let guarded = Guarded::start(setup, &[("auth.toml", &auth), ("routes.toml", &routes)]).await;
    let other = write(&guarded.setup, "other", "another secret, which has 32 bytes.");
    let mut bad = tokens(
        "HS256",
        &secret,
        &[
            claims(json!({ "exp": 1_000_000_000 })),
            claims(json!({ "nbf": LATER })),
            claims(json!({ "iss": "https://other.example" })),
            claims(json!({ "aud": "billing" })),
            claims(json!({ "sub": 7 })),
            claims(json!({ "jti": "gone" })),
            json!([claims(json!({})), { "crit": ["exp"] }]),
        ],
    )
    .await;
    bad.push(token("HS256", &other, claims(json!({}))).await);
    bad.push(token("none", &other, claims(json!({}))).await);
    bad.push("Bearer opaque".to_owned());
    let flaws = [
        "expired",
        "not_yet",
        "issuer",
        "audience",
        "claims",
        "revoked",
        "header",
        "signature",
        "algorithm",
        "malformed",
    ];
    let mut bodies = Vec::new();
    for (token, flaw) in bad.iter().zip(flaws) {
        for path in ["/who", "/open"] {
            let refused = guarded.get(path, &[("authorization", token)]).await;
            let challenge = "Bearer realm=\"callgate\", error=\"invalid_token\"";
            assert_eq!((refused.status, refused.header("www-authenticate")), (401, challenge), "{flaw}");
            let mut body = refused.json();
            body["request_id"] = Value::Null;
            bodies.push(body);
        }
        assert_eq!(guarded.said("staff", flaw).await, 2.0, "{flaw}");
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "all hear the same: {bodies:?}");
    let nothing = guarded.get("/who", &[]).await;
    assert_eq!((nothing.status, nothing.header("www-authenticate")), (401, "Bearer realm=\"callgate\""));
    assert_eq!(guarded.get("/open", &[]).await.status, 200);
    let twice = guarded.get("/who", &[("authorization", "Bearer a"), ("authorization", "Bearer b")]).await;
    assert_eq!(twice.status, 400);
    assert_eq!(guarded.notes(), ["-"]);
    let (log, page) = (guarded.gateway.log(), guarded.gateway.admin.get("/routes").await.text());
    let config = guarded.gateway.admin.get("/config").await.text();
    for told in [log, page, config] {
        assert!(!told.contains("opaque") && !told.contains("a secret of the tests"), "{told}");
    }
}

#[tokio::test]
async fn keys_change_in_their_file_and_bad_ones_leave_what_was_in_force() {
    let setup = Setup::new();
    let ((old, first), (new, second)) = (rsa(&setup, "old").await, rsa(&setup, "new").await);
    let text = |path: &Path| std::fs::read_to_string(path).expect("it is there");
    let keys = write(&setup, "keys.pem", &text(&first));
    let auth = format!("[auth.staff]\ntype = 'jwt'\nkeys = {keys:?}\nalgorithms = ['RS256']\n");
    let routes = format!("auth = 'staff'\n{WHO}");
    let guarded = Guarded::start(setup, &[("auth.toml", &auth), ("routes.toml", &routes)]).await;
    let claims = json!({ "sub": "ada", "exp": LATER });
    let (by_old, by_new) = (token("RS256", &old, claims.clone()).await, token("RS256", &new, claims).await);
    let status = async |token: &str| guarded.get("/who", &[("authorization", token)]).await.status;
    assert_eq!([status(&by_old).await, status(&by_new).await], [200, 401]);

    write(&guarded.setup, "keys.pem", "-----BEGIN PUBLIC KEY-----\nno key\n-----END PUBLIC KEY-----\n");
    guarded
        .gateway
        .told("the files of an authenticator cannot be used; what was in force stays so", "error")
        .await;
    assert_eq!([status(&by_old).await, status(&by_new).await], [200, 401]);

    write(&guarded.setup, "keys.pem", &(text(&first) + &text(&second)));
    eventually("the new key", || async { (status(&by_new).await == 200).then_some(()) }).await;
    assert_eq!(status(&by_old).await, 200);

    write(&guarded.setup, "keys.pem", &text(&second));
    eventually("the end of the old key", || async { (status(&by_old).await == 401).then_some(()) }).await;
    assert_eq!(status(&by_new).await, 200);
}

#[tokio::test]
async fn no_request_without_an_identity_reaches_an_instance_of_a_protected_route() {
    let setup = Setup::new();
    let (secret, auth) = by_secret(&setup);
    let good = token("HS256", &secret, claims(json!({ "scope": "a" }))).await;
    let other = write(&setup, "other", "another secret, which has 32 bytes.");
    let forged = token("HS256", &other, claims(json!({ "scope": "a" }))).await;
    let guarded = Guarded::start(setup, &[("auth.toml", &auth)]).await;
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..12 {
        // Routes of all kinds, some of them led to by others.
        let mut text = format!("prefix = '/r{round}'\nauth = 'staff'\n");
        for at in 0..6 {
            let more = [
                "",
                "require = { scopes = ['a'] }",
                "require = { scopes = ['b'] }",
                "auth = ['staff']",
                "max_in_flight = 3",
            ];
            let more = random.choice(more).unwrap_or_default();
            // The first is where the rewrite leads to.
            let method = if at == 0 { "GET" } else { random.choice(["GET", "POST"]).unwrap_or("GET") };
            text +=
                &format!("[[routes]]\nmatch = '{method} /p{at}/{{tenant}}'\ncall = 'guarded.list'\n{more}\n");
        }
        text += &format!(
            "[[routes]]\nmatch = 'GET /w/{{tenant}}'\nrewrite = '/r{round}/p0/{{tenant}}'\nauth = 'anonymous'\n"
        );
        guarded.setup.write_routes("random.toml", &text);
        let reloaded = guarded.gateway.admin.send("POST", "/-/reload", &[], "").await;
        assert_eq!(reloaded.status, 200, "{}", reloaded.text());
        for _ in 0..40 {
            let method = random.choice(["GET", "POST", "HEAD", "OPTIONS", "PUT"]).unwrap_or("GET");
            let path = [
                "p0/a",
                "p1/a%2Fb",
                "p2/..",
                "p3/a/",
                "p4//",
                "P0/a",
                "w/a",
                "w/%2e%2e",
                "p5/a?tenant=y",
                "p0/a;x",
            ];
            let path = format!("/r{round}/{}", random.choice(path).unwrap_or("p0/a"));
            let headers: [&[(&str, &str)]; 9] = [
                &[],
                &[("authorization", &forged)],
                &[("authorization", "Bearer")],
                &[("authorization", "Basic YTpi")],
                &[("authorization", &forged), ("authorization", &good)],
                &[("identity", "ada"), ("identity-by", "staff"), ("identity-scopes", "a b")],
                &[("x-api-key", &good)],
                &[("cookie", &good), ("x-authorization", &good)],
                &[("origin", "http://a.example"), ("access-control-request-method", "GET")],
            ];
            let headers = headers[random.usize(..headers.len())];
            let answer = guarded.gateway.client.send(method, &path, headers, "").await;
            assert_ne!(answer.status, 200, "{method} {path} {headers:?}: {}", answer.text());
        }
        assert_eq!(guarded.notes(), [""; 0], "round {round}");
    }
    // It is not that nobody reaches it at all.
    let mut known = 0;
    for at in 0..6 {
        known += usize::from(
            guarded.get(&format!("/r11/p{at}/a"), &[("authorization", &good)]).await.status == 200,
        );
    }
    assert!(known > 0 && guarded.notes().iter().all(|who| who == "ada"), "{known}");
}

/// What `callgate key new` prints: a key, and what a file has of it.
async fn new_key(arguments: &[&str]) -> (String, String) {
    let output = Command::new(binary("callgate")).args(["key", "new"]).args(arguments).output().await;
    let output = output.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    let (key, lines) = text.split_once("\n\n").expect("a key and lines");
    (key.to_owned(), lines.to_owned())
}

#[tokio::test]
async fn a_key_that_was_made_is_known_until_it_is_taken_out_of_the_file() {
    let setup = Setup::new();
    let (billing, lines) = new_key(&["billing", "--scope", "orders:read"]).await;
    let (old, of_old) = new_key(&["old", "--expires", "2020-01-01T00:00:00Z"]).await;
    let file = write(&setup, "keys.toml", &format!("{lines}claims = {{ tenant = \"acme\" }}\n{of_old}"));
    let auth = format!(
        "[auth.keys]\ntype = 'api_key'\nfile = {file:?}\n[auth.bearers]\ntype = 'api_key'\nfile = {file:?}\nheader = 'Authorization'\n"
    );
    let routes = format!(
        "forward_claims = ['tenant']\n{WHO}auth = 'keys'\nrequire = {{ scopes = ['orders:read'] }}\n{}auth = ['keys', 'bearers']\n",
        WHO.replace("/who", "/both"),
    );
    let guarded = Guarded::start(setup, &[("auth.toml", &auth), ("routes.toml", &routes)]).await;
    let by_key = guarded.get("/who", &[("X-Api-Key", &billing)]).await.json();
    let expected =
        json!({ "name": "billing", "authenticator": "keys", "scopes": ["orders:read"], "tenant": "acme" });
    assert_eq!(by_key["caller"], expected);
    let bearer = format!("Bearer {billing}");
    let by_bearer = guarded.get("/both", &[("authorization", &bearer)]).await.json();
    assert_eq!(by_bearer["caller"]["authenticator"], "bearers");
    let both = guarded.get("/both", &[]).await;
    let challenges = "ApiKey realm=\"callgate\", Bearer realm=\"callgate\"";
    assert_eq!((both.status, both.header("www-authenticate")), (401, challenges));
    for (key, flaw) in [(&old, "expired"), (&billing.to_uppercase(), "unknown")] {
        assert_eq!(guarded.get("/who", &[("x-api-key", key)]).await.status, 401, "{flaw}");
        assert_eq!(guarded.said("keys", flaw).await, 1.0, "{flaw}");
    }
    write(&guarded.setup, "keys.toml", &of_old);
    let status = async || guarded.get("/who", &[("x-api-key", &billing)]).await.status;
    eventually("the end of the key", || async { (status().await == 401).then_some(()) }).await;
    for told in [guarded.gateway.log(), guarded.gateway.admin.get("/config").await.text()] {
        assert!(!told.contains(&billing), "{told}");
    }
}

/// What `callgate key password` prints.
async fn user(name: &str, password: &str) -> String {
    let mut command = Command::new(binary("callgate"));
    command.args(["key", "password", name]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut callgate = command.spawn().expect("it runs");
    let mut stdin = callgate.stdin.take().expect("a pipe");
    stdin.write_all(password.as_bytes()).await.expect("it reads");
    drop(stdin);
    let output = callgate.wait_with_output().await.expect("it ends");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn a_password_is_verified_beside_the_workers_and_failures_are_limited_by_client() {
    // Each worker knows those that it has verified itself.
    let setup = Setup::new().workers(1);
    let file = write(&setup, "users.toml", &user("ada", "secret\n").await);
    let auth = format!("[auth.people]\ntype = 'basic'\nfile = {file:?}\n");
    let routes = format!(
        "auth = 'people'\n{WHO}rate_limit = [{{ rate = '1/h', burst = 60 }}, {{ rate = '1/h', burst = 9, by = 'identity' }}]\n"
    );
    let guarded = Guarded::start(setup, &[("auth.toml", &auth), ("routes.toml", &routes)]).await;
    let url = format!("http://{}/who", guarded.gateway.addr);
    let known = curl(&["-u", "ada:secret", &url]).await;
    assert!(known.starts_with("200") && known.contains(r#""name":"ada""#), "{known}");
    let limits = guarded.get("/who", &[("authorization", "Basic YWRhOnNlY3JldA==")]).await;
    assert_eq!(
        limits.header("ratelimit"),
        "\"route:1/h\";r=58;t=3600, \"identity:1/h\";r=7;t=3600",
        "each is counted once"
    );
    let nothing = guarded.get("/who", &[]).await;
    assert_eq!(
        (nothing.status, nothing.header("www-authenticate")),
        (401, "Basic realm=\"callgate\", charset=\"UTF-8\"")
    );
    // One more may come every six seconds, and hashes take their time.
    let mut wrong = 0;
    loop {
        let status = curl(&["-u", "ada:wrong", "-o", "/dev/null", &url]).await;
        if status.trim() == "429" {
            break;
        }
        wrong += 1;
        assert!(status.trim() == "401" && wrong < 40, "{status} after {wrong}");
    }
    assert!(wrong >= 10, "{wrong}");
    // Who was verified is known, whatever others of the same address do.
    assert!(curl(&["-u", "ada:secret", &url]).await.starts_with("200"));
    assert_eq!(guarded.said("people", "unknown").await, f64::from(wrong));
    assert_eq!(guarded.notes(), ["ada"; 3]);
}
