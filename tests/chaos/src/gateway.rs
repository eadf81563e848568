//! The gateway's process, and the one that takes over from it.

use crate::Failed;
use crate::admin::Admin;
use crate::rig::{SERVER_LOG, program};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// How long the gateway may take to be ready, or to end once another has taken over.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway, killed when dropped.
pub(crate) struct Gateway {
    /// Where it serves HTTP.
    pub(crate) http: SocketAddr,
    /// Its admin port.
    pub(crate) admin: Admin,
    config: PathBuf,
    child: Child,
}

impl Gateway {
    /// Writes gateway.toml into `folder`, starts the gateway, and waits until it is ready.
    pub(crate) async fn start(folder: &Path, server_lines: &str) -> Result<Gateway, Failed> {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let (http, admin) = (local(crate::ports::free()?), local(crate::ports::free()?));
        let text = format!(
            "[server]\nlisten = [\"{http}\"]\nworkers = 2\n{server_lines}\n[admin]\nlisten = \"{admin}\"\n\
             [tables]\nwatch = [\"routes\"]\n[log]\nformat = \"text\"\n"
        );
        let config = folder.join("gateway.toml");
        std::fs::write(&config, text)?;
        let child = spawn(&config, &[])?;
        let mut gateway = Gateway { http, admin: Admin(admin), config, child };
        timeout(PATIENCE, gateway.ready()).await.map_err(|_| "the gateway does not get ready")??;
        Ok(gateway)
    }

    /// Starts another process that takes over, and waits for this one's end.
    pub(crate) async fn upgrade(&mut self) -> Result<(), Failed> {
        let mut next = spawn(&self.config, &["--upgrade"])?;
        let old_ended = timeout(PATIENCE, async {
            tokio::select! {
                status = self.child.wait() => Ok(status?),
                status = next.wait() => Err(Failed::from(format!("the new gateway ended with {}", status?))),
            }
        });
        let status = old_ended.await.map_err(|_| "the old gateway does not end")??;
        self.child = next;
        if !status.success() {
            return Err(format!("the old gateway ended with {status}").into());
        }
        timeout(PATIENCE, self.ready()).await.map_err(|_| "the new gateway does not get ready")?
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its resident memory in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let Some(pid) = self.child.id() else { return 0 };
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0)
    }

    async fn ready(&mut self) -> Result<(), Failed> {
        while !self.admin.is_ready().await {
            if !self.is_running() {
                return Err("the gateway ended at its start".into());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

fn spawn(config: &Path, arguments: &[&str]) -> Result<Child, Failed> {
    let log = config.with_file_name(SERVER_LOG);
    let log = std::fs::File::options().create(true).append(true).open(log)?;
    let mut command = Command::new(program("callgate")?);
    command.args(["run", "--config"]).arg(config).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
    Ok(command.spawn()?)
}
