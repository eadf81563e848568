//! The running gateway's side: it offers its listening sockets to a successor, and starts one when told to.

use super::channel::Channel;
use super::drains::{self, Drained};
use super::{LIMIT, Name, VERSION, WORD_LIMIT, exposure, systemd, tickets};
use crate::control::Plane;
use crate::supervise::{Task, supervised};
use crate::workers::Ending;
use std::ffi::OsString;
use std::future::pending;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

/// The listening sockets with their names, and the socket at which they can be had.
pub struct Offer {
    name: Name,
    listener: Option<UnixListener>,
    sockets: Arc<[(String, OwnedFd)]>,
    plane: Arc<Plane>,
    /// SIGUSR2.
    told_to_upgrade: Signal,
    /// Hand-overs that are under way: at most one.
    attempts: JoinSet<Attempt>,
    child: Successor,
}

/// A hand-over that came to its end: the successor's process, and why it failed if it did.
type Attempt = (u32, Result<(), String>);

impl Offer {
    /// Listens for the signal to start a successor, from now on. Without a listener there is nothing to be had.
    pub fn new(
        plane: Arc<Plane>,
        name: Name,
        listener: Option<std::os::unix::net::UnixListener>,
        sockets: Vec<(String, OwnedFd)>,
    ) -> io::Result<Offer> {
        let listener = listener.map(UnixListener::from_std).transpose()?;
        let told_to_upgrade = signal(SignalKind::user_defined2())?;
        let (attempts, child) = (JoinSet::new(), Successor::default());
        Ok(Offer { name, listener, sockets: sockets.into(), plane, told_to_upgrade, attempts, child })
    }

    /// Waits for the end: until `told` to stop, or until a successor serves in our place.
    pub async fn run(mut self, told: watch::Receiver<bool>) -> Ending {
        let supervisor = self.plane.shared.supervisor.clone();
        match supervised!(supervisor, Task::Upgrade, self.serve(told.clone())) {
            Some(ending) => ending,
            // The process ends.
            None => pending().await,
        }
    }

    async fn serve(&mut self, mut told: watch::Receiver<bool>) -> Ending {
        let told_to_stop = told.clone();
        loop {
            tokio::select! {
                () = is_told(&mut told) => {
                    // It is told too and says so to the successor, which would else take us for crashed.
                    while self.attempts.join_next().await.is_some() {}
                    return Ending::Stop;
                }
                stream = accept(self.listener.as_ref()) => {
                    self.answer(stream, &told_to_stop).await;
                }
                Some(attempt) = self.attempts.join_next() => match attempt {
                    Ok((process, Ok(()))) => {
                        tracing::info!(process, "a successor serves");
                        systemd::succeeded(process);
                        return Ending::HandOver;
                    }
                    Ok((process, Err(why))) => {
                        self.child.blamed = Some(process);
                        self.failed(process, &why);
                    }
                    Err(error) => self.failed(0, &error.to_string()),
                },
                _ = self.told_to_upgrade.recv() => self.start(),
                (process, status) = self.child.end() => {
                    let why = format!("it ended: {status}; what it said is on its standard error");
                    if self.child.blamed != Some(process) {
                        self.failed(process, &why);
                    }
                }
            }
        }
    }

    /// Begins to hand over to whoever has connected, unless that is under way.
    async fn answer(&mut self, stream: UnixStream, told: &watch::Receiver<bool>) {
        let channel = match Channel::new(stream) {
            Ok(channel) => channel,
            Err(error) => {
                tracing::warn!(%error, "the upgrade socket is not for everybody");
                return;
            }
        };
        let process = channel.peer();
        if !self.attempts.is_empty() {
            tracing::warn!(process, "refused a second successor");
            let _ = timeout(WORD_LIMIT, channel.say("no another successor is being waited for")).await;
            return;
        }
        tracing::info!(process, "a successor asks for the listening sockets");
        let (sockets, plane, told) = (self.sockets.clone(), self.plane.clone(), told.clone());
        let upgrades = &plane.upgrades;
        let mut words = vec![format!("upgrades {} {}", upgrades.succeeded.get(), upgrades.failed.get())];
        words.extend(tickets::line(&plane.shared.certificates.tickets.all()));
        words.extend(plane.exposure.load().iter().flat_map(|record| exposure::lines(record)));
        for (name, list) in plane.names.lists() {
            words.extend(list.listed.iter().map(|one| format!("leads {name} {one}")));
        }
        let drained = drains::drained(&plane.shared.table.load());
        words.extend(drains::lines(&Drained::new(), &drained));
        let since = plane.shared.clone();
        let said_since = move || drains::lines(&drained, &drains::drained(&since.table.load()));
        self.attempts.spawn(async move {
            let handed_over = hand_over(channel, &sockets, &words, said_since, told);
            let handed_over = plane.shared.supervisor.guard(Task::HandOver, handed_over).await;
            let panicked = || Err("the hand-over has panicked; see the log".to_owned());
            (process, handed_over.unwrap_or_else(panicked))
        });
    }

    /// Starts a successor: what was started once, from where it was started, with the same arguments.
    fn start(&mut self) {
        if let Some((child, _)) = &self.child.process {
            tracing::warn!(process = child.id(), "a successor is being waited for already");
            return;
        }
        systemd::upgrading();
        let mut arguments = std::env::args_os();
        let program = arguments.next().unwrap_or_else(|| "callgate".into());
        let mut command = Command::new(&program);
        command
            .args(arguments.filter(|argument| !is_upgrade(argument)))
            .arg(format!("--upgrade={}", self.name));
        match command.stdin(Stdio::null()).spawn() {
            Ok(started) => {
                tracing::info!(process = started.id(), program = ?program, "started a successor");
                // It reads its files before it asks for the sockets; both together must have an end.
                self.child.process = Some((started, Instant::now() + 2 * LIMIT));
            }
            Err(error) => self.failed(0, &format!("{} cannot be started: {error}", program.display())),
        }
    }

    fn failed(&self, process: u32, why: &str) {
        self.plane.upgrades.failed.increment();
        tracing::error!(process, why, "the upgrade failed, this process goes on");
        systemd::ready();
    }
}

async fn is_told(told: &mut watch::Receiver<bool>) {
    // Fails only when the sender is gone, which is as good as being told.
    let _ = told.wait_for(|told| *told).await;
}

async fn accept(listener: Option<&UnixListener>) -> UnixStream {
    let Some(listener) = listener else { return pending().await };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "the upgrade socket cannot accept");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

/// Gives the sockets and waits until the successor serves, which then hears what was `said_since`.
async fn hand_over(
    mut channel: Channel,
    sockets: &[(String, OwnedFd)],
    words: &[String],
    said_since: impl FnOnce() -> Vec<String>,
    mut told: watch::Receiver<bool>,
) -> Result<(), String> {
    let ready = tokio::select! {
        ready = timeout(LIMIT, give(&mut channel, sockets, words)) => match ready {
            Ok(Ok(ready)) => ready,
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("it was not ready within {LIMIT:?}")),
        },
        () = is_told(&mut told) => Err("this process is told to stop".to_owned()),
    };
    let mut last = match &ready {
        Ok(()) => said_since(),
        Err(_) => Vec::new(),
    };
    last.push(match &ready {
        Ok(()) => "yours".to_owned(),
        Err(why) => format!("no {why}"),
    });
    match (timeout(WORD_LIMIT, say_all(&channel, &last)).await, ready) {
        (_, Err(why)) => Err(why),
        (Ok(Ok(())), Ok(())) => Ok(()),
        (Ok(Err(error)), Ok(())) => Err(format!("it ended when it was ready: {error}")),
        (Err(_), Ok(())) => Err("it was ready and then did not listen".to_owned()),
    }
}

async fn say_all(channel: &Channel, words: &[String]) -> io::Result<()> {
    for word in words {
        channel.say(word).await?;
    }
    Ok(())
}

/// The conversation up to the successor's `ready`, or to why it will not be.
async fn give(
    channel: &mut Channel,
    sockets: &[(String, OwnedFd)],
    words: &[String],
) -> io::Result<Result<(), String>> {
    channel.say(&format!("callgate {VERSION} {}", std::process::id())).await?;
    say_all(channel, words).await?;
    for (name, socket) in sockets {
        channel.give(&format!("socket {name}"), socket.as_fd()).await?;
    }
    channel.say("all").await?;
    loop {
        match channel.hear().await?.as_deref() {
            Some("ready") => return Ok(Ok(())),
            Some(line) => {
                if let Some(why) = line.strip_prefix("no ") {
                    return Ok(Err(why.to_owned()));
                }
            }
            None => return Ok(Err("it ended before it was ready".to_owned())),
        }
    }
}

/// The child that is to be the successor.
#[derive(Default)]
struct Successor {
    /// With the time at which it must be done.
    process: Option<(Child, Instant)>,
    /// The process whose failure was told before it ended.
    blamed: Option<u32>,
}

impl Successor {
    /// Waits for the child's end, if there is one, and sees to it that it comes.
    async fn end(&mut self) -> (u32, String) {
        let Some((child, deadline)) = &mut self.process else { return pending().await };
        let process = child.id().unwrap_or_default();
        let ended = match timeout_at(*deadline, child.wait()).await {
            Ok(ended) => ended,
            Err(_) => {
                let _ = child.start_kill();
                child.wait().await
            }
        };
        self.process = None;
        (process, ended.map_or_else(|error| error.to_string(), |status: ExitStatus| status.to_string()))
    }
}

/// Whether that is the argument that we give ourselves.
fn is_upgrade(argument: &OsString) -> bool {
    let argument = argument.as_encoded_bytes();
    argument == b"--upgrade" || argument.starts_with(b"--upgrade=")
}
