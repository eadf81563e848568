//! TLS and HTTP/2 on listeners, by the programs that people have. What they need is installed by `scripts/setup`; those tests that are
//! ignored need more, which `make clients` installs.

use callgate_tests::tls::{Ca, Issued};
use callgate_tests::{Backend, Gateway, Setup, chromium, eventually, free_port};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

const SUM: &str = r#"{"result":3}"#;

/// A gateway with two listeners, of which the second requires certificates, and the files that clients need.
struct Served {
    setup: Setup,
    gateway: Gateway,
    tls: SocketAddr,
    mutual: SocketAddr,
    ca: PathBuf,
    _backend: Backend,
}

async fn start(issued: impl FnOnce(&Ca) -> Issued) -> Served {
    let [tls, mutual] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
    let (ca, clients) = (Ca::new("a test's CA"), Ca::new("clients"));
    let section = format!(
        "[[listeners]]\nid = \"tls\"\naddress = \"{tls}\"\ntls = true\n\
         [[listeners]]\nid = \"mutual\"\naddress = \"{mutual}\"\n\
         tls = {{ client_certificates = \"required\", ca = \"clients.pem\" }}\n"
    );
    let setup = Setup::new().section(&section);
    let write = |name: &str, text: &str| {
        let path = setup.file(name);
        std::fs::write(&path, text).expect("it can be written");
        path
    };
    write("clients.pem", clients.pem());
    let path = write("ca.pem", ca.pem());
    for (name, client) in [
        ("good", clients.client("good")),
        ("expired", clients.expired_client("expired")),
        ("wrong", Ca::new("others").client("wrong")),
    ] {
        client.write(setup.folder(), name);
    }
    let (cert, key) = issued(&ca).write(setup.folder(), "a");
    let names = ["a.example", "localhost"];
    let text = format!("[[certificates]]\nnames = {names:?}\ncert = {cert:?}\nkey = {key:?}\n");
    setup.write_routes("a.toml", &text);
    let other = ca.server(&["b.example"]);
    let (cert, key) = other.write(setup.folder(), "b");
    setup.write_routes(
        "b.toml",
        &format!("[[certificates]]\nnames = [\"b.example\"]\ncert = {cert:?}\nkey = {key:?}\n"),
    );
    let (backend, gateway) = setup.shop().await;
    Served { setup, gateway, tls, mutual, ca: path, _backend: backend }
}

fn good(ca: &Ca) -> Issued {
    ca.server(&["a.example", "localhost"])
}

impl Served {
    async fn results(&self, listener: &str, result: &str) -> f64 {
        let labels = [format!("listener=\"{listener}\""), format!("result=\"{result}\"")];
        self.gateway.metric("callgate_tls_handshakes_total", &[&labels[0], &labels[1]]).await
    }

    /// Waits until so many handshakes of a listener have ended so. A client may know it before they are counted.
    async fn ended(&self, listener: &str, result: &str, times: f64) {
        eventually(&format!("{times} handshakes that end with {result}"), || async {
            let n = self.results(listener, result).await;
            assert!(n <= times, "{result}: {n}");
            (n == times).then_some(())
        })
        .await;
    }

    /// The options by which curl and openssl show a certificate.
    fn own(&self, names: [&str; 2], name: &str) -> Vec<String> {
        let file = |end: &str| self.setup.file(&format!("{name}.{end}")).display().to_string();
        vec![names[0].to_owned(), file("pem"), names[1].to_owned(), file("key")]
    }
}

/// What a program says that is given those words, and that on standard input.
async fn run(program: &str, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(program);
    command
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
    let mut stdin = child.stdin.take().expect("it has one");
    let feed = async {
        // Whoever has ended reads nothing.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), feed);
    output.expect("it can be waited for")
}

fn text(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&all).into_owned()
}

async fn curl(served: &Served, addr: SocketAddr, host: &str, words: &[&str]) -> (i32, String) {
    let (port, ca) = (addr.port(), served.ca.display().to_string());
    let resolve = format!("{host}:{port}:127.0.0.1");
    let url = format!("https://{host}:{port}/v1/calc/add?a=1&b=2");
    let mut all = vec!["-sS", "-m", "30", "--noproxy", "*", "--cacert", &ca, "--resolve", &resolve, &url];
    all.extend(words);
    let output = run("curl", &all, "").await;
    (output.status.code().unwrap_or(-1), text(&output))
}

#[tokio::test]
async fn curl_is_served_over_both_versions_and_refuses_what_is_not_the_host_s() {
    let served = start(good).await;
    for words in [&["--tlsv1.3"][..], &["--tls-max", "1.2"], &["--http1.1"], &["--http1.0"]] {
        assert_eq!(curl(&served, served.tls, "a.example", words).await, (0, SUM.to_owned()), "{words:?}");
    }
    // Nobody has it: the alert comes in the handshake.
    let (status, said) = curl(&served, served.tls, "c.example", &[]).await;
    assert!(status == 35 && said.contains("unrecognized name"), "{status} {said}");
    // The certificate is not that of the host which is asked.
    let (status, said) = curl(&served, served.tls, "a.example", &["-H", "host: b.example"]).await;
    assert!(status == 0 && said.contains("\"status\":421"), "{said}");
    for words in [
        &["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"][..],
        &["--tls-max", "1.2", "--ciphers", "AES128-SHA"],
    ] {
        let (status, said) = curl(&served, served.tls, "a.example", words).await;
        assert!(status == 35, "{words:?}: {said}");
    }
    served.gateway.told("a TLS handshake has failed", "why").await;
    served.ended("tls", "incompatible", 2.0).await;
    // Plain HTTP is told so.
    let url = format!("http://{}/", served.tls);
    let told = text(&run("curl", &["-sS", "-m", "30", &url], "").await);
    assert!(told.contains("this port speaks TLS"), "{told}");
}

#[tokio::test]
async fn curl_refuses_a_certificate_that_has_expired_and_the_log_says_so() {
    let served = start(|ca| ca.expired_server(&["a.example", "localhost"])).await;
    let (status, said) = curl(&served, served.tls, "a.example", &[]).await;
    assert!(status == 60 && said.contains("expired"), "{status} {said}");
    served.ended("tls", "refused_by_client", 1.0).await;
    let why = served.gateway.told("a TLS handshake has failed", "why").await;
    assert_eq!(why, ["the client says that the certificate has expired"]);
}

#[tokio::test]
async fn curl_shows_its_certificate() {
    let served = start(good).await;
    for version in ["1.2", "1.3"] {
        let show = |name| served.own(["--cert", "--key"], name);
        for (own, result) in [
            (vec![], "client_certificate_missing"),
            (show("expired"), "client_certificate_expired"),
            (show("wrong"), "client_certificate_unknown"),
        ] {
            let before = served.results("mutual", result).await;
            let mut words: Vec<&str> = own.iter().map(String::as_str).collect();
            words.extend(["--tls-max", version]);
            let (status, said) = curl(&served, served.mutual, "a.example", &words).await;
            // The handshake fails, or reading does that comes behind it; curl has numbers for what the alert says.
            assert!(matches!(status, 35 | 56 | 60 | 98), "{result}: {status} {said}");
            served.ended("mutual", result, before + 1.0).await;
        }
        let own = show("good");
        let mut words: Vec<&str> = own.iter().map(String::as_str).collect();
        words.extend(["--tls-max", version]);
        assert_eq!(curl(&served, served.mutual, "a.example", &words).await, (0, SUM.to_owned()));
    }
}

/// By which version of HTTP, and with which status, curl tells that it was answered.
const TOLD: [&str; 2] = ["-w", " HTTP/%{http_version} %{http_code}"];

#[tokio::test]
async fn curl_speaks_http_2() {
    let served = start(good).await;
    for words in [&["--http2", "--tlsv1.3"][..], &["--http2", "--tls-max", "1.2"], &[]] {
        let (status, said) = curl(&served, served.tls, "a.example", &[words, &TOLD].concat()).await;
        assert_eq!((status, said), (0, format!("{SUM} HTTP/2 200")), "{words:?}");
    }
    let words = [&["--http1.1"][..], &TOLD].concat();
    let said = curl(&served, served.tls, "a.example", &words).await.1;
    assert_eq!(said, format!("{SUM} HTTP/1.1 200"));
    let own = served.own(["--cert", "--key"], "good");
    let words: Vec<&str> = own.iter().map(String::as_str).chain(["--http2"]).chain(TOLD).collect();
    let said = curl(&served, served.mutual, "a.example", &words).await.1;
    assert_eq!(said, format!("{SUM} HTTP/2 200"));
    // The certificate is not that of the host which is asked.
    let words = [&["--http2", "-H", "host: b.example"][..], &TOLD].concat();
    let said = curl(&served, served.tls, "a.example", &words).await.1;
    assert!(said.ends_with(" HTTP/2 421"), "{said}");
}

#[tokio::test]
async fn nghttp_and_h2load_are_served() {
    let served = start(good).await;
    let base = format!("https://localhost:{}", served.tls.port());
    let add = format!("{base}/v1/calc/add?a=1&b=2");
    // Many streams on few connections. It says of each request when it ended, and how.
    let said = run("nghttp", &["-nsm", "50", &add, &format!("{base}/v1/delay/1")], "").await;
    let well = said.status.success();
    let said = text(&said);
    let answered = said.lines().filter(|line| line.contains(" 200 ") && line.contains(" /v1/")).count();
    assert!(well && answered == 100, "{answered}: {said}");
    let said = run("h2load", &["-n", "2000", "-c", "4", "-m", "32", &add], "").await;
    let well = said.status.success();
    let said = text(&said);
    for part in ["Application protocol: h2", "2000 succeeded, 0 failed, 0 errored, 0 timeout", "2000 2xx"] {
        assert!(well && said.contains(part), "{part}: {said}");
    }
}

/// What `openssl s_client` says that sends one request.
async fn s_client(served: &Served, addr: SocketAddr, words: &[&str]) -> (bool, String) {
    let (addr, ca) = (addr.to_string(), served.ca.display().to_string());
    let mut all = vec![
        "s_client",
        "-connect",
        &addr,
        "-servername",
        "a.example",
        "-CAfile",
        &ca,
        "-verify_return_error",
        "-verify_hostname",
        "a.example",
        "-ign_eof",
    ];
    all.extend(words);
    let request = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n";
    let output = run("openssl", &all, request).await;
    (output.status.success(), text(&output))
}

#[tokio::test]
async fn openssl_agrees_on_what_is_sane_and_on_nothing_else() {
    let served = start(good).await;
    for (words, expected) in [
        (&["-tls1_3"][..], "Verify return code: 0 (ok)"),
        (&["-tls1_3"], "TLSv1.3"),
        (&["-tls1_3", "-groups", "P-384"], "TLSv1.3"),
        (&["-tls1_2"], "TLSv1.2"),
        (&["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"], "ECDHE-ECDSA-CHACHA20-POLY1305"),
        (&["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"], "TLS_AES_128_GCM_SHA256"),
        (&["-alpn", "http/1.1"], "ALPN protocol: http/1.1"),
    ] {
        let (well, said) = s_client(&served, served.tls, words).await;
        assert!(well && said.contains(expected) && said.contains(SUM), "{words:?}: {said}");
    }
    let weak = "DEFAULT@SECLEVEL=0";
    for words in [
        &["-tls1_1", "-cipher", weak][..],
        &["-tls1", "-cipher", weak],
        &["-tls1_2", "-cipher", "AES256-GCM-SHA384"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384"],
        &["-alpn", "h3"],
    ] {
        let (well, said) = s_client(&served, served.tls, words).await;
        assert!(!well && said.contains("alert"), "{words:?}: {said}");
    }
    served.ended("tls", "incompatible", 5.0).await;
}

#[tokio::test]
async fn openssl_resumes_its_sessions() {
    let served = start(good).await;
    let session = served.setup.file("session").display().to_string();
    for version in ["-tls1_3", "-tls1_2"] {
        let (well, said) = s_client(&served, served.tls, &[version, "-sess_out", &session]).await;
        assert!(well && said.contains("New, "), "{said}");
        let (well, said) = s_client(&served, served.tls, &[version, "-sess_in", &session]).await;
        assert!(well && said.contains("Reused, ") && said.contains(SUM), "{said}");
    }
    let shown = served.own(["-cert", "-key"], "good");
    let mut words: Vec<&str> = shown.iter().map(String::as_str).collect();
    words.extend(["-tls1_3", "-sess_out", &session]);
    let (well, said) = s_client(&served, served.mutual, &words).await;
    assert!(well && said.contains(SUM), "{said}");
    // A session of the listener that asks for nothing is none of the other's.
    let of_other = served.setup.file("other").display().to_string();
    s_client(&served, served.tls, &["-tls1_3", "-sess_out", &of_other]).await;
    let (_, said) = s_client(&served, served.mutual, &["-tls1_3", "-sess_in", &of_other]).await;
    assert!(!said.contains(SUM) && said.contains("New, "), "{said}");
}

/// Runs a script of tests/clients with where the gateway is and whom to trust.
async fn script(program: &str, name: &str, served: &Served) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    let script = folder.join(name).display().to_string();
    let (port, ca) = (served.tls.port().to_string(), served.ca.display().to_string());
    let output = run(program, &[&script, &port, &ca], "").await;
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.ends_with("well\n"), "{said}");
}

#[tokio::test]
async fn python_is_served() {
    script("python3", "https.py", &start(good).await).await;
}

#[tokio::test]
#[ignore = "needs node, which `make clients` installs"]
async fn node_is_served() {
    script("node", "https.js", &start(good).await).await;
}

#[tokio::test]
#[ignore = "needs node, which `make clients` installs"]
async fn node_is_served_over_http_2() {
    script("node", "http2.js", &start(good).await).await;
}

#[tokio::test]
#[ignore = "needs httpx, which `make clients` installs"]
async fn httpx_is_served() {
    let python = std::env::var("CALLGATE_TEST_PYTHON").expect("a Python that has httpx");
    script(&python, "https_httpx.py", &start(good).await).await;
}

#[tokio::test]
#[ignore = "needs websockets, which `make clients` installs"]
async fn websockets_is_served() {
    let python = std::env::var("CALLGATE_TEST_PYTHON").expect("a Python that has websockets");
    script(&python, "websocket.py", &start(good).await).await;
}

/// What Chromium makes of the page, with that folder as its home.
async fn loaded(served: &Served, home: &Path) -> String {
    chromium(home, "MAP a.example 127.0.0.1", &format!("https://a.example:{}/page", served.tls.port())).await
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_loads_a_page_over_http_2() {
    let served = start(good).await;
    let page = include_str!("../clients/page.html");
    served.setup.write_routes(
        "page.toml",
        &format!(
            "[[routes]]\nmatch = \"GET /page\"\n[routes.respond]\ncontent_type = \"text/html\"\nbody = '''\n{page}'''\n"
        ),
    );
    served.gateway.takes_its_tables().await;
    let [knows, does_not] = ["knows", "does-not"].map(|name| served.setup.file(name));
    let database = knows.join(".pki/nssdb");
    std::fs::create_dir_all(&database).expect("it can be made");
    std::fs::create_dir_all(&does_not).expect("it can be made");
    let (database, ca) = (format!("sql:{}", database.display()), served.ca.display().to_string());
    let new = ["-d", &database, "-N", "--empty-password"];
    let add = ["-d", &database, "-A", "-t", "C,,", "-n", "ca", "-i", &ca];
    for words in [&new[..], &add] {
        let output = run("certutil", words, "").await;
        assert!(output.status.success(), "{}", text(&output));
    }
    let said = loaded(&served, &knows).await;
    assert!(said.contains(">60 sums, an echo, said, 62 by h2<"), "{said}");
    let said = loaded(&served, &does_not).await;
    assert!(said.contains("ERR_CERT_AUTHORITY_INVALID") && !said.contains("<title>page"), "{said}");
}

#[tokio::test]
#[ignore = "needs testssl.sh, which `make clients` installs, and minutes"]
async fn testssl_finds_nothing_weak() {
    let served = start(good).await;
    let report = served.setup.file("report.json").display().to_string();
    let (ca, target) = (served.ca.display().to_string(), format!("localhost:{}", served.tls.port()));
    let words = [
        "--quiet",
        "--color",
        "0",
        "--ip",
        "127.0.0.1",
        "--add-ca",
        &ca,
        "--warnings",
        "batch",
        "--jsonfile",
        &report,
        "--protocols",
        "--std",
        "--fs",
        "--server-defaults",
        "--vulnerable",
        &target,
    ];
    let output = run("testssl", &words, "").await;
    println!("{}", text(&output));
    let report = std::fs::read_to_string(&report).expect("a report");
    let found: Vec<serde_json::Value> = serde_json::from_str(&report).expect("JSON");
    let is_bad = |one: &&serde_json::Value| {
        let (id, severity) = (one["id"].as_str(), one["severity"].as_str().unwrap_or_default());
        // The certificate and its name are the test's own.
        let is_own = id.is_some_and(|id| id.starts_with("cert") || id == "DNS_CAArecord");
        // It ends itself at what it calls fatal, and then has looked at nothing more.
        severity == "FATAL" || matches!(severity, "LOW" | "MEDIUM" | "HIGH" | "CRITICAL") && !is_own
    };
    let bad: Vec<_> = found.iter().filter(is_bad).collect();
    assert!(found.len() > 30 && bad.is_empty(), "{bad:#?}");
    let ended = found.iter().find(|one| one["id"] == "scanTime").map(|one| &one["severity"]);
    assert_eq!(ended, Some(&"INFO".into()), "it has not come to its end");
}
