//! Chromium without a window, which says what becomes of a page.

use std::path::Path;
use std::process::Output;
use tokio::process::Command;

/// What Chromium makes of a page, with that folder as its home; beside that what it complains of. It may run as root, which its sandbox does
/// not bear. Names are mapped to addresses by `hosts`.
///
/// # Panics
/// If `CALLGATE_TEST_CHROMIUM` does not say where it is, or it cannot be run.
pub async fn chromium(home: &Path, hosts: &str, url: &str) -> String {
    let program = std::env::var("CALLGATE_TEST_CHROMIUM").expect("where Chromium is");
    std::fs::create_dir_all(home).expect("a folder can be made");
    let Output { stdout, stderr, .. } = Command::new(&program)
        .env("HOME", home)
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .arg(format!("--user-data-dir={}", home.join("profile").display()))
        .arg(format!("--host-resolver-rules={hosts}"))
        // Its clock stands still while anything is under way.
        .args(["--virtual-time-budget=60000", "--dump-dom", url])
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned()
}
