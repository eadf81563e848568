//! The thread that writes the log, and the queue between it and those who log.
//!
//! Whoever logs never waits: a line goes into a queue without locks, or is dropped and counted when the queue holds too
//! much. When a write fails, the thread keeps the line, pauses, and tries again. A pipe that nobody reads holds up this
//! thread and nothing else.

use crossbeam_queue::ArrayQueue;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// What the lines that wait may take together, in bytes.
const MAX_HELD: usize = 1024 * 1024;

/// A line counts for at least so many bytes.
const MIN_COST: usize = 128;

/// So the queue has a place for each line that [`MAX_HELD`] admits, the one included that is being written. Whoever logs
/// therefore never meets a place that the writer has not quite left, and never waits for the writer.
const PLACES: usize = MAX_HELD / MIN_COST;

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
        self.writer.unpark();
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
        Writer::start_on(File::from(io::stderr().as_fd().try_clone_to_owned()?))
    }

    fn start_on(mut out: impl Write + Send + 'static) -> io::Result<Writer> {
        let queue = Arc::new(Queue {
            lines: ArrayQueue::new(PLACES),
            held: AtomicUsize::new(0),
            failing: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            stats: Arc::default(),
        });
        let writing = queue.clone();
        let thread =
            thread::Builder::new().name("log".to_owned()).spawn(move || writing.write_to(&mut out))?;
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
    fn write_to(&self, out: &mut impl Write) {
        let mut told = 0;
        loop {
            if let Some(line) = self.lines.pop() {
                self.write_line(out, &line);
                self.held.fetch_sub(cost(&line), AcqRel);
            } else if self.ended.load(Acquire) {
                return;
            } else if !self.tell_drops(&mut told) {
                thread::park();
            }
        }
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

    /// Says in the log, once it is written again, how many lines it lacks; whether there was anything to say.
    fn tell_drops(&self, told: &mut u64) -> bool {
        let dropped = self.stats.full.load(Relaxed) - *told;
        if dropped > 0 {
            *told += dropped;
            tracing::warn!(dropped, "the log could not be written for a while; lines were dropped");
        }
        dropped > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// An output whose writes wait for what each of them is to do.
    struct Told {
        orders: Receiver<io::Result<usize>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Told {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let most = self.orders.recv().map_err(|_| io::Error::other("the test is over"))??;
            let written = bytes.len().min(most);
            self.written.lock().unwrap().extend_from_slice(&bytes[..written]);
            Ok(written)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    type Orders = Sender<io::Result<usize>>;

    fn told() -> (Writer, Orders, Arc<Mutex<Vec<u8>>>) {
        let (order, orders) = channel();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let writer = Writer::start_on(Told { orders, written: written.clone() }).unwrap();
        (writer, order, written)
    }

    fn until(what: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !what() {
            assert!(Instant::now() < end);
            thread::yield_now();
        }
    }

    #[test]
    fn a_write_that_fails_or_is_cut_short_is_continued() {
        let (writer, order, written) = told();
        writer.lines.put(b"first\n");
        writer.lines.put(b"second\n");
        for result in [
            Ok(2),
            Err(io::Error::from(io::ErrorKind::StorageFull)),
            Err(io::Error::from(io::ErrorKind::Interrupted)),
            Err(io::Error::from(io::ErrorKind::BrokenPipe)),
            Ok(0),
            Ok(100),
            Ok(100),
        ] {
            order.send(result).unwrap();
        }
        until(|| writer.lines.queue.held.load(Acquire) == 0);
        assert_eq!(*written.lock().unwrap(), b"first\nsecond\n");
        assert_eq!(writer.lines.stats().failed_writes.load(Relaxed), 3, "an interruption is no failure");
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted_while_a_write_hangs() {
        let (writer, order, written) = told();
        let line = [b'x'; MIN_COST];
        for _ in 0..PLACES + 7 {
            writer.lines.put(&line);
        }
        assert_eq!(writer.lines.stats().full.load(Relaxed), 7);
        for _ in 0..PLACES {
            order.send(Ok(MIN_COST)).unwrap();
        }
        until(|| writer.lines.queue.held.load(Acquire) == 0);
        assert_eq!(written.lock().unwrap().len(), MAX_HELD, "and nothing else");
        writer.lines.put(&line);
        assert_eq!(writer.lines.stats().full.load(Relaxed), 7, "there is room again");
        order.send(Ok(MIN_COST)).unwrap();
    }

    #[test]
    fn long_lines_count_by_their_length() {
        let (writer, _order, _) = told();
        writer.lines.put(&vec![b'x'; MAX_HELD + 1]);
        assert_eq!(writer.lines.stats().full.load(Relaxed), 1);
        writer.lines.put(&vec![b'x'; MAX_HELD]);
        writer.lines.put(b"\n");
        assert_eq!(writer.lines.stats().full.load(Relaxed), 2);
    }

    #[test]
    fn the_end_waits_for_the_last_lines_but_not_for_an_output_that_fails() {
        let (writer, order, written) = told();
        writer.lines.put(b"last\n");
        order.send(Ok(100)).unwrap();
        drop(writer);
        assert_eq!(*written.lock().unwrap(), b"last\n");
        let (writer, order, _) = told();
        writer.lines.put(b"lost\n");
        order.send(Err(io::Error::from(io::ErrorKind::BrokenPipe))).unwrap();
        until(|| writer.lines.queue.failing.load(Relaxed));
        let began = Instant::now();
        writer.flush(Duration::from_secs(60));
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn lines_of_many_threads_stay_whole() {
        const THREADS: usize = 4;
        const EACH: usize = 1000;
        let (order, orders) = channel();
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let writer = Writer::start_on(Told { orders, written: written.clone() }).unwrap();
        (0..THREADS * EACH).for_each(|_| order.send(Ok(usize::MAX)).unwrap());
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let lines = writer.lines();
                scope.spawn(move || (0..EACH).for_each(|n| lines.put(format!("{thread} {n}\n").as_bytes())));
            }
        });
        until(|| writer.lines.queue.held.load(Acquire) == 0);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        for thread in 0..THREADS {
            let mine = text.lines().filter_map(|line| line.strip_prefix(&format!("{thread} ")));
            assert!(mine.map(|n| n.parse::<usize>().unwrap()).eq(0..EACH), "all of them, in order");
        }
    }
}
