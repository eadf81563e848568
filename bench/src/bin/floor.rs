//! The floor: what answering costs when nothing is done but asking the kernel. One thread, one epoll, and for each
//! request one read and one write of a fixed answer; of HTTP it knows where a request ends. No gateway can be cheaper,
//! because every gateway has to do this much, and then once more towards its backend.

use callgate_bench::message::{Message, Progress};
use clap::Parser;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use slab::Slab;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// Answers every request with the same bytes.
#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: SocketAddr,
    /// The file with the answer's body.
    #[arg(long)]
    body: PathBuf,
}

/// The event of the listening socket; connections have their place in the slab.
const LISTENER: u64 = u64::MAX;

/// Events taken in one turn.
const EVENTS: usize = 1024;

struct Floor {
    epoll: OwnedFd,
    listener: TcpListener,
    connections: Slab<(TcpStream, Message)>,
    answer: Vec<u8>,
    buffer: Vec<u8>,
}

fn main() -> io::Result<()> {
    let options = Options::parse();
    let body = std::fs::read(&options.body)?;
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    let listener = TcpListener::bind(options.listen)?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let buffer = vec![0; 128 * 1024];
    Floor { epoll, listener, connections: Slab::new(), answer, buffer }.run()
}

impl Floor {
    fn run(mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            epoll::wait(&self.epoll, spare_capacity(&mut events), None)?;
            for event in events.drain(..) {
                match event.data.u64() {
                    LISTENER => self.accept()?,
                    place => self.serve(place as usize),
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let (stream, _) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let entry = self.connections.vacant_entry();
            let data = EventData::new_u64(entry.key() as u64);
            epoll::add(&self.epoll, &stream, data, EventFlags::IN)?;
            entry.insert((stream, Message::default()));
        }
    }

    /// One read, and one write if that completed a request. The answer is small and the client has read the one before,
    /// so it always fits the socket's buffer; a connection where it does not, or that has ended, is closed.
    fn serve(&mut self, place: usize) {
        let Some((stream, message)) = self.connections.get_mut(place) else {
            return;
        };
        let served =
            stream.read(&mut self.buffer).and_then(|size| match message.feed(&self.buffer[..size]) {
                _ if size == 0 => Err(ErrorKind::UnexpectedEof.into()),
                Progress::Partial => Ok(()),
                Progress::Complete { .. } => stream.write_all(&self.answer),
            });
        match served {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Closing a socket takes it out of the epoll.
            Err(_) => drop(self.connections.remove(place)),
            Ok(()) => {}
        }
    }
}
