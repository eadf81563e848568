//! The attackers: connections that write as fast as the gateway reads, and that read or do not.

use super::{Begin, Flood, Size};
use crate::client::Socket;
use crate::frame::{Frame, PREFACE};
use crate::target::Target;
use crate::tls::Tls;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// Units go out together up to so many bytes.
const BATCH: usize = 64 << 10;

/// An attacker that cannot write for so long has filled all that the gateway reads ahead, and waits.
const STUCK: Duration = Duration::from_secs(1);

/// For how long a connection stays open behind its last unit, unless the gateway ends it.
const HOLD: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// What became of all connections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) connections: usize,
    /// Those that the gateway has ended.
    pub(super) ended: usize,
    /// Units that were written.
    pub(super) units: u64,
}

/// All connections at once, until each has sent everything or was ended.
pub(super) async fn run(flood: &Flood, size: Size, target: &Target) -> Outcome {
    let (begin, opening, unit, reads) = (flood.begin, flood.opening, flood.unit, flood.reads);
    let (connections, units) = (size.of(flood.connections), size.of(flood.units));
    let mut attackers = JoinSet::new();
    for _ in 0..connections {
        let (http2, https, tls) = (target.http2, target.https, target.tls.clone());
        attackers.spawn(async move {
            let Ok((socket, mut said)) = begun(begin, http2, https, &tls).await else { return (0, true) };
            said.extend(opening());
            let mut attacker = Attacker::new(socket, reads);
            let sent = attacker.flood(said, unit, units).await;
            (sent, attacker.ended_within(size.of(HOLD)).await)
        });
    }
    let mut outcome = Outcome { connections, ..Outcome::default() };
    while let Some(Ok((sent, ended))) = attackers.join_next().await {
        outcome.units += u64::from(sent);
        outcome.ended += usize::from(ended);
    }
    outcome
}

/// A connection, and what is to be said on it first.
async fn begun(
    begin: Begin,
    http2: SocketAddr,
    https: SocketAddr,
    tls: &Tls,
) -> io::Result<(Box<dyn Socket>, Vec<u8>)> {
    Ok(match begin {
        Begin::Http2(settings) => {
            let said = [PREFACE.to_vec(), Frame::settings(settings).bytes()].concat();
            (Box::new(TcpStream::connect(http2).await?), said)
        }
        Begin::Silent => (Box::new(TcpStream::connect(http2).await?), Vec::new()),
        Begin::HalfHello => (Box::new(TcpStream::connect(https).await?), tls.half_hello()),
        Begin::Tls => (tls.connect(https).await?, Vec::new()),
    })
}

/// One connection.
struct Attacker {
    writer: WriteHalf<Box<dyn Socket>>,
    reader: Reader,
}

/// Reads, and ends with the connection; or has what nobody reads.
enum Reader {
    Reads(JoinHandle<()>),
    Deaf(ReadHalf<Box<dyn Socket>>),
}

impl Attacker {
    fn new(socket: Box<dyn Socket>, reads: bool) -> Attacker {
        let (reader, writer) = tokio::io::split(socket);
        let reader = if reads { Reader::Reads(tokio::spawn(discard(reader))) } else { Reader::Deaf(reader) };
        Attacker { writer, reader }
    }

    /// Sends what is there and then the units, as far as the gateway takes them; how many that were.
    async fn flood(&mut self, mut batch: Vec<u8>, unit: fn(u32) -> Vec<u8>, units: u32) -> u32 {
        let mut next = 0;
        while next < units || !batch.is_empty() {
            let begun = next;
            while next < units && batch.len() < BATCH {
                batch.extend(unit(next));
                next += 1;
            }
            if !matches!(timeout(STUCK, self.writer.write_all(&batch)).await, Ok(Ok(()))) {
                return begun;
            }
            batch.clear();
        }
        units
    }

    /// Whether the gateway ends the connection by itself, within that time.
    async fn ended_within(self, hold: Duration) -> bool {
        match self.reader {
            Reader::Reads(reading) => timeout(hold, reading).await.is_ok(),
            Reader::Deaf(reader) => timeout(hold, discard(reader)).await.is_ok(),
        }
    }
}

async fn discard(mut reader: ReadHalf<Box<dyn Socket>>) {
    let mut buffer = vec![0; 16 << 10];
    while reader.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
}
