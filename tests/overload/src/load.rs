//! The open loop: requests at a fixed rate, whatever the answers do. The n-th is due at n / rate, and its latency counts from
//! then, whenever it could be sent; so a server that stalls is asked as much as before, and each late answer counts.

use crate::tally::Tally;
use memchr::memmem;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Who has no answer by then gives up.
const PATIENCE: Duration = Duration::from_secs(2);

/// A stream of requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    /// Their path.
    pub(crate) path: &'static str,
    /// How many a second.
    pub(crate) rate: f64,
}

/// Connections that are kept.
type Idle = Rc<RefCell<Vec<TcpStream>>>;

/// Sends the flows side by side; what came of the requests that were due after the warm-up, flow by flow.
pub(crate) async fn run(server: SocketAddr, flows: &[Flow], warm_up: Duration, time: Duration) -> Vec<Tally> {
    let idle = Idle::default();
    let tasks = LocalSet::new();
    let flows = flows.iter().map(|flow| tasks.spawn_local(send(server, *flow, idle.clone(), warm_up, time)));
    let flows: Vec<_> = flows.collect();
    tasks
        .run_until(async {
            let mut tallies = Vec::new();
            for flow in flows {
                tallies.push(flow.await.expect("a flow does not panic"));
            }
            tallies
        })
        .await
}

async fn send(server: SocketAddr, flow: Flow, idle: Idle, warm_up: Duration, time: Duration) -> Tally {
    let request: Rc<[u8]> = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", flow.path).into_bytes().into();
    let (start, tally) = (Instant::now(), Rc::new(RefCell::new(Tally::new(time))));
    let mut under_way = Vec::new();
    for n in 0.. {
        let offset = Duration::from_secs_f64(f64::from(n) / flow.rate);
        if offset >= warm_up + time {
            break;
        }
        sleep_until(start + offset).await;
        let (request, idle, tally) = (request.clone(), idle.clone(), tally.clone());
        under_way.push(spawn_local(async move {
            let due = start + offset;
            let answer = timeout_at(due + PATIENCE, ask(server, &request, &idle)).await;
            if offset >= warm_up {
                let status = answer.ok().and_then(Result::ok);
                tally.borrow_mut().ended(status, due.elapsed());
            }
        }));
        if under_way.len() > 10_000 {
            under_way.retain(|one| !one.is_finished());
        }
    }
    for one in under_way {
        one.await.expect("a request does not panic");
    }
    Rc::try_unwrap(tally).map(RefCell::into_inner).expect("all requests have ended")
}

async fn ask(server: SocketAddr, request: &[u8], idle: &Idle) -> io::Result<u16> {
    let kept = idle.borrow_mut().pop();
    let mut stream = match kept {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(server).await?;
            stream.set_nodelay(true)?;
            stream
        }
    };
    stream.write_all(request).await?;
    let mut answer = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(status) = whole(&answer) {
            idle.borrow_mut().push(stream);
            return Ok(status);
        }
    }
}

/// The status of an answer that is all there.
fn whole(answer: &[u8]) -> Option<u16> {
    let end = memmem::find(answer, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse::<usize>().ok()?;
    (answer.len() >= end + 4 + length).then(|| head.get(9..12)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is_there() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nab";
        for end in 0..answer.len() {
            assert_eq!(whole(&answer[..end]), None, "{end} bytes");
        }
        assert_eq!(whole(answer), Some(503));
    }
}
