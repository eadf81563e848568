//! Items that are the bytes of a body. They may be cut anywhere: so each is as long as the instance accepts, and a text ends with a whole
//! character.

use super::{Sending, Unput};
use callgate_transcode::{Violation, ViolationKind};

/// A character has four bytes at most.
const CHARACTER: usize = 4;

/// What is kept from one piece of the body for the next.
#[derive(Default)]
pub(super) struct RawItems {
    /// The beginning of a character, of which the rest has not come.
    begun: Vec<u8>,
    /// No item has more bytes, once an instance has not taken one that had.
    most: Option<usize>,
    /// So many bytes were sent.
    sent: u64,
}

impl RawItems {
    /// What is wrong with the bytes that are next: where in the body that is.
    pub(super) fn placed(&self, violations: Vec<Violation>) -> Vec<Violation> {
        let place = |violation: Violation| match violation.kind {
            ViolationKind::NotUtf8 => {
                let detail = format!("what the body has behind its byte {} is not UTF-8", self.sent);
                Violation { detail, line: None, column: None, ..violation }
            }
            _ => violation,
        };
        violations.into_iter().map(place).collect()
    }
}

impl Sending {
    pub(super) fn has_raw_items(&self) -> bool {
        self.program.shared.request.has_raw_items()
    }

    /// Sends bytes that have come, in as many items as it takes, but for a character that has not come whole.
    pub(super) async fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), Unput> {
        let begun = std::mem::take(&mut self.raw.begun);
        let joined = (!begun.is_empty()).then(|| [&begun, bytes].concat());
        let mut rest = joined.as_deref().unwrap_or(bytes);
        loop {
            let next = &rest[..rest.len().min(self.raw.most.unwrap_or(usize::MAX))];
            let whole = self.program.shared.request.whole_characters(next);
            if whole == 0 {
                self.raw.begun = rest.to_vec();
                return Ok(());
            }
            match self.put(&rest[..whole]).await {
                Ok(()) => {
                    self.raw.sent += whole as u64;
                    rest = &rest[whole..];
                }
                Err(Unput::TooLong { size, most })
                    if self.raw.most.is_none() && most >= size - whole + CHARACTER =>
                {
                    self.raw.most = Some(most - (size - whole));
                }
                Err(unput) => return Err(unput),
            }
        }
    }

    /// The body has ended: what was kept of it cannot be a character.
    pub(super) async fn put_rest(&mut self) -> Result<(), Unput> {
        let rest = std::mem::take(&mut self.raw.begun);
        if rest.is_empty() { Ok(()) } else { self.put(&rest).await }
    }
}
