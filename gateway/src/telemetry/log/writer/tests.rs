//! The writer on an output that does what each test tells it.

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
    let writer =
        Writer::start_on(Told { orders, written: written.clone() }, ("log", REST), |line| line).unwrap();
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
    let writer =
        Writer::start_on(Told { orders, written: written.clone() }, ("log", REST), |line| line).unwrap();
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

#[test]
fn a_line_after_a_silence_wakes_the_writer_and_others_do_not() {
    let (writer, order, written) = told();
    let queue = &writer.lines.queue;
    for n in 1..=3 {
        until(|| queue.asleep.load(Relaxed));
        writer.lines.put(b"alone\n");
        assert!(!queue.asleep.load(Relaxed), "whoever puts it wakes it, once");
        order.send(Ok(usize::MAX)).unwrap();
        until(|| written.lock().unwrap().len() == 6 * n);
    }
    // A line that comes while it rests is written without that.
    order.send(Ok(usize::MAX)).unwrap();
    order.send(Ok(usize::MAX)).unwrap();
    writer.lines.put(b"first\n");
    writer.lines.put(b"second\n");
    until(|| written.lock().unwrap().ends_with(b"first\nsecond\n"));
}

#[test]
fn no_line_is_left_behind_while_the_writer_falls_asleep() {
    let (order, orders) = channel();
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let writer =
        Writer::start_on(Told { orders, written: written.clone() }, ("log", REST), |line| line).unwrap();
    for n in 1..=200 {
        order.send(Ok(usize::MAX)).unwrap();
        // As near as can be to when it falls asleep.
        until(|| writer.lines.queue.asleep.load(Relaxed) || n % 2 == 0);
        writer.lines.put(b"x\n");
        until(|| written.lock().unwrap().len() == 2 * n);
    }
}
