//! What routes say of the replies to their calls: status, headers and links made of results and requests, as clients see them.

use callgate_tests::{Backend, Client, Gateway, Setup, free_port};
use std::net::SocketAddr;
use std::process::Command;

const ROUTES: &str = r#"
[[routes]]
match = "PUT /v1/books/{id}"
call = "books.put"
unknown_fields = "ignore"
[routes.response]
status = { field = "created", true = 201, false = 200 }
metadata = ["x-shelf", "x-nothing"]
headers = { location = "/v1/books/{id}?by={path.id}&trace={query.trace}", cache-control = "no-store", x-says = "{title} ({version})", x-url = "{url}" }

[[routes]]
match = "POST /v1/links/{id}"
call = "books.put"
response = { status = 303, headers = { location = "{url}" } }

[[routes]]
match = "GET /v1/books/{id}"
call = "books.get"
etag = true
response = { headers = { cache-control = "no-cache" } }

[[routes]]
match = "GET /v1/versions/{id}"
call = "books.get"
etag = "version"

[[routes]]
match = "POST /v1/versions/{id}"
call = "books.put"
etag = "version"

[[routes]]
match = "GET /v1/pages"
call = "books.list"
etag = true

[[routes]]
match = "POST /v1/keyed/{id}"
call = "books.put"
idempotency_key = true
response = { metadata = ["x-key"] }

[[routes]]
match = "GET /v1/books"
call = "books.list"
response = { field = "items", links = { next = "/v1/books?after={next}&limit={query.limit}", first = "/v1/books" } }

[[routes]]
match = "DELETE /v1/books/{id}"
call = "books.remove"
response = { status = 202 }
errors = { lent = 423, gone = 410, leak = 507, permission_denied = 402 }

[[routes]]
match = "DELETE /v1/silently/{id}"
call = "books.put"
response = { status = 204 }
"#;

struct Running {
    setup: Setup,
    backend: Backend,
    gateway: Gateway,
    http2: Client,
}

async fn running(routes: &str) -> Running {
    let port = free_port();
    let setup = Setup::new().section(&http2(port));
    let backend = setup.backend("books");
    let endpoint = backend.endpoint();
    setup.write_routes("books.toml", &format!("[backends.books]\nendpoints = [\"{endpoint}\"]\n{routes}"));
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let http2 = Client::http2(SocketAddr::from(([127, 0, 0, 1], port)));
    Running { setup, backend, gateway, http2 }
}

/// The gateway's address for HTTP/2 in the clear.
fn http2(port: u16) -> String {
    format!("[[listeners]]\naddress = \"127.0.0.1:{port}\"\nhttp2 = \"prior_knowledge\"\n")
}

/// What curl gets: the head with its names in lower case, and the body.
fn curl(gateway: &Gateway, arguments: &[&str], path: &str) -> (String, String) {
    let url = format!("http://{}{path}", gateway.addr);
    let fixed = ["-sS", "--max-time", "60", "-D", "-", "--path-as-is"];
    let output = Command::new("curl").args(fixed).args(arguments).arg(&url).output().expect("curl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

/// The value of a header in such a head.
fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[tokio::test]
async fn a_result_chooses_the_status_and_is_told_where_it_is() {
    let running = running(ROUTES).await;
    let put = ["-X", "PUT", "-H", "content-type: application/json", "-d", r#"{"title":"tea"}"#];
    let (head, body) = curl(&running.gateway, &put, "/v1/books/7");
    assert!(head.starts_with("HTTP/1.1 201 Created\r\n"), "{head}");
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&body["id"], &body["title"]), (&"7".into(), &"tea".into()));
    for (name, expected) in [
        ("location", Some("/v1/books/7?by=7")),
        ("cache-control", Some("no-store")),
        ("content-type", Some("application/json")),
        ("x-says", Some("tea (3)")),
        ("x-shelf", Some("shelf 7")),
        ("x-url", None),
        ("x-nothing", None),
        ("x-secret", None),
    ] {
        assert_eq!(header(&head, name), expected, "{name} in {head}");
    }
    let (head, _) = curl(&running.gateway, &put, "/v1/books/old?trace=a%26b");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert_eq!(header(&head, "location"), Some("/v1/books/old?by=old&trace=a%26b"));
}

#[tokio::test]
async fn no_value_breaks_a_line_or_leaves_its_place() {
    let running = running(ROUTES).await;
    let title = serde_json::json!({ "title": "a\r\nset-cookie: x=1\u{e9}\0" }).to_string();
    let headers = [("content-type", "application/json")];
    let path = "/v1/books/a%2F..%2Fb%0D%0Ax:%20y%3F%23";
    for client in [&running.gateway.client, &running.http2] {
        let answer = client.send("PUT", path, &headers, title.clone()).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = "a%2F..%2Fb%0D%0Ax:%20y%3F%23";
        let by = "a%2F..%2Fb%0D%0Ax%3A%20y%3F%23";
        assert_eq!(answer.header("location"), format!("/v1/books/{id}?by={by}"));
        assert_eq!(answer.header("x-says"), "a%0D%0Aset-cookie: x=1%C3%A9%00 (21)");
        assert_eq!(answer.header("set-cookie"), "");
    }
    let answer = running.gateway.client.send("PUT", "/v1/books/%2E%2E", &headers, title).await;
    assert_eq!((answer.status, answer.header("location")), (400, ""), "it would lead elsewhere");
}

#[tokio::test]
async fn a_redirect_by_the_result_is_followed_by_curl() {
    let running = running(ROUTES).await;
    let target = format!("http://{}/v1/books?after=4", running.gateway.addr);
    let body = serde_json::json!({ "title": target }).to_string();
    let post = ["-L", "-H", "content-type: application/json", "-d", &body];
    let (head, rest) = curl(&running.gateway, &post, "/v1/links/1");
    assert!(head.starts_with("HTTP/1.1 303 See Other\r\n"), "{head}");
    assert_eq!(header(&head, "location"), Some(&*target));
    assert!(rest.contains("HTTP/1.1 200 OK\r\n") && rest.contains(r#""id":"5""#), "{rest}");
}

#[tokio::test]
async fn pages_link_to_the_next_one_until_there_is_none() {
    let running = running(ROUTES).await;
    let (mut path, mut seen) = ("/v1/books?limit=2".to_owned(), Vec::new());
    loop {
        let (head, body) = curl(&running.gateway, &[], &path);
        let items: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let ids = items.as_array().expect("only the items are shown").iter();
        seen.extend(ids.map(|item| item["id"].as_str().unwrap_or_default().to_owned()));
        let link = header(&head, "link").expect("there is one").to_owned();
        assert!(link.contains("</v1/books>; rel=\"first\""), "{link}");
        let next = link.split(", ").find_map(|one| one.strip_suffix(">; rel=\"next\"")?.strip_prefix('<'));
        match next {
            Some(next) => path = next.to_owned(),
            None => break,
        }
        assert!(path.contains("&limit=2"), "{path}");
    }
    assert_eq!(seen, ["1", "2", "3", "4", "5"]);
    let (head, _) = curl(&running.gateway, &[], "/v1/books");
    assert!(
        header(&head, "link").is_some_and(|link| link.contains("</v1/books?after=2>; rel=\"next\"")),
        "{head}"
    );
}

#[tokio::test]
async fn a_long_result_has_its_links_too() {
    let running = running(ROUTES).await;
    let answer = running.gateway.client.get("/v1/books?limit=4&title=1000000").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.len() > 4_000_000, "{}", answer.body.len());
    assert!(
        answer.header("link").contains("</v1/books?after=4&limit=4>; rel=\"next\""),
        "{}",
        answer.header("link")
    );
}

#[tokio::test]
async fn a_reply_without_a_body_has_none_whatever_its_status() {
    let running = running(ROUTES).await;
    let (head, body) = curl(&running.gateway, &["-X", "DELETE"], "/v1/books/7");
    assert!(head.starts_with("HTTP/1.1 202 Accepted\r\n"), "{head}");
    assert_eq!(
        (&*body, header(&head, "content-length"), header(&head, "content-type")),
        ("", Some("0"), None)
    );
    let delete = ["-X", "DELETE", "-H", "content-type: application/json", "-d", r#"{"title":"x"}"#];
    let (head, body) = curl(&running.gateway, &delete, "/v1/silently/7");
    assert!(head.starts_with("HTTP/1.1 204 No Content\r\n"), "{head}");
    assert_eq!((&*body, header(&head, "content-length"), header(&head, "content-type")), ("", None, None));
    let answered = running
        .gateway
        .metric("callgate_requests_total", &["route=\"/v1/books/{id}\"", "status=\"202\""])
        .await;
    assert_eq!(answered, 1.0);
}

#[tokio::test]
async fn a_field_that_the_result_lacks_is_told_with_its_place() {
    let running = running(&ROUTES.replace("{version}", "{versoin}")).await;
    let answer = running.gateway.client.post("/v1/books/7", "{}").await;
    assert_eq!(answer.status, 405);
    let put = running.gateway.client.send("PUT", "/v1/books/7", &[], r#"{"title":"x"}"#).await;
    assert_eq!(put.status, 500, "its calls are not made");
    let config = running.setup.file("check.toml");
    std::fs::write(&config, "[tables]\nwatch = [\"routes\"]\n").expect("it can be written");
    let output = Command::new(callgate_tests::binary("callgate"))
        .args(["check", "--against", &running.backend.endpoint(), "--config"])
        .arg(&config)
        .output()
        .expect("callgate runs");
    let told =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{told}");
    let line = ROUTES.lines().position(|line| line.starts_with("headers")).expect("the line") + 3;
    for expected in [
        "`response` of `PUT /v1/books/{id}` does not fit `books.put`",
        "the result's field `versoin`: unknown field `versoin`, did you mean `version`?",
        &format!("books.toml:{line}:"),
    ] {
        assert!(told.contains(expected), "{told}");
    }
}

#[tokio::test]
async fn errors_have_the_statuses_of_the_table_and_stay_what_they_are() {
    let running = running(ROUTES).await;
    for (id, line, kind, code) in [
        ("lent", "423 Locked", "urn:callgate:error:books.remove/lent", "failed_precondition"),
        ("gone", "410 Gone", "urn:callgate:error:books.remove/gone", "not_found"),
        ("unpaid", "402 Payment Required", "about:blank", "permission_denied"),
        ("unknown", "404 Not Found", "about:blank", "not_found"),
        ("leak", "507 Insufficient Storage", "about:blank", "internal"),
    ] {
        let (head, body) = curl(&running.gateway, &["-X", "DELETE"], &format!("/v1/books/{id}"));
        assert!(head.starts_with(&format!("HTTP/1.1 {line}\r\n")), "{head}");
        let problem: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        let (status, title) = line.split_once(' ').expect("both");
        assert_eq!(problem["status"].to_string(), status);
        assert_eq!((&problem["type"], &problem["title"]), (&kind.into(), &title.into()));
        assert_eq!(problem["code"], code);
        assert!(!body.contains("roof"), "{body}");
    }
    let (head, body) = curl(&running.gateway, &[], "/v1/nothing");
    assert!(head.starts_with("HTTP/1.1 404 "), "the gateway's own failures have their own statuses: {body}");
}

#[tokio::test]
async fn an_idempotency_key_goes_along_and_is_one() {
    let running = running(ROUTES).await;
    let body = ["-H", "content-type: application/json", "-d", r#"{"title":"tea"}"#];
    let with = |keys: &[&'static str]| {
        let keys = keys.iter().flat_map(|key| ["-H", *key]);
        let arguments: Vec<&str> = body.iter().copied().chain(keys).collect();
        curl(&running.gateway, &arguments, "/v1/keyed/7").0
    };
    let head = with(&["Idempotency-Key: \"8e03978e\""]);
    assert_eq!(header(&head, "x-key"), Some("\"8e03978e\""), "{head}");
    assert_eq!(header(&with(&[]), "x-key"), Some("none"));
    let two = with(&["Idempotency-Key: a", "Idempotency-Key: b"]);
    assert!(two.starts_with("HTTP/1.1 400 "), "{two}");
    let other = [
        "-X",
        "PUT",
        "-H",
        "Idempotency-Key: a",
        "-H",
        "content-type: application/json",
        "-d",
        r#"{"title":"x"}"#,
    ];
    assert_eq!(header(&curl(&running.gateway, &other, "/v1/books/7").0, "x-key"), None, "no route lists it");
}

#[tokio::test]
async fn curl_is_told_that_it_has_the_answer_already() {
    let running = running(ROUTES).await;
    let kept = running.setup.file("etag").display().to_string();
    let both = ["--etag-save", &kept, "--etag-compare", &kept];
    std::fs::write(&kept, "").expect("it can be written");
    let (head, body) = curl(&running.gateway, &both, "/v1/books/7");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body.contains("the book 7"), "{head}{body}");
    let tag = header(&head, "etag").expect("it has one").to_owned();
    let (head, body) = curl(&running.gateway, &both, "/v1/books/7");
    assert!(head.starts_with("HTTP/1.1 304 Not Modified\r\n"), "{head}");
    assert_eq!((&*body, header(&head, "etag")), ("", Some(&*tag)));
    assert_eq!((header(&head, "cache-control"), header(&head, "content-type")), (Some("no-cache"), None));
    assert_eq!(header(&head, "content-length"), None);
    let (head, _) =
        curl(&running.gateway, &["-I", "-H", &format!("If-None-Match: \"x\", W/{tag}")], "/v1/books/7");
    assert!(head.starts_with("HTTP/1.1 304 "), "{head}");
    let (head, _) = curl(&running.gateway, &both, "/v1/books/8");
    assert!(head.starts_with("HTTP/1.1 200 "), "another book: {head}");
}

#[tokio::test]
async fn a_field_is_a_tag_and_only_reads_are_answered_304() {
    let running = running(ROUTES).await;
    let (head, _) = curl(&running.gateway, &[], "/v1/versions/7");
    assert_eq!(header(&head, "etag"), Some("\"10\""), "{head}");
    let (head, _) = curl(&running.gateway, &["-H", "If-None-Match: \"10\""], "/v1/versions/8");
    assert!(head.starts_with("HTTP/1.1 304 "), "{head}");
    let (head, _) = curl(&running.gateway, &["-H", "If-None-Match: *"], "/v1/versions/unknown");
    assert!(head.starts_with("HTTP/1.1 404 ") && header(&head, "etag").is_none(), "{head}");
    let post = ["-H", "If-None-Match: *", "-H", "content-type: application/json", "-d", r#"{"title":"tea"}"#];
    let (head, body) = curl(&running.gateway, &post, "/v1/versions/7");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && body.contains("tea"), "{head}{body}");
    assert_eq!(header(&head, "etag"), Some("\"3\""));
}

#[tokio::test]
async fn a_long_answer_has_a_tag_of_all_of_it() {
    let running = running(ROUTES).await;
    let path = "/v1/pages?limit=4&title=300000";
    let first = running.gateway.client.get(path).await;
    assert_eq!((first.status, first.body.len() > 1_200_000), (200, true));
    let tag = first.header("etag").to_owned();
    assert_eq!(tag.len(), 24, "{tag}");
    let again = running.gateway.client.send("GET", path, &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, &*tag));
    let again = running.http2.send("GET", path, &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, &*tag));
    let other = running.gateway.client.get("/v1/pages?limit=4&title=300001").await;
    assert_ne!(other.header("etag"), tag);
}

#[tokio::test]
async fn a_client_that_takes_no_json_is_told_before_the_call_is_made() {
    let running = running(ROUTES).await;
    for accept in ["text/csv", "text/html, image/*", "application/json;q=0, */*"] {
        let (head, body) = curl(&running.gateway, &["-H", &format!("Accept: {accept}")], "/v1/books/7");
        assert!(head.starts_with("HTTP/1.1 406 Not Acceptable\r\n"), "{head}");
        assert_eq!(header(&head, "content-type"), Some("application/problem+json"));
        assert_eq!(header(&head, "vary"), Some("accept"));
        assert!(body.contains("application/json"), "{body}");
    }
    assert_eq!(running.gateway.metric("callgate_calls_total", &[]).await, 0.0);
    for accept in ["*/*", "application/*", "text/html,application/xhtml+xml,*/*;q=0.8"] {
        let (head, _) = curl(&running.gateway, &["-H", &format!("Accept: {accept}")], "/v1/books/7");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    }
    let (head, _) = curl(&running.gateway, &["-H", "Accept;"], "/v1/books/7");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "an empty one says nothing: {head}");
}

#[tokio::test]
async fn the_admin_port_shows_what_a_route_says() {
    let running = running(ROUTES).await;
    let page = running.gateway.admin.get("/routes").await.json();
    let routes = page["routes"].as_array().expect("a list");
    let of = |matched: &str| {
        routes.iter().find(|route| route["match"] == matched).expect(matched)["reply"].clone()
    };
    let put = of("PUT /v1/books/{id}");
    assert_eq!(
        put["status"],
        serde_json::json!({ "field": "created", "statuses": { "false": 200, "true": 201 } })
    );
    assert!(put["headers"].as_array().is_some_and(|names| names.contains(&"location".into())), "{put}");
    assert_eq!(of("GET /v1/versions/{id}")["etag"], "version");
    assert_eq!(of("GET /v1/books")["links"], serde_json::json!(["first", "next"]));
    assert_eq!(of("DELETE /v1/books/{id}")["errors"]["lent"], 423);
    assert_eq!(of("DELETE /v1/silently/{id}")["status"], 204);
}
