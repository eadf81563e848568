//! The thread that writes the log, and the queue between it and those who log.
//!
//! Whoever logs never waits: a line goes into a queue without locks, or is dropped and counted when the queue holds too
//! much. When a write fails, the thread keeps the line, pauses, and tries again. A pipe that nobody reads holds up this
//! thread and nothing else.
//!
//! To wake a thread costs whoever does it more than to make a line. So where lines come in numbers only one after a silence wakes the
//! writer. While lines come, it looks for them by itself, every few milliseconds.

use crossbeam_queue::ArrayQueue;
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, fence};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// What the lines that wait may take together, in bytes.
const MAX_HELD: usize = 1024 * 1024;

/// A line counts for at least so many bytes.
const MIN_COST: usize = 128;

/// So the queue has a place for each line that [`MAX_HELD`] admits, the one included that is being written. Whoever logs
/// therefore never meets a place that the writer has not quite left, and never waits for the writer.
const PLACES: usize = MAX_HELD / MIN_COST;

/// How long a writer of many lines rests between those that come one after the other. Many fit into half of the queue in that time; when it is full up
/// to there, the writer is woken.
const REST: Duration = Duration::from_millis(10);
const HALF: usize = MAX_HELD / 2;

/// Bounds of the pause after a failed write; it doubles from one to the other.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_millis(500);

/// How long the end of the process waits for the last lines.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// What the log has lost.
#[derive(Debug, Default)]
pub struct LogStats {
    /// Lines that were dropped because the queue was full.
    pub full: AtomicU64,
    /// Lines that were left out because too many of their kind came.
    pub repeated: AtomicU64,
    /// Writes that failed, each of which was tried again.
    pub failed_writes: AtomicU64,
}

/// Where lines are put.
#[derive(Debug)]
pub struct Lines {
    queue: Arc<Queue>,
    writer: Thread,
}

#[derive(Debug)]
struct Queue {
    lines: ArrayQueue<Box<[u8]>>,
    /// What the lines cost that wait or are being written.
    held: AtomicUsize,
    /// The writer sleeps until it is woken.
    asleep: AtomicBool,
    /// The last write has failed.
    failing: AtomicBool,
    /// Nobody puts lines here any more.
    ended: AtomicBool,
    stats: Arc<LogStats>,
}

impl Lines {
    /// Puts a line, which has its line end, into the queue; drops it and counts that when there is no room. Takes no lock and
    /// never waits.
    pub fn put(&self, line: &[u8]) {
        let queue = &*self.queue;
        let cost = cost(line);
        let held = queue.held.fetch_add(cost, AcqRel);
        // It cannot be refused by the queue when it is admitted here; if it were, it would be dropped as well.
        if held + cost > MAX_HELD || queue.lines.push(line.into()).is_err() {
            queue.held.fetch_sub(cost, AcqRel);
            queue.stats.full.fetch_add(1, Relaxed);
            return;
        }
        let is_half_full = held < HALF && held + cost >= HALF;
        // Either this sees that the writer sleeps, or the writer sees what is held, or both.
        fence(SeqCst);
        if is_half_full || queue.asleep.load(Relaxed) && queue.asleep.swap(false, Relaxed) {
            self.writer.unpark();
        }
    }

    /// What the log has lost.
    pub fn stats(&self) -> Arc<LogStats> {
        self.queue.stats.clone()
    }
}

fn cost(line: &[u8]) -> usize {
    line.len().max(MIN_COST)
}

/// What the subscriber writes to: one whole line with each call.
impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Owns the thread that writes. Dropping it waits a second at most for the lines that are left.
#[derive(Debug)]
pub struct Writer {
    lines: Arc<Lines>,
}

impl Writer {
    /// Starts the thread, which writes to standard error.
    ///
    /// # Errors
    ///
    /// There is no thread or no file descriptor for it.
    pub fn start() -> io::Result<Writer> {
        // Past the lock of `io::stderr`: others must not wait for it while a write hangs.
        Writer::start_on(
            File::from(io::stderr().as_fd().try_clone_to_owned()?),
            ("log", Duration::ZERO),
            |line| line,
        )
    }

    /// Starts one that writes the access log to standard output; `make` makes its lines of what was put.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn start_access_log(make: impl Fn(Box<[u8]>) -> Box<[u8]> + Send + 'static) -> io::Result<Writer> {
        Writer::start_on(File::from(io::stdout().as_fd().try_clone_to_owned()?), ("access log", REST), make)
    }

    /// Starts one that writes each record of many there, with one call if that takes all of it. `log`: what is written; `make` makes what is
    /// written of what was put.
    ///
    /// # Errors
    ///
    /// There is no thread for it.
    pub fn start_many(
        out: impl Write + Send + 'static,
        log: &'static str,
        make: impl Fn(Box<[u8]>) -> Box<[u8]> + Send + 'static,
    ) -> io::Result<Writer> {
        Writer::start_on(out, (log, REST), make)
    }

    /// `rest`: how long it rests while lines come.
    fn start_on(
        mut out: impl Write + Send + 'static,
        (log, rest): (&'static str, Duration),
        make: impl Fn(Box<[u8]>) -> Box<[u8]> + Send + 'static,
    ) -> io::Result<Writer> {
        let queue = Arc::new(Queue {
            lines: ArrayQueue::new(PLACES),
            held: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            stats: Arc::default(),
        });
        let writing = queue.clone();
        // Nothing in it is known to panic; if something does, the log goes on.
        let write = move || {
            while catch_unwind(AssertUnwindSafe(|| writing.write_to(&mut out, (log, rest), &make))).is_err() {
                thread::sleep(LAST_PAUSE);
            }
        };
        let thread = thread::Builder::new().name(log.replace(' ', "-")).spawn(write)?;
        Ok(Writer { lines: Arc::new(Lines { queue, writer: thread.thread().clone() }) })
    }

    /// Where to put lines.
    pub fn lines(&self) -> Arc<Lines> {
        self.lines.clone()
    }

    /// Waits until everything is written, as long as `limit` at most, and only while writes succeed.
    fn flush(&self, limit: Duration) {
        let queue = &self.lines.queue;
        let end = Instant::now() + limit;
        while queue.held.load(Acquire) > 0 && !queue.failing.load(Relaxed) && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.flush(FLUSH_LIMIT);
        self.lines.queue.ended.store(true, Release);
        self.lines.writer.unpark();
    }
}

impl Queue {
    /// The thread's work: writes until the owner is gone.
    fn write_to(
        &self,
        out: &mut impl Write,
        (log, rest): (&str, Duration),
        make: &impl Fn(Box<[u8]>) -> Box<[u8]>,
    ) {
        let (mut told, mut has_written) = (0, false);
        loop {
            if let Some(line) = self.lines.pop() {
                let cost = cost(&line);
                self.write_line(out, &make(line));
                self.held.fetch_sub(cost, AcqRel);
                has_written = true;
            } else if self.ended.load(Acquire) {
                return;
            } else if self.tell_drops(&mut told, log) {
                has_written = true;
            } else if mem::take(&mut has_written) && !rest.is_zero() {
                thread::park_timeout(rest);
            } else {
                self.sleep();
            }
        }
    }

    /// Waits until somebody puts a line, unless somebody has.
    fn sleep(&self) {
        self.asleep.store(true, Relaxed);
        fence(SeqCst);
        if self.held.load(Relaxed) == 0 && !self.ended.load(Acquire) {
            thread::park();
        }
        self.asleep.store(false, Relaxed);
    }

    /// Writes the whole line, however often that fails, unless the owner is gone.
    fn write_line(&self, out: &mut impl Write, line: &[u8]) {
        let mut rest = line;
        let mut pause = FIRST_PAUSE;
        while !rest.is_empty() {
            match out.write(rest) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(written) if written > 0 => {
                    rest = &rest[written..];
                    pause = FIRST_PAUSE;
                    self.failing.store(false, Relaxed);
                }
                Ok(_) | Err(_) => {
                    self.stats.failed_writes.fetch_add(1, Relaxed);
                    self.failing.store(true, Relaxed);
                    if self.ended.load(Acquire) {
                        return;
                    }
                    thread::sleep(pause);
                    pause = (pause * 2).min(LAST_PAUSE);
                }
            }
        }
    }

    /// Says in the process's log, once this one is written again, how many lines it lacks; whether there was anything to say.
    fn tell_drops(&self, told: &mut u64, log: &str) -> bool {
        let dropped = self.stats.full.load(Relaxed) - *told;
        if dropped > 0 {
            *told += dropped;
            tracing::warn!(dropped, "the {log} could not be written for a while; lines were dropped");
        }
        dropped > 0
    }
}

#[cfg(test)]
mod tests;
