//! Twelve faults, each of which is found in one step, by the name of its reason, in three ways that do not know each other: the line of the
//! access log, the failures that the admin port keeps, and `callgate why`, of the request's id and of the request itself. That the page for
//! browsers shows them too is seen in `page_programs.rs`.

use callgate_tests::faults::{Fault, Faults};
use callgate_tests::{Answer, binary, eventually};
use serde_json::Value;
use tokio::process::Command;

/// What `callgate why` says first.
async fn why(faults: &Faults, arguments: &[&str]) -> String {
    let admin = format!("http://{}", faults.gateway.admin_addr);
    let run = Command::new(binary("callgate")).arg("why").args(["--admin", &admin]).args(arguments).output();
    let output = run.await.expect("callgate runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The line of the access log of that id.
async fn logged(faults: &Faults, id: &str) -> Value {
    eventually("a line of the access log", async || {
        let text = faults.access_log();
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["request_id"] == id)
    })
    .await
}

/// Each of the ways says so.
async fn is_found(faults: &Faults, fault: Fault<'_>, answer: &Answer) {
    let Fault { name, path, headers, reason, .. } = fault;
    let id = answer.header("x-request-id");
    let says = |line: &Value| {
        let why = |why| line["why"].as_str().is_some_and(|text| text.contains(why));
        line["reason"] == reason && fault.why.is_none_or(why)
    };
    let line = logged(faults, id).await;
    assert!(says(&line), "{name}: {line}");
    let kept = eventually("the failure on the admin port", async || {
        let page = faults.gateway.admin.get("/failures").await.json();
        let all = page["failures"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|one| one["request_id"] == *id)
    })
    .await;
    assert!(says(&kept), "{name}: {kept}");
    let status = answer.status;
    let told = why(faults, &[id]).await;
    assert!(told.starts_with(&format!("failed: {status} {reason}\n")), "{name}: {told}");
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut arguments = vec!["GET", path];
    lines.iter().for_each(|line| arguments.extend(["-H", line]));
    let told = why(faults, &arguments).await;
    let refused = told.starts_with(&format!("would be refused: {status} {reason}\n"));
    assert_eq!(refused, fault.is_foreseen, "{name}: {told}");
    assert!(fault.told.iter().all(|word| told.contains(word)), "{name}: {told}");
}

#[tokio::test]
async fn each_is_found_in_the_log_on_the_admin_port_and_by_asking() {
    let faults = Faults::start().await;
    let mut found = Vec::new();
    faults
        .each(async |fault, answer| {
            is_found(&faults, fault, answer).await;
            found.push(fault.name);
        })
        .await;
    assert_eq!(found.len(), 12, "{found:?}");
}
