//! What came of the requests: every latency, kept until the end.

use serde::Serialize;
use std::time::{Duration, Instant};

/// Latencies, and the answers that were none.
pub(crate) struct Tally {
    begun: Instant,
    rate: Option<f64>,
    latencies: Vec<Duration>,
    answered: u64,
    errors: u64,
    unanswered: u64,
}

/// What is printed. Times in microseconds.
#[derive(Serialize)]
pub(crate) struct Summary {
    /// The rate that was asked for.
    rate: Option<f64>,
    /// Answers of whatever status.
    requests: u64,
    /// Answers of another status than 200.
    errors: u64,
    /// Requests that were due and had no answer in time; their latency so far is counted.
    unanswered: u64,
    seconds: f64,
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
    max_us: f64,
}

impl Tally {
    pub(crate) fn new(rate: Option<f64>) -> Tally {
        let (latencies, answered, errors, unanswered) = (Vec::new(), 0, 0, 0);
        Tally { begun: Instant::now(), rate, latencies, answered, errors, unanswered }
    }

    pub(crate) fn answered(&mut self, latency: Duration, ok: bool) {
        self.latencies.push(latency);
        self.answered += 1;
        self.errors += u64::from(!ok);
    }

    pub(crate) fn unanswered(&mut self, latency: Duration) {
        self.latencies.push(latency);
        self.unanswered += 1;
    }

    pub(crate) fn summary(mut self) -> Summary {
        self.latencies.sort_unstable();
        // The least latency that so large a part of the requests does not exceed.
        let at = |part: f64| {
            let rank = (part * self.latencies.len() as f64).ceil() as usize;
            let latency = self.latencies.get(rank.saturating_sub(1)).copied().unwrap_or_default();
            latency.as_nanos() as f64 / 1000.0
        };
        Summary {
            rate: self.rate,
            requests: self.answered,
            errors: self.errors,
            unanswered: self.unanswered,
            seconds: self.begun.elapsed().as_secs_f64(),
            p50_us: at(0.5),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: at(1.0),
        }
    }
}
