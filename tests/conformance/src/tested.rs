//! The tested side, as a case sees it: an acceptor that is connected to, or a connector that is told to call.

use crate::driver::{Driver, Outcome};
use crate::frame::kind;
use crate::heard::{Call, Side};
use crate::hello::Hello;
use crate::peer::Peer;
use crate::service::{ECHO, Offer, SERVICE, service};
use crate::socket::{self, Read1};
use crate::verdict::{Step, Stop, breaks, broken, check, section};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// Between two tries, where there is nothing to wait on.
const PAUSE: Duration = Duration::from_millis(10);

/// A tested acceptor.
#[derive(Clone, Debug)]
pub struct Acceptor {
    pub address: String,
    pub patience: Duration,
}

impl Acceptor {
    /// Connects, and says nothing.
    pub fn connect(&self) -> Step<Peer> {
        let deadline = Instant::now() + self.patience;
        loop {
            match socket::connect(&self.address) {
                Ok(stream) => return Ok(Peer::new(stream, Side::Acceptor, self.patience)),
                // After `drain` it takes a moment until it listens again.
                Err(_) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Err(error) => return broken(format!("{} cannot be connected to: {error}", self.address)),
            }
        }
    }

    /// Connects and shakes hands.
    pub fn open(&self) -> Step<Peer> {
        self.open_with(&Hello::new())
    }

    /// Connects and shakes hands with that HELLO.
    pub fn open_with(&self, hello: &Hello) -> Step<Peer> {
        let mut peer = self.connect()?;
        peer.say_hello(hello)?;
        peer.hear_hello()?;
        Ok(peer)
    }
}

/// A tested connector, and the program that makes it call.
#[derive(Debug)]
pub struct Connector {
    listener: TcpListener,
    driver: Driver,
    patience: Duration,
    /// Whether it speaks streams, once its HELLO was heard.
    speaks_streams: Option<bool>,
}

impl Connector {
    /// Takes the listener, to which the connector connects, and its driver.
    pub fn new(listener: TcpListener, driver: Driver, patience: Duration) -> Connector {
        Connector { listener, driver, patience, speaks_streams: None }
    }

    /// The next connection, of which magic and HELLO are read. Nothing is said on it yet.
    pub fn accept(&mut self) -> Step<Peer> {
        let deadline = Instant::now() + self.patience;
        loop {
            let mut peer = self.accepted(deadline)?;
            peer.hear_hello()?;
            self.speaks_streams = Some(peer.told()?.streams.is_some());
            match peer.read(Instant::now())? {
                Read1::Nothing => return Ok(peer),
                // It has waited for our HELLO as long as it wants to, while nobody took it.
                Read1::Frame(frame) if frame.kind == kind::GO_AWAY => {}
                Read1::Frame(frame) => {
                    return breaks(section::FRAME, format!("{frame} came before our HELLO"));
                }
                // One of before, which the connector has given up while nobody took it.
                Read1::End(_) => {}
            }
        }
    }

    /// The next connection, of which nothing is read.
    pub fn accepted(&mut self, deadline: Instant) -> Step<Peer> {
        let ready = self.listener.set_nonblocking(true);
        loop {
            match ready
                .as_ref()
                .map_err(|error| error.kind())
                .and_then(|()| self.listener.accept().map_err(|e| e.kind()))
            {
                Ok((stream, _)) => {
                    let _ = stream.set_nonblocking(false);
                    return Ok(Peer::new(stream, Side::Connector, self.patience));
                }
                Err(ErrorKind::WouldBlock) if Instant::now() < deadline => std::thread::sleep(PAUSE),
                Err(_) => return broken("the connector does not connect"),
            }
        }
    }

    /// The next connection after the handshake, in which `echo` is offered.
    pub fn open(&mut self) -> Step<Peer> {
        self.open_with(&offering(&[Offer::echo("")]))
    }

    /// The same with that HELLO.
    pub fn open_with(&mut self, hello: &Hello) -> Step<Peer> {
        let mut peer = self.accept()?;
        peer.schemas.push(ECHO.schema(""));
        peer.say_hello(hello)?;
        Ok(peer)
    }

    /// Has the connector call `echo` with a text of that many bytes; gives the driver's name of the call.
    pub fn call(&mut self, bytes: usize) -> Step<u32> {
        self.driver.call(bytes, self.patience * 2)
    }

    /// The same within that time.
    pub fn call_within(&mut self, bytes: usize, time: Duration) -> Step<u32> {
        self.driver.call(bytes, time)
    }

    /// What is for connectors that speak streams only. It is found out by the first connection.
    pub fn speaks_streams(&mut self) -> Step {
        if self.speaks_streams.is_none() {
            self.open()?;
        }
        if self.speaks_streams == Some(true) {
            Ok(())
        } else {
            Err(Stop::LeftOut("it speaks no streams".into()))
        }
    }

    /// Has it call `chat`: put so many texts of so many bytes, say its end, and then read what comes; gives the driver's name of the call.
    pub fn stream(&mut self, items: usize, bytes: usize) -> Step<u32> {
        self.driver.stream(items, bytes, self.patience * 2)
    }

    /// Has it cancel a call.
    pub fn cancel(&mut self, call: u32) -> Step {
        self.driver.cancel(call)
    }

    /// How a call ended for its caller.
    pub fn outcome(&mut self, call: u32) -> Step<Outcome> {
        self.driver.outcome(call, self.patience * 2)
    }

    /// The same, if it has ended.
    pub fn has_ended(&mut self, call: u32) -> Step<Option<Outcome>> {
        self.driver.has_ended(call)
    }

    /// The same, while what the connector says to its peer is heard and answered: it may ask for schemas before it can end the call.
    pub fn outcome_beside(&mut self, call: u32, peer: &mut Peer) -> Step<Outcome> {
        let deadline = Instant::now() + self.patience * 2;
        while Instant::now() < deadline {
            if let Some(outcome) = self.driver.has_ended(call)? {
                return Ok(outcome);
            }
            peer.listen(PAUSE)?;
        }
        self.driver.outcome(call, Duration::ZERO)
    }

    /// A call has its result, of that many bytes.
    pub fn succeeded(&mut self, call: u32, bytes: usize) -> Step {
        let outcome = self.outcome(call)?;
        check(outcome == Outcome::Ok(bytes), || {
            format!("the caller was told {outcome}, where {bytes} bytes are right")
        })
    }

    /// A call has failed.
    pub fn failed(&mut self, call: u32) -> Step<String> {
        match self.outcome(call)? {
            Outcome::Failed(code) => Ok(code),
            outcome => broken(format!("the caller was told {outcome}, where the call has failed")),
        }
    }

    /// Ends what a case has left: every call is cancelled and over, so that nothing of it comes into the next one.
    pub fn clear(&mut self) -> Step {
        self.driver.clear(self.patience * 2)
    }
}

/// A HELLO that offers these methods of the service.
pub fn offering(methods: &[Offer]) -> Hello {
    Hello::new().and(crate::hello::tag::SERVICE, service(SERVICE, methods))
}

/// A call that has arrived whole.
pub fn arrived(peer: &mut Peer) -> Step<Call> {
    peer.wait("a CALL", |heard| heard.calls.whole.pop_front())
}
