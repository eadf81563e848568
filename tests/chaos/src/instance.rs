//! One instance of the backend: its process, its switches, and what it leaves behind (log and ledger).

use crate::Failed;
use crate::rig::program;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long a process may take to start, to obey or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which schema an instance offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schema {
    Old,
    Next,
}

/// One instance, running or not.
pub(crate) struct Instance {
    /// Its name in logs.
    pub(crate) name: String,
    /// Where it listens, as the tables write it.
    pub(crate) listen: String,
    schema: Schema,
    /// The network namespace in which it runs, if not in ours.
    netns: Option<String>,
    log: PathBuf,
    ledger: PathBuf,
    process: Option<Process>,
}

/// Killed when dropped.
struct Process {
    child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Instance {
    /// An instance that is not started yet.
    pub(crate) fn new(folder: &Path, number: usize, listen: String, netns: Option<String>) -> Instance {
        let name = format!("instance-{number}");
        let (log, ledger) = (folder.join(format!("{name}.log")), folder.join(format!("{name}.runs")));
        let schema = if number.is_multiple_of(2) { Schema::Old } else { Schema::Next };
        Instance { name, listen, schema, netns, log, ledger, process: None }
    }

    /// Starts it and waits until it listens.
    pub(crate) async fn start(&mut self) -> Result<(), Failed> {
        let log = std::fs::File::options().create(true).append(true).open(&self.log)?;
        let mut command = match &self.netns {
            Some(netns) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", netns]).arg(program("chaos-backend")?);
                command
            }
            None => Command::new(program("chaos-backend")?),
        };
        let schema = if self.schema == Schema::Old { "old" } else { "next" };
        command.args(["--schema", schema, "--listen", &self.listen, "--ledger"]).arg(&self.ledger);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a child has the pipes that it was given".into());
        };
        let mut process = Process { child, commands, answers: BufReader::new(answers).lines() };
        match process.answer().await? {
            Some(line) if line == "listening" => {}
            other => return Err(format!("{} does not start: {other:?}", self.name).into()),
        }
        self.process = Some(process);
        Ok(())
    }

    /// SIGKILL, and waits for its end.
    pub(crate) async fn kill(&mut self) -> Result<(), Failed> {
        match self.process.take() {
            Some(mut process) => Ok(process.child.kill().await?),
            None => Ok(()),
        }
    }

    /// SIGTERM, and waits for its end.
    pub(crate) async fn drain(&mut self) -> Result<(), Failed> {
        self.signal(Signal::SIGTERM)?;
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let status = timeout(PATIENCE, process.child.wait()).await;
        match status.map_err(|_| format!("{} does not end", self.name))?? {
            status if status.success() => Ok(()),
            status => Err(format!("{} ended with {status}", self.name).into()),
        }
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Failed> {
        let pid = self.process.as_ref().and_then(|process| process.child.id());
        let pid = pid.and_then(|pid| i32::try_from(pid).ok()).ok_or("it does not run")?;
        Ok(kill(Pid::from_raw(pid), signal)?)
    }

    /// The next start offers the other schema.
    pub(crate) fn change_schema(&mut self) {
        self.schema = if self.schema == Schema::Old { Schema::Next } else { Schema::Old };
    }

    /// Switches a fault and waits until it is so; the answer.
    pub(crate) async fn tell(&mut self, command: &str) -> Result<String, Failed> {
        let process = self.process.as_mut().ok_or("it does not run")?;
        process.commands.write_all(format!("{command}\n").as_bytes()).await?;
        process.commands.flush().await?;
        let answer = process.answer().await?;
        answer.ok_or_else(|| format!("{} ended when it was told `{command}`", self.name).into())
    }

    /// How many calls have arrived since its start.
    pub(crate) async fn calls(&mut self) -> Result<u64, Failed> {
        Ok(self.tell("calls").await?.parse()?)
    }

    /// Adds how often each id has run here.
    pub(crate) fn add_runs(&self, runs: &mut HashMap<u64, u32>) -> Result<(), Failed> {
        let text = match std::fs::read_to_string(&self.ledger) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            text => text?,
        };
        for line in text.lines() {
            *runs.entry(line.parse()?).or_default() += 1;
        }
        Ok(())
    }
}

impl Process {
    async fn answer(&mut self) -> Result<Option<String>, Failed> {
        let line = timeout(PATIENCE, self.answers.next_line()).await;
        Ok(line.map_err(|_| "the instance does not answer its switch")??)
    }
}
