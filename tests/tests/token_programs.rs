//! Tokens that the libraries make which people use: PyJWT and jwcrypto of Python, jose of Node. Each library says itself what it thinks of its tokens,
//! and the gateway thinks the same. `make clients` installs them. curl shows keys and passwords.

use callgate_tests::{Backend, Gateway, PATIENCE, Setup, binary, eventually, free_port};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const AUTH: &str = r#"
[auth.jwks]
type = "jwt"
jwks = "FOLDER/jwks.json"
algorithms = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
issuer = "https://id.example"
audience = "orders"

[auth.pem]
type = "jwt"
keys = "FOLDER/keys.pem"
algorithms = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
issuer = "https://id.example"
audience = "orders"

[auth.secret]
type = "jwt"
secret = { file = "FOLDER/secret" }
algorithms = ["HS256"]
issuer = "https://id.example"
audience = "orders"
"#;

/// A gateway with those authenticators, and a route `/NAME` for each of these.
async fn start(setup: &Setup, auth: &str, names: &[&str]) -> (Backend, Gateway) {
    let endpoint = format!("127.0.0.1:{}", free_port());
    let notes = setup.file("notes").display().to_string();
    let backend = setup.backend_told("guarded", endpoint.clone(), &["--notes", &notes]);
    let mut table = format!("[backends.guarded]\nendpoints = [{endpoint:?}]\n{auth}");
    for name in names {
        table += &format!(
            "[[routes]]\nmatch = 'GET /{name}'\nauth = '{name}'\ncall = 'guarded.who'\nresponse = {{ wrap = 'caller' }}\n"
        );
    }
    setup.write_routes("tables.toml", &table);
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    (backend, gateway)
}

/// What a script of tests/clients prints, which leaves keys in the folder.
async fn tokens(setup: &Setup, program: &str, name: &str) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
    let mut command = Command::new(program);
    command.arg(script).arg(setup.folder()).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Has the gateway judge what a library has made, as the library does.
async fn judged(program: &str, script: &str) {
    let setup = Setup::new();
    let tokens = tokens(&setup, program, script).await;
    let auth = AUTH.replace("FOLDER", &setup.folder().display().to_string());
    let (_backend, gateway) = start(&setup, &auth, &["jwks", "pem", "secret"]).await;
    let (mut accepted, mut others) = (0, Vec::new());
    for made in &tokens {
        let text = |key: &str| made[key].as_str().expect("a text");
        let bearer = format!("Bearer {}", text("token"));
        let path = format!("/{}", text("keys"));
        let answer = gateway.client.send("GET", &path, &[("authorization", &bearer)], "").await;
        // What is no token at all is no request either.
        let expected: &[u16] = if made["accepted"] == true { &[200] } else { &[401, 400] };
        if !expected.contains(&answer.status) {
            others.push(format!("{} {} {}: {}", text("by"), text("what"), text("keys"), answer.status));
        }
        if answer.status == 200 {
            assert_eq!(answer.json()["caller"]["name"], "ada", "{made}");
            accepted += 1;
        }
    }
    assert!(others.is_empty(), "the library and the gateway do not agree: {others:#?}");
    assert!(accepted > 40 && tokens.len() - accepted > 60, "{accepted} of {}", tokens.len());
    println!("{script}: {accepted} of {} tokens are accepted, by both", tokens.len());
}

#[tokio::test]
#[ignore = "needs PyJWT and jwcrypto, which `make clients` installs"]
async fn the_gateway_thinks_of_tokens_as_pyjwt_and_jwcrypto_do() {
    let python = std::env::var("CALLGATE_TEST_PYTHON").expect("a Python that has them");
    judged(&python, "tokens_libraries.py").await;
}

#[tokio::test]
#[ignore = "needs node and jose, which `make clients` installs"]
async fn the_gateway_thinks_of_tokens_as_jose_of_node_does() {
    judged("node", "tokens.js").await;
}

/// What `callgate key` prints, told that on its standard input.
async fn key(arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(binary("callgate"));
    command.arg("key").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("callgate runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).await.expect("it reads");
    let output = child.wait_with_output().await.expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
}

#[tokio::test]
async fn curl_calls_by_key_and_by_password() {
    let setup = Setup::new();
    let made = key(&["new", "billing"], "").await;
    let shown = made.split_whitespace().find(|word| word.starts_with("cg_")).expect("a key").to_owned();
    let entry = &made[made.find("[[key]]").expect("an entry")..];
    let entry: Vec<&str> = entry.lines().take_while(|line| !line.contains("cg_")).collect();
    std::fs::write(setup.file("keys.toml"), entry.join("\n")).expect("it can be written");
    std::fs::write(setup.file("users.toml"), key(&["password", "ada"], "a password\n").await)
        .expect("it can be written");
    let folder = setup.folder().display().to_string();
    let auth = format!(
        "[auth.key]\ntype = 'api_key'\nfile = '{folder}/keys.toml'\n[auth.basic]\ntype = 'basic'\nfile = '{folder}/users.toml'\n"
    );
    let (_backend, gateway) = start(&setup, &auth, &["key", "basic"]).await;
    let curl = async |path: &str, arguments: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "60", "-w", " %{http_code}"]).args(arguments);
        let output = curl.arg(format!("http://{}{path}", gateway.addr)).output().await.expect("curl runs");
        String::from_utf8(output.stdout).expect("text")
    };
    let by = |key: &str| format!("x-api-key: {key}");
    for (path, arguments, expected) in [
        ("/key", &["-H", &*by(&shown)][..], "200"),
        ("/key", &["-H", &*by(&shown[1..])], "401"),
        ("/key", &["-H", &*by(&shown), "-H", &*by(&shown)], "400"),
        ("/key", &[], "401"),
        ("/basic", &["-u", "ada:a password"], "200"),
        ("/basic", &["-u", "ada:another"], "401"),
        ("/basic", &["-u", "eve:a password"], "401"),
        ("/basic", &["--anyauth", "-u", "ada:a password"], "200"),
        ("/basic", &["-H", &*by(&shown)], "401"),
    ] {
        let told = curl(path, arguments).await;
        assert!(told.ends_with(expected), "{path} {arguments:?}: {told}");
        let name = if path == "/key" { "billing" } else { "ada" };
        assert!(expected != "200" || told.contains(&format!("\"name\":\"{name}\"")), "{told}");
    }
    let unknown =
        async || (gateway.metric("callgate_auth_total", &["basic", "unknown"]).await == 2.0).then_some(());
    eventually("what was counted", unknown).await;
}
