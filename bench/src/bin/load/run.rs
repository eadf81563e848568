//! The schedule: which request is due when, and on which connection it goes.

use crate::connection::Connection;
use crate::tally::Tally;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::time::Timespec;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long to wait for answers once no more requests are due.
const GRACE: Duration = Duration::from_secs(10);

struct Run<'a> {
    request: &'a [u8],
    /// Seconds between two requests; none: closed loop.
    interval: Option<f64>,
    start: Instant,
    end: Instant,
    /// Requests that were begun.
    begun: u64,
    epoll: OwnedFd,
    connections: Vec<Connection>,
    free: VecDeque<usize>,
    tally: Tally,
}

/// Sends requests for that long and waits for the answers.
pub(crate) fn run(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    rate: Option<f64>,
    duration: Duration,
) -> io::Result<Tally> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let mut open = Vec::with_capacity(connections);
    for place in 0..connections {
        let connection = Connection::open(address)?;
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(&epoll, &connection, EventData::new_u64(place as u64), flags)?;
        open.push(connection);
    }
    let start = Instant::now();
    let mut run = Run {
        request,
        interval: rate.map(|rate| 1.0 / rate),
        start,
        end: start + duration,
        begun: 0,
        epoll,
        free: (0..connections).collect(),
        connections: open,
        tally: Tally::new(rate),
    };
    run.drive()?;
    run.close();
    Ok(run.tally)
}

impl Run<'_> {
    fn drive(&mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(self.connections.len().max(1));
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let next = self.begin_due()?;
            let now = Instant::now();
            let all_answered = self.free.len() == self.connections.len();
            if (next.is_none() && all_answered) || now > self.end + GRACE {
                return Ok(());
            }
            let until = match next {
                Some(due) if !self.free.is_empty() => due,
                _ => self.end + GRACE,
            };
            let timeout = until.saturating_duration_since(now);
            let timeout =
                Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: timeout.subsec_nanos().into() };
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout))?;
            for event in events.drain(..) {
                let place = event.data.u64() as usize;
                if let Some(answered) = self.connections[place].advance(self.request, &mut buffer)? {
                    self.tally.answered(answered.due.elapsed(), answered.ok);
                    self.free.push_back(place);
                }
            }
        }
    }

    /// Begins what is due, as far as connections are free, and returns when the next is due; none if no more will be.
    fn begin_due(&mut self) -> io::Result<Option<Instant>> {
        loop {
            let now = Instant::now();
            let due = self.interval.map_or(now, |interval| self.start + self.offset(interval));
            if due >= self.end {
                return Ok(None);
            }
            if due > now {
                return Ok(Some(due));
            }
            let Some(place) = self.free.pop_front() else {
                return Ok(Some(due));
            };
            self.begun += 1;
            self.connections[place].send(self.request, due)?;
        }
    }

    fn offset(&self, interval: f64) -> Duration {
        Duration::from_secs_f64(self.begun as f64 * interval)
    }

    /// What is unanswered now has at least the latency that it has by now, and must not be left out.
    fn close(&mut self) {
        let under_way: Vec<Instant> = self.connections.iter().filter_map(Connection::due).collect();
        for due in under_way {
            self.tally.unanswered(due.elapsed());
        }
        while let Some(interval) = self.interval {
            let due = self.start + self.offset(interval);
            if due >= self.end {
                return;
            }
            self.begun += 1;
            self.tally.unanswered(due.elapsed());
        }
    }
}
