//! The gateway's table file, and how it changes while the gateway runs.

use crate::Failed;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

/// What the file says.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    /// Where the file is.
    pub(crate) path: PathBuf,
    /// The endpoints that there are.
    pub(crate) endpoints: Vec<String>,
    /// Those that are left out at the moment.
    pub(crate) away: BTreeSet<usize>,
    /// Those that are marked `drain = true` at the moment.
    pub(crate) drained: BTreeSet<usize>,
    /// The routes' timeout, in seconds.
    pub(crate) timeout: u64,
    /// Further lines for the backend.
    pub(crate) backend_lines: String,
    /// Further lines for each route.
    pub(crate) route_lines: String,
    /// What else differs from one version to the next: orders, timeouts, routes beside those that are called.
    pub(crate) variation: u64,
}

impl Tables {
    /// Writes the file as an editor does: beside it, then renamed over it.
    pub(crate) fn write(&self) -> Result<(), Failed> {
        let beside = self.path.with_extension("new");
        std::fs::write(&beside, self.text()?)?;
        Ok(std::fs::rename(&beside, &self.path)?)
    }

    fn text(&self) -> Result<String, Failed> {
        let mut endpoints: Vec<String> = (0..self.endpoints.len())
            .filter(|number| !self.away.contains(number))
            .map(|number| match self.drained.contains(&number) {
                true => format!("{{ address = {:?}, drain = true }}", self.endpoints[number]),
                false => format!("{:?}", self.endpoints[number]),
            })
            .collect();
        let turns = self.variation as usize % endpoints.len().max(1);
        endpoints.rotate_left(turns);
        let mut text = String::new();
        writeln!(text, "[backends.probe]\nendpoints = [{}]", endpoints.join(", "))?;
        writeln!(text, "{}", self.backend_lines)?;
        let timeout = self.timeout + self.variation % 3;
        for (matched, call) in [("GET /lookup/{key}", "probe.lookup"), ("POST /count", "probe.count")] {
            writeln!(text, "[[routes]]\nmatch = \"{matched}\"\ncall = \"{call}\"\nbackend = \"probe\"")?;
            writeln!(text, "timeout = \"{timeout}s\"\n{}", self.route_lines)?;
        }
        for number in 0..self.variation % 5 {
            writeln!(text, "[[routes]]\nmatch = \"GET /other/{}/{number}/{{key}}\"", self.variation % 7)?;
            writeln!(text, "call = \"probe.lookup\"\nbackend = \"probe\"")?;
        }
        Ok(text)
    }
}
