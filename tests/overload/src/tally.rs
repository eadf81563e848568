//! What came of requests: how many were answered well and in time, and how long those took.

use std::time::Duration;

/// A later answer is of no use. The route's timeout, too.
pub(crate) const IN_TIME: Duration = Duration::from_millis(500);

/// What came of a flow's requests.
#[derive(Debug)]
pub(crate) struct Tally {
    time: Duration,
    /// How long the good ones took.
    good: Vec<Duration>,
    /// How long it took to be turned away.
    shed: Vec<Duration>,
    late: u64,
}

impl Tally {
    /// Of requests in so long a time.
    pub(crate) fn new(time: Duration) -> Tally {
        Tally { time, good: Vec::new(), shed: Vec::new(), late: 0 }
    }

    /// A request has ended, with that status or none.
    pub(crate) fn ended(&mut self, status: Option<u16>, took: Duration) {
        match status {
            Some(200) if took <= IN_TIME => self.good.push(took),
            Some(503) => self.shed.push(took),
            _ => self.late += 1,
        }
    }

    /// Good answers a second.
    pub(crate) fn goodput(&self) -> f64 {
        self.good.len() as f64 / self.time.as_secs_f64()
    }

    /// What part of all requests was answered well.
    pub(crate) fn success(&self) -> f64 {
        self.good.len() as f64
            / (self.good.len() + self.shed.len()).saturating_add(self.late as usize).max(1) as f64
    }

    /// Requests a second that were turned away, and those that were late or not answered at all.
    pub(crate) fn lost(&self) -> (f64, f64) {
        let seconds = self.time.as_secs_f64();
        (self.shed.len() as f64 / seconds, self.late as f64 / seconds)
    }

    /// What so large a part of the good answers took at most, in milliseconds.
    pub(crate) fn percentile(&self, part: f64) -> f64 {
        at(&self.good, part)
    }

    /// The same of those that were turned away.
    pub(crate) fn shed_percentile(&self, part: f64) -> f64 {
        at(&self.shed, part)
    }
}

fn at(times: &[Duration], part: f64) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    let rank = (part * times.len() as f64).ceil() as usize;
    times.get(rank.saturating_sub(1)).copied().unwrap_or_default().as_secs_f64() * 1000.0
}
