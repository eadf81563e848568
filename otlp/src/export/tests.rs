//! Collectors that take spans, and such that do not. Time is paused: what waits, waits as long as the clock says, and no longer.

use super::*;
use crate::{Kind, Span};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::SystemTime;

/// A collector that gives these answers, and then takes everything.
struct Collector {
    answers: RefCell<VecDeque<Answer>>,
    /// When it was asked.
    asked: RefCell<Vec<Duration>>,
    began: Instant,
}

impl Collector {
    fn new(answers: impl IntoIterator<Item = Answer>) -> Collector {
        let answers = RefCell::new(answers.into_iter().collect());
        Collector { answers, asked: RefCell::default(), began: Instant::now() }
    }

    async fn post(&self, _: Vec<u8>) -> Answer {
        self.asked.borrow_mut().push(self.began.elapsed());
        let next = self.answers.borrow_mut().pop_front();
        next.unwrap_or(Answer::Taken(Vec::new()))
    }

    fn asked(&self) -> usize {
        self.asked.borrow().len()
    }
}

fn put(spans: &Spans, count: u32) {
    for _ in 0..count {
        let mut written = Vec::new();
        Span::new(1, 2, 0, Kind::Server, "x").end(SystemTime::UNIX_EPOCH, &mut written);
        spans.put(written, 1);
    }
}

fn fates(spans: &Spans) -> (u64, Vec<(&'static str, u64)>) {
    let lost = Lost::ALL.map(|why| (why.name(), spans.stats().lost(why)));
    (spans.stats().sent(), lost.into_iter().filter(|(_, n)| *n > 0).collect())
}

/// Runs the task until `done`, then ends it.
async fn run(spans: &Spans, rings: mpsc::Receiver<()>, collector: &Collector, done: impl Fn() -> bool) {
    let (end, ends) = watch::channel(false);
    let mut course = Course::new(rings, ends);
    let resource = Resource::new([], ("test", "1"));
    let ended = async {
        while !done() {
            sleep(Duration::from_millis(100)).await;
        }
        end.send_replace(true);
    };
    tokio::join!(export(spans, &resource, &mut course, |body| collector.post(body)), ended);
}

#[tokio::test(start_paused = true)]
async fn spans_wait_for_others_and_go_together() {
    let (spans, rings) = Spans::new();
    let collector = Collector::new([]);
    put(&spans, 3);
    run(&spans, rings, &collector, || collector.asked() > 0).await;
    assert_eq!(*collector.asked.borrow(), [PERIOD]);
    assert_eq!(fates(&spans), (3, vec![]));
}

#[tokio::test(start_paused = true)]
async fn many_spans_do_not_wait() {
    let (spans, rings) = Spans::new();
    let collector = Collector::new([]);
    put(&spans, 600);
    run(&spans, rings, &collector, || spans.stats().sent() == 600).await;
    assert!(collector.asked.borrow()[0] < PERIOD, "{:?}", collector.asked);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_is_sent_again_after_a_pause_and_given_up_in_the_end() {
    for (answer, name) in [(Answer::Unreachable, "unreachable"), (Answer::Busy(None), "busy")] {
        let (spans, rings) = Spans::new();
        let collector = Collector::new(vec![answer.clone(); 3]);
        put(&spans, 2);
        run(&spans, rings, &collector, || collector.asked() == 3).await;
        assert_eq!(fates(&spans), (0, vec![(name, 2)]));
        let asked = collector.asked.borrow();
        let pauses: Vec<Duration> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses[0] >= FIRST_PAUSE / 2 && pauses[0] <= FIRST_PAUSE, "{pauses:?}");
        assert!(pauses[1] >= FIRST_PAUSE && pauses[1] <= FIRST_PAUSE * 2, "{pauses:?}");
    }
    let (spans, rings) = Spans::new();
    let wanted = Duration::from_secs(7);
    let collector = Collector::new([Answer::Busy(Some(wanted))]);
    put(&spans, 2);
    run(&spans, rings, &collector, || collector.asked() == 2).await;
    assert_eq!(fates(&spans), (2, vec![]));
    assert_eq!(collector.asked.borrow()[1] - collector.asked.borrow()[0], wanted);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_sent_again() {
    let (spans, rings) = Spans::new();
    // Of the second request one span.
    let collector = Collector::new([Answer::Refused, Answer::Taken(vec![0x0a, 2, 8, 1])]);
    put(&spans, 2);
    let again = || {
        if collector.asked() == 1 && spans.stats().lost(Lost::Refused) == 2 {
            put(&spans, 2);
        }
        collector.asked() == 2
    };
    run(&spans, rings, &collector, again).await;
    let (sent, lost) = fates(&spans);
    assert!(sent >= 1 && lost == [("refused", 3)], "{sent} {lost:?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_sends_what_is_left_once() {
    for (answers, sent, lost) in
        [(vec![], 1200, &[][..]), (vec![Answer::Unreachable; 5], 0, &["unreachable", "ended"])]
    {
        let (spans, rings) = Spans::new();
        let (collector, began) = (Collector::new(answers), Instant::now());
        put(&spans, 1200);
        run(&spans, rings, &collector, || true).await;
        let (has_sent, has_lost) = fates(&spans);
        assert_eq!((has_sent, has_sent + has_lost.iter().map(|(_, n)| n).sum::<u64>()), (sent, 1200));
        assert_eq!(has_lost.iter().map(|(why, _)| *why).collect::<Vec<_>>(), lost);
        assert_eq!(began.elapsed(), Duration::ZERO, "nothing is waited for");
    }
}

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_takes_others_later() {
    let (spans, _rings) = Spans::new();
    put(&spans, 10_000);
    let (_, lost) = fates(&spans);
    assert_eq!(lost, [("full", 10_000 - 8192)]);
    let taken = spans.take().1;
    put(&spans, 1);
    assert!(taken > 0 && fates(&spans).1 == [("full", 10_000 - 8192)]);
}
