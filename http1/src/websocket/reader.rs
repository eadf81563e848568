//! What a client sends, taken apart.

use super::head::{self, Head, LONGEST, MAX_CONTROL, Opcode};
use super::message::{Message, unmask};
use super::{Close, Fault};

/// What has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A text, which is UTF-8.
    Text(Vec<u8>),
    /// A message of bytes.
    Binary(Vec<u8>),
    /// A ping, which is to be answered by a pong with the same bytes.
    Ping(Control),
    /// A pong.
    Pong(Control),
    /// The client's last frame. What follows it is not read.
    Close(Close),
}

/// What a control frame has in it: [`MAX_CONTROL`] bytes at most.
#[derive(Clone, Copy)]
pub struct Control {
    bytes: [u8; MAX_CONTROL],
    length: u8,
}

/// Reads the frames of a client.
#[derive(Debug)]
pub struct Reader {
    /// The longest message, in bytes.
    max_message: u64,
    /// What has come of a message that is not whole.
    message: Option<Message>,
    at: At,
}

/// Where in a frame it is.
#[derive(Debug)]
enum At {
    /// In a head, of which so many bytes have come.
    Head([u8; LONGEST], usize),
    /// In a frame of a message, of which so much has come.
    Data(Head, u64),
    /// In a control frame.
    Control(Head, Control),
    /// Behind the last frame.
    End,
    /// Nothing more is read.
    Failed(Fault),
}

const BEGIN: At = At::Head([0; LONGEST], 0);

impl Reader {
    /// One whose messages have so many bytes at most.
    pub fn new(max_message: usize) -> Reader {
        Reader { max_message: max_message as u64, message: None, at: BEGIN }
    }

    /// How many bytes it holds for a message that is not whole.
    pub fn held(&self) -> usize {
        self.message.as_ref().map_or(0, |message| message.data.capacity())
    }

    /// Whether it is within a message, of which only the beginning has come.
    pub fn is_within(&self) -> bool {
        self.message.is_some() || matches!(self.at, At::Data(..))
    }

    /// Reads on, and takes off `input` what it has read. `None` when it needs more. Of a message it reads nothing where `takes_data` is
    /// false: then it stops before that, so that only control frames come.
    ///
    /// # Errors
    /// A rule is broken. From then on it says the same, and reads nothing.
    pub fn read(&mut self, input: &mut &[u8], takes_data: bool) -> Result<Option<Event>, Fault> {
        loop {
            match self.step(input, takes_data) {
                Ok(Step::Event(event)) => return Ok(Some(event)),
                Ok(Step::On) => {}
                Ok(Step::Waits) => return Ok(None),
                Err(fault) => {
                    self.message = None;
                    self.at = At::Failed(fault);
                    return Err(fault);
                }
            }
        }
    }

    fn step(&mut self, input: &mut &[u8], takes_data: bool) -> Result<Step, Fault> {
        match &mut self.at {
            At::Head(bytes, come) => {
                let wanted = head::length(&bytes[..*come])?;
                if *come < wanted {
                    let taken = take(input, wanted - *come);
                    bytes[*come..*come + taken.len()].copy_from_slice(taken);
                    *come += taken.len();
                    return Ok(if taken.is_empty() { Step::Waits } else { Step::On });
                }
                let head = Head::read(&bytes[..wanted])?;
                self.begin(head)?;
                Ok(Step::On)
            }
            At::Data(..) if !takes_data => Ok(Step::Waits),
            At::Data(head, come) => {
                let left = usize::try_from(head.length - *come).unwrap_or(usize::MAX);
                let taken = take(input, left);
                let is_text = head.opcode == Opcode::Text;
                let message = self.message.get_or_insert_with(|| Message::begin(is_text));
                message.add(taken, head.mask, *come)?;
                *come += taken.len() as u64;
                if *come < head.length {
                    return Ok(if taken.is_empty() { Step::Waits } else { Step::On });
                }
                let is_last = head.is_last;
                self.at = BEGIN;
                if is_last { self.whole() } else { Ok(Step::On) }
            }
            At::Control(head, control) => {
                let left = head.length as usize - control.bytes().len();
                let taken = take(input, left);
                control.add(taken);
                if taken.len() < left {
                    return Ok(if taken.is_empty() { Step::Waits } else { Step::On });
                }
                unmask(&mut control.bytes[..usize::from(control.length)], head.mask, 0);
                let (opcode, control) = (head.opcode, *control);
                self.at = BEGIN;
                self.control(opcode, control)
            }
            At::End => {
                *input = &[];
                Ok(Step::Waits)
            }
            At::Failed(fault) => Err(*fault),
        }
    }

    /// A frame begins.
    fn begin(&mut self, head: Head) -> Result<(), Fault> {
        if head.opcode.is_control() {
            self.at = At::Control(head, Control::EMPTY);
            return Ok(());
        }
        let come = match (head.opcode, &self.message) {
            (Opcode::Continuation, None) => return Err(Fault::NothingToContinue),
            (Opcode::Continuation, Some(message)) => message.data.len() as u64,
            (_, Some(_)) => return Err(Fault::Unfinished),
            (_, None) => 0,
        };
        if head.length > self.max_message - come {
            return Err(Fault::TooLong);
        }
        self.at = At::Data(head, 0);
        Ok(())
    }

    /// A message is whole.
    fn whole(&mut self) -> Result<Step, Fault> {
        let Some(message) = self.message.take() else { return Ok(Step::On) };
        let is_text = message.is_text;
        let data = message.finish()?;
        Ok(Step::Event(if is_text { Event::Text(data) } else { Event::Binary(data) }))
    }

    /// A control frame is whole.
    fn control(&mut self, opcode: Opcode, control: Control) -> Result<Step, Fault> {
        Ok(Step::Event(match opcode {
            Opcode::Ping => Event::Ping(control),
            Opcode::Pong => Event::Pong(control),
            _ => {
                let close = Close::read(control.bytes())?;
                self.message = None;
                self.at = At::End;
                Event::Close(close)
            }
        }))
    }
}

/// What has come of it.
enum Step {
    Event(Event),
    /// It goes on.
    On,
    /// It needs more.
    Waits,
}

/// The first bytes of an input, so many at most, which are taken off it.
fn take<'a>(input: &mut &'a [u8], most: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(most.min(input.len()));
    *input = rest;
    taken
}

impl Control {
    const EMPTY: Control = Control { bytes: [0; MAX_CONTROL], length: 0 };

    /// What is in it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Adds what fits, which is all: its frame is no longer.
    fn add(&mut self, bytes: &[u8]) {
        let begin = usize::from(self.length);
        for (place, byte) in self.bytes[begin..].iter_mut().zip(bytes) {
            *place = *byte;
            self.length += 1;
        }
    }
}

impl PartialEq for Control {
    fn eq(&self, other: &Control) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Control {}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Control({:?})", String::from_utf8_lossy(self.bytes()))
    }
}
