//! The command line as people and scripts use it: a process, what goes in, what comes out, and how it ends.

use crate::process::binary;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// How long a command may take on a machine that has much to do.
const LONGEST: Duration = Duration::from_secs(60);

/// How a command has ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status.
    pub status: Option<i32>,
    /// What it has written to standard output.
    pub out: String,
    /// What it has written to standard error.
    pub err: String,
}

impl Ran {
    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs a command of `callgate` in a folder, with that on standard input.
pub async fn callgate(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut child = begin(folder, arguments);
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).await.expect("it can be written");
    drop(stdin);
    let ran = timeout(LONGEST, child.wait_with_output()).await;
    let Output { status, stdout, stderr } = ran.expect("it ends").expect("callgate runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    Ran { status: status.code(), out: text(stdout), err: text(stderr) }
}

fn begin(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = Command::new(binary("callgate"));
    command.args(arguments).current_dir(folder).env_remove("CALLGATE_CONFIG").kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("callgate runs")
}

/// A command that goes on while somebody talks with it.
pub struct Talk {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    /// Begins it.
    pub fn begin(folder: &Path, arguments: &[&str]) -> Talk {
        let mut child = begin(folder, arguments);
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Talk { stdin: child.stdin.take(), child, lines }
    }

    /// Writes a line to it.
    pub async fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it was not ended");
        stdin.write_all(format!("{line}\n").as_bytes()).await.expect("it can be written");
        stdin.flush().await.expect("it can be written");
    }

    /// The next line that it writes.
    pub async fn hear(&mut self) -> Option<String> {
        timeout(LONGEST, self.lines.next_line()).await.expect("it says something").expect("it can be read")
    }

    /// Ends what is said to it, and waits until it has ended. Its exit status.
    pub async fn end(mut self) -> Option<i32> {
        drop(self.stdin.take());
        timeout(LONGEST, self.child.wait()).await.expect("it ends").expect("callgate runs").code()
    }
}
