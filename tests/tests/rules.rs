//! Rules over a call's arguments and its caller, with curl: they hold alike wherever the arguments are from, and what they deny reaches no
//! instance.

use callgate_tests::websocket::UPGRADE;
use callgate_tests::{Backend, Gateway, Raw, Setup, eventually, free_port};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};

/// A caller whose claims are in a token.
const ACME: &str =
    r#"{"sub":"ada","iss":"https://id.example","aud":"pay","exp":4102444800,"tenant":"acme","limit":500}"#;
const BIG: &str = r#"{"sub":"bob","iss":"https://id.example","aud":"pay","exp":4102444800,"tenant":"acme","scope":"big","limit":"x"}"#;
const NONE: &str = r#"{"sub":"eve","iss":"https://id.example","aud":"pay","exp":4102444800}"#;

const ROUTES: &str = r#"
auth = "staff"
rules = ["claims.tenant == args.tenant"]

[[routes]]
match = "POST /json"
call  = "payments.pay"
rules = ["args.amount <= 1000 || 'big' in claims.scopes", "!has(args.kind) || args.kind in ['Card', 'Cash']"]

[[routes]]
match = "GET /query"
call  = "payments.pay"
rules = ["args.amount <= 1000 || 'big' in claims.scopes"]

[[routes]]
match = "GET /path/{tenant}/{amount}"
call  = "payments.pay"
rules = ["args.amount <= 1000 || 'big' in claims.scopes"]

[[routes]]
match = "POST /form"
call  = "payments.pay"
body  = { accept = ["form"] }
rules = ["args.amount <= 1000 || 'big' in claims.scopes"]

[[routes]]
match = "GET /bound"
call  = "payments.pay"
bind  = { tenant = { header = "x-tenant" }, amount = { cookie = "amount" }, tags = { query = "tag" } }
rules = ["args.amount <= 1000 || 'big' in claims.scopes", "!('secret' in args.tags)"]

[[routes]]
match = "POST /payee"
call  = "payments.pay"
rules = ["args.payee.name == identity.name", "args.payee.iban != 'DE0'"]

[[routes]]
match = "GET /limit/{tenant}/{amount}"
call  = "payments.pay"
rules = ["args.amount < claims.limit"]

[[routes]]
match = "POST /notify/{tenant}"
call  = "payments.pay"
mode  = "notify"

[[routes]]
match = "POST /sum/{tenant}"
call  = "payments.sum"
body  = { stream = true }

[[routes]]
match = "GET /socket/{tenant}"
call  = "payments.sum"
websocket = true

[[routes]]
match = "POST /copied"
call  = "payments.pay"
shadow = { backend = "copies", share = "100%" }

[[routes]]
match = "GET /anybody/{tenant}/{amount}"
auth  = ["staff", "anonymous"]
call  = "payments.pay"
"#;

struct Payments {
    setup: Setup,
    gateway: Gateway,
    _backends: Vec<Backend>,
    tokens: Vec<String>,
}

impl Payments {
    /// Behind these routes; `more` are the programs beside the first, with what they are told.
    async fn start(routes: &str, more: &[&[&str]]) -> Payments {
        // Here rules change as they like, also to let more through.
        let setup = Setup::new().tables("accept_exposure = \"any\"");
        let secret = setup.file("secret");
        std::fs::write(&secret, "a secret of the tests, 32 bytes!\n").expect("it can be written");
        let auth = format!(
            "[auth.staff]\ntype = 'jwt'\nsecret = {{ file = {secret:?} }}\nalgorithms = ['HS256']\nissuer = 'https://id.example'\naudience = 'pay'\n"
        );
        let mut backends = Vec::new();
        for (at, told) in [&[][..]].iter().chain(more).enumerate() {
            let notes = setup.file(&format!("notes{at}")).display().to_string();
            let arguments: Vec<&str> = ["--notes", &notes].into_iter().chain(told.iter().copied()).collect();
            backends.push(setup.backend_told("payments", format!("127.0.0.1:{}", free_port()), &arguments));
        }
        let copies = setup.file("copied").display().to_string();
        let copier =
            setup.backend_told("payments", format!("127.0.0.1:{}", free_port()), &["--notes", &copies]);
        let endpoints: Vec<String> = backends.iter().map(Backend::endpoint).collect();
        setup.write_routes("auth.toml", &auth);
        let declared = format!(
            "[backends.payments]\nendpoints = {endpoints:?}\n[backends.copies]\nendpoints = [{:?}]\n",
            copier.endpoint()
        );
        backends.push(copier);
        setup.write_routes("backends.toml", &declared);
        setup.write_routes("routes.toml", &routes.replace("call ", "backend = \"payments\"\ncall "));
        let gateway = setup.gateway().await;
        for backend in &backends {
            gateway.connected(backend).await;
        }
        let tokens = [ACME, BIG, NONE].map(|claims| token(&secret, claims)).into();
        Payments { setup, gateway, _backends: backends, tokens }
    }

    /// What curl gets who shows that token, if any.
    fn curl(&self, token: Option<usize>, arguments: &[&str], path: &str) -> (u16, Value) {
        let url = format!("http://{}{path}", self.gateway.addr);
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "60", "-w", "%{stderr}%{http_code}"]).args(arguments).arg(&url);
        if let Some(token) = token {
            curl.args(["-H", &format!("authorization: {}", self.tokens[token])]);
        }
        let output = curl.output().expect("curl runs");
        let status = String::from_utf8_lossy(&output.stderr).trim().parse().expect("a status");
        (status, serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// How many calls an instance has seen.
    fn seen(&self, notes: &str) -> usize {
        std::fs::read_to_string(self.setup.file(notes)).map_or(0, |notes| notes.lines().count())
    }

    async fn denied(&self) -> f64 {
        self.gateway.metric("callgate_failures_total", &["denied_by_rule"]).await
    }
}

fn token(secret: &Path, claims: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/jwt.py");
    let mut python = Command::new("python3");
    python.arg(script).arg("HS256").arg(secret).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().expect("python3 is there");
    std::io::Write::write_all(&mut python.stdin.take().expect("a pipe"), format!("{claims}\n").as_bytes())
        .expect("it reads");
    let output = python.wait_with_output().expect("it ends");
    format!("Bearer {}", String::from_utf8_lossy(&output.stdout).trim())
}

const JSON: [&str; 2] = ["-H", "content-type: application/json"];

#[tokio::test]
async fn rules_hold_alike_wherever_the_arguments_are_from() {
    let payments = Payments::start(ROUTES, &[]).await;
    // Of each source: the arguments of curl and a path for a tenant and an amount.
    /// What curl is told for a tenant and an amount: options, and the path.
    type Source = fn(&str, u64) -> (Vec<String>, String);
    let sources: [Source; 5] = [
        |tenant, amount| {
            let body = format!("{{ \"amount\": {amount}, \"ten\\u0061nt\": \"{tenant}\" }}");
            ([JSON[0], JSON[1], "-d", &body].map(str::to_owned).into(), "/json".to_owned())
        },
        |tenant, amount| (Vec::new(), format!("/query?amount={amount}&%74enant={tenant}")),
        |tenant, amount| (Vec::new(), format!("/path/{tenant}/{amount}")),
        |tenant, amount| {
            let fields = [format!("tenant={tenant}"), format!("amount={amount}")];
            (fields.into_iter().flat_map(|field| ["-d".to_owned(), field]).collect(), "/form".to_owned())
        },
        |tenant, amount| {
            let headers = [format!("x-tenant: {tenant}"), format!("cookie: amount={amount}")];
            let path = "/bound?tag=a".to_owned();
            (headers.into_iter().flat_map(|header| ["-H".to_owned(), header]).collect(), path)
        },
    ];
    let (mut passed, mut denied) = (0, 0.0);
    for source in sources {
        for (token, tenant, amount, expected) in [
            (0, "acme", 1000, 200),
            (0, "acme", 1001, 403),
            (0, "acme", u64::MAX, 403),
            (0, "Acme", 7, 403),
            (0, "other", 7, 403),
            (1, "acme", 1001, 200),
            (1, "other", 7, 403),
            (2, "acme", 7, 403),
        ] {
            let (arguments, path) = source(tenant, amount);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let (status, body) = payments.curl(Some(token), &arguments, &path);
            assert_eq!(status, expected, "{path} {tenant} {amount} {body}");
            if expected == 200 {
                assert_eq!(body, json!(amount));
                passed += 1;
            } else {
                assert_eq!(body["code"], "permission_denied");
                // A stranger hears nothing of rules.
                assert_eq!(body["detail"], "the caller may not do this");
                denied += 1.0;
            }
        }
    }
    assert_eq!(payments.seen("notes0"), passed);
    assert_eq!(payments.denied().await, denied);
    let told = payments.gateway.told("a rule denies a request", "rule").await;
    assert!(told.contains(&json!("claims.tenant == args.tenant")), "{told:?}");
    let why = payments.gateway.told("a rule denies a request", "why").await;
    assert!(
        why.contains(&json!("it does not hold")) && why.contains(&json!("claims.tenant is not there")),
        "{why:?}"
    );
}

#[tokio::test]
async fn what_is_absent_or_of_another_type_denies() {
    let payments = Payments::start(ROUTES, &[]).await;
    let send =
        |token, body: &str, path: &str| payments.curl(Some(token), &[JSON[0], JSON[1], "-d", body], path).0;
    for (body, expected) in [
        (r#"{"tenant":"acme","amount":7,"kind":"Card"}"#, 200),
        (r#"{"tenant":"acme","amount":7,"kind":null}"#, 200),
        (r#"{"tenant":"acme","amount":7,"kind":{"Other":"Card"}}"#, 403),
        // What does not fit the method is told first.
        (r#"{"tenant":"acme","amount":"x","kind":"Card"}"#, 400),
    ] {
        assert_eq!(send(0, body, "/json"), expected, "{body}");
    }
    for (payee, expected) in [
        (json!({"name": "ada", "iban": "DE1"}), 200),
        (json!({"name": "ada", "iban": "DE0"}), 403),
        (json!({"name": "bob", "iban": "DE1"}), 403),
        (json!({"name": "ada"}), 403),
        (json!(null), 403),
    ] {
        let body = json!({"tenant": "acme", "amount": 7, "payee": payee}).to_string();
        assert_eq!(send(0, &body, "/payee"), expected, "{body}");
    }
    let get = |token, path| payments.curl(token, &[], path).0;
    assert_eq!((get(Some(0), "/limit/acme/499"), get(Some(0), "/limit/acme/500")), (200, 403));
    assert_eq!(get(Some(1), "/limit/acme/1"), 403, "a claim that is no number");
    let bound = ["-H", "x-tenant: acme", "-b", "amount=7"];
    assert_eq!(payments.curl(Some(0), &bound, "/bound?tag=a&tag=b").0, 200);
    assert_eq!(payments.curl(Some(0), &bound, "/bound?tag=a&tag=secret").0, 403);
    assert_eq!(payments.curl(Some(0), &bound, "/bound").0, 403, "no tags to look into");
    assert_eq!((get(None, "/anybody/acme/1"), get(Some(0), "/anybody/acme/1")), (403, 200));
    assert_eq!(get(None, "/query?tenant=acme&amount=1"), 401);
}

#[tokio::test]
async fn rules_hold_for_calls_of_all_kinds() {
    let payments = Payments::start(ROUTES, &[]).await;
    let post = |body, path| payments.curl(Some(0), &[JSON[0], JSON[1], "-d", body], path).0;
    assert_eq!(post(r#"{"amount":7}"#, "/notify/other"), 403);
    assert_eq!(post(r#"{"amount":7}"#, "/notify/acme"), 202);
    let items = ["-H", "content-type: application/x-ndjson", "--data-binary", "1\n2\n"];
    assert_eq!(payments.curl(Some(0), &items, "/sum/other").0, 403);
    assert_eq!(payments.curl(Some(0), &items, "/sum/acme"), (200, json!(3)));
    for (tenant, expected) in [("other", 403), ("acme", 101)] {
        let mut raw = Raw::connect(payments.gateway.addr).await;
        let token = &payments.tokens[0];
        raw.write(format!(
            "GET /socket/{tenant} HTTP/1.1\r\nhost: a\r\nauthorization: {token}\r\n{UPGRADE}\r\n"
        ))
        .await;
        assert_eq!(raw.status().await, expected, "{tenant}");
    }
    eventually("the calls that may be", async || (payments.seen("notes0") == 3).then_some(())).await;
    // Neither the call nor its copy.
    assert_eq!(post(r#"{"tenant":"other","amount":7}"#, "/copied"), 403);
    assert_eq!(post(r#"{"tenant":"acme","amount":7}"#, "/copied"), 200);
    eventually("the copy", async || (payments.seen("copied") == 1).then_some(())).await;
    assert_eq!(payments.seen("notes0"), 4);
}

#[tokio::test]
async fn an_instance_that_lacks_a_field_does_not_fit_and_is_not_called() {
    let routes = "auth = 'staff'\n[[routes]]\nmatch = 'GET /pay/{tenant}'\ncall = 'payments.pay'\nunknown_fields = 'ignore'\n\
                  rules = ['args.tenant != \"x\"', 'args.amount <= 10']\n";
    let mut payments = Payments::start(routes, &[&["--before"]]).await;
    eventually("what is found of the route", async || {
        let routes = payments.gateway.admin.get("/routes").await.json();
        let route = routes["routes"].as_array()?.first()?.clone();
        assert_eq!(route["rules"], json!(["args.tenant != \"x\"", "args.amount <= 10"]));
        let why = route["unfit"][0]["why"].as_str()?.to_owned();
        assert!(why.starts_with("`amount`: unknown field `amount`"), "{why}");
        Some(())
    })
    .await;
    for _ in 0..40 {
        let (status, told) = payments.curl(Some(0), &[], "/pay/acme?amount=7");
        assert_eq!(status, 200, "{told}");
    }
    assert_eq!((payments.seen("notes0"), payments.seen("notes1")), (40, 0));
    assert_eq!(payments.gateway.metric("callgate_failures_total", &["misfit"]).await, 0.0);
    let endpoint = payments._backends[1].endpoint();
    let (code, told) = payments.setup.check_against(&endpoint, &[]).await;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("routes.toml:7:38") && told.contains("unknown field `amount`"), "{told}");

    payments._backends[0].kill();
    // It may come back.
    let (status, told) = payments.curl(Some(0), &[], "/pay/acme?amount=7");
    assert_eq!((status, &told["code"]), (503, &json!("unavailable")));
    assert_eq!(payments.seen("notes1"), 0);
}

#[tokio::test]
async fn rules_change_with_their_table_while_calls_are_made() {
    let rules = |most: u64| {
        format!(
            "auth = 'staff'\n[[routes]]\nmatch = 'GET /pay/{{tenant}}/{{amount}}'\ncall = 'payments.pay'\nbackend = 'payments'\nrules = ['args.amount <= {most}']\n"
        )
    };
    let payments = Payments::start(&rules(10).replace("backend = 'payments'\n", ""), &[]).await;
    let pay = |amount: u64| payments.curl(Some(0), &[], &format!("/pay/acme/{amount}")).0;
    assert_eq!((pay(10), pay(11)), (200, 403));
    for most in [5, 100, 7] {
        payments.setup.write_routes("routes.toml", &rules(most));
        payments.gateway.takes_its_tables().await;
        assert_eq!((pay(most), pay(most + 1)), (200, 403), "{most}");
    }
}
