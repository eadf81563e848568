//! The demo's files and its page, by the demo's own tables, with curl and with Chromium.

use callgate_tests::{Setup, chromium, demo};
use std::path::PathBuf;
use std::process::Command;

/// What curl says: the body, and the status with which it came.
fn curl(words: &[&str]) -> (u16, Vec<u8>) {
    let output = Command::new("curl")
        .args(["-sS", "-m", "60", "--noproxy", "*", "-w", "%{stderr}%{http_code}"])
        .args(words)
        .output()
        .expect("curl runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (told.trim().parse().unwrap_or_else(|_| panic!("{told}")), output.stdout)
}

fn written(setup: &Setup, name: &str, bytes: &[u8]) -> PathBuf {
    let path = setup.file(name);
    std::fs::write(&path, bytes).expect("it can be written");
    path
}

#[tokio::test]
async fn a_file_comes_back_as_it_was_put() {
    let setup = Setup::new();
    let (_backend, gateway) = demo(&setup).await;
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    let path = written(&setup, "emma é.png", &bytes).display().to_string();
    let url = format!("http://{}/v1/files/emma%20%C3%A9.png", gateway.addr);
    let put = ["-T", &path, "-H", "content-type: image/png", &url];
    assert_eq!(curl(&put).0, 201);
    assert_eq!(curl(&put).0, 200, "there is one of that name");
    assert_eq!(curl(&[&url]), (200, bytes.clone()));
    assert_eq!(curl(&["-r", "1000-1999", &url]), (206, bytes[1000..2000].to_vec()));
    let head = String::from_utf8(curl(&["-I", &url]).1).expect("it is text").to_ascii_lowercase();
    for line in ["content-type: image/png", "etag: \"2\"", "content-disposition: attachment; "] {
        assert!(head.contains(line), "{line}: {head}");
    }
    assert_eq!(curl(&["-H", "if-none-match: \"2\"", &url]).0, 304);
    assert_eq!(curl(&[&format!("http://{}/v1/files/none", gateway.addr)]).0, 404);
    let location =
        gateway.client.send("PUT", "/v1/files/a%2Fb", &[("content-type", "text/plain")], "x").await;
    assert_eq!((location.status, location.header("location")), (201, "/v1/files/a%2Fb"));
}

/// The values of an attribute.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let begin = format!("{attribute}=\"");
    let parts = page.match_indices(&begin).map(|(at, _)| &page[at + begin.len()..]);
    parts.filter_map(|rest| rest.split_once('"')).map(|(value, _)| value).collect()
}

#[tokio::test]
async fn everything_that_the_page_names_is_there() {
    let setup = Setup::new();
    let (_backend, gateway) = demo(&setup).await;
    let page = gateway.client.get("/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
    let text = page.text();
    assert!(!text.contains("<script>") && !text.contains("<style") && !text.contains("onclick"), "inline");
    let (links, scripts) = (values(&text, "href"), values(&text, "src"));
    assert!(links.len() > 7 && scripts == ["/page.js"], "{links:?} {scripts:?}");
    for link in links.iter().chain(&scripts) {
        let answer = gateway.client.get(&link.replace("&amp;", "&")).await;
        let expected = match *link {
            "/v1/calc/add?a=1&amp;b=two" => 400,
            "/v1/fail/not_found" => 404,
            _ => 200,
        };
        assert_eq!(answer.status, expected, "{link}");
    }
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_shows_the_stream_of_the_page_or_why_there_is_none() {
    let setup = Setup::new();
    let (_backend, gateway) = demo(&setup).await;
    let page = format!("http://{}/#count", gateway.addr);
    let show = async |home: &str| chromium(&setup.file(home), "", &page).await;
    let counts = gateway.admin.get("/routes").await.text().contains("\"GET /v1/count\"");
    let told = show("without").await;
    let hint = ">no stream came: is there a route GET /v1/count that answers with events?<";
    assert!(told.contains(hint) || counts, "{told}");
    if !counts {
        setup.write_routes(
            "count.toml",
            "[[routes]]\nmatch = \"GET /v1/count\"\nrespond = { content_type = \"text/event-stream\", \
             body = \"data: 10\\n\\ndata: 12\\n\\nevent: end\\ndata\\n\\n\" }\n",
        );
        gateway.takes_its_tables().await;
    }
    let told = show("with").await;
    let expected = if counts { ">10 12 14 16 18 20, the end<" } else { ">10 12, the end<" };
    assert!(told.contains(expected) && !told.contains("Content Security Policy"), "{told}");
}
