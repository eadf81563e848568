//! Changes that let more callers come than before: they are refused, by a reload, a restart, an upgrade and before they are made, until a table
//! accepts them.

use callgate_tests::{Backend, Gateway, PATIENCE, Setup, binary, free_port};
use nix::sys::signal::Signal;
use std::process::Command;

/// Routes for users of this machine whom there are not, and what else the table says.
fn table(endpoint: &str, auth: &str, more: &str) -> String {
    format!(
        "{more}\n[backends.chain]\nendpoints = [{endpoint:?}]\n\
         [[routes]]\nmatch = \"GET /names/{{name}}\"\ncall = \"chain.metadata\"\nauth = {auth}\n"
    )
}

const AUTH: &str =
    "[auth.nobody]\ntype = \"unix\"\nusers = [4242]\n[auth.other]\ntype = \"unix\"\nusers = [4243]\n";

struct Guarded {
    setup: Setup,
    gateway: Gateway,
    chain: Backend,
}

impl Guarded {
    async fn start(setup: Setup) -> Guarded {
        let folder = setup.file("").display().to_string();
        let chain = setup.backend_told("chain", format!("127.0.0.1:{}", free_port()), &["--folder", &folder]);
        setup.write_routes("auth.toml", AUTH);
        setup.write_routes("chain.toml", &table(&chain.endpoint(), "\"nobody\"", ""));
        let gateway = setup.gateway().await;
        gateway.connected(&chain).await;
        Guarded { setup, gateway, chain }
    }

    fn write(&self, auth: &str, more: &str) {
        self.setup.write_routes("chain.toml", &table(&self.chain.endpoint(), auth, more));
    }

    async fn status(&self) -> u16 {
        self.gateway.client.get("/names/a?hops=0").await.status
    }

    /// What a reload says of the files as they are.
    async fn reload(&self) -> (u16, String) {
        let answer = self.gateway.admin.send("POST", "/-/reload", &[], "").await;
        (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
    }
}

/// The line that accepts a difference, of what was said of it.
fn line(said: &str) -> String {
    let from = said.find("accept_exposure = \"").unwrap_or_else(|| panic!("{said}"));
    said[from..from + "accept_exposure = \"0123456789abcdef\"".len()].to_owned()
}

#[tokio::test]
async fn a_door_opens_when_a_table_accepts_exactly_that() {
    let guarded = Guarded::start(Setup::new()).await;
    assert_eq!(guarded.status().await, 401);
    guarded.write("\"anonymous\"", "");
    let (status, said) = guarded.reload().await;
    assert_eq!(status, 422, "{said}");
    for words in
        ["more callers could come than before", "chain.toml:5:", "chain chain.metadata: a way asks nothing"]
    {
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(guarded.status().await, 401, "what was in force stays");
    // Another difference than this one is not accepted by its line.
    guarded.write("[\"nobody\", \"other\"]", &line(&said));
    assert_eq!(guarded.reload().await.0, 422);
    guarded.write("\"anonymous\"", &line(&said));
    let (status, said) = guarded.reload().await;
    assert_eq!(status, 200, "{said}");
    assert_eq!(guarded.status().await, 200);
    guarded
        .gateway
        .told("more callers can come than before, as the tables or the settings accept", "to")
        .await;
    // Closed again, and open once more: that is a difference as well, and the line is still there.
    guarded.write("\"nobody\"", "");
    assert_eq!(guarded.reload().await.0, 200);
    assert_eq!(guarded.status().await, 401);
}

#[tokio::test]
async fn a_restart_and_an_upgrade_open_nothing() {
    let setup = Setup::new();
    let state = setup.file("state").display().to_string();
    let mut guarded = Guarded::start(setup.server(&format!("state = {state:?}\n"))).await;
    guarded.write("\"anonymous\"", "");
    let said = guarded.gateway.refused("--upgrade").await;
    assert!(said.contains("more callers could come than before"), "{said}");
    assert_eq!(guarded.status().await, 401, "the gateway before goes on");
    guarded.write("\"anonymous\"", &line(&said));
    let mut old = guarded.gateway.upgrade().await;
    old.signal(Signal::SIGTERM);
    assert!(old.ended().await);
    assert_eq!(guarded.status().await, 200);
    guarded.write("\"nobody\"", "");
    guarded.gateway.takes_its_tables().await;
    assert_eq!(guarded.status().await, 401);
    guarded.gateway.signal(Signal::SIGTERM);
    assert!(guarded.gateway.ended().await);
    guarded.write("\"anonymous\"", "");
    let mut command = tokio::process::Command::new(binary("callgate"));
    command.args(["run", "--config"]).arg(&guarded.gateway.config).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends by itself");
    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("more callers could come than before"), "{said}");
}

#[tokio::test]
async fn an_upgrade_opens_nothing_also_where_no_state_is_kept() {
    let mut guarded = Guarded::start(Setup::new()).await;
    guarded.write("\"anonymous\"", "");
    let said = guarded.gateway.refused("--upgrade").await;
    assert!(said.contains("more callers could come than before"), "{said}");
    assert_eq!(guarded.status().await, 401, "the gateway before goes on");
    guarded.write("\"anonymous\"", &line(&said));
    let mut old = guarded.gateway.upgrade().await;
    old.signal(Signal::SIGTERM);
    assert!(old.ended().await);
    assert_eq!(guarded.status().await, 200);
}

#[tokio::test]
async fn a_change_is_compared_before_it_is_made() {
    let guarded = Guarded::start(Setup::new()).await;
    let check = || {
        let url = format!("http://{}", guarded.gateway.admin_addr);
        let mut command = Command::new(binary("callgate"));
        command.args(["check", "--diff", &url, "--config"]).arg(&guarded.gateway.config);
        let output = command.output().expect("callgate runs");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (status, said) = check();
    assert_eq!(status, Some(0), "{said}");
    guarded.write("\"anonymous\"", "");
    let (status, said) = check();
    assert!(status == Some(1) && said.contains("more callers could come than before"), "{said}");
    guarded.write("\"anonymous\"", &line(&said));
    let (status, said) = check();
    assert_eq!(status, Some(0), "{said}");
}
