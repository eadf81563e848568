//! Floods: what an attacker sends a lot of, how much memory that may cost, and that others are served meanwhile.
//!
//! Each is bounded in count and in time, and goes to loopback only. What is judged without a clock is judged in every run of the tests;
//! `make floods` is the long form.

mod attack;
mod kinds;
mod process;
mod served;

pub use kinds::ALL;

use crate::client::PATIENCE;
use crate::target::Target;
use attack::Outcome;
use process::Process;
use served::Served;
use std::time::Duration;

/// How much is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// For every run of the tests.
    Short,
    /// For `make floods`.
    Long,
}

/// Whom the attacker connects to, and how far it goes before it floods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// A listener that speaks HTTP/2: preface and these settings.
    Http2(&'static [(u16, u32)]),
    /// The same listener, and nothing said.
    Silent,
    /// A listener with TLS: half of a handshake's first message.
    HalfHello,
    /// The same: a whole handshake, and nothing said over it.
    Tls,
}

/// One flood.
#[derive(Debug)]
pub struct Flood {
    /// What it is called.
    pub name: &'static str,
    /// How each connection begins.
    pub begin: Begin,
    /// What is sent once, behind that.
    pub opening: fn() -> Vec<u8>,
    /// What is sent over and over; its argument counts from 0.
    pub unit: fn(u32) -> Vec<u8>,
    /// How many connections there are, and how many units each of them sends: short, long.
    pub connections: [usize; 2],
    pub units: [u32; 2],
    /// Whether the attacker reads what the gateway answers.
    pub reads: bool,
    /// How much memory the gateway may take meanwhile, in MiB.
    pub most: u64,
}

/// What became of a flood.
#[derive(Debug)]
pub struct Found {
    outcome: Outcome,
    /// What the gateway's memory has grown by at most, in bytes.
    grown: u64,
    /// Requests of good clients, meanwhile and afterwards.
    served: Served,
    /// Until the gateway's processor time was that of an idle one again; none if it never was.
    rest: Option<Duration>,
    is_alive: bool,
    size: Size,
}

/// The columns of [`Found::row`].
pub const HEADING: &str =
    "flood                          connections   ended    units     MiB   at most   served   at rest after";

/// Starts a gateway, floods it, and looks at it.
pub async fn run(flood: &Flood, size: Size) -> Found {
    let mut target = Target::start("").await;
    let process = Process(target.gateway.pid());
    served::warm(&target).await;
    let before = process.resident();
    process.forget_peak();
    let (outcome, served) = served::meanwhile(&target, attack::run(flood, size, &target)).await;
    let grown = process.peak().saturating_sub(before);
    let rest = process.rests(PATIENCE).await;
    let is_alive = target.gateway.is_running() && !target.gateway.log().contains("panicked");
    Found { outcome, grown, served, rest, is_alive, size }
}

impl Found {
    /// What does not hold, if anything does not.
    pub fn complaint(&self, flood: &Flood) -> Option<String> {
        let grown = self.grown >> 20;
        if !self.is_alive {
            return Some("the gateway died, or a task of it panicked".to_owned());
        }
        if let Some(failure) = &self.served.failure {
            return Some(format!("a good client was not served: {failure}"));
        }
        if grown > flood.most {
            return Some(format!("the gateway took {grown} MiB, which may be {} MiB", flood.most));
        }
        match self.rest {
            None => Some("the gateway did not come to rest".to_owned()),
            Some(rest) if self.size == Size::Long && rest > Duration::from_secs(1) => {
                Some(format!("the gateway was busy for {rest:.1?} afterwards, which may be a second"))
            }
            Some(_) => None,
        }
    }

    /// The figures as a line of a table.
    pub fn row(&self, flood: &Flood) -> String {
        let rest = self.rest.map_or_else(|| "never".to_owned(), |rest| format!("{rest:.1?}"));
        format!(
            "{:<30} {:>11} {:>7} {:>8} {:>7.1} {:>9} {:>8} {:>15}",
            flood.name,
            self.outcome.connections,
            self.outcome.ended,
            self.outcome.units,
            self.grown as f64 / f64::from(1 << 20),
            flood.most,
            self.served.count,
            rest
        )
    }
}

impl Size {
    fn of<T: Copy>(self, both: [T; 2]) -> T {
        both[usize::from(self == Size::Long)]
    }
}
