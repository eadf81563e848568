//! Forms, raw bodies, parts of answers, compression and entity tags, as the programs that people use send and read them: Python's requests,
//! Node's fetch and Chromium. Nobody here decodes anything for them. `make clients` installs what they need.

use callgate_tests::{Backend, Gateway, Setup, chromium};
use std::path::Path;
use std::process::Command;

const ROUTES: &str = r#"
[[routes]]
match = "POST /books"
call = "uploads.enter"
backend = "uploads"
body = { accept = ["json", "form"] }
bind = { cover_name = { filename = "cover" }, cover_kind = { content_type = "cover" } }

[[routes]]
match = "PUT /kept/{name}"
call = "uploads.keep"
backend = "uploads"
body = { raw = "content", content_type = "kind" }

[[routes]]
match = "GET /files/{name}"
call = "files.get"
backend = "files"
etag = "version"
response = { raw = "content", content_type = { field = "kind" } }

[[routes]]
match = "GET /rows/{rows}"
call = "files.list"
backend = "files"
etag = true
compress = true

[[routes]]
match = "GET /page"
[routes.respond]
content_type = "text/html"
body = '''
PAGE'''
"#;

async fn start(setup: &Setup) -> (Vec<Backend>, Gateway) {
    let backends = vec![setup.backend("uploads"), setup.backend("files")];
    let table = |(name, backend): (&str, &Backend)| {
        format!("[backends.{name}]\nendpoints = [{:?}]\n", backend.endpoint())
    };
    let tables: String = ["uploads", "files"].into_iter().zip(&backends).map(table).collect();
    let routes = ROUTES.replace("PAGE", include_str!("../clients/forms.html"));
    setup.write_routes("rest.toml", &format!("{tables}{routes}"));
    let gateway = setup.gateway().await;
    for backend in &backends {
        gateway.connected(backend).await;
    }
    (backends, gateway)
}

/// Runs a script of tests/clients with where the gateway is.
async fn script(program: &str, name: &str) {
    let setup = Setup::new();
    let (_backends, gateway) = start(&setup).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
    let base = format!("http://{}", gateway.addr);
    let (program, words) = (program.to_owned(), [script.display().to_string(), base]);
    let run = move || Command::new(program).args(words).output();
    let output = tokio::task::spawn_blocking(run).await.expect("it ends").expect("the program runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.ends_with("well\n"), "{said}");
}

#[tokio::test]
#[ignore = "needs requests, which `make clients` installs"]
async fn requests_sends_forms_and_files_and_reads_parts_and_codings() {
    script(&std::env::var("CALLGATE_TEST_PYTHON").expect("a Python that has requests"), "rest.py").await;
}

#[tokio::test]
#[ignore = "needs node, which `make clients` installs"]
async fn node_sends_forms_and_files_and_reads_parts_and_codings() {
    script("node", "rest.js").await;
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_sends_forms_as_people_do() {
    let setup = Setup::new();
    let (_backends, gateway) = start(&setup).await;
    for (kind, expected) in [
        (
            "urlencoded",
            r#"{"title":"a &amp; b=é","tags":["x","y,z"],"pages":7,"author":{"name":"N"},"sold":true,"cover":null,"pictures":[]}"#,
        ),
        (
            "multipart",
            r#"{"title":"a &amp; b=é","tags":["x","y,z"],"pages":7,"author":{"name":"N"},"sold":true,"cover":{"length":3,"sum":590,"kind":"image/png","name":"é.png"},"pictures":[{"length":1,"sum":49,"kind":null,"name":null}]}"#,
        ),
    ] {
        let page = format!("http://{}/page?{kind}", gateway.addr);
        // The form is submitted, so that what is shown is the answer to it.
        let told = chromium(&setup.file(kind), "", &page).await;
        assert!(told.contains(expected), "{kind}: {told}");
    }
}
