//! A DNS server on loopback, over UDP and TCP, whose answers a test sets while it runs. It can be silent, or fail.

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, SOA, SRV};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

/// What every record says, and every answer that there is none, in seconds.
const TTL: u32 = 1;

/// The longest answer in a datagram, in bytes; longer ones say that they are cut short.
const MAX_DATAGRAM: usize = 1232;

/// How the server behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// It answers what was set.
    #[default]
    Well,
    /// It answers nothing.
    Silent,
    /// It says that it has failed.
    ServFail,
    /// It says that it will not answer.
    Refused,
}

#[derive(Default)]
struct Zone {
    mood: Mood,
    addresses: HashMap<String, Vec<IpAddr>>,
    services: HashMap<String, Vec<SRV>>,
    aliases: HashMap<String, String>,
    asked: HashMap<String, u64>,
}

/// The server; it ends when it is dropped.
pub struct Dns {
    addr: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    _tasks: JoinSet<()>,
}

impl Dns {
    /// Starts one that knows no name.
    pub async fn start() -> Dns {
        let zone: Arc<Mutex<Zone>> = Arc::default();
        let (udp, tcp) = sockets().await;
        let addr = udp.local_addr().expect("a bound socket has an address");
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_datagrams(udp, zone.clone()));
        tasks.spawn(serve_streams(tcp, zone.clone()));
        Dns { addr, zone, _tasks: tasks }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn zone(&self) -> MutexGuard<'_, Zone> {
        lock(&self.zone)
    }

    /// The name has these addresses from now on, of either family; without any it exists and has none.
    pub fn set(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|text| text.parse().expect("a test writes addresses")).collect();
        self.zone().addresses.insert(name.to_owned(), addresses);
    }

    /// The service has these records from now on: priority, weight, port and host each.
    pub fn set_service(&self, name: &str, records: &[(u16, u16, u16, &str)]) {
        let record = |(priority, weight, port, host): &(u16, u16, u16, &str)| {
            SRV::new(*priority, *weight, *port, whole(host))
        };
        self.zone().services.insert(name.to_owned(), records.iter().map(record).collect());
    }

    /// The name stands for another one.
    pub fn alias(&self, name: &str, other: &str) {
        self.zone().aliases.insert(name.to_owned(), other.to_owned());
    }

    /// The name does not exist any more.
    pub fn remove(&self, name: &str) {
        self.zone().addresses.remove(name);
    }

    /// Behaves so from now on.
    pub fn be(&self, mood: Mood) {
        self.zone().mood = mood;
    }

    /// How often it was asked for the name.
    pub fn asked(&self, name: &str) -> u64 {
        self.zone().asked.get(name).copied().unwrap_or_default()
    }
}

/// Both of one port.
async fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let addr = udp.local_addr().expect("a bound socket has an address");
        if let Ok(tcp) = TcpListener::bind(addr).await {
            return (udp, tcp);
        }
    }
}

async fn serve_datagrams(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    let mut datagram = [0; 4096];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut datagram).await else { continue };
        if let Some(answer) = answer(&datagram[..length], &zone, MAX_DATAGRAM) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn serve_streams(listener: TcpListener, zone: Arc<Mutex<Zone>>) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.spawn(serve_stream(stream, zone.clone()));
    }
}

async fn serve_stream(mut stream: TcpStream, zone: Arc<Mutex<Zone>>) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; length.into()];
        if stream.read_exact(&mut question).await.is_err() {
            return;
        }
        if let Some(answer) = answer(&question, &zone, usize::from(u16::MAX)) {
            let length = u16::try_from(answer.len()).expect("within the bound");
            let framed = [&length.to_be_bytes()[..], &answer].concat();
            if stream.write_all(&framed).await.is_err() {
                return;
            }
        }
    }
}

/// The answer to a question, at most that long; `None` for silence.
fn answer(question: &[u8], zone: &Mutex<Zone>, most: usize) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).ok()?;
    let query = question.queries.first()?.clone();
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.metadata.recursion_desired = question.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    let mut zone = lock(zone);
    let name = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
    *zone.asked.entry(name.clone()).or_default() += 1;
    let kind = query.query_type();
    answer.add_query(query);
    match zone.mood {
        Mood::Silent => return None,
        Mood::ServFail => answer.metadata.response_code = ResponseCode::ServFail,
        Mood::Refused => answer.metadata.response_code = ResponseCode::Refused,
        Mood::Well => zone.answer(name, kind, &mut answer),
    }
    let bytes = answer.to_vec().expect("what was made can be written");
    if bytes.len() <= most {
        return Some(bytes);
    }
    answer.answers.clear();
    answer.metadata.truncation = true;
    Some(answer.to_vec().expect("what was made can be written"))
}

impl Zone {
    fn answer(&self, mut name: String, kind: RecordType, answer: &mut Message) {
        while let Some(other) = self.aliases.get(&name) {
            answer.add_answer(record(&name, RData::CNAME(CNAME(whole(other)))));
            name = other.clone();
        }
        if let Some(services) = self.services.get(&name).filter(|_| kind == RecordType::SRV) {
            answer.add_answers(services.iter().map(|srv| record(&name, RData::SRV(srv.clone()))));
            return;
        }
        let Some(addresses) = self.addresses.get(&name) else {
            answer.metadata.response_code = ResponseCode::NXDomain;
            answer.add_authority(nothing());
            return;
        };
        let data = addresses.iter().filter_map(|address| match (address, kind) {
            (IpAddr::V4(ip), RecordType::A) => Some(RData::A(A(*ip))),
            (IpAddr::V6(ip), RecordType::AAAA) => Some(RData::AAAA(AAAA(*ip))),
            _ => None,
        });
        let records: Vec<Record> = data.map(|data| record(&name, data)).collect();
        if records.is_empty() {
            answer.add_authority(nothing());
        }
        answer.add_answers(records);
    }
}

fn record(name: &str, data: RData) -> Record {
    Record::from_rdata(whole(name), TTL, data)
}

/// Says for how long there is nothing.
fn nothing() -> Record {
    let soa = SOA::new(whole("ns.test"), whole("admin.test"), 1, 60, 60, 60, TTL);
    record("test", RData::SOA(soa))
}

fn whole(name: &str) -> Name {
    let mut name = Name::from_ascii(name).expect("a test writes names");
    name.set_fqdn(true);
    name
}

fn lock(zone: &Mutex<Zone>) -> MutexGuard<'_, Zone> {
    zone.lock().expect("nobody panics with it")
}
