//! What is to be said of each instance of a backend to somebody who asks where a call would go: by the questions that a pick asks, and
//! by its one rule of who could take a call.

use super::instances::Tier;
use super::local_backend::{LocalBackend, Pick};
use super::local_endpoint::LocalEndpoint;
use super::tried::{Tried, Wanted};
use crate::transport::Link;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

/// An instance, as a pick sees it.
pub struct Seen {
    /// Which endpoint it is.
    pub id: u64,
    /// Where it is.
    pub address: String,
    /// The way there, if there is one.
    pub link: Option<Link>,
    /// Why a pick passes it over; nothing where it is a choice.
    pub not: Option<String>,
}

impl LocalBackend {
    /// All of its instances, in the order of the table.
    pub fn look(&self, tried: &Tried<'_>) -> Vec<Seen> {
        let seen = |at: &Rc<LocalEndpoint>| Seen {
            id: at.shared().id,
            address: at.shared().addr.to_string(),
            link: at.link(),
            not: passed_over(at, tried),
        };
        self.instances.all.iter().map(seen).collect()
    }

    /// The endpoints among which a pick would choose: of those that have room the best kind.
    pub fn choices(&self, tried: &Tried<'_>) -> Vec<u64> {
        let able = |at: &Rc<LocalEndpoint>| Some((self.instances.tier(at, tried)?.1, at.shared().id));
        let able: Vec<(Tier, u64)> = self.instances.all.iter().filter_map(able).collect();
        let best = able.iter().map(|(tier, _)| *tier).min();
        able.into_iter().filter(|(tier, _)| Some(*tier) == best).map(|(_, id)| id).collect()
    }

    /// Where one of its instances is that takes no calls, and why not: of the first one of the table.
    #[cold]
    pub fn absence(&self) -> Option<String> {
        let of = |at: &Rc<LocalEndpoint>| {
            let why = passed_over(at, &Tried::default())?;
            Some(format!("{}: {why}", at.shared().addr))
        };
        self.instances.all.iter().find_map(of)
    }

    /// What a call meets for which there is no choice.
    pub fn without_choice(&self, tried: &Tried<'_>) -> Pick {
        self.nowhere(tried)
    }
}

fn passed_over(at: &LocalEndpoint, tried: &Tried<'_>) -> Option<String> {
    let endpoint = at.shared();
    let Some(link) = at.link() else {
        return Some(if at.is_retired() || endpoint.drained_by_admin.load(Relaxed) {
            "it is being drained".to_owned()
        } else {
            match endpoint.error.load().as_deref() {
                Some(error) => format!("it is not connected: {error}"),
                None => "it is not connected".to_owned(),
            }
        });
    };
    if tried.rules_out(at) {
        return Some(tried.wanted.map_or_else(String::new, |wanted| lacks(&link, &wanted)));
    }
    Some(if !link.is_ready() {
        "it says that it is not ready".to_owned()
    } else if at.open_link().is_none() {
        "it has all the calls that it may have".to_owned()
    } else if link.is_silent() {
        "it does not answer".to_owned()
    } else if at.monitor.is_in() {
        return None;
    } else if at.monitor.wants_probe(tried.fragile) {
        "it was ejected; the next call is its probe".to_owned()
    } else {
        "it is ejected: its calls have failed".to_owned()
    })
}

/// Why an instance cannot run the call.
fn lacks(link: &Link, wanted: &Wanted<'_>) -> String {
    if let Some(version) = wanted.version
        && link.version(wanted.binding.call) != Some(version)
    {
        let own = link.version(wanted.binding.call).unwrap_or("none");
        return format!("the call is for version {version}, and it has {own}");
    }
    match link.misfit(&wanted.binding) {
        Some(why) => format!("the route does not fit its method: {why}"),
        None => format!("it does not offer `{}`", wanted.binding.call),
    }
}
