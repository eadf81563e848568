//! The driver of a tested connector: a child process that reads lines, calls `conformance.echo`, and writes how the calls
//! ended. tests/conformance/README.md describes the lines.

use crate::verdict::{Step, broken};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How a call ended for its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a text of so many bytes, or so many items.
    Ok(usize),
    /// With that code, by its name on the page.
    Failed(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Ok(bytes) => write!(f, "a result of {bytes} bytes or items"),
            Outcome::Failed(code) => write!(f, "`{code}`"),
        }
    }
}

/// The child process, which is ended when this is dropped.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    lines: Receiver<String>,
    last: u32,
    open: BTreeSet<u32>,
    ended: BTreeMap<u32, Outcome>,
}

impl Driver {
    /// Starts a command, in whose words `{}` stands for the address to connect to.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(command: &[String], address: &str) -> std::io::Result<Driver> {
        let mut words = command.iter().map(|word| word.replace("{}", address));
        let program = words.next().unwrap_or_default();
        let mut child =
            Command::new(program).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (sender, lines) = channel();
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                lines.map_while(|line| sender.send(line).ok()).for_each(drop);
            });
        }
        Ok(Driver { child, lines, last: 0, open: BTreeSet::new(), ended: BTreeMap::new() })
    }

    /// Begins a call; gives its name.
    pub fn call(&mut self, bytes: usize, time: Duration) -> Step<u32> {
        self.last += 1;
        self.open.insert(self.last);
        self.tell(&format!("call {} {bytes} {}", self.last, time.as_millis()))?;
        Ok(self.last)
    }

    /// Begins a call that streams both ways; gives its name.
    pub fn stream(&mut self, items: usize, bytes: usize, time: Duration) -> Step<u32> {
        self.last += 1;
        self.open.insert(self.last);
        self.tell(&format!("stream {} {items} {bytes} {}", self.last, time.as_millis()))?;
        Ok(self.last)
    }

    /// Gives a call up.
    pub fn cancel(&mut self, call: u32) -> Step {
        self.tell(&format!("cancel {call}"))
    }

    /// Waits for the end of a call.
    pub fn outcome(&mut self, call: u32, patience: Duration) -> Step<Outcome> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(outcome) = self.ended.remove(&call) {
                return Ok(outcome);
            }
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => self.hear(&line)?,
                Err(RecvTimeoutError::Timeout) => {
                    return broken("the caller was not told how its call ended");
                }
                Err(RecvTimeoutError::Disconnected) => return broken("the driver has ended"),
            }
        }
    }

    /// How a call ended, if it has.
    pub fn has_ended(&mut self, call: u32) -> Step<Option<Outcome>> {
        while let Ok(line) = self.lines.try_recv() {
            self.hear(&line)?;
        }
        Ok(self.ended.remove(&call))
    }

    fn hear(&mut self, line: &str) -> Step {
        let Some((call, outcome)) = read(line) else {
            return broken(format!("the driver has written a line that says nothing: {line}"));
        };
        self.open.remove(&call);
        self.ended.insert(call, outcome);
        Ok(())
    }

    /// Cancels every call that is open, and waits for their ends.
    pub fn clear(&mut self, patience: Duration) -> Step {
        let open: Vec<u32> = self.open.iter().copied().collect();
        for &call in &open {
            self.cancel(call)?;
        }
        for call in open {
            self.outcome(call, patience)?;
        }
        self.ended.clear();
        Ok(())
    }

    fn tell(&mut self, line: &str) -> Step {
        let written =
            self.child.stdin.as_mut().map(|input| writeln!(input, "{line}").and_then(|()| input.flush()));
        match written {
            Some(Ok(())) => Ok(()),
            _ => broken("the driver reads no lines"),
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The end of its input is its order to end; one that does not obey at once is ended.
        drop(self.child.stdin.take());
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `ok CALL BYTES` or `failed CALL CODE`.
fn read(line: &str) -> Option<(u32, Outcome)> {
    let mut words = line.split_ascii_whitespace();
    let (how, call, what) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    let outcome = match how {
        "ok" => Outcome::Ok(what.parse().ok()?),
        "failed" => Outcome::Failed(what.to_owned()),
        _ => return None,
    };
    Some((call, outcome))
}
