//! What a process uses, as the kernel counts it.

use std::fs;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// One process, by its number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process(pub(super) u32);

/// Processor time is looked at over so long.
const WINDOW: Duration = Duration::from_millis(200);
/// A process at rest uses at most so much of it.
const RESTS: Duration = Duration::from_millis(20);

impl Process {
    /// Its memory, in bytes.
    pub(super) fn resident(self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that its memory was since [`Process::forget_peak`].
    pub(super) fn peak(self) -> u64 {
        self.status("VmHWM:")
    }

    /// Has the kernel count its peak anew.
    pub(super) fn forget_peak(self) {
        fs::write(format!("/proc/{}/clear_refs", self.0), "5").expect("the process is ours");
    }

    /// How long it takes until it uses next to no processor time; none if it is still busy when `patience` ends.
    pub(super) async fn rests(self, patience: Duration) -> Option<Duration> {
        let begun = Instant::now();
        loop {
            let (before, waited) = (self.time(), begun.elapsed());
            sleep(WINDOW).await;
            if self.time() <= before + RESTS {
                return Some(waited);
            }
            if waited > patience {
                return None;
            }
        }
    }

    fn status(self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) << 10
    }

    /// Processor time of all its threads so far.
    fn time(self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0)).into_iter().flatten().flatten();
        let spent = tasks.filter_map(|task| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(spent.sum())
    }
}
