//! Certificates, ticket keys and lists of revoked certificates that change in their files while the gateway serves.

use callgate_tests::tls::{Ca, Issued, TlsClient};
use callgate_tests::{Gateway, Raw, Setup, binary, eventually, free_port};
use rustls::HandshakeKind;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::process::Command;
use tokio::io::AsyncWriteExt;

const UP: &str = "[[routes]]\nmatch = 'GET /up'\nrespond = { body = 'up' }\n";
const RESULTS: &str = "callgate_certificate_reloads_total";

/// A gateway with a listener that speaks TLS.
struct Served {
    setup: Setup,
    gateway: Gateway,
    ca: Ca,
    tls: SocketAddr,
}

impl Served {
    /// `tls` is what the listener says of it; the certificates are in `certificates.toml`.
    async fn start(setup: Setup, ca: Ca, tls: &str, certificates: &str) -> Served {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let setup = setup.section(&format!("[[listeners]]\nid = 'tls'\naddress = '{addr}'\ntls = {tls}\n"));
        setup.write_routes("up.toml", UP);
        setup.write_routes("certificates.toml", certificates);
        let gateway = setup.gateway().await;
        Served { setup, gateway, ca, tls: addr }
    }

    /// The certificate that a new client of that name gets.
    async fn shown(&self, name: &str) -> Vec<u8> {
        let client = TlsClient::new(&self.ca).forgetful();
        let stream = client.connect(self.tls, name).await.expect("a handshake");
        stream.get_ref().1.peer_certificates().expect("a chain")[0].to_vec()
    }

    async fn is_shown(&self, name: &str, issued: &Issued) {
        eventually(&format!("the new certificate of {name}"), || async {
            (self.shown(name).await == issued.der().to_vec()).then_some(())
        })
        .await;
    }

    /// The certificate of that name on the admin port's page.
    async fn page(&self, name: &str) -> serde_json::Value {
        let page = self.gateway.admin.get("/certificates").await.json();
        let all = page["certificates"].as_array().expect("a list");
        all.iter().find(|one| one["names"][0] == name).expect("it is there").clone()
    }

    async fn results(&self, result: &str) -> f64 {
        self.gateway.metric(RESULTS, &[&format!("result=\"{result}\"")]).await
    }
}

/// The table's entry of a certificate that lies in the test's folder.
fn entry(name: &str, host: &str) -> String {
    format!("[[certificates]]\nnames = ['{host}']\ncert = '../{name}.pem'\nkey = '../{name}.key'\n")
}

async fn is_up(raw: &mut Raw, host: &str) {
    raw.write(format!("GET /up HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
    assert_eq!(raw.answer().await.expect("an answer").1, "up");
}

#[tokio::test]
async fn bad_files_of_a_certificate_in_force_concern_nobody_else_and_a_new_one_has_to_be_sound() {
    let (setup, ca) = (Setup::new(), Ca::new("ours"));
    let (a, b) = (ca.server(&["a.example"]), ca.server(&["b.example"]));
    a.write(setup.folder(), "a");
    b.write(setup.folder(), "b");
    let table = entry("a", "a.example") + &entry("b", "b.example");
    let served = Served::start(setup, ca, "true", &table).await;
    assert_eq!(served.results("ok").await, 2.0);
    fs::write(served.setup.file("a.pem"), "torn").expect("it can be written");
    let refused = served
        .gateway
        .told("a certificate's files are refused, and the one in force stays", "certificate")
        .await;
    assert_eq!(refused, ["a.example"]);
    let error = served.page("a.example").await["last_error"].as_str().expect("a text").to_owned();
    assert!(
        error.contains("certificates.toml:3:8") && error.contains("there is no certificate in it"),
        "{error}"
    );
    assert_eq!(served.results("failed").await, 1.0);
    assert_eq!(served.shown("a.example").await, a.der().to_vec());
    // The other one is renewed, and the tables are reloaded, as if nothing were wrong.
    let renewed = served.ca.server(&["b.example"]);
    renewed.write(served.setup.folder(), "b");
    served.is_shown("b.example", &renewed).await;
    served.setup.write_routes("more.toml", "[[routes]]\nmatch = 'GET /more'\nrespond = {}\n");
    served.gateway.takes_its_tables().await;
    assert_eq!(served.gateway.client.get("/more").await.status, 200);
    // A new one with bad files is a mistake of the tables.
    fs::write(served.setup.file("c.pem"), "torn").expect("it can be written");
    fs::write(served.setup.file("c.key"), "torn").expect("it can be written");
    served.setup.write_routes("c.toml", &entry("c", "c.example"));
    let answer = served.gateway.admin.post("/-/reload", "").await;
    let text = answer.text();
    assert_eq!(answer.status, 422);
    assert!(
        text.contains("the certificate of `c.example` cannot be used") && !text.contains("a.example"),
        "{text}"
    );
    fs::remove_file(served.setup.routes().join("c.toml")).expect("it is there");
    let mended = served.ca.server(&["a.example"]);
    mended.write(served.setup.folder(), "a");
    served.is_shown("a.example", &mended).await;
    assert_eq!(served.page("a.example").await["last_error"], serde_json::Value::Null);
    let expiry = served
        .gateway
        .metric("callgate_certificate_expiry_timestamp_seconds", &["certificate=\"a.example\""]);
    assert!(expiry.await > 60e9, "the year 4096");
}

/// Swaps the files as Kubernetes does: a folder that a symlink leads to.
fn swap(served: &Served, n: usize) -> Issued {
    let folder = served.setup.folder();
    let issued = served.ca.server(&["a.example"]);
    let next = folder.join(format!("data-{n}"));
    fs::create_dir(&next).expect("a folder can be made");
    issued.write(&next, "a");
    symlink(format!("data-{n}"), folder.join("data.new")).expect("a symlink can be made");
    fs::rename(folder.join("data.new"), folder.join("data")).expect("it can be renamed");
    let _ = fs::remove_dir_all(folder.join(format!("data-{}", n.wrapping_sub(2))));
    issued
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_swaps_by_a_symlink_and_a_hundred_reloads_lose_no_connection() {
    let (setup, ca) = (Setup::new(), Ca::new("ours"));
    let folder = setup.folder();
    fs::create_dir(folder.join("data-0")).expect("a folder can be made");
    ca.server(&["a.example"]).write(&folder.join("data-0"), "a");
    symlink("data-0", folder.join("data")).expect("a symlink can be made");
    let served = Served::start(setup, ca, "true", &entry("data/a", "a.example")).await;
    let mut kept = TlsClient::new(&served.ca).raw(served.tls, "a.example").await;
    let mut last = None;
    for n in 1..=100 {
        last = Some(swap(&served, n));
        served
            .setup
            .write_routes("extra.toml", &format!("[[routes]]\nmatch = 'GET /extra/{n}'\nrespond = {{}}\n"));
        let outcome = served.gateway.reload();
        let client = TlsClient::new(&served.ca);
        let clients = async {
            for _ in 0..3 {
                is_up(&mut client.raw(served.tls, "a.example").await, "a.example").await;
            }
        };
        let (outcome, ()) = tokio::join!(outcome, clients);
        // A file event may have taken the table before.
        assert!(outcome == "ok" || outcome == "unchanged", "{outcome}");
        is_up(&mut kept, "a.example").await;
    }
    served.is_shown("a.example", &last.expect("a hundred")).await;
    assert_eq!(served.results("failed").await, 0.0, "no swap is torn");
}

/// What became of a session of that client's.
async fn kind(client: &TlsClient, addr: SocketAddr) -> HandshakeKind {
    let mut stream = client.connect(addr, "a.example").await.expect("a handshake");
    stream.write_all(b"GET /up HTTP/1.1\r\nhost: a.example\r\n\r\n").await.expect("it is open");
    let kind = stream.get_ref().1.handshake_kind().expect("it is over");
    // Tickets come with what follows the handshake.
    Raw::over(stream).answer().await.expect("an answer");
    kind
}

fn new_key() -> String {
    let output = Command::new("openssl").args(["rand", "-hex", "32"]).output().expect("openssl runs");
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn gateways_that_share_ticket_keys_resume_each_others_sessions() {
    let ca = Ca::new("ours");
    let issued = ca.server(&["a.example"]);
    let shared = tempfile::TempDir::new().expect("a folder can be made");
    let file = shared.path().join("keys");
    let keys = [new_key(), new_key()];
    fs::write(&file, &keys[0]).expect("it can be written");
    let setup = || {
        let setup = Setup::new().server(&format!("tls_ticket_keys = {file:?}"));
        issued.write(setup.folder(), "a");
        setup
    };
    let table = entry("a", "a.example");
    let one = Served::start(setup(), Ca::new("unused"), "true", &table).await;
    let two = Served::start(setup(), Ca::new("unused"), "true", &table).await;
    let client = TlsClient::new(&ca);
    assert_eq!(kind(&client, one.tls).await, HandshakeKind::Full);
    assert_eq!(kind(&client, two.tls).await, HandshakeKind::Resumed);
    // A new key seals, and the old one opens.
    fs::write(&file, keys[1].clone() + &keys[0]).expect("it can be written");
    for served in [&one, &two] {
        eventually("the new key", || async {
            let page = served.gateway.admin.get("/certificates").await.json();
            (page["ticket_keys"]["keys"] == 2).then_some(())
        })
        .await;
    }
    assert_eq!(kind(&client, one.tls).await, HandshakeKind::Resumed);
    fs::write(&file, "torn").expect("it can be written");
    two.gateway.told("the ticket keys are refused, and those in force stay", "error").await;
    // A file that is just being written is empty, which is another mistake.
    eventually("what is wrong with the keys", || async {
        let page = two.gateway.admin.get("/certificates").await.json();
        let error = page["ticket_keys"]["last_error"].as_str().expect("a text");
        error.contains("keys:1: a ticket key is 64").then_some(())
    })
    .await;
    assert_eq!(kind(&client, two.tls).await, HandshakeKind::Resumed);
    // Without the old key its tickets are worth nothing.
    fs::write(&file, new_key()).expect("it can be written");
    eventually("the old keys to be gone", || async {
        (kind(&client, two.tls).await == HandshakeKind::Full).then_some(())
    })
    .await;
    for served in [&one, &two] {
        assert!(!served.gateway.log().contains(keys[0].trim()), "no key is in the log");
    }
}

#[tokio::test]
async fn who_is_revoked_while_the_gateway_runs_is_let_in_no_longer() {
    let (setup, ca) = (Setup::new(), Ca::new("ours"));
    ca.server(&["a.example"]).write(setup.folder(), "a");
    let (good, bad) = (ca.client("good"), ca.client("bad"));
    fs::write(setup.file("ca.pem"), ca.pem()).expect("it can be written");
    fs::write(setup.file("revoked.pem"), ca.revoked(&[])).expect("it can be written");
    let tls = "{ client_certificates = 'required', ca = 'ca.pem', crl = ['revoked.pem'] }";
    let served = Served::start(setup, ca, tls, &entry("a", "a.example")).await;
    let client = |own: &Issued| TlsClient::with(&served.ca, Some(own), &[&rustls::version::TLS12]);
    let (good_client, bad_client) = (client(&good), client(&bad));
    assert_eq!(kind(&good_client, served.tls).await, HandshakeKind::Full);
    assert_eq!(kind(&bad_client, served.tls).await, HandshakeKind::Full);
    assert_eq!(kind(&bad_client, served.tls).await, HandshakeKind::Resumed);
    fs::write(served.setup.file("revoked.pem"), "torn").expect("it can be written");
    served.gateway.told("the certificates of clients are judged by the files of before", "listener").await;
    assert_eq!(kind(&good_client, served.tls).await, HandshakeKind::Resumed);
    fs::write(served.setup.file("revoked.pem"), served.ca.revoked(&[&bad])).expect("it can be written");
    // Its session is of no use either.
    eventually("the refusal of who is revoked", || async {
        bad_client.connect(served.tls, "a.example").await.err()
    })
    .await;
    assert_eq!(kind(&good_client, served.tls).await, HandshakeKind::Full, "verified anew");
}

#[test]
fn check_tells_what_is_wrong_with_a_certificates_files() {
    let (setup, ca) = (Setup::new(), Ca::new("ours"));
    fs::write(setup.file("gateway.toml"), "[tables]\nwatch = ['routes']\n").expect("it can be written");
    setup.write_routes("a.toml", &entry("a", "a.example"));
    let check = || {
        let output = Command::new(binary("callgate"))
            .args(["check", "--config"])
            .arg(setup.file("gateway.toml"))
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), said)
    };
    let (status, said) = check();
    assert!(status == Some(1) && said.contains("cannot read"), "{said}");
    ca.expired_server(&["a.example"]).write(setup.folder(), "a");
    let (status, said) = check();
    assert!(status == Some(1) && said.contains("a.pem: the certificate expired"), "{said}");
    ca.server(&["b.example"]).write(setup.folder(), "a");
    let (status, said) = check();
    assert!(status == Some(1) && said.contains("the certificate does not cover `a.example`"), "{said}");
    ca.server(&["a.example"]).write(setup.folder(), "a");
    let (status, said) = check();
    assert!(status == Some(0) && said.contains("ok: 0 routes, 0 backends, 1 certificate, hash"), "{said}");
}

#[tokio::test]
async fn a_key_may_be_in_the_environment_and_one_that_has_expired_does_not_keep_a_gateway_from_starting() {
    let (setup, ca) = (Setup::new(), Ca::new("ours"));
    let (a, b) = (ca.server(&["a.example"]), ca.expired_server(&["b.example"]));
    a.write(setup.folder(), "a");
    b.write(setup.folder(), "b");
    let table = entry("a", "a.example").replace("'../a.key'", "{ env = 'A_KEY' }") + &entry("b", "b.example");
    let setup = setup.env("A_KEY", &a.key);
    let served = Served::start(setup, ca, "true", &table).await;
    assert_eq!(served.shown("a.example").await, a.der().to_vec());
    let expired = served.gateway.told("a certificate has expired; clients refuse it", "certificate").await;
    assert_eq!(expired, ["b.example"]);
    assert!(served.page("b.example").await["expires_in_days"].as_i64().expect("a number") < -7000);
    assert!(!served.gateway.log().contains("PRIVATE KEY"));
}
