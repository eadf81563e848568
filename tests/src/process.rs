//! Child processes: backends and gateways, ended when dropped.

use crate::{Client, eventually};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// A program of the workspace. `CALLGATE_TEST_BIN_DIR` says where they are; otherwise they are built first.
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let workspace =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace");
        if let Some(folder) = std::env::var_os("CALLGATE_TEST_BIN_DIR") {
            return workspace.join(folder);
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build =
            Command::new(cargo).args(["build", "--workspace", "--bins"]).current_dir(workspace).status();
        assert!(build.expect("cargo runs").success(), "the programs cannot be built");
        // The test itself lies in the folder `deps` beside them.
        let test = std::env::current_exe().expect("a test has a path");
        test.ancestors().nth(2).expect("a test lies two folders deep").to_path_buf()
    });
    folder.join(name)
}

/// A port that was free a moment ago, and that nobody is likely to take: below those that the system gives to clients, of
/// which a test may have hundreds a second, and each test process begins elsewhere.
pub fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 12_000;
    const EACH: u32 = 10;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id() % (COUNT / EACH) * EACH;
    let ports = std::iter::repeat_with(|| FIRST + (begin + NEXT.fetch_add(1, Relaxed)) % COUNT);
    let mut ports = ports.take(COUNT as usize).filter_map(|port| u16::try_from(port).ok());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("loopback has free ports")
}

/// A child process.
#[derive(Debug)]
struct Process {
    child: Child,
    name: String,
}

impl Process {
    fn start(name: &str, arguments: &[String], environment: &[(String, String)], log: Stdio) -> Process {
        Process::prepared(name, arguments, environment, log, None)
    }

    /// The same once the shell has done something in its process.
    fn prepared(
        name: &str,
        arguments: &[String],
        environment: &[(String, String)],
        log: Stdio,
        script: Option<&str>,
    ) -> Process {
        let mut command = match script {
            None => Command::new(binary(name)),
            Some(script) => {
                let mut shell = Command::new("bash");
                shell.args(["-c", &format!("{script}; exec \"$0\" \"$@\"")]).arg(binary(name));
                shell
            }
        };
        let child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .env("CALLGATE_LOG", std::env::var("CALLGATE_LOG").unwrap_or_else(|_| "info".to_owned()))
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Process { child, name: name.to_owned() }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id() as i32);
        kill(pid, signal).unwrap_or_else(|error| panic!("{} cannot be told {signal}: {error}", self.name));
    }

    async fn ended(&mut self) -> bool {
        let name = self.name.clone();
        let child = &mut self.child;
        let mut success = None;
        eventually(&format!("the end of {name}"), || {
            success = child.try_wait().expect("a child can be waited for").map(|status| status.success());
            std::future::ready(success)
        })
        .await
    }
}

/// A file that is written at its end.
fn append(log: &Path) -> Stdio {
    std::fs::File::options().create(true).append(true).open(log).expect("the log can be written").into()
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A backend process that listens on an endpoint of its own.
pub struct Backend {
    program: String,
    endpoint: String,
    /// What it is told besides.
    arguments: Vec<String>,
    log: PathBuf,
    process: Option<Process>,
}

impl Backend {
    /// Where it listens, as the tables write it.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Its process, which runs.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, |process| process.child.id())
    }

    /// Ends it as a deployment does: SIGTERM, then waiting for it to drain.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::SIGTERM);
            assert!(process.ended().await, "{} did not end well", self.program);
        }
    }

    /// Starts it again on the same endpoint.
    pub fn start(&mut self) {
        let mut arguments = vec!["--listen".to_owned(), self.endpoint()];
        arguments.extend(self.arguments.iter().cloned());
        self.process = Some(Process::start(&self.program, &arguments, &[], append(&self.log)));
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    /// Its resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.process.as_ref().map_or(0, |process| resident_bytes(process.child.id()))
    }

    /// Whether its process still runs.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.child.try_wait(), Ok(None)))
    }
}

fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) * 1024
}

/// A gateway's files, before it is started, and the folder that holds everything of one test.
pub struct Setup {
    folder: TempDir,
    workers: u32,
    server: String,
    admin: String,
    tables: String,
    sections: String,
    environment: Vec<(String, String)>,
    stderr: Option<Arc<OwnedFd>>,
    script: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Setup::new()
    }
}

impl Setup {
    /// A new folder with an empty `routes/`.
    pub fn new() -> Setup {
        let folder = TempDir::new().expect("a folder can be made");
        std::fs::create_dir(folder.path().join("routes")).expect("a folder can be made");
        let [server, admin, tables, sections] = [const { String::new() }; 4];
        Setup {
            folder,
            workers: 2,
            server,
            admin,
            tables,
            sections,
            environment: Vec::new(),
            stderr: None,
            script: None,
        }
    }

    /// Sets how many workers gateways have; 2 unless told.
    pub fn workers(mut self, workers: u32) -> Setup {
        self.workers = workers;
        self
    }

    /// Adds lines to `[server]` of gateway.toml: `max_body = "1KiB"`.
    pub fn server(mut self, lines: &str) -> Setup {
        self.server.push_str(lines);
        self.server.push('\n');
        self
    }

    /// Adds lines to `[tables]` of gateway.toml.
    pub fn tables(mut self, lines: &str) -> Setup {
        self.tables.push_str(lines);
        self.tables.push('\n');
        self
    }

    /// Adds lines to `[admin]` of gateway.toml.
    pub fn admin(mut self, lines: &str) -> Setup {
        self.admin.push_str(lines);
        self.admin.push('\n');
        self
    }

    /// Adds a section to gateway.toml.
    pub fn section(mut self, text: &str) -> Setup {
        self.sections.push_str(text);
        self.sections.push('\n');
        self
    }

    /// Adds a variable to the gateways' environment.
    pub fn env(mut self, name: &str, value: &str) -> Setup {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Has the gateways write their logs there instead of into a file that the test can read.
    pub fn stderr(mut self, to: impl Into<OwnedFd>) -> Setup {
        self.stderr = Some(Arc::new(to.into()));
        self
    }

    /// Starts gateways under a limit of the shell: `-n 256`.
    pub fn ulimit(self, limit: &str) -> Setup {
        self.script(&format!("ulimit {limit}"))
    }

    /// Has bash do something in each gateway's process before it becomes the gateway.
    pub fn script(mut self, script: &str) -> Setup {
        self.script = Some(script.to_owned());
        self
    }

    /// The folder of everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder whose `*.toml` are the tables.
    pub fn routes(&self) -> PathBuf {
        self.folder.path().join("routes")
    }

    /// A file of the test's own.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the processes write their logs.
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    /// Starts a backend program (`shop`, or one of this package's) on a port of its own.
    pub fn backend(&self, program: &str) -> Backend {
        self.backend_at(program, format!("127.0.0.1:{}", free_port()))
    }

    /// Starts a backend program at that endpoint: `host:port` or `unix:/path`.
    pub fn backend_at(&self, program: &str, endpoint: String) -> Backend {
        self.backend_told(program, endpoint, &[])
    }

    /// The same with further arguments.
    pub fn backend_told(&self, program: &str, endpoint: String, arguments: &[&str]) -> Backend {
        let log = self.log(&format!("{program}-{}", endpoint.rsplit(['/', ':']).next().unwrap_or_default()));
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let mut backend = Backend { program: program.to_owned(), endpoint, arguments, log, process: None };
        backend.start();
        backend
    }

    /// Writes a table file, as an editor does: beside it, then renamed over it.
    pub fn write_routes(&self, name: &str, text: &str) {
        let path = self.routes().join(name);
        let new = self.routes().join(format!(".{name}.new"));
        std::fs::write(&new, text).expect("a table can be written");
        std::fs::rename(&new, &path).expect("a table can be renamed");
    }

    /// The shop's routes, with those backends.
    pub fn write_shop(&self, backends: &[&Backend]) {
        let workspace =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace");
        let text =
            std::fs::read_to_string(workspace.join("routes/shop.toml")).expect("the demo has its routes");
        let endpoints: Vec<String> = backends.iter().map(|backend| backend.endpoint()).collect();
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with("endpoints"))
            .expect("a line of endpoints");
        // Named at each route, so that a test may bring further backends.
        let text = text.replace("\ncall", "\nbackend = \"shop\"\ncall");
        self.write_routes("shop.toml", &text.replace(line, &format!("endpoints = {endpoints:?}")));
    }

    /// Starts a shop and a gateway before it, and waits until they are connected.
    pub async fn shop(&self) -> (Backend, Gateway) {
        let backend = self.backend("shop");
        self.write_shop(&[&backend]);
        let gateway = self.gateway().await;
        gateway.connected(&backend).await;
        (backend, gateway)
    }

    /// Runs `callgate check --against` on these files; gives its status and what it says.
    pub async fn check_against(&self, endpoint: &str, more: &[&str]) -> (Option<i32>, String) {
        let config = self.file("check.toml");
        std::fs::write(&config, "[tables]\nwatch = [\"routes\"]\n").expect("it can be written");
        let mut command = Command::new(binary("callgate"));
        command.args(["check", "--against", endpoint, "--config"]).arg(&config).args(more);
        let ran = tokio::task::spawn_blocking(move || command.output());
        let Output { status, stdout, stderr } = ran.await.expect("it ends").expect("callgate runs");
        (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
    }

    /// The same with a backend that was started, once it listens.
    pub async fn check_against_backend(&self, backend: &Backend) -> (Option<i32>, String) {
        eventually("the backend", || async {
            Some(self.check_against(&backend.endpoint(), &[]).await).filter(|(code, _)| *code != Some(2))
        })
        .await
    }

    /// Starts a gateway on these files and waits until it is ready.
    pub async fn gateway(&self) -> Gateway {
        let (http, admin) = (free_port(), free_port());
        let text = format!(
            "[server]\nlisten = [\"127.0.0.1:{http}\"]\nworkers = {}\n{}\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n{}\n\
             [tables]\nwatch = [\"routes\"]\n{}\n[log]\nformat = \"json\"\n{}",
            self.workers, self.server, self.admin, self.tables, self.sections
        );
        let config = self.folder.path().join(format!("gateway-{http}.toml"));
        std::fs::write(&config, text).expect("the settings can be written");
        let arguments = ["run".to_owned(), "--config".to_owned(), config.display().to_string()];
        let log = self.log("gateway");
        let stderr = self.stderr.clone();
        let to = log_to(&log, stderr.as_deref());
        let script = self.script.as_deref();
        let process = Process::prepared("callgate", &arguments, &self.environment, to, script);
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut gateway = Gateway {
            addr: local(http),
            admin_addr: local(admin),
            client: Client::new(local(http)),
            admin: Client::new(local(admin)),
            config,
            log,
            stderr,
            environment: self.environment.clone(),
            process,
        };
        gateway.ready().await;
        gateway
    }
}

/// The file, unless the test has something else in mind.
fn log_to(file: &Path, stderr: Option<&OwnedFd>) -> Stdio {
    stderr.map_or_else(
        || append(file),
        |stderr| stderr.try_clone().expect("a descriptor can be doubled").into(),
    )
}

/// What a gateway logs when its successor serves.
const SUCCEEDED: &str = "a successor serves";

/// Whether a process runs, whoever's child it is. One that nobody has waited for has ended.
pub fn is_alive(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

/// A gateway process whose successor serves.
pub struct Old(Process);

impl Old {
    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.0.signal(signal);
    }

    /// Waits until it ends by itself; whether it ended well.
    pub async fn ended(&mut self) -> bool {
        self.0.ended().await
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.0.child.try_wait(), Ok(None))
    }
}

/// Successors that a gateway has started itself are nobody's children when it has ended.
impl Drop for Gateway {
    fn drop(&mut self) {
        for pid in self.processes().into_iter().filter(|pid| *pid != self.pid()) {
            let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
        }
    }
}

/// A gateway process.
pub struct Gateway {
    /// Where it serves HTTP.
    pub addr: SocketAddr,
    /// A client of it.
    pub client: Client,
    /// Where its admin port is.
    pub admin_addr: SocketAddr,
    /// A client of its admin port.
    pub admin: Client,
    /// Its gateway.toml.
    pub config: PathBuf,
    log: PathBuf,
    stderr: Option<Arc<OwnedFd>>,
    environment: Vec<(String, String)>,
    process: Process,
}

impl Gateway {
    /// Waits until it answers requests.
    pub async fn ready(&mut self) {
        loop {
            let status = self.process.child.try_wait().expect("a child can be waited for");
            assert!(status.is_none(), "the gateway ended: {}", self.log());
            if let Ok(answer) = self.admin.try_send("GET", "/readyz", &[], "").await
                && answer.status == 200
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Where it logs.
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The values of a field in the lines that it has logged with that message.
    pub fn logged(&self, message: &str, field: &str) -> Vec<Value> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == message).map(|mut line| line[field].take()).collect()
    }

    /// The same once there is at least one such line: the log is written a moment after what it tells.
    pub async fn told(&self, message: &str, field: &str) -> Vec<Value> {
        eventually(message, || {
            let values = self.logged(message, field);
            std::future::ready((!values.is_empty()).then_some(values))
        })
        .await
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// All processes that run with its gateway.toml: its own, successors that it has started, and gateways before.
    pub fn processes(&self) -> Vec<u32> {
        let config = self.config.display().to_string();
        let names = std::fs::read_dir("/proc").expect("processes are listed").flatten();
        let pids = names.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        // Of a process that has ended the line is empty.
        pids.filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&config)
        })
        .collect()
    }

    /// Starts a successor as a child of this test, and waits until that serves in the place of the old process, which it
    /// gives back.
    pub async fn upgrade(&mut self) -> Old {
        let drained = self.logged("draining", "target").len();
        let old = self.successor("--upgrade");
        let pid = self.pid();
        eventually("the successor", || {
            assert!(self.is_running(), "the successor ended: {}", self.log());
            let served = self.logged(SUCCEEDED, "process").iter().any(|process| *process == pid);
            let drains = self.logged("draining", "target").len() > drained;
            std::future::ready((served && drains).then_some(()))
        })
        .await;
        // The old process closes those that the client still has to its admin port.
        self.admin = Client::new(self.admin_addr);
        old
    }

    /// Starts a successor with that argument, and does not wait for anything.
    pub fn successor(&mut self, upgrade: &str) -> Old {
        let config = self.config.display().to_string();
        let arguments = ["run", upgrade, "--config", &config].map(str::to_owned);
        let log = log_to(&self.log, self.stderr.as_deref());
        let successor = Process::start("callgate", &arguments, &self.environment, log);
        Old(std::mem::replace(&mut self.process, successor))
    }

    /// Tells process `pid`, which serves, to start a successor, and waits until that serves; gives its process.
    pub async fn upgrade_itself(&self, pid: u32) -> u32 {
        let before = self.logged(SUCCEEDED, "process").len();
        let drained = self.logged("draining", "target").len();
        kill(Pid::from_raw(pid as i32), Signal::SIGUSR2).expect("the process runs");
        eventually("the successor", || async {
            let after = self.logged(SUCCEEDED, "process");
            let successor = after.get(before).and_then(Value::as_u64).and_then(|pid| u32::try_from(pid).ok());
            successor.filter(|_| self.logged("draining", "target").len() > drained)
        })
        .await
    }

    /// What becomes of a successor that is expected to fail: what it says.
    pub async fn refused(&self, upgrade: &str) -> String {
        let mut command = tokio::process::Command::new(binary("callgate"));
        command.args(["run", upgrade, "--config"]).arg(&self.config).kill_on_drop(true);
        let output =
            tokio::time::timeout(crate::PATIENCE, command.output()).await.expect("it ends by itself");
        let output = output.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "it did not fail: {said}");
        said
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until it ends by itself; whether it ended well.
    pub async fn ended(&mut self) -> bool {
        self.process.ended().await
    }

    /// Whether its process still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.process.child.try_wait(), Ok(None))
    }

    /// Its resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        resident_bytes(self.process.child.id())
    }

    /// Asks it to read its tables again; the outcome: `ok`, `unchanged` or `failed`.
    pub async fn reload(&self) -> String {
        let answer = self.admin.send("POST", "/-/reload", &[], "").await;
        answer.json()["outcome"].as_str().unwrap_or_default().to_owned()
    }

    /// Has it read tables that have changed and are sound. It may have seen that by itself before.
    pub async fn takes_its_tables(&self) {
        let outcome = self.reload().await;
        assert!(outcome == "ok" || outcome == "unchanged", "{outcome}");
    }

    /// A metric's value: the sum over all samples whose line holds all of `labels`.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let text = self.admin.get("/metrics").await.text();
        let samples = text.lines().filter(|line| {
            let rest = line.strip_prefix(name).unwrap_or_default();
            rest.starts_with(['{', ' ']) && labels.iter().all(|label| rest.contains(label))
        });
        samples.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Waits until every worker has a connection to that backend.
    pub async fn connected(&self, backend: &Backend) {
        let endpoint = backend.endpoint();
        let (admin, endpoint) = (&self.admin, &endpoint);
        let workers = admin.get("/config").await.json()["settings"]["server"]["workers"].as_u64();
        eventually(&format!("connections to {endpoint}"), || async move {
            let page = admin.get("/backends").await.json();
            let backends = page["backends"].as_array()?.iter();
            let endpoints = backends.filter_map(|backend| backend["endpoints"].as_array()).flatten();
            let mut ours = endpoints.filter(|one| one["address"] == endpoint.as_str());
            ours.any(|one| one["connections"].as_u64() >= workers.map(|workers| workers.min(2))).then_some(())
        })
        .await;
    }
}
