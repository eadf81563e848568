//! Who the client is: behind proxies that send PROXY headers (HAProxy, curl) or `X-Forwarded-For` (nginx), who may come, and how much each
//! may take. All of 127.0.0.0/8 is this machine: so one client has many addresses.

use callgate_tests::{Backend, Gateway, Raw, Setup, eventually, free_port, header};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const ROUTES: &str = r#"
[[routes]]
match = "GET /metadata/{name}"
call = "chain.metadata"
metadata = ["x-forwarded-for", "forwarded"]
response = { wrap = "value" }

[[routes]]
match = "GET /few"
respond = { body = "welcome" }
clients = { allow = ["127.0.0.0/8", "192.0.2.0/24"], deny = ["192.0.2.128/25"] }

[[routes]]
match = "GET /limited"
respond = { body = "welcome" }
rate_limit = { rate = "1/h", burst = 1, by = "client" }
"#;

/// A gateway with a listener beside its usual one, and that one's address.
struct Edge {
    gateway: Gateway,
    at: SocketAddr,
    setup: Setup,
    _chain: Backend,
}

impl Edge {
    async fn start(setup: Setup, keys: &str) -> Edge {
        let at = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let setup = setup.section(&format!("[[listeners]]\nid = \"edge\"\naddress = \"{at}\"\n{keys}\n"));
        let folder = setup.file("").display().to_string();
        let address = format!("127.0.0.1:{}", free_port());
        let chain = setup.backend_told("chain", address, &["--folder", &folder]);
        let table = format!("[backends.chain]\nendpoints = [{:?}]\n{ROUTES}", chain.endpoint());
        setup.write_routes("clients.toml", &table);
        let gateway = setup.gateway().await;
        gateway.connected(&chain).await;
        Edge { gateway, at, setup, _chain: chain }
    }

    /// How many connections the listener has turned away for that.
    async fn refused(&self, reason: &str) -> f64 {
        let reason = format!("reason=\"{reason}\"");
        self.gateway.metric("callgate_listener_refused_total", &["listener=\"edge\"", &reason]).await
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")
}

/// A header of version 2 for a client of IPv4, with something that nobody here knows behind its addresses.
fn binary(command: u8, client: [u8; 4]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend_from_slice(&[command, 0x11, 0, 22]);
    header.extend_from_slice(&client);
    header.extend_from_slice(&[198, 51, 100, 1, 0, 5, 0, 6, 0xe0, 0, 7, 1, 2, 3, 4, 5, 6, 7]);
    header
}

/// What a handler hears of a request's metadata of that name.
async fn hears(raw: &mut Raw, name: &str, fields: &str) -> String {
    raw.write(format!("GET /metadata/{name}?hops=0 HTTP/1.1\r\nhost: a\r\n{fields}\r\n")).await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}{body}");
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    body["value"].as_str().unwrap_or("nobody").to_owned()
}

async fn status(at: SocketAddr, begin: &[u8], path: &str) -> u16 {
    let mut raw = Raw::connect(at).await;
    raw.write([begin, get(path).as_bytes()].concat()).await;
    raw.status().await
}

/// What curl gets, as a client of that address: the status, a blank and the body.
fn curl(address: &str, more: &[&str], url: &str) -> String {
    let fixed = ["-sS", "--max-time", "60", "--interface", address, "-w", "\n%{http_code}"];
    let output = Command::new("curl").args(fixed).args(more).arg(url).output().expect("curl runs");
    let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    let (body, status) = text.rsplit_once('\n').expect("a status");
    format!("{status} {body}")
}

/// A proxy that is running; ended when this is dropped.
struct Proxy(Child);

impl Proxy {
    /// Starts one that listens there.
    async fn start(program: &str, arguments: &[&str], listens: SocketAddr) -> Proxy {
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null());
        let proxy = Proxy(
            command
                .spawn()
                .unwrap_or_else(|error| panic!("{program}: {error}; `scripts/setup test` installs it")),
        );
        eventually("a proxy", || async { TcpStream::connect(listens).ok() }).await;
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn write(path: &Path, text: &str) -> String {
    fs::write(path, text).expect("it can be written");
    path.display().to_string()
}

#[tokio::test]
async fn a_proxy_header_says_who_the_client_is_to_all_who_ask() {
    let keys = "proxy_protocol = { from = [\"127.0.0.1\"] }";
    let edge = Edge::start(Setup::new(), keys).await;
    let line = b"PROXY TCP4 192.0.2.1 198.51.100.1 5 6\r\n".to_vec();
    for (begin, client) in [
        (line.clone(), "192.0.2.1"),
        (b"PROXY TCP6 2001:db8::1 ::1 5 6\r\n".to_vec(), "2001:db8::1"),
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
        (binary(0x21, [192, 0, 2, 2]), "192.0.2.2"),
        (binary(0x20, [192, 0, 2, 2]), "127.0.0.1"),
    ] {
        let mut raw = Raw::connect(edge.at).await;
        raw.write(&begin).await;
        for _ in 0..2 {
            assert_eq!(hears(&mut raw, "client", "").await, client);
        }
        // Byte by byte, and with the request in one piece.
        let mut raw = Raw::connect(edge.at).await;
        for byte in &begin {
            raw.write([*byte]).await;
        }
        assert_eq!(hears(&mut raw, "client", "").await, client);
        let other = if client.starts_with("192.0.2.") || client == "127.0.0.1" { 200 } else { 403 };
        assert_eq!(status(edge.at, &begin, "/few").await, other, "{client}");
    }
    assert_eq!(status(edge.at, &binary(0x21, [192, 0, 2, 129]), "/few").await, 403);
    // Each client has a bucket of its own, whichever header names it.
    for (client, expected) in [(7, 200), (7, 429), (8, 200)] {
        assert_eq!(status(edge.at, &binary(0x21, [192, 0, 2, client]), "/limited").await, expected);
    }
    assert_eq!(status(edge.at, b"PROXY TCP4 192.0.2.7 127.0.0.1 5 6\r\n", "/limited").await, 429);

    for begin in ["GET / HTTP/1.1\r\n", "PROXY TCP4 here there 1 2\r\n"] {
        let mut raw = Raw::connect(edge.at).await;
        raw.write(begin).await;
        assert!(raw.ended().await, "there is no answer");
    }
    assert_eq!((edge.refused("proxy_missing").await, edge.refused("proxy_malformed").await), (1.0, 1.0));
    eventually("both lines", || {
        let told = edge.gateway.logged("a connection was turned away", "reason");
        std::future::ready((told == ["proxy_missing", "proxy_malformed"]).then_some(()))
    })
    .await;
    // To the other listener it is a request with a method that HTTP does not have.
    assert_eq!(status(edge.gateway.addr, &line, "/few").await, 501);
}

#[tokio::test]
async fn who_is_no_proxy_is_turned_away_and_a_health_check_is_let_in_where_it_may() {
    let keys = "proxy_protocol = { from = [\"192.0.2.0/24\"] }";
    let edge = Edge::start(Setup::new(), keys).await;
    assert!(Raw::connect(edge.at).await.ended().await);
    assert_eq!(edge.refused("proxy_untrusted").await, 1.0);

    let keys = "proxy_protocol = { from = [\"127.0.0.0/8\"], optional = true }";
    let edge = Edge::start(Setup::new(), keys).await;
    let mut raw = Raw::connect(edge.at).await;
    raw.write("PO").await;
    raw.write("ST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(raw.status().await, 404);
    assert_eq!(hears(&mut raw, "client", "").await, "127.0.0.1");
    assert_eq!(status(edge.at, &binary(0x21, [192, 0, 2, 129]), "/few").await, 403);
    assert_eq!(status(edge.at, b"", "/few").await, 200);
    assert_eq!(edge.refused("proxy_untrusted").await, 0.0);
    // Whoever does not go on is not waited for. Nobody else may be late here.
    let edge = Edge::start(Setup::new().server("handshake_timeout = \"1s\""), keys).await;
    let mut raw = Raw::connect(edge.at).await;
    raw.write("PROXY TCP4").await;
    assert!(raw.ended().await);
    assert_eq!(edge.refused("proxy_late").await, 1.0);
    assert_eq!(edge.refused("proxy_untrusted").await, 0.0);
}

#[tokio::test]
async fn haproxy_and_curl_say_who_their_clients_are() {
    let edge = Edge::start(Setup::new(), "proxy_protocol = { from = [\"127.0.0.1\"] }").await;
    let [one, two] = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let config = format!(
        "defaults\n  mode tcp\n  timeout connect 60s\n  timeout client 60s\n  timeout server 60s\n\
         frontend one\n  bind {one}\n  default_backend one\n\
         backend one\n  server gateway {at} send-proxy\n\
         frontend two\n  bind {two}\n  default_backend two\n\
         backend two\n  server gateway {at} send-proxy-v2 proxy-v2-options crc32c\n",
        at = edge.at
    );
    let file = write(&edge.setup.file("haproxy.cfg"), &config);
    let _haproxy = Proxy::start("haproxy", &["-q", "-db", "-f", &file], two).await;
    for at in [one, two] {
        let url = format!("http://{at}/metadata/client?hops=0");
        assert_eq!(curl("127.0.0.7", &[], &url), "200 {\"value\":\"127.0.0.7\"}");
        assert_eq!(curl("127.0.0.8", &[], &format!("http://{at}/few")), "200 welcome");
    }
    let url = format!("http://{}/metadata/client?hops=0", edge.at);
    assert_eq!(curl("127.0.0.1", &["--haproxy-protocol"], &url), "200 {\"value\":\"127.0.0.1\"}");
}

#[tokio::test]
async fn nginx_says_who_its_clients_are_and_they_cannot_say_so_themselves() {
    let edge =
        Edge::start(Setup::new(), "forwarded = { header = \"x-forwarded-for\", from = [\"127.0.0.1\"] }")
            .await;
    let listens = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let folder = edge.setup.file("nginx");
    fs::create_dir(&folder).expect("it can be made");
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()));
    let config = format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}\
         server {{\nlisten {listens};\nlocation / {{\nproxy_pass http://{at};\n\
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n}}\n}}\n}}\n",
        folder = folder.display(),
        paths = paths.concat(),
        at = edge.at
    );
    let file = write(&folder.join("nginx.conf"), &config);
    let folder = folder.display().to_string();
    let _nginx = Proxy::start("nginx", &["-p", &folder, "-e", "stderr", "-c", &file], listens).await;
    let heard = |forged: &[&str], name: &str| {
        curl("127.0.0.7", forged, &format!("http://{listens}/metadata/{name}?hops=0"))
    };
    assert_eq!(heard(&[], "client"), "200 {\"value\":\"127.0.0.7\"}");
    let forged = ["-H", "X-Forwarded-For: 192.0.2.9, 127.0.0.1", "-H", "Forwarded: for=192.0.2.8"];
    assert_eq!(heard(&forged, "client"), "200 {\"value\":\"127.0.0.7\"}");
    assert_eq!(heard(&forged, "x-forwarded-for"), "200 {\"value\":\"192.0.2.9, 127.0.0.1, 127.0.0.7\"}");
    assert_eq!(heard(&forged, "forwarded"), "200 {\"value\":null}");
    // Past nginx, and from elsewhere.
    let url = format!("http://{}/metadata/client?hops=0", edge.at);
    assert_eq!(curl("127.0.0.7", &forged, &url), "200 {\"value\":\"127.0.0.7\"}");
}

#[tokio::test]
async fn forwarded_is_read_from_the_right_and_nobody_is_believed_unless_a_listener_says_so() {
    let keys = "forwarded = { header = \"forwarded\", from = [\"127.0.0.0/8\", \"10.0.0.0/8\"] }";
    let edge = Edge::start(Setup::new(), keys).await;
    let mut raw = Raw::connect(edge.at).await;
    for (fields, client) in [
        ("", "127.0.0.1"),
        ("forwarded: for=192.0.2.1\r\n", "192.0.2.1"),
        (
            "forwarded: for=192.0.2.1\r\nx-a: b\r\nForwarded: for=\"[2001:db8::1]:5\", for=10.0.0.1\r\n",
            "2001:db8::1",
        ),
        ("forwarded: for=\"192.0.2.1, for=192.0.2.3;proto=http\r\n", "192.0.2.3"),
        ("forwarded: for=192.0.2.1, for=_hidden\r\n", "nobody"),
        ("x-forwarded-for: 192.0.2.1\r\n", "127.0.0.1"),
    ] {
        assert_eq!(hears(&mut raw, "client", fields).await, client, "{fields}");
    }
    // Each request says it anew.
    for (client, expected) in [("192.0.2.1", 200), ("192.0.2.200", 403), ("unknown", 403)] {
        raw.write(get("/few").replace("\r\n\r\n", &format!("\r\nforwarded: for={client}\r\n\r\n"))).await;
        assert_eq!(raw.status().await, expected, "{client}");
    }
    let mut raw = Raw::connect(edge.gateway.addr).await;
    let forged = "forwarded: for=192.0.2.1\r\nx-forwarded-for: 192.0.2.1\r\n";
    assert_eq!(hears(&mut raw, "client", forged).await, "127.0.0.1");
    assert_eq!(hears(&mut raw, "forwarded", forged).await, "nobody");
    assert_eq!(hears(&mut raw, "x-forwarded-for", forged).await, "nobody");
}

#[tokio::test]
async fn a_listener_turns_clients_away_whatever_they_ask() {
    let keys = "forwarded = { header = \"x-forwarded-for\", from = [\"127.0.0.1\"] }\nclients = { deny = [\"192.0.2.1\"] }";
    let edge = Edge::start(Setup::new(), keys).await;
    let mut raw = Raw::connect(edge.at).await;
    for path in ["/few", "/nowhere", "/metadata/client?hops=0"] {
        raw.write(get(path).replace("\r\n\r\n", "\r\nx-forwarded-for: 192.0.2.1\r\n\r\n")).await;
        let (head, body) = raw.answer().await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
        assert_eq!(header(&head, "content-type"), Some("application/problem+json"));
        let problem: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(problem["code"], "permission_denied");
        assert_eq!(problem["detail"], "clients of this address are not allowed here");
    }
    raw.write(get("/few")).await;
    assert_eq!(raw.status().await, 200);
    let reason = ["reason=\"client_not_allowed\""];
    assert_eq!(edge.gateway.metric("callgate_failures_total", &reason).await, 3.0);
    let routes = edge.gateway.admin.get("/routes").await.text();
    let step = "clients allow 127.0.0.0/8, 192.0.2.0/24; deny 192.0.2.128/25";
    assert!(routes.contains(step), "{routes}");
    let config = edge.gateway.admin.get("/config").await.json();
    let shown = config["settings"]["listeners"].as_array().expect("listeners");
    assert!(shown.iter().any(|one| one["clients"]["list"] == "deny 192.0.2.1"), "{config}");
}

#[tokio::test]
async fn a_client_has_so_many_connections_and_no_more() {
    let keys = "proxy_protocol = { from = [\"127.0.0.1\"] }\nmax_connections_per_client = 2";
    let edge = Edge::start(Setup::new(), keys).await;
    let connect = async |client: u8| {
        let mut raw = Raw::connect(edge.at).await;
        raw.write([&binary(0x21, [192, 0, 2, client]), get("/few").as_bytes()].concat()).await;
        let status = raw.status().await;
        (raw, status)
    };
    let (first, second) = (connect(1).await, connect(1).await);
    assert_eq!((first.1, second.1), (200, 200));
    assert_eq!(connect(1).await.1, 0, "there is no answer");
    assert_eq!(connect(2).await.1, 200);
    assert_eq!(edge.refused("max_connections_per_client").await, 1.0);
    drop(first);
    eventually("a place", || async { (connect(1).await.1 == 200).then_some(()) }).await;
}

#[tokio::test]
async fn a_client_makes_so_many_new_connections_in_a_time() {
    let edge = Edge::start(Setup::new(), "new_connections_per_client = { rate = \"1/h\", burst = 3 }").await;
    for _ in 0..3 {
        assert_eq!(status(edge.at, b"", "/few").await, 200);
    }
    for _ in 0..2 {
        assert!(Raw::connect(edge.at).await.ended().await);
    }
    assert_eq!(edge.refused("new_connections_per_client").await, 2.0);
    assert_eq!(curl("127.0.0.9", &[], &format!("http://{}/few", edge.at)), "200 welcome");
    assert_eq!(status(edge.gateway.addr, b"", "/few").await, 200, "the other listener has no such bound");
}

#[tokio::test]
async fn a_connection_ends_with_the_reply_to_its_last_request() {
    let edge = Edge::start(Setup::new().server("max_requests_per_connection = 5"), "").await;
    let mut raw = Raw::connect(edge.at).await;
    for n in 1..=5 {
        raw.write(get("/few")).await;
        let (head, _) = raw.answer().await.expect("an answer");
        assert_eq!(header(&head, "connection"), (n == 5).then_some("close"), "{n}");
    }
    assert!(raw.ended_without_reset().await);
}
