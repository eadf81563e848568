//! The OpenAPI document as programs take it that people use: a validator, schemathesis, which looks for answers that it does not promise, and a client in
//! TypeScript that is made of it. `make clients` installs what they need.

use callgate_tests::{Backend, Gateway, Setup, chromium};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

async fn start(setup: &Setup) -> (Backend, Gateway) {
    let backend = setup.backend("shop");
    setup.write_demo(&backend);
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    (backend, gateway)
}

fn clients(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name)
}

/// Runs a program to its end, which is well.
async fn run(mut command: Command) -> String {
    let shown = format!("{command:?}");
    let ran = tokio::task::spawn_blocking(move || command.output());
    let output = ran.await.expect("it ends").expect("the program runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{shown}: {said}");
    said
}

async fn python(words: &[&str]) {
    let mut command = Command::new(env::var("CALLGATE_TEST_PYTHON").expect("a Python that has schemathesis"));
    command.arg(clients("openapi.py")).args(words);
    assert!(run(command).await.ends_with("well\n"));
}

#[tokio::test]
#[ignore = "needs openapi-spec-validator, which `make clients` installs"]
async fn documents_of_generated_methods_are_valid_and_their_values_are_what_they_say() {
    // The tests of the crate `json-schema` have made them.
    let folder = env::var("CALLGATE_TEST_DOCUMENTS").expect("where the documents are");
    python(&["generated", &folder]).await;
}

#[tokio::test]
#[ignore = "needs schemathesis, which `make clients` installs"]
async fn the_demo_gives_no_answer_that_its_document_does_not_promise() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let [base, admin] = [gateway.addr, gateway.admin_addr].map(|addr| format!("http://{addr}"));
    let cases = env::var("CALLGATE_TEST_CASES").unwrap_or_else(|_| "50".to_owned());
    python(&["served", &base, &admin, &cases]).await;
}

#[tokio::test]
#[ignore = "needs TypeScript and openapi-typescript, which `make clients` installs"]
async fn a_client_in_typescript_is_made_of_the_document_compiles_strictly_and_calls_the_demo() {
    let modules = PathBuf::from(env::var("CALLGATE_TEST_TYPESCRIPT").expect("where its modules are"));
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let folder = setup.file("typescript");
    std::fs::create_dir(&folder).expect("a folder");
    std::os::unix::fs::symlink(&modules, folder.join("node_modules")).expect("a link");
    std::fs::copy(clients("openapi.ts"), folder.join("client.ts")).expect("the client");
    let document = gateway.admin.get("/openapi.json").await.body;
    std::fs::write(folder.join("openapi.json"), document).expect("the document");
    let node = |program: &str, words: &[&str]| {
        let mut command = Command::new("node");
        command.current_dir(&folder).arg(modules.join(program)).args(words);
        command
    };
    run(node("openapi-typescript/bin/cli.js", &["openapi.json", "-o", "api.d.ts"])).await;
    let strict = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--skipLibCheck"];
    let kind = ["--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"];
    run(node("typescript/bin/tsc", &[&strict[..], &kind, &["client.ts"]].concat())).await;
    let mut client = Command::new("node");
    client.current_dir(&folder).args(["client.js", &format!("http://{}", gateway.addr)]);
    assert!(run(client).await.ends_with("well\n"));
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs"]
async fn chromium_shows_a_document_by_a_page_with_a_strict_policy() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    for addr in [gateway.addr, gateway.admin_addr] {
        let told = chromium(
            &setup.file(&addr.port().to_string()),
            "",
            &format!("http://{addr}/explore#orders.quote"),
        )
        .await;
        // The operation that the address names is open, and its body begins with an example.
        for part in ["Prices an order", "unit_price", "ItemInput", "as curl"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert!(!told.contains("Content Security Policy"), "{told}");
    }
}
