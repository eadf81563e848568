//! TLS and tokens between the gateway, or a client of the SDK, and instances: who is let in, who is not and why, and that certificates
//! and tokens change while calls go on.

use callgate_sdk::tls::ClientTls;
use callgate_sdk::{Client, Code, Context, Status, Token};
use callgate_tests::sealed::{Caller, Sealed as _, SealedClient};
use callgate_tests::tls::{Ca, Issued, TlsClient};
use callgate_tests::{Backend, Gateway, Setup, eventually, free_port};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The name that the instances' certificates are for.
const NAME: &str = "sealed.internal";

/// A folder with a CA, and certificates of it.
struct House {
    setup: Setup,
    ca: Ca,
}

impl House {
    fn new() -> House {
        let house = House { setup: Setup::new(), ca: Ca::new("house") };
        house.write("ca.pem", house.ca.pem());
        house.put(&house.ca.server(&[NAME, "localhost"]), "server");
        house.put(&house.ca.client("gateway.internal"), "gateway");
        house
    }

    /// Writes a file as a whole.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let (path, new) = (self.setup.file(name), self.setup.file(&format!(".{name}.new")));
        fs::write(&new, text).expect("a file can be written");
        fs::rename(&new, &path).expect("a file can be renamed");
        path
    }

    fn put(&self, issued: &Issued, name: &str) {
        issued.write(self.setup.folder(), name);
    }

    fn path(&self, name: &str) -> String {
        self.setup.file(name).display().to_string()
    }

    /// An instance with its certificate, which is told more.
    fn instance(&self, more: &[&str]) -> Backend {
        let own = [self.path("server.pem"), self.path("server.key")];
        let told = [&["--cert", &own[0], "--key", &own[1]], more].concat();
        self.setup.backend_told("sealed", format!("127.0.0.1:{}", free_port()), &told)
    }

    /// Writes the table of one backend, with those lines.
    fn table(&self, endpoint: &str, lines: &str) {
        self.setup.write_routes(
            "sealed.toml",
            &format!(
                "[backends.sealed]\nendpoints = [\"{endpoint}\"]\n{lines}\n\
                 [[routes]]\nmatch = \"GET /caller\"\ncall = \"sealed.caller\"\n"
            ),
        );
    }

    /// The gateway with that table.
    async fn gateway(&self, endpoint: &str, lines: &str) -> Gateway {
        self.table(endpoint, lines);
        self.setup.gateway().await
    }

    /// `tls` of a table, which trusts the CA and shows the gateway's certificate.
    fn mutual(&self) -> String {
        format!(
            "tls = {{ ca = {:?}, cert = {:?}, key = {:?}, server_name = \"{NAME}\" }}",
            self.path("ca.pem"),
            self.path("gateway.pem"),
            self.path("gateway.key")
        )
    }

    /// The same without a certificate.
    fn one_way(&self) -> String {
        format!("tls = {{ ca = {:?}, server_name = \"{NAME}\" }}", self.path("ca.pem"))
    }

    /// A client of the SDK. It is told why it is not let in when a call's time is up; until then it tries again.
    fn client(&self, endpoint: &str, tls: ClientTls) -> SealedClient {
        let builder = Client::builder().tls(tls).endpoint(endpoint).timeout(Duration::from_secs(1));
        SealedClient::new(builder.build().expect("a client"))
    }
}

/// What the admin port has of the one endpoint.
async fn endpoint(gateway: &Gateway) -> Value {
    gateway.admin.get("/backends").await.json()["backends"][0]["endpoints"][0].clone()
}

/// Waits until the gateway says why it does not reach the instance, in these words.
async fn out_of_reach(gateway: &Gateway, words: &str) {
    eventually(words, || async {
        let error = endpoint(gateway).await["error"].as_str().unwrap_or_default().to_owned();
        error.contains(words).then_some(())
    })
    .await;
    assert_eq!(gateway.client.get("/caller").await.status, 503);
}

/// Waits until a line of that program's log has these words.
async fn logged(log: &Path, words: &str) {
    eventually(words, || {
        let text = fs::read_to_string(log).unwrap_or_default();
        std::future::ready(text.contains(words).then_some(()))
    })
    .await;
}

fn log_of(house: &House, backend: &Backend) -> PathBuf {
    house.setup.log(&format!("sealed-{}", backend.endpoint().rsplit(['/', ':']).next().unwrap_or_default()))
}

#[tokio::test]
async fn the_gateway_speaks_tls_with_an_instance_and_shows_who_it_is() {
    let house = House::new();
    let instance = house.instance(&[]);
    let gateway = house.gateway(&instance.endpoint(), &house.one_way()).await;
    gateway.connected(&instance).await;
    let caller = gateway.client.get("/caller").await;
    assert_eq!((caller.status, &caller.json()["certificate"]), (200, &Value::Null));
    let shown = endpoint(&gateway).await;
    assert_eq!(shown["tls"]["version"], "TLSv1.3");
    assert_eq!(shown["tls"]["dns_names"], serde_json::json!([NAME, "localhost"]));
    assert_eq!(gateway.told("connected", "tls").await[0], "TLSv1.3");
}

#[tokio::test]
async fn an_instance_knows_the_gateway_by_its_certificate() {
    let house = House::new();
    let instance = house.instance(&["--client-ca", &house.path("ca.pem")]);
    let gateway = house.gateway(&instance.endpoint(), &house.mutual()).await;
    gateway.connected(&instance).await;
    let caller = gateway.client.get("/caller").await.json();
    assert_eq!(caller["certificate"], "CN=gateway.internal");
    assert_eq!(caller["names"], serde_json::json!(["gateway.internal"]));
}

#[tokio::test]
async fn an_instance_hears_who_the_client_of_the_gateway_is_by_its_certificate() {
    let house = House::new();
    let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let section = format!(
        "[[listeners]]\nid = \"tls\"\naddress = \"{addr}\"\n\
         tls = {{ client_certificates = \"optional\", ca = {:?} }}\n",
        house.path("ca.pem")
    );
    let House { setup, ca } = house;
    let house = House { setup: setup.section(&section), ca };
    let (cert, key) = (house.path("server.pem"), house.path("server.key"));
    let text = format!("[[certificates]]\nnames = [\"localhost\"]\ncert = {cert:?}\nkey = {key:?}\n");
    house.setup.write_routes("certificates.toml", &text);
    let instance = house.instance(&[]);
    let gateway = house.gateway(&instance.endpoint(), &house.one_way()).await;
    gateway.connected(&instance).await;
    let request = "GET /caller HTTP/1.1\r\nhost: localhost\r\nclient-subject: CN=forged\r\n\r\n";
    let ada = house.ca.client("ada.internal");
    for (own, client) in [(None, "null"), (Some(&ada), "\"CN=ada.internal\"")] {
        let client_of = TlsClient::with(&house.ca, own, rustls::ALL_VERSIONS);
        let mut raw = client_of.raw(addr, "localhost").await;
        raw.write(request).await;
        let (_, body) = raw.answer().await.expect("an answer");
        assert!(body.contains(&format!("\"client\":{client}")), "{body}");
    }
}

#[tokio::test]
async fn the_name_of_the_endpoint_is_that_of_the_certificate_unless_told() {
    let house = House::new();
    let instance = house.instance(&[]);
    let by_name = instance.endpoint().replace("127.0.0.1", "localhost");
    let gateway = house.gateway(&by_name, &format!("tls = {{ ca = {:?} }}", house.path("ca.pem"))).await;
    eventually("an answer", async || (gateway.client.get("/caller").await.status == 200).then_some(())).await;
}

#[tokio::test]
async fn an_instance_that_is_not_the_right_one_is_out_of_reach_and_the_reason_is_told() {
    let house = House::new();
    let instance = house.instance(&["--client-ca", &house.path("ca.pem")]);
    house.write("other.pem", Ca::new("stranger").pem());
    let other_ca = house.mutual().replace("ca.pem", "other.pem");
    let gateway = house.gateway(&instance.endpoint(), &other_ca).await;
    out_of_reach(&gateway, "the peer's certificate is from a CA that is not trusted here").await;

    let other_name = house.mutual().replace(NAME, "orders.internal");
    house.table(&instance.endpoint(), &other_name);
    gateway.takes_its_tables().await;
    out_of_reach(&gateway, "not for the name orders.internal: it is for sealed.internal, localhost").await;

    house.table(&instance.endpoint(), &house.one_way());
    gateway.takes_its_tables().await;
    out_of_reach(&gateway, "it wants a certificate of this side").await;
    logged(&log_of(&house, &instance), "the peer has shown no certificate").await;

    house.table(&instance.endpoint(), "");
    gateway.takes_its_tables().await;
    out_of_reach(&gateway, "a TLS server answers there").await;
    logged(&log_of(&house, &instance), "the peer does not speak TLS").await;

    house.table(&instance.endpoint(), &house.one_way());
    gateway.takes_its_tables().await;
    eventually("a TLS connection that failed, on the page", async || {
        let failed = gateway.metric("callgate_backend_connects_total", &["outcome=\"tls\""]).await;
        (failed > 0.0).then_some(())
    })
    .await;
    house.table(&instance.endpoint(), &house.mutual());
    gateway.takes_its_tables().await;
    gateway.connected(&instance).await;
}

#[tokio::test]
async fn an_expired_certificate_and_a_server_without_tls_are_told_apart() {
    let house = House::new();
    let expired = house.ca.expired_server(&[NAME]);
    let at = serve_tls(&expired).await;
    let gateway = house.gateway(&at, &house.one_way()).await;
    out_of_reach(&gateway, "the peer's certificate has expired").await;

    let plain = house.setup.backend("sealed");
    house.table(&plain.endpoint(), &house.one_way());
    gateway.takes_its_tables().await;
    out_of_reach(&gateway, "the peer does not speak TLS").await;
}

/// A server that shows a certificate of whatever age, and nothing more; where it is.
async fn serve_tls(issued: &Issued) -> String {
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key");
    let config =
        rustls::ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![issued.der()], key)
            .expect("a key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = acceptor.accept(stream).await;
        }
    });
    at
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_given_up_in_time() {
    let house = House::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address").to_string();
    let silent = tokio::spawn(async move {
        let mut kept: Vec<TcpStream> = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    let lines = format!("connect_timeout = \"100ms\"\n{}", house.one_way());
    let gateway = house.gateway(&at, &lines).await;
    out_of_reach(&gateway, "the TLS handshake did not end within 100ms").await;
    silent.abort();
}

#[tokio::test]
async fn certificates_change_on_both_sides_under_load_without_a_lost_request() {
    let house = House::new();
    let instance = house.instance(&["--client-ca", &house.path("ca.pem")]);
    let gateway = house
        .gateway(
            &instance.endpoint(),
            &format!("max_age = \"1s\"\nconnect_timeout = \"30s\"\n{}", house.mutual()),
        )
        .await;
    gateway.connected(&instance).await;
    // Before that the instance may not have listened yet.
    let before = not_connected(&gateway).await;
    let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let (client, over, sent) = (gateway.client.clone(), over.clone(), sent.clone());
            tokio::spawn(async move {
                while !over.load(Relaxed) {
                    let answer = client.get("/caller").await;
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    sent.fetch_add(1, Relaxed);
                }
            })
        })
        .collect();
    for round in 0..4 {
        house.put(&house.ca.server(&[NAME, &format!("round{round}")]), "server");
        house.put(&house.ca.client(&format!("gateway{round}")), "gateway");
        eventually(&format!("round {round}"), || async {
            let instance = endpoint(&gateway).await["tls"]["dns_names"][1] == format!("round{round}");
            let own = gateway.client.get("/caller").await.json()["names"][0] == format!("gateway{round}");
            (instance && own).then_some(())
        })
        .await;
    }
    over.store(true, Relaxed);
    for one in asking {
        one.await.expect("no request was lost");
    }
    assert!(sent.load(Relaxed) > 0);
    assert_eq!(not_connected(&gateway).await, before, "{}", gateway.log());
}

/// How many attempts to connect to an instance have failed, by the reasons that a certificate could give.
async fn not_connected(gateway: &Gateway) -> [f64; 3] {
    let mut counted = [0.0; 3];
    for (n, outcome) in counted.iter_mut().zip(["failed", "tls", "refused"]) {
        let label = format!("outcome=\"{outcome}\"");
        *n = gateway.metric("callgate_backend_connects_total", &[&label]).await;
    }
    counted
}

#[tokio::test]
async fn files_that_go_bad_leave_what_is_in_force_and_are_an_error_where_there_is_nothing() {
    let house = House::new();
    let instance = house.instance(&[]);
    let gateway =
        house.gateway(&instance.endpoint(), &format!("max_age = \"1s\"\n{}", house.one_way())).await;
    gateway.connected(&instance).await;
    fs::remove_file(house.setup.file("ca.pem")).expect("it was there");
    gateway.told("the certificates for a backend cannot be used; what was in force stays so", "error").await;
    // The same table with another route is taken: what the backend has stays in force.
    let text = fs::read_to_string(house.setup.routes().join("sealed.toml")).expect("the table");
    house.setup.write_routes(
        "sealed.toml",
        &format!("{text}[[routes]]\nmatch = \"GET /again\"\ncall = \"sealed.caller\"\n"),
    );
    gateway.takes_its_tables().await;
    let before = gateway.metric("callgate_backend_connects_total", &["outcome=\"ok\""]).await;
    eventually("further connections", async || {
        let now = gateway.metric("callgate_backend_connects_total", &["outcome=\"ok\""]).await;
        (now > before + 2.0).then_some(())
    })
    .await;
    assert_eq!(gateway.client.get("/again").await.status, 200);
    // A backend that is new needs its CA.
    house.table(&instance.endpoint(), &house.one_way().replace("ca.pem", "missing.pem"));
    let refused = gateway.admin.send("POST", "/-/reload", &[], "").await;
    assert!(
        refused.text().contains("missing.pem") && refused.text().contains("named here"),
        "{}",
        refused.text()
    );
    assert_eq!(gateway.client.get("/again").await.status, 200);
}

#[tokio::test]
async fn a_token_lets_in_and_one_that_is_wrong_or_missing_does_not_and_both_sides_say_so() {
    let house = House::new();
    house.write("tokens", "s3cret-1\n");
    house.write("mine", "s3cret-1\n");
    let instance = house.instance(&["--token-file", &house.path("tokens")]);
    let with_token =
        format!("max_age = \"1s\"\n{}\ntoken = {{ file = {:?} }}", house.one_way(), house.path("mine"));
    let gateway = house.gateway(&instance.endpoint(), &with_token).await;
    gateway.connected(&instance).await;
    assert_eq!(gateway.client.get("/caller").await.status, 200);

    // Both are good while one takes the place of the other.
    house.write("tokens", "s3cret-1\ns3cret-2\n");
    logged(&log_of(&house, &instance), "the token changed").await;
    house.write("mine", "s3cret-2\n");
    gateway.told("the token for a backend changed; new connections use the new ones", "backend").await;
    house.write("tokens", "s3cret-2\n");
    let connects = gateway.metric("callgate_backend_connects_total", &["outcome=\"ok\""]).await;
    eventually("connections with the new token", async || {
        let now = gateway.metric("callgate_backend_connects_total", &["outcome=\"ok\""]).await;
        (now > connects + 4.0).then_some(())
    })
    .await;
    assert_eq!(gateway.client.get("/caller").await.status, 200);

    house.table(&instance.endpoint(), &house.one_way());
    gateway.takes_its_tables().await;
    out_of_reach(&gateway, "a token is required here, and the caller has brought none along").await;
    logged(&log_of(&house, &instance), "a token is required here").await;

    house.write("mine", "s3cret-3\n");
    house.table(&instance.endpoint(), &with_token);
    gateway.takes_its_tables().await;
    out_of_reach(&gateway, "the token that the caller has brought along is not valid here").await;
    logged(&log_of(&house, &instance), "is not valid here").await;
    assert!(gateway.metric("callgate_backend_connects_total", &["outcome=\"refused\""]).await > 0.0);
    let logs = gateway.log() + &fs::read_to_string(log_of(&house, &instance)).expect("a log");
    assert!(!logs.contains("s3cret"), "{logs}");
}

#[tokio::test]
async fn a_token_goes_through_a_unix_socket_and_never_over_plain_tcp() {
    let house = House::new();
    let token = house.write("token", "s3cret\n").display().to_string();
    let unix = format!("unix:{}", house.path("sealed.sock"));
    let instance = house.setup.backend_told("sealed", unix, &["--token-file", &token]);
    let line = format!("token = {{ file = {token:?} }}");
    let gateway = house.gateway(&instance.endpoint(), &line).await;
    gateway.connected(&instance).await;
    assert_eq!(gateway.client.get("/caller").await.status, 200);

    house.table("127.0.0.1:7101", &line);
    let refused = gateway.admin.send("POST", "/-/reload", &[], "").await;
    assert!(refused.text().contains("would go over plain TCP"), "{}", refused.text());
    let tcp =
        house.setup.backend_told("sealed", format!("127.0.0.1:{}", free_port()), &["--token-file", &token]);
    logged(&log_of(&house, &tcp), "callers would send the token to 127.0.0.1").await;
    let builder = Client::builder().endpoint("127.0.0.1:7101").token(Token::file(&token));
    let why = builder.build().expect_err("no client").to_string();
    assert!(why.contains("over plain TCP"), "{why}");
}

async fn asks(client: &SealedClient) -> Result<Caller, Status> {
    client.caller(&Context::background()).await
}

#[tokio::test]
async fn a_client_of_the_sdk_and_a_server_know_each_other_as_the_gateway_does() {
    let house = House::new();
    house.write("tokens", "s3cret\n");
    let required = ["--client-ca", &house.path("ca.pem"), "--token-file", &house.path("tokens")];
    let instance = house.instance(&required);
    let trust = || ClientTls::new(house.setup.file("ca.pem")).server_name(NAME);
    let mutual = || trust().identity(house.setup.file("gateway.pem"), house.setup.file("gateway.key"));
    let builder = |tls| Client::builder().tls(tls).endpoint(instance.endpoint());
    let with_token =
        builder(mutual()).token(Token::file(house.setup.file("tokens"))).build().expect("a client");
    let caller =
        eventually("an answer", async || asks(&SealedClient::new(with_token.clone())).await.ok()).await;
    assert_eq!(caller.certificate.as_deref(), Some("CN=gateway.internal"));

    house.write("other.pem", Ca::new("stranger").pem());
    let stranger = ClientTls::new(house.setup.file("other.pem")).server_name(NAME);
    for (tls, words) in [
        (mutual(), "a token is required here"),
        (trust(), "it wants a certificate of this side"),
        (trust().server_name("orders.internal"), "not for the name orders.internal"),
        (stranger, "from a CA that is not trusted here"),
    ] {
        let client = house.client(&instance.endpoint(), tls);
        eventually(words, async || {
            let status = asks(&client).await.expect_err("it is not let in");
            assert_eq!(status.code, Code::Unavailable);
            status.to_string().contains(words).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_server_may_let_in_callers_without_a_certificate_but_none_with_a_bad_one() {
    let house = House::new();
    let instance = house.instance(&["--optional-client-ca", &house.path("ca.pem")]);
    let trust = || ClientTls::new(house.setup.file("ca.pem")).server_name(NAME);
    let nobody = house.client(&instance.endpoint(), trust());
    let caller = eventually("an answer", async || asks(&nobody).await.ok()).await;
    assert_eq!(caller.certificate, None);
    house.put(&Ca::new("stranger").client("stranger"), "stranger");
    let stranger = trust().identity(house.setup.file("stranger.pem"), house.setup.file("stranger.key"));
    let stranger = house.client(&instance.endpoint(), stranger);
    let words = "it does not trust the CA of this side's certificate";
    eventually(words, async || {
        asks(&stranger).await.expect_err("it is not let in").to_string().contains(words).then_some(())
    })
    .await;
    logged(&log_of(&house, &instance), "is from a CA that is not trusted here").await;
}

#[tokio::test]
async fn a_client_of_the_sdk_takes_new_certificates_and_so_does_its_server() {
    let house = House::new();
    let instance = house.instance(&["--client-ca", &house.path("ca.pem")]);
    let tls = ClientTls::new(house.setup.file("ca.pem"))
        .server_name(NAME)
        .identity(house.setup.file("gateway.pem"), house.setup.file("gateway.key"));
    let client = Client::builder().tls(tls).endpoint(instance.endpoint());
    let client =
        SealedClient::new(client.max_age(std::time::Duration::from_secs(1)).build().expect("a client"));
    eventually("an answer", async || asks(&client).await.ok()).await;
    house.put(&house.ca.server(&[NAME]), "server");
    house.put(&house.ca.client("renewed"), "gateway");
    eventually("the new certificate", async || {
        let caller = asks(&client).await.expect("no call is lost");
        (caller.names == ["renewed"]).then_some(())
    })
    .await;
    logged(&log_of(&house, &instance), "the certificate changed").await;
}
