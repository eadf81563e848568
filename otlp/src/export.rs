//! The task that sends spans: in batches, each within a deadline, after a pause that grows where the collector does not take them.

use crate::batch::{Resource, rejected};
use crate::spans::{Lost, Spans};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// So long spans wait for others at most, before a request is sent.
const PERIOD: Duration = Duration::from_secs(1);
/// Bounds of the pause after a request that was not taken; it doubles from one to the other.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(30);
/// So often the same spans are sent.
const TRIES: u32 = 3;

/// What a collector has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has the spans, but for those that it names in this body.
    Taken(Vec<u8>),
    /// It takes nothing at the moment; how long it wants to be left alone, if it says so.
    Busy(Option<Duration>),
    /// It does not want them, ever.
    Refused,
    /// It has not said anything.
    Unreachable,
}

impl Answer {
    /// What a reply of HTTP means, with the seconds of its `Retry-After`.
    pub fn of(status: u16, retry_after: Option<u64>, body: &[u8]) -> Answer {
        match status {
            200..=299 => Answer::Taken(body.to_vec()),
            429 | 502 | 503 | 504 => Answer::Busy(retry_after.map(Duration::from_secs)),
            _ => Answer::Refused,
        }
    }

    fn lost(&self) -> Lost {
        match self {
            Answer::Busy(_) => Lost::Busy,
            Answer::Unreachable => Lost::Unreachable,
            Answer::Taken(_) | Answer::Refused => Lost::Refused,
        }
    }
}

/// What the task keeps from one request to the next.
#[derive(Debug)]
pub struct Course {
    rings: mpsc::Receiver<()>,
    ends: watch::Receiver<bool>,
    /// The pause that comes next.
    pause: Duration,
    /// Nothing is sent before.
    until: Option<Instant>,
}

impl Course {
    /// Of what [`Spans::new`] gives. When `ends` says so, or is gone, what is left is sent once, and that is the end.
    pub fn new(rings: mpsc::Receiver<()>, ends: watch::Receiver<bool>) -> Course {
        Course { rings, ends, pause: FIRST_PAUSE, until: None }
    }

    /// Whether the end has come.
    fn ends(&self) -> bool {
        *self.ends.borrow() || self.ends.has_changed().is_err()
    }

    /// Waits until it is time to send something.
    async fn wait(&mut self, spans: &Spans) {
        let Course { rings, ends, until, .. } = self;
        let time = async {
            // What has come while the queue was emptied has rung for nobody.
            if spans.are_none() && rings.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
            let period = Instant::now() + PERIOD;
            let full = async { while !spans.are_many() && rings.recv().await.is_some() {} };
            tokio::select! {
                () = sleep_until(period) => {}
                () = full => {}
            }
            if let Some(until) = *until {
                sleep_until(until).await;
            }
        };
        tokio::select! {
            () = time => {}
            // Gone is told as well.
            _ = ends.wait_for(|ends| *ends) => {}
        }
    }

    /// It was not taken: how long to leave the collector alone.
    fn fails(&mut self, answer: &Answer) -> Duration {
        let wanted = match answer {
            Answer::Busy(Some(time)) => (*time).min(LAST_PAUSE),
            _ => Duration::ZERO,
        };
        let pause = self.pause.mul_f64(0.5 + fastrand::f64() / 2.0).max(wanted);
        self.pause = (self.pause * 2).min(LAST_PAUSE);
        self.until = Some(Instant::now() + pause);
        pause
    }

    fn succeeds(&mut self) {
        (self.pause, self.until) = (FIRST_PAUSE, None);
    }
}

/// Sends spans, by requests that `post` makes and that have an end, until it is told to end.
pub async fn export<F: Future<Output = Answer>>(
    spans: &Spans,
    resource: &Resource,
    course: &mut Course,
    post: impl Fn(Vec<u8>) -> F,
) {
    loop {
        course.wait(spans).await;
        // What comes after this has to be sent by somebody else.
        let is_last = course.ends();
        loop {
            let (written, count) = spans.take();
            if count == 0 {
                break;
            }
            let is_heard = send(spans, (resource.request(&written), count), course, &post).await;
            if !is_heard && course.ends() {
                // Whoever does not take these does not take the others in the time that is left.
                return lose(spans);
            }
        }
        if is_last {
            return;
        }
    }
}

/// Sends a request with so many spans until the collector says what becomes of it, or too often. Says whether it has.
async fn send<F: Future<Output = Answer>>(
    spans: &Spans,
    (request, count): (Vec<u8>, u64),
    course: &mut Course,
    post: &impl Fn(Vec<u8>) -> F,
) -> bool {
    for tries in 1.. {
        let answer = post(request.clone()).await;
        match &answer {
            Answer::Taken(body) => {
                let rejected = rejected(body).min(count);
                spans.stats().sends(count - rejected);
                spans.stats().loses(Lost::Refused, rejected);
                course.succeeds();
                return true;
            }
            Answer::Refused => {
                spans.stats().loses(Lost::Refused, count);
                course.succeeds();
                return true;
            }
            Answer::Busy(_) | Answer::Unreachable => {
                let pause = course.fails(&answer);
                if tries == TRIES || course.ends() {
                    spans.stats().loses(answer.lost(), count);
                    break;
                }
                tokio::select! {
                    () = sleep(pause) => {}
                    _ = course.ends.wait_for(|ends| *ends) => {}
                }
            }
        }
    }
    false
}

/// What is left is lost.
fn lose(spans: &Spans) {
    loop {
        let (_, count) = spans.take();
        if count == 0 {
            return;
        }
        spans.stats().loses(Lost::Ended, count);
    }
}

#[cfg(test)]
mod tests;
