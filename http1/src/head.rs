//! A head that is being read: the request line, then field lines until the empty one, then what the whole has to say.

use crate::authority::Authority;
use crate::bytes::{Span, trim_end};
use crate::field_line::{FieldLines, Found, Line};
use crate::fields::{FieldSpan, FieldTable};
use crate::framing::Framing;
use crate::known::{KnownNames, Role};
use crate::refusal::Refusal;
use crate::request::Limits;
use crate::request_line::{RequestLine, Version};

/// What was found so far. Positions count from the first byte of the head.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) line: RequestLine,
    field_lines: FieldLines,
    pub(crate) table: FieldTable,
    pub(crate) framing: Framing,
    /// The host that is asked.
    pub(crate) host: Option<Span>,
    /// The next byte. Of a whole head it is its length.
    pub(crate) at: usize,
}

impl Head {
    /// Makes room for the next, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.line = RequestLine::default();
        self.field_lines = FieldLines::default();
        self.table.clear();
        self.framing = Framing::default();
        self.host = None;
        self.at = 0;
    }

    /// Reads on. `come` begins with the head. `true` when the head is whole.
    pub(crate) fn read(&mut self, names: &KnownNames, come: &[u8], limits: &Limits) -> Result<bool, Refusal> {
        let most = limits.max_head.min(u32::MAX as usize);
        let bytes = &come[..come.len().min(most)];
        if self.read_lines(names, bytes, limits)? {
            self.agree_on_host(bytes)?;
            return Ok(true);
        }
        if bytes.len() < most {
            return Ok(false);
        }
        Err(if self.line.is_in_target() { Refusal::TargetTooLong } else { Refusal::HeadTooLarge })
    }

    fn read_lines(&mut self, names: &KnownNames, bytes: &[u8], limits: &Limits) -> Result<bool, Refusal> {
        if !self.line.is_whole() {
            if !self.line.read(bytes, limits.max_target)? {
                return Ok(false);
            }
            self.at = self.line.at;
        }
        loop {
            match self.field_lines.next(bytes, &mut self.at, limits.max_fields)? {
                Found::Line(line) => self.take(names, bytes, span_of(bytes, line))?,
                Found::End => return Ok(true),
                Found::Nothing => return Ok(false),
            }
        }
    }

    /// Takes a whole field line.
    pub(crate) fn take(&mut self, names: &KnownNames, bytes: &[u8], field: FieldSpan) -> Result<(), Refusal> {
        let found = names.find(field.name.of(bytes));
        self.table.push(field, found.and_then(|found| found.known));
        let Some(role) = found.and_then(|found| found.role) else {
            return Ok(());
        };
        if role == Role::Host {
            self.host = Some(field.value);
        }
        self.framing.line(role, field.value.of(bytes), self.line.version)
    }

    /// A request of HTTP/1.1 names the host that it asks, and no request names two.
    fn agree_on_host(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if self.host.is_none() && self.line.version == Version::Http11 {
            return Err(Refusal::NoHost);
        }
        let Some(target) = self.line.host else {
            return Ok(());
        };
        if let Some(host) = self.host {
            let (host, asked) =
                (Authority::read(host.of(bytes)), Authority::read(target.authority.of(bytes)));
            match (host, asked) {
                (Some(host), Some(asked)) if host.is(asked, target.default_port) => {}
                _ => return Err(Refusal::HostMismatch),
            }
        }
        self.host = Some(target.authority);
        Ok(())
    }
}

/// A line's name and value, without the blanks behind the value.
fn span_of(bytes: &[u8], line: Line) -> FieldSpan {
    let value = trim_end(&bytes[line.value..line.end]);
    FieldSpan {
        name: Span::new(line.name, line.colon),
        value: Span::new(line.value, line.value + value.len()),
    }
}
