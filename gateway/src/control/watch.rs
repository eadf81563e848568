//! Says "look again" when the watched files may have changed.
//!
//! What the system tells about files is a hint and no more: it comes in bursts, names files that only passed by, and on
//! some file systems does not come at all. So a thread of its own waits for quiet (or, under continuous writing, for
//! long enough), reads what is there, and signals only if those are not the files it read before. Where no hint comes, it
//! looks every two seconds. Whoever is signalled reads again; a signal that was not needed does no harm.
//!
//! Folders are watched, not files: an editor replaces a file, and Kubernetes swaps a symlink beside it. Behind symlinks
//! the folders of their targets are watched too. All watches are set anew after each look, because a folder that was
//! replaced takes its watch with it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail so"))]

use crate::config::{gather, read};
use crate::supervise::{Supervisor, Task};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, event};
use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, io};
use tokio::sync::mpsc;

/// The most symlinks followed on one path; as many as Linux follows.
const MAX_LINKS: usize = 40;

/// How long things take.
#[derive(Clone, Copy, Debug)]
struct Timing {
    /// Writing is over when nothing was heard for so long.
    quiet: Duration,
    /// Under continuous writing it is looked at after so long all the same.
    longest: Duration,
    /// Without any hint it is looked at so often.
    poll: Duration,
}

const TIMING: Timing = Timing {
    quiet: Duration::from_millis(50),
    longest: Duration::from_millis(500),
    poll: Duration::from_secs(2),
};

/// Watches files and folders. Dropping it ends its thread.
#[derive(Debug)]
pub struct Watcher {
    changes: mpsc::Receiver<()>,
    hints: SyncSender<()>,
    stopped: Arc<AtomicBool>,
    next: Arc<Next>,
    thread: Option<JoinHandle<()>>,
}

/// Other paths, until the thread has taken them.
type Next = Mutex<Option<Vec<PathBuf>>>;

impl Watcher {
    /// Starts to watch. What changes after this returns is signalled; so start first, and then read.
    ///
    /// Paths that do not exist are waited for. Where the system gives no hints (no more inotify instances, say), that is
    /// logged, and the slow look remains.
    ///
    /// # Errors
    ///
    /// The thread cannot be started, or a path is empty.
    pub fn start(paths: &[PathBuf], supervisor: Arc<Supervisor>) -> io::Result<Watcher> {
        Watcher::start_with(paths, TIMING, true, supervisor)
    }

    fn start_with(
        paths: &[PathBuf],
        timing: Timing,
        hints: bool,
        supervisor: Arc<Supervisor>,
    ) -> io::Result<Watcher> {
        let (hint, hinted) = sync_channel(1);
        let (change, changes) = mpsc::channel(1);
        let stopped = Arc::new(AtomicBool::new(false));
        let next = Arc::<Next>::default();
        let mut look = Look {
            paths: paths.iter().map(std::path::absolute).collect::<io::Result<_>>()?,
            next: next.clone(),
            hints: hints.then(|| hint.clone()),
            source: None,
            folders: BTreeSet::new(),
            seen: 0,
            change,
        };
        // Here and not in the thread: a change right after this returns must not pass for the first state.
        look.watch_folders();
        look.seen = fingerprint(&look.paths);
        let stop = Arc::clone(&stopped);
        let turn = move || turn(&mut look, &hinted, &stop, timing);
        let thread = thread::Builder::new()
            .name("callgate-watch".to_owned())
            .spawn(move || supervisor.run_thread(Task::FileWatcher, turn))?;
        Ok(Watcher { changes, hints: hint, stopped, next, thread: Some(thread) })
    }

    /// Watches other paths from now on, which are absolute. Says once that they may have changed, so follow first, and then read.
    pub fn follow(&self, paths: Vec<PathBuf>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(paths);
        // Full is as good: the thread wakes for the hint that is there.
        let _ = self.hints.try_send(());
    }

    /// Waits until the files may have changed since the last call returned. Changes in between are one. Cancel safe.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            // The thread ends only with its owner, or with the process when it panics again and again.
            tracing::error!("the file watcher has ended; files are no longer reloaded");
            std::future::pending().await
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // Full is as good: the thread wakes for the hint that is there. It is not joined: a look at a file system that
        // hangs must not hold up whoever drops.
        let _ = self.hints.try_send(());
        drop(self.thread.take());
    }
}

/// The system's hints, made into one another: one that waits stands for all.
fn hint_source(hint: SyncSender<()>) -> Option<RecommendedWatcher> {
    let on_event = move |event: notify::Result<Event>| {
        if event.as_ref().map_or(true, |event| may_change(event.kind)) {
            let _ = hint.try_send(());
        }
    };
    RecommendedWatcher::new(on_event, Config::default())
        .inspect_err(|error| tracing::warn!(%error, "no file events; files are looked at every two seconds"))
        .ok()
}

/// Reading is an event as well, ours among it; without this the watcher would wake itself.
fn may_change(kind: EventKind) -> bool {
    use event::{AccessKind, AccessMode};
    !matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// Waits for a hint and looks; whether there is another turn.
fn turn(look: &mut Look, hinted: &Receiver<()>, stopped: &AtomicBool, timing: Timing) -> bool {
    if let Ok(()) = hinted.recv_timeout(timing.poll) {
        settle(hinted, stopped, timing);
    }
    if stopped.load(Ordering::Acquire) {
        return false;
    }
    look.again();
    true
}

/// Waits until hints cease, but not for ever.
fn settle(hinted: &Receiver<()>, stopped: &AtomicBool, timing: Timing) {
    let end = Instant::now() + timing.longest;
    while !stopped.load(Ordering::Acquire) {
        let left = end.saturating_duration_since(Instant::now());
        match hinted.recv_timeout(timing.quiet.min(left)) {
            Ok(()) if !left.is_zero() => {}
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// What the thread knows.
struct Look {
    paths: Vec<PathBuf>,
    next: Arc<Next>,
    /// Where hints go, until there is a source of them: who watches nothing needs none.
    hints: Option<SyncSender<()>>,
    source: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    seen: u64,
    change: mpsc::Sender<()>,
}

impl Look {
    fn again(&mut self) {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        let are_others = next.is_some();
        self.paths = next.unwrap_or_else(|| std::mem::take(&mut self.paths));
        // Watches first: what changes while it is read is then hinted at.
        self.watch_folders();
        let now = fingerprint(&self.paths);
        if now != self.seen || are_others {
            self.seen = now;
            // Full is as good: whoever has not looked yet will see this too.
            let _ = self.change.try_send(());
        }
    }

    /// Watches the folders that matter now, those that are watched already among them.
    fn watch_folders(&mut self) {
        if !self.paths.is_empty()
            && let Some(hint) = self.hints.take()
        {
            self.source = hint_source(hint);
        }
        let Some(source) = &mut self.source else { return };
        let mut folders = BTreeSet::new();
        for path in self.paths.iter().chain(&gather(&self.paths).files) {
            folders_of(path, &mut folders);
        }
        for gone in self.folders.difference(&folders) {
            let _ = source.unwatch(gone);
        }
        for folder in &folders {
            // One that went away in between is noticed by its parent's hint or the next look.
            if let Err(error) = source.watch(folder, RecursiveMode::NonRecursive) {
                tracing::debug!(folder = %folder.display(), %error, "cannot watch");
            }
        }
        self.folders = folders;
    }
}

/// What the watched paths hold: names, contents, and whether they can be read. Which file it is and when it was changed
/// belong to it too: a file that went away and came back as it was may have been missed by who read in between.
fn fingerprint(paths: &[PathBuf]) -> u64 {
    let gathered = gather(paths);
    let mut hash = DefaultHasher::new();
    for path in &gathered.files {
        path.hash(&mut hash);
        // Before the content: what is written in between shows at the next look.
        let identity = fs::metadata(path).map(|file| {
            let changed = (file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec());
            (file.dev(), file.ino(), changed)
        });
        identity.ok().hash(&mut hash);
        read(path).map_err(|error| error.kind()).hash(&mut hash);
    }
    for (path, error) in &gathered.unreadable {
        (path, error.kind()).hash(&mut hash);
    }
    hash.finish()
}

/// The folders in which something could change where a path leads: its own if it is one, the one it stands in, and
/// those of all symlinks on the way. Of a path that does not exist, the last folder that does.
fn folders_of(path: &Path, folders: &mut BTreeSet<PathBuf>) {
    let mut rest: VecDeque<OsString> = path.components().map(own).collect();
    let mut at = PathBuf::new();
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        if part == Component::ParentDir.as_os_str() {
            // Everything before is resolved, so that the text tells the parent.
            at.pop();
            continue;
        }
        let next = at.join(&part);
        let Ok(metadata) = fs::symlink_metadata(&next) else {
            folders.insert(at);
            return;
        };
        if metadata.is_symlink() {
            folders.insert(at.clone());
            links += 1;
            let Some(target) = fs::read_link(&next).ok().filter(|_| links <= MAX_LINKS) else {
                return;
            };
            if target.is_absolute() {
                at = PathBuf::new();
            }
            for part in target.components().rev() {
                rest.push_front(own(part));
            }
            continue;
        }
        if rest.is_empty() {
            folders.insert(at);
        }
        at = next;
    }
    if at.is_dir() {
        folders.insert(at);
    }
}

fn own(part: Component<'_>) -> OsString {
    part.as_os_str().to_owned()
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
