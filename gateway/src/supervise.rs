//! What becomes of tasks and threads that panic.
//!
//! A panic is a mistake in the program, and must not cost more than it has to. Work that lasts is begun anew
//! (`supervised!`), after a pause that grows; a short task ends alone ([`Supervisor::guard`]). Either is counted and
//! logged. Work that the process cannot do without, and that panics again and again, ends the process: then
//! [`Supervisor::failed`] says which it was.
//!
//! What work must not lose when it is begun anew (a receiver, a listener, what it knows) belongs to whoever supervises
//! it, and is lent to it each time. Tasks of a worker, which are not `Send`, and all others are supervised by the same code.

use crate::telemetry::log::panic_message;
use pin_project_lite::pin_project;
use std::any::Any;
use std::future::Future;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Bounds of the pause before work is begun anew; it doubles from one to the other.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Work that has gone on for so long has got over its last panic.
const RECOVERED: Duration = Duration::from_secs(10);

/// After so many panics in a row, within some seconds, beginning anew does not help.
const MOST: u32 = 8;

macro_rules! tasks {
    ($($(#[$doc:meta])* $task:ident = $name:literal,)*) => {
        /// What is supervised. A closed list, because it is a label of a metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Task {
            $($(#[$doc])* $task,)*
        }

        impl Task {
            /// All of them, in their order.
            pub const ALL: &'static [Task] = &[$(Task::$task,)*];

            /// Its name in metrics and the log.
            pub fn name(self) -> &'static str {
                match self {
                    $(Task::$task => $name,)*
                }
            }
        }
    };
}

tasks! {
    /// Takes new tables.
    Control = "control",
    /// Looks which routes fit what instances offer.
    FitFollower = "fit_follower",
    /// The thread that watches the table files.
    FileWatcher = "file_watcher",
    /// A thread that makes a table.
    TableMaker = "table_maker",
    /// Looks one name up again and again.
    Name = "name",
    /// Fetches the keys at one URL again and again.
    KeyFetcher = "key_fetcher",
    /// Keeps on disk what names list.
    ListKeeper = "list_keeper",
    /// Accepts the connections of one listener.
    Acceptor = "acceptor",
    /// Accepts connections to the admin port.
    Admin = "admin",
    /// Offers the listening sockets to a successor.
    Upgrade = "upgrade",
    /// Gives its connections to a worker.
    Worker = "worker",
    /// Brings a worker in line with new tables.
    TableFollower = "table_follower",
    /// Reviews the health of a worker's instances.
    HealthReviewer = "health_reviewer",
    /// Closes a worker's client connections that have waited too long.
    Sweeper = "sweeper",
    /// Keeps a worker connected to one endpoint.
    Endpoint = "endpoint",
    /// Serves one client connection.
    ClientConnection = "client_connection",
    /// Serves one stream of a client connection of HTTP/2.
    ClientStream = "client_stream",
    /// Serves one connection to an instance.
    BackendConnection = "backend_connection",
    /// Serves one connection to the admin port.
    AdminConnection = "admin_connection",
    /// Tells one newcomer that there is no room.
    Refusal = "refusal",
    /// Says what would become of a request.
    DryRun = "dry_run",
    /// Has one idle connection make room.
    RoomMaker = "room_maker",
    /// Hands the sockets over to one successor.
    HandOver = "hand_over",
    /// Makes one copy of a call.
    ShadowCall = "shadow_call",
    /// Makes one call that nobody waits for.
    NotifiedCall = "notified_call",
    /// Sends the items of one call's request.
    ItemSender = "item_sender",
}

impl Task {
    /// Whether it may panic as often as it will: it concerns one endpoint, one name or one place of keys, and the process serves all others;
    /// or only the next start.
    fn may_go_on(self) -> bool {
        matches!(self, Task::Endpoint | Task::Name | Task::KeyFetcher | Task::ListKeeper)
    }
}

/// Counts panics, and knows when they are too many.
#[derive(Debug)]
pub struct Supervisor {
    panics: [AtomicU64; Task::ALL.len()],
    failed: watch::Sender<Option<Task>>,
    /// The tasks that a test has panic at their next turn.
    #[cfg(test)]
    faults: [std::sync::atomic::AtomicBool; Task::ALL.len()],
}

impl Default for Supervisor {
    fn default() -> Supervisor {
        Supervisor {
            panics: Default::default(),
            failed: watch::Sender::new(None),
            #[cfg(test)]
            faults: Default::default(),
        }
    }
}

impl Supervisor {
    /// For `supervised!`: no run yet.
    pub fn runs(&self, task: Task) -> Runs<'_> {
        Runs { supervisor: self, task, panics: 0 }
    }

    /// What `supervised!` does, on a thread: turn after turn, as long as a turn says that there is another.
    pub fn run_thread(&self, task: Task, mut turn: impl FnMut() -> bool) {
        let (mut panics, mut began) = (0, Instant::now());
        loop {
            match self.catch(task, &mut turn) {
                Some(true) => {}
                Some(false) => return,
                None => match self.pause(task, began, &mut panics) {
                    Some(pause) => {
                        std::thread::sleep(pause);
                        began = Instant::now();
                    }
                    None => return,
                },
            }
        }
    }

    /// Does a short task's work; `None` when it panics. What it owns must put itself right when it is dropped.
    pub fn guard<F: Future>(&self, task: Task, work: F) -> Guarded<'_, F> {
        Guarded { work, task, supervisor: self }
    }

    /// The same without waiting.
    pub fn catch<T>(&self, task: Task, work: impl FnOnce() -> T) -> Option<T> {
        let work = || {
            self.fail_if_told(task);
            work()
        };
        // Who is called again after a panic has borrowed state that is whole between two steps.
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(end) => Some(end),
            Err(panic) => {
                self.note(task, &*panic);
                None
            }
        }
    }

    /// How often each task has panicked.
    pub fn panics(&self) -> impl Iterator<Item = (Task, u64)> {
        Task::ALL.iter().map(|task| (*task, self.panics[*task as usize].load(Relaxed)))
    }

    /// The task without which the process cannot go on, if there is one.
    pub fn failed(&self) -> Option<Task> {
        *self.failed.borrow()
    }

    /// Waits until there is one.
    pub async fn has_failed(&self) -> Task {
        let mut failed = self.failed.subscribe();
        let task = failed.wait_for(Option::is_some).await.ok().and_then(|task| *task);
        match task {
            Some(task) => task,
            // Fails only when the sender is gone, which is here.
            None => std::future::pending().await,
        }
    }

    fn note(&self, task: Task, panic: &(dyn Any + Send)) {
        self.panics[task as usize].fetch_add(1, Relaxed);
        let (task, panic) = (task.name(), panic_message(panic));
        tracing::error!(task, panic, "a task has panicked");
    }

    /// How long to wait before work is begun anew that began then and has panicked; `None` when that does not help.
    fn pause(&self, task: Task, began: Instant, panics: &mut u32) -> Option<Duration> {
        *panics = if began.elapsed() < RECOVERED { *panics + 1 } else { 1 };
        if *panics >= MOST && !task.may_go_on() {
            let (task_name, panics) = (task.name(), *panics);
            tracing::error!(task = task_name, panics, "a task panics again and again, the process ends");
            self.failed.send_if_modified(|failed| failed.is_none() && failed.replace(task).is_none());
            return None;
        }
        Some(FIRST_PAUSE.saturating_mul(1 << (*panics - 1).min(16)).min(LAST_PAUSE))
    }

    /// Has the task panic at its next turn.
    #[cfg(test)]
    pub(crate) fn fail(&self, task: Task) {
        self.faults[task as usize].store(true, Relaxed);
    }

    #[cfg(test)]
    fn fail_if_told(&self, task: Task) {
        assert!(!self.faults[task as usize].swap(false, Relaxed), "as the test has told");
    }

    /// Nothing tells the product's tasks to.
    #[cfg(not(test))]
    fn fail_if_told(&self, _: Task) {}
}

/// Does work that lasts, and begins it anew whenever it panics: `supervised!(supervisor, task, work)`, where `work` makes a
/// future for each run. What it ends with; `None` when it has panicked too often, which ends the process.
///
/// A macro, because runs borrow what they are lent: of an async closure that does so, no compiler can prove yet that its
/// future is `Send`.
macro_rules! supervised {
    ($supervisor:expr, $task:expr, $work:expr) => {{
        let mut runs = $supervisor.runs($task);
        loop {
            if let std::ops::ControlFlow::Break(end) = runs.once($work).await {
                break end;
            }
        }
    }};
}
pub(crate) use supervised;

/// Work that lasts, from run to run.
pub struct Runs<'a> {
    supervisor: &'a Supervisor,
    task: Task,
    /// In a row.
    panics: u32,
}

impl Runs<'_> {
    /// One run, and the pause before the next one if it has panicked.
    pub async fn once<F: Future>(&mut self, work: F) -> ControlFlow<Option<F::Output>> {
        let began = Instant::now();
        if let Some(end) = self.supervisor.guard(self.task, work).await {
            return ControlFlow::Break(Some(end));
        }
        match self.supervisor.pause(self.task, began, &mut self.panics) {
            Some(pause) => sleep(pause).await,
            None => return ControlFlow::Break(None),
        }
        ControlFlow::Continue(())
    }
}

pin_project! {
    /// A future that ends with `None` when the one in it panics.
    pub struct Guarded<'a, F> {
        #[pin]
        work: F,
        task: Task,
        supervisor: &'a Supervisor,
    }
}

impl<F: Future> Future for Guarded<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let this = self.project();
        match this.supervisor.catch(*this.task, || this.work.poll(cx)) {
            Some(polled) => polled.map(Some),
            None => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests;
