//! Network namespaces, one an instance, each with a pair of virtual interfaces to ours.
//!
//! Packets are dropped without a firewall: both ends are given a wrong hardware address of the other, so that every
//! packet travels and is read by nobody. No error tells either end, as with a cable that is pulled far away.

use crate::Failed;
use std::process::{Command, Stdio};

/// An address that no interface has.
const NOBODY: &str = "02:00:00:00:00:01";

/// The namespaces; removed when dropped.
pub(crate) struct Net {
    links: Vec<Link>,
}

/// One namespace, and the way to it.
pub(crate) struct Link {
    /// Its name.
    pub(crate) netns: String,
    /// The instance's address.
    pub(crate) instance: String,
    ours: String,
    our_end: String,
    its_end: String,
}

impl Net {
    /// Makes namespaces; the error says why that is not possible here.
    pub(crate) fn new(namespaces: usize) -> Result<Net, Failed> {
        let mut net = Net { links: Vec::new() };
        for number in 0..namespaces {
            net.links.push(Link::new(number));
            // In the list before it is made, so that what is half made is removed as well.
            net.links[number].make()?;
        }
        Ok(net)
    }

    /// One of them.
    pub(crate) fn link(&self, number: usize) -> &Link {
        &self.links[number]
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for link in &self.links {
            // With the namespace go its end of the pair and so the other; alone it stays if the namespace never came.
            let _ = run("ip", &["link", "del", &link.our_end]);
            let _ = run("ip", &["netns", "del", &link.netns]);
        }
    }
}

impl Link {
    fn new(number: usize) -> Link {
        let pid = std::process::id();
        // From the block that is set aside for measuring networks.
        let address = |host: usize| format!("198.18.{}.{}", pid % 256, number * 4 + host);
        Link {
            netns: format!("chaos-{pid}-{number}"),
            instance: address(2),
            ours: address(1),
            our_end: format!("cg{pid}o{number}"),
            its_end: format!("cg{pid}i{number}"),
        }
    }

    fn make(&self) -> Result<(), Failed> {
        let Link { netns, instance, ours, our_end, its_end } = self;
        run("ip", &["netns", "add", netns])?;
        run("ip", &["link", "add", our_end, "type", "veth", "peer", "name", its_end, "netns", netns])?;
        run("ip", &["addr", "add", &format!("{ours}/30"), "dev", our_end])?;
        run("ip", &["link", "set", our_end, "up"])?;
        run("ip", &["-n", netns, "addr", "add", &format!("{instance}/30"), "dev", its_end])?;
        run("ip", &["-n", netns, "link", "set", its_end, "up"])?;
        run("ip", &["-n", netns, "link", "set", "lo", "up"])
    }

    /// Drops every packet, in both directions, without a word.
    pub(crate) fn drop_all(&self) -> Result<(), Failed> {
        let Link { netns, instance, ours, our_end, its_end } = self;
        let wrong = ["lladdr", NOBODY, "nud", "permanent", "dev"];
        run("ip", &[&["neigh", "replace", instance], &wrong[..], &[our_end]].concat())?;
        run("ip", &[&["-n", netns, "neigh", "replace", ours], &wrong[..], &[its_end]].concat())
    }

    /// Drops no packet any more.
    pub(crate) fn drop_none(&self) -> Result<(), Failed> {
        let Link { netns, instance, ours, our_end, its_end } = self;
        run("ip", &["neigh", "del", instance, "dev", our_end])?;
        run("ip", &["-n", netns, "neigh", "del", ours, "dev", its_end])
    }

    /// Loses and delays what the instance sends, by netem; the error says why that is not possible here.
    pub(crate) fn netem(&self, loss: &str, delay: &str) -> Result<(), Failed> {
        let on = ["qdisc", "replace", "dev", &self.its_end, "root", "netem", "loss", loss, "delay", delay];
        run("tc", &[&["-n", &self.netns], &on[..]].concat())
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), Failed> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{program} {}: {}", arguments.join(" "), said.trim()).into())
        }
    }
}
