//! Our end of one connection: the steps that cases are made of.
//!
//! What must come is waited for with a deadline. What must not come is decided by a barrier: a PING whose PONG comes after
//! everything that the tested side had to say before.

use crate::frame::{Frame, MAGIC, cancel, kind, ping, pong, schema};
use crate::heard::{Answer, Failure, GoAway, Heard, Side};
use crate::hello::{Hello, MAX_CONTROL, Told};
use crate::service::{ECHO, Fingerprint, SERVICE};
use crate::socket::{Read1, Socket};
use crate::value::blob;
use crate::verdict::{Step, Stop, breaks, broken, check, rule, section};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Our end of a connection to the tested side.
#[derive(Debug)]
pub struct Peer {
    socket: Socket,
    tested: Side,
    /// What the tested side has said in HELLO.
    told: Option<Told>,
    pub heard: Heard,
    tokens: u64,
    /// The schemas that we have; a SCHEMA_REQUEST is answered from them.
    pub schemas: Vec<Vec<u8>>,
    /// Whether PINGs and SCHEMA_REQUESTs are answered as they come.
    pub obliging: bool,
}

impl Peer {
    /// Takes a connection over, on which nothing was said yet.
    pub fn new(stream: TcpStream, tested: Side, patience: Duration) -> Peer {
        Peer {
            socket: Socket::new(stream, patience),
            tested,
            told: None,
            heard: Heard::new(tested, Hello::new().limits()),
            tokens: 0,
            schemas: Vec::new(),
            obliging: true,
        }
    }

    // The handshake.

    /// Sends magic and HELLO.
    pub fn say_hello(&mut self, hello: &Hello) -> Step {
        self.heard = Heard::new(self.tested, hello.limits());
        self.heard.streams.said(hello.credit());
        self.heard.streams.told(self.told.as_ref().and_then(|told| told.streams));
        self.send_bytes(&[&MAGIC[..], &hello.frame().bytes()].concat())
    }

    /// Waits for the tested side's magic and HELLO.
    pub fn hear_hello(&mut self) -> Step {
        let deadline = Instant::now() + self.socket.patience();
        let magic = match self.socket.bytes(MAGIC.len(), deadline) {
            Ok(magic) => magic,
            Err(Read1::Nothing) => {
                return breaks(section::FRAME, "no magic came: each direction begins without waiting");
            }
            Err(_) => return breaks(section::FRAME, "the connection ended before its magic came"),
        };
        rule(magic == MAGIC, section::FRAME, || format!("the connection begins with {magic:02x?}"))?;
        let frame = match self.socket.frame(deadline) {
            Read1::Frame(frame) => frame,
            other => return breaks(section::FRAME, format!("no HELLO came: {other:?}")),
        };
        rule(frame.kind == kind::HELLO, section::FRAME, || format!("the first frame is {frame}, not HELLO"))?;
        rule(frame.flags & 0x0f == 0 && frame.body.len() <= MAX_CONTROL, section::HANDSHAKE, || {
            format!("{frame} came; it has no flags, and at most 1 MiB")
        })?;
        let told = Told::read(&frame.body)?;
        rule(self.tested == Side::Acceptor || told.methods.is_empty(), section::HANDSHAKE, || {
            "a connector offers nothing, but its HELLO has a service".into()
        })?;
        self.heard.streams.told(told.streams);
        self.told = Some(told);
        Ok(())
    }

    /// What the tested side has said in HELLO.
    pub fn told(&self) -> Step<&Told> {
        self.told.as_ref().map_or_else(|| broken("no HELLO was read"), Ok)
    }

    /// The Call ID of a method of the service, as the tested acceptor offers it.
    pub fn method(&self, name: &str) -> Step<u32> {
        let name = format!("{SERVICE}.{name}");
        let offered = self.told()?.methods.iter().find(|method| method.name == name);
        offered.map(|method| method.call_id).ok_or_else(|| Stop::LeftOut(format!("`{name}` is not offered")))
    }

    // Sending.

    /// Sends a frame.
    pub fn send(&mut self, frame: Frame) -> Step {
        self.send_all([frame])
    }

    /// Sends frames in one write.
    pub fn send_all(&mut self, frames: impl IntoIterator<Item = Frame>) -> Step {
        let mut bytes = Vec::new();
        for frame in frames {
            self.heard.sent(&frame);
            bytes.extend(frame.bytes());
        }
        self.send_bytes(&bytes)
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Step {
        self.socket.write(bytes)
    }

    /// The CALL of a method, with these arguments and without a deadline.
    pub fn call(&self, number: u32, method: &str, arguments: impl AsRef<[u8]>) -> Step<Frame> {
        Ok(crate::frame::call(number, self.method(method)?, 0, arguments.as_ref()))
    }

    /// The CALL of `echo`.
    pub fn echo(&self, number: u32, text: &str) -> Step<Frame> {
        self.call(number, ECHO.name, blob(text))
    }

    /// Says that nothing more will be sent.
    pub fn finish_writing(&mut self) {
        self.socket.finish_writing();
    }

    // Hearing.

    /// Reads until this is there.
    pub fn wait<T>(&mut self, what: &str, mut found: impl FnMut(&mut Heard) -> Option<T>) -> Step<T> {
        let deadline = Instant::now() + self.socket.patience();
        loop {
            if let Some(found) = found(&mut self.heard) {
                return Ok(found);
            }
            match self.read(deadline)? {
                Read1::Frame(_) => {}
                Read1::Nothing => {
                    return broken(format!(
                        "nothing came for {} s, where {what} should",
                        self.socket.patience().as_secs()
                    ));
                }
                Read1::End(_) => {
                    let reason =
                        self.heard.away.last().map_or("no reason", |away| away.reason.as_str()).to_owned();
                    return broken(format!("the connection ended ({reason}), where {what} should come"));
                }
            }
        }
    }

    /// Reads what comes within that time. For what must not come: too short a time can only hide a fault.
    pub fn listen(&mut self, time: Duration) -> Step {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline && matches!(self.read(deadline)?, Read1::Frame(_)) {}
        Ok(())
    }

    /// Reads one frame by the rules.
    pub fn read(&mut self, deadline: Instant) -> Step<Read1> {
        let read = self.socket.frame(deadline);
        if let Read1::Frame(frame) = &read {
            self.heard.take(frame.clone())?;
            if self.obliging {
                self.oblige()?;
            }
        }
        Ok(read)
    }

    fn oblige(&mut self) -> Step {
        for token in std::mem::take(&mut self.heard.pings) {
            self.send(pong(&token))?;
        }
        for asked in std::mem::take(&mut self.heard.schema_requests) {
            self.answer_schema(&asked)?;
        }
        Ok(())
    }

    /// Answers a SCHEMA_REQUEST from what we have.
    pub fn answer_schema(&mut self, asked: &Fingerprint) -> Step {
        let known = self.schemas.iter().find(|bytes| crate::service::fingerprint(bytes) == *asked);
        let bytes = known.cloned().unwrap_or_default();
        self.send(schema(asked, &bytes))
    }

    /// The barrier: everything that the tested side had to say before is heard.
    pub fn still_there(&mut self) -> Step {
        let token = self.ask()?;
        self.hear_pong(token)
    }

    /// Sends a PING with 8 bytes that no other has.
    pub fn ask(&mut self) -> Step<[u8; 8]> {
        self.tokens += 1;
        let token = (0xc0de_0000_0000_0000 | self.tokens).to_be_bytes();
        self.send(ping(&token))?;
        Ok(token)
    }

    /// Waits for the PONG.
    pub fn hear_pong(&mut self, token: [u8; 8]) -> Step {
        self.wait("a PONG", |heard| heard.pongs.contains(&token).then_some(()))
    }

    /// The answer to a call.
    pub fn answer(&mut self, number: u32) -> Step<Answer> {
        self.wait(&format!("the answer to call {number}"), |heard| heard.answers.whole(number))
    }

    /// The result of a call.
    pub fn result(&mut self, number: u32) -> Step<Vec<u8>> {
        match self.answer(number)? {
            Answer::Reply(result) => Ok(result),
            Answer::End => broken(format!("call {number} was answered with END, where it does not stream")),
            Answer::Failure(failure) => {
                broken(format!("call {number} failed with code {}: {}", failure.code, failure.message))
            }
        }
    }

    /// The result of `echo`, which is its text.
    pub fn echoed(&mut self, number: u32, text: &str) -> Step {
        let result = self.result(number)?;
        check(result == blob(text), || format!("`echo` of {} bytes gave {} others", text.len(), result.len()))
    }

    /// The FAILURE of a call, with one of these codes.
    pub fn failed(&mut self, number: u32, codes: &[u8]) -> Step<Failure> {
        match self.answer(number)? {
            Answer::Failure(failure) if codes.contains(&failure.code) => Ok(failure),
            Answer::Failure(Failure { code, message, .. }) => {
                broken(format!("call {number} failed with code {code} ({message}), where {codes:?} is right"))
            }
            Answer::Reply(_) | Answer::End => {
                broken(format!("call {number} has succeeded, where it should fail"))
            }
        }
    }

    /// The next item of a call of a tested acceptor.
    pub fn item(&mut self, number: u32) -> Step<Vec<u8>> {
        self.wait(&format!("an item of call {number}"), |heard| {
            heard.answers.items.get_mut(&number)?.pop_front()
        })
    }

    /// The END of a call of a tested acceptor, behind the items that were asked for.
    pub fn streamed(&mut self, number: u32) -> Step {
        match self.answer(number)? {
            Answer::End => {}
            Answer::Reply(_) => {
                return broken(format!("call {number} was answered with REPLY, where its service streams"));
            }
            Answer::Failure(Failure { code, message, .. }) => {
                return broken(format!("call {number} failed with code {code}: {message}"));
            }
        }
        let left = self.heard.answers.items.get(&number).map_or(0, |items| items.len());
        check(left == 0, || format!("{left} more items of call {number} have come than should"))
    }

    /// Sends an item as soon as there is credit for it.
    pub fn put(&mut self, number: u32, value: &[u8]) -> Step {
        let max_frame = self.told()?.limits.max_frame;
        self.wait("CREDIT", |heard| heard.streams.may_send(number).then_some(()))?;
        self.heard.streams.spend(number, value.len());
        self.send_all(crate::frame::item(number, value).cut_evenly(max_frame))
    }

    /// What is for sides that speak streams only.
    pub fn speaks_streams(&self) -> Step {
        match self.told()?.streams {
            Some(_) => Ok(()),
            None => Err(Stop::LeftOut("it speaks no streams".into())),
        }
    }

    /// The FAILURE of a call that has not run.
    pub fn refused(&mut self, number: u32, codes: &[u8]) -> Step {
        let failure = self.failed(number, codes)?;
        check(failure.not_executed, || format!("the FAILURE of call {number} lacks NOT_EXECUTED"))
    }

    /// By the barrier: nothing of an answer to that call has come.
    pub fn not_answered(&mut self, number: u32) -> Step {
        self.still_there()?;
        check(!self.heard.answers.any(number), || {
            format!("call {number} was answered, where it should not be")
        })
    }

    /// GO_AWAY, which need not be the last frame.
    pub fn goes_away(&mut self) -> Step<GoAway> {
        self.wait("GO_AWAY", |heard| heard.away.last().cloned())
    }

    /// The tested side says GO_AWAY with its reason, and closes.
    pub fn refuses_to_go_on(&mut self) -> Step {
        self.goes_away()?;
        self.ends()
    }

    /// The tested side closes, after whatever it had still to say.
    pub fn ends(&mut self) -> Step {
        let patience = self.socket.patience();
        let last = Instant::now() + patience * 5;
        loop {
            match self.read(last.min(Instant::now() + patience))? {
                Read1::Frame(_) if Instant::now() < last => {}
                Read1::End(_) => return Ok(()),
                _ => return broken("the connection was not closed"),
            }
        }
    }

    /// Cancels calls, and waits until that was heard.
    pub fn give_up(&mut self, numbers: impl IntoIterator<Item = u32>) -> Step {
        self.send_all(numbers.into_iter().map(cancel))?;
        self.still_there()
    }
}
