//! Discovery: where the members of a backend come from that no table lists by address. A table names a source
//! (`dns:host:port`, `srv:name`), and a task of its own asks that source again and again, for as long as some table names it.
//!
//! ```text
//! list      what it lists, and the rule for lists that lose most of their instances at once
//! names     all that is followed: what control, the admin port and a successor read
//! follow    the tasks, and which names have one
//! kept      the last good lists on disk
//! dns       the sources that ask DNS servers
//! ```
//!
//! A further source, a registry for example, is a variant of [`DiscoveryName`], a type that implements `Source`, and an arm of `ask`
//! below. These rules hold for every source; all but the first are kept here, once:
//!
//! - **An error is never an empty list.** A source says `Said::Nothing` when it could not find out. Only `Said::Gone` takes
//!   instances away without others in their place, and a source says that when it has been told so for a while.
//! - **The last good list stays** for as long as nobody says otherwise, through errors, reloads and upgrades; and through restarts,
//!   where `[server] state` names a folder.
//! - **Mass removal is confirmed.** When more than half of a list vanishes at once, those that vanished stay members as long as
//!   their connections answer, and the source is asked again soon. They go when its next report lacks them as well. Static
//!   tables are no source: what an operator takes out of a table is gone at once.
//! - **Changes are gathered.** Control takes the changes of some milliseconds together and gives each backend one new list.
//! - **A reload shows routes and members together.** A table is built with its members, from the lists that hold then, and names
//!   that it adds are asked for before. A change of members afterwards touches no table.

mod dns;
mod follow;
pub mod kept;
mod list;
mod names;

pub use follow::Follower;
pub use list::{List, Listed, Lists};
pub use names::{Name, Names, Shown};

use crate::config::{DiscoveryName, DnsSettings};
use crate::telemetry::Resolution;
use dns::{Asker, Hosts, Services};
use follow::Asking;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// What the sources of all names ask with.
struct Tools {
    /// How long an answer is believed, whatever the source.
    dns: DnsSettings,
    asker: Arc<Asker>,
}

impl Tools {
    fn new(settings: &DnsSettings) -> Tools {
        Tools { dns: settings.clone(), asker: Arc::new(Asker::new(settings)) }
    }
}

/// Asks for a name again and again, by the source of its kind, which begins with what is known of the name already.
async fn ask(name: Arc<Name>, asking: Asking) {
    let Tools { dns, asker } = &*asking.tools;
    match &name.asked {
        DiscoveryName::Host(host) => {
            let source = Hosts::of(host, &name.list().listed, asker.clone(), dns);
            asking.ask(&name, source).await;
        }
        DiscoveryName::Service(service) => {
            let source = Services::of(service, &name.list().listed, asker.clone(), dns);
            asking.ask(&name, source).await;
        }
    }
}

/// Where lists come from. One task has it, asks, and sleeps until it is time to ask again.
trait Source: Send {
    /// Asks once. Bounds its own time.
    fn ask(&mut self) -> impl Future<Output = Report> + Send;
}

/// What came of asking once.
#[derive(Clone, Debug)]
struct Report {
    said: Said,
    /// How it is counted.
    outcome: Resolution,
    /// When to ask again.
    again: Duration,
    /// How long the answer said that it holds; none where there was no good one.
    ttl: Option<Duration>,
    /// Instances that are not in the list because it would be too long.
    left_out: usize,
    /// What was wrong, for people; there may be something wrong beside a good list.
    error: Option<String>,
}

/// What a source says of the instances.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    /// These: sorted, each once.
    Lists(Vec<Listed>),
    /// It could not find out.
    Nothing,
    /// There are none, and that has been so for long enough to be believed.
    Gone,
}
