//! The command line.

use crate::plan::Kind;
use clap::{Parser, ValueEnum};
use std::time::Duration;

/// A steady client against a gateway whose instances die, hang, drain and change
///
/// Exit status: 0 the promises held, 1 they did not, 2 the rig itself failed.
#[derive(Clone, Debug, Parser)]
#[command(name = "chaos")]
pub(crate) struct Options {
    /// What the faults are drawn from: the same seed gives the same faults at the same times
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many idempotent calls to make at least
    #[arg(long, default_value_t = 100_000)]
    pub(crate) calls: u64,
    /// How many faults to inflict
    #[arg(long, default_value_t = 100)]
    pub(crate) faults: usize,
    /// Calls a second, of both kinds; one in five is not idempotent
    #[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub(crate) rate: u32,
    /// How many instances there are
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=32))]
    pub(crate) instances: u8,
    /// Which faults; with `--caller sdk` those of the gateway are left out
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::USUAL)]
    pub(crate) kinds: Vec<Kind>,
    /// The routes' timeout, in seconds
    #[arg(long, default_value_t = 5)]
    pub(crate) timeout: u64,
    /// Further lines for the backend's table, such as "ping_interval = \"1s\""
    #[arg(long, default_value = "")]
    pub(crate) backend_lines: String,
    /// Further lines for both routes
    #[arg(long, default_value = "")]
    pub(crate) route_lines: String,
    /// Further lines for the section `server` of gateway.toml
    #[arg(long, default_value = "")]
    pub(crate) server_lines: String,
    /// How much of the requests retries may add when nothing works, in percent
    #[arg(long, default_value_t = 25)]
    pub(crate) budget: u32,
    /// Who calls
    #[arg(long, value_enum, default_value = "gateway", conflicts_with_all = ["outage", "netns"])]
    pub(crate) caller: By,
    /// Keep logs, tables and ledgers, and say where they are
    #[arg(long)]
    pub(crate) keep: bool,
    /// Instead: all instances fail, then die; what retries add, and how recovery goes
    #[arg(long, conflicts_with = "netns")]
    pub(crate) outage: bool,
    /// Instead: instances in network namespaces, packets dropped and late; needs root
    #[arg(long)]
    pub(crate) netns: bool,
}

/// How calls reach the instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// An HTTP client calls the gateway
    Gateway,
    /// A caller by the SDK calls the instances
    Sdk,
}

impl Options {
    /// The faults that whoever calls can notice.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let noticed = |kind: &Kind| self.caller == By::Gateway || kind.is_of_instance();
        self.kinds.iter().copied().filter(noticed).collect()
    }

    /// How long the calls take at the rate.
    pub(crate) fn length(&self) -> Duration {
        // Four in five are idempotent.
        Duration::from_secs_f64(self.calls as f64 * 1.25 / f64::from(self.rate))
    }
}
