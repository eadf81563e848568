//! The running gateway, as its successor sees it.

use super::channel::{Channel, Paused};
use super::drains::Word;
use super::exposure::Parts;
use super::tickets;
use super::{LIMIT, Name, VERSION, WORD_LIMIT};
use crate::config::DiscoveryName;
use crate::discovery::Listed;
use crate::exposure::Record;
use callgate_tls::TicketKeys;
use std::future::{Future, pending};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// More sockets than anybody listens on: what is said beyond that is not believed.
const MAX_SOCKETS: usize = 1024;
/// The same of instances that names list.
const MAX_LISTED: usize = 65_536;
/// The same of operators' words on drains.
const MAX_WORDS: usize = 65_536;

/// The gateway whose sockets we have, and which goes on until we are ready.
pub struct Predecessor {
    channel: Paused,
    /// Its process.
    pub process: u32,
    /// How many upgrades have gone well and have failed since the first process was started.
    pub upgrades: (u64, u64),
    /// What its names list.
    pub listed: Vec<(DiscoveryName, Listed)>,
    /// The keys of its TLS tickets, and since when the first of them seals.
    pub tickets: Option<(TicketKeys, u64)>,
    /// Who could call what.
    pub exposure: Option<Record>,
    /// What operators have said of drains.
    pub words: Vec<Word>,
    sockets: Vec<(String, OwnedFd)>,
}

impl Predecessor {
    /// Asks the gateway at that socket for its listening sockets.
    ///
    /// # Errors
    ///
    /// For whoever started us: nobody listens, it is of another user, it refuses.
    pub fn ask(name: &Name) -> Result<Predecessor, String> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let asked = runtime.and_then(|runtime| {
            runtime.block_on(async {
                let late = || io::Error::new(ErrorKind::TimedOut, "it did not give its sockets in time");
                timeout(WORD_LIMIT, ask(name)).await.unwrap_or_else(|_| Err(late()))
            })
        });
        asked.map_err(|error| {
            let help = match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                    "no gateway of these settings runs: start it with `callgate run`; one whose `listen` of [admin] or \
                     `socket` of [upgrade] was another is named with `--upgrade=SOCKET`"
                }
                ErrorKind::PermissionDenied => "a gateway is upgraded by its own user",
                _ => "the running gateway goes on; its log may say more",
            };
            format!("error: cannot take over from the gateway at {name}: {error}\n |\n = help: {help}")
        })
    }

    /// What it offers under that name, if it does and it was not taken yet.
    pub fn take(&mut self, name: &str) -> Option<OwnedFd> {
        let at = self.sockets.iter().position(|(other, _)| other == name)?;
        Some(self.sockets.remove(at).1)
    }

    /// The addresses of what was not taken, of one kind.
    pub fn left(&self, kind: &str) -> Vec<String> {
        let names = self.sockets.iter().filter_map(|(name, _)| name.split_once(' '));
        names.filter(|(other, _)| *other == kind).map(|(_, address)| address.to_owned()).collect()
    }

    /// Goes on in this runtime. What was not taken is let go.
    pub fn resume(self) -> io::Result<Waiting> {
        Ok(Waiting { channel: self.channel.resume()?, process: self.process })
    }
}

async fn ask(name: &Name) -> io::Result<Predecessor> {
    let stream = name.connect()?;
    stream.set_nonblocking(true)?;
    let mut channel = Channel::new(UnixStream::from_std(stream)?)?;
    let (mut process, mut upgrades) = (channel.peer(), (0, 0));
    let (mut listed, mut sockets, mut words, mut tickets) = (Vec::new(), Vec::new(), Vec::new(), None);
    let mut exposure = Parts::default();
    loop {
        let ended = || io::Error::new(ErrorKind::UnexpectedEof, "it ended, or does not speak our language");
        let line = channel.hear().await?.ok_or_else(ended)?;
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "callgate" => {
                let (version, number) = rest.split_once(' ').unwrap_or((rest, ""));
                if version != VERSION {
                    let text =
                        format!("it speaks version {version} of the upgrade's words, this one {VERSION}");
                    return Err(io::Error::other(text));
                }
                process = number.parse().unwrap_or(process);
            }
            "upgrades" => {
                let mut numbers = rest.split(' ').map(|number| number.parse().unwrap_or(0));
                upgrades = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            }
            "leads" if listed.len() < MAX_LISTED => {
                let pair = rest.split_once(' ');
                listed.extend(pair.and_then(|(name, one)| Some((name.parse().ok()?, one.parse().ok()?))));
            }
            "tickets" => tickets = tickets::read(rest),
            "exposure" => exposure.read(rest),
            "drain" if words.len() < MAX_WORDS => words.extend(Word::read(&line)),
            "socket" if sockets.len() < MAX_SOCKETS => {
                let missing = || io::Error::new(ErrorKind::InvalidData, "it gave a name without a socket");
                sockets.push((rest.to_owned(), channel.take().ok_or_else(missing)?));
            }
            "all" => {
                let channel = channel.pause()?;
                let exposure = exposure.whole();
                return Ok(Predecessor {
                    channel,
                    process,
                    upgrades,
                    listed,
                    tickets,
                    exposure,
                    words,
                    sockets,
                });
            }
            "no" => return Err(io::Error::other(rest.to_owned())),
            _ => {}
        }
    }
}

/// The running gateway while it waits for us to be ready.
pub struct Waiting {
    channel: Channel,
    process: u32,
}

impl Waiting {
    /// Waits until we are prepared, unless the running gateway calls it off.
    ///
    /// # Errors
    ///
    /// Why it did, or that the time is up.
    pub async fn prepare(&mut self, prepared: impl Future<Output = ()>) -> Result<(), String> {
        tokio::select! {
            done = timeout(LIMIT, prepared) => {
                let late = |_| "not every backend was tried in time".to_owned();
                let done = done.map_err(late);
                if let Err(why) = &done {
                    let _ = timeout(WORD_LIMIT, self.channel.say(&format!("no {why}"))).await;
                }
                done
            }
            why = refusal(&mut self.channel) => Err(refused(&why)),
        }
    }

    /// Says that we serve, and waits for the running gateway to give way. Gives what operators have said of drains since the
    /// sockets came.
    ///
    /// # Errors
    ///
    /// Why it does not.
    pub async fn take_over(mut self) -> Result<Vec<Word>, String> {
        let mut words = Vec::new();
        let answer = async {
            self.channel.say("ready").await?;
            loop {
                match self.channel.hear().await?.as_deref() {
                    Some("yours") => return Ok(Ok(())),
                    Some(line) => match line.strip_prefix("no ") {
                        Some(why) => return Ok(Err(refused(why))),
                        None if words.len() < MAX_WORDS => words.extend(Word::read(line)),
                        None => {}
                    },
                    None => return Err(io::Error::from(ErrorKind::UnexpectedEof)),
                }
            }
        };
        match timeout(WORD_LIMIT, answer).await {
            Ok(Ok(answer)) => answer.map(|()| words),
            Ok(Err(_)) => {
                tracing::warn!(process = self.process, "the gateway before this one ended without a word");
                Ok(words)
            }
            Err(_) => Err("the running gateway does not answer".to_owned()),
        }
    }
}

fn refused(why: &str) -> String {
    format!("the running gateway goes on: {why}")
}

/// Waits for a `no`. That the other process is gone is none: then nobody else serves.
async fn refusal(channel: &mut Channel) -> String {
    while let Ok(Some(line)) = channel.hear().await {
        if let Some(why) = line.strip_prefix("no ") {
            return why.to_owned();
        }
    }
    pending().await
}
