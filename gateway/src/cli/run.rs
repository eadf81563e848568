//! `callgate run`: how to serve. Serving itself is the process's.

use super::Config;
use clap::Args;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate run                                    serve what config/gateway.toml says
  callgate run --config /etc/callgate/config/gateway.toml
  callgate run --upgrade                          the same in place of the one that runs, without a gap";

/// How to serve.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where the gateway's file is
    #[command(flatten)]
    pub config: Config,
    /// Take the listening sockets over from the gateway that runs, which then drains and ends
    ///
    /// No connection is refused and no request lost. If anything goes wrong, the running gateway goes on and this one
    /// says why. The running one is found by the settings (`socket` of `[upgrade]`); SOCKET names another, if it has been
    /// started with other settings.
    #[arg(long, value_name = "SOCKET", num_args = 0..=1, require_equals = true)]
    pub upgrade: Option<Option<String>>,
}
