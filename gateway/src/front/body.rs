//! A request's body: read within its limits of size and time, or read past when it is refused.

use crate::config::ServerSettings;
use crate::failure::{Failure, ShedReason};
use crate::fields::{self, CONTENT_ENCODING, CONTENT_TYPE, EXPECT};
use crate::worker::Shared;
use bytes::BytesMut;
use callgate_http1::Fields;
use callgate_protocol::{Budget, Room};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::time::timeout;

/// How much of a refused body is read past, in bytes.
const MAX_DISCARDED: usize = 64 * 1024 * 1024;

/// A body of more bytes takes room of what all bodies have together. Shorter ones are bounded by the number of connections.
const LONG: usize = 64 * 1024;

/// A body that is read once, however often its request is looked up.
pub(super) struct RequestBody {
    state: State,
    waited: bool,
    /// That of a long one.
    room: Option<Room>,
}

enum State {
    /// Not yet read, or refused before its end.
    Unread(Incoming),
    /// Read.
    Read(Bytes),
    /// It did not come, or not in time: there is nothing more to read.
    Broken,
}

/// Why a body was not read to its end.
enum Unreadable {
    TooLong,
    NoRoom,
    Failed(hyper::Error),
}

impl RequestBody {
    /// A body that nothing was read of.
    pub(super) fn new(body: Incoming) -> RequestBody {
        RequestBody { state: State::Unread(body), waited: false, room: None }
    }

    /// Whether it was not there at once, so that time has passed with it.
    pub(super) fn waited(&self) -> bool {
        self.waited
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_there(&self) -> bool {
        match &self.state {
            State::Unread(body) => body.is_end_stream(),
            State::Read(_) | State::Broken => true,
        }
    }

    /// The body's bytes, if it was read; there are none of one that has not begun.
    pub(super) fn bytes(&self) -> &Bytes {
        static NONE: Bytes = Bytes::new();
        if let State::Read(bytes) = &self.state { bytes } else { &NONE }
    }

    /// Reads the body, within the limits, if it is JSON.
    pub(super) async fn read(&mut self, fields: Fields<'_>, shared: &Shared) -> Result<(), Failure> {
        let server = &shared.settings.server;
        let body = match &mut self.state {
            State::Read(_) => return Ok(()),
            State::Broken => return Err(Failure::BodyTimeout),
            State::Unread(body) if body.is_end_stream() => return Ok(()),
            State::Unread(body) => body,
        };
        check_type(fields)?;
        // Of several, one may ask for the word to go on that the other keeps from coming.
        fields::single(fields, &EXPECT)?;
        let declared = body.size_hint().lower();
        if declared > server.max_body {
            return Err(Failure::BodyTooLarge(server.max_body));
        }
        let mut memory = Memory { budget: &shared.bodies, held: 0, room: &mut self.room };
        if !memory.holds(declared as usize) {
            return Err(Failure::Shed(ShedReason::Memory));
        }
        let (read, waited) =
            in_time(collect(body, server.max_body as usize, &mut memory), server.body_timeout).await;
        self.waited = waited;
        match read {
            Some(Ok(bytes)) => {
                self.state = State::Read(bytes);
                Ok(())
            }
            Some(Err(Unreadable::TooLong)) => Err(Failure::BodyTooLarge(server.max_body)),
            Some(Err(Unreadable::NoRoom)) => Err(Failure::Shed(ShedReason::Memory)),
            Some(Err(Unreadable::Failed(error))) => {
                self.state = State::Broken;
                Err(unreadable(&error))
            }
            None => {
                self.state = State::Broken;
                Err(Failure::BodyTimeout)
            }
        }
    }

    /// Reads past a body that was refused, so that a client that is still sending it gets to see the reply: closing
    /// with bytes unread would reset the connection, and the reply with it. Says whether the end was reached; a client
    /// that sends on and on, or waits to be told to send (RFC 9110, 10.1.1), is left.
    pub(super) async fn discard(&mut self, fields: Fields<'_>, server: &ServerSettings) -> bool {
        // None of it is kept.
        self.room = None;
        let body = match &mut self.state {
            State::Read(_) => return true,
            State::Broken => return false,
            State::Unread(body) => body,
        };
        if body.is_end_stream() || fields::has(fields, &EXPECT) {
            return body.is_end_stream();
        }
        let read_past = async {
            let mut discarded = 0;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                discarded += frame.data_ref().map_or(0, Bytes::len);
                if discarded > MAX_DISCARDED {
                    return false;
                }
            }
            true
        };
        in_time(read_past, server.body_timeout).await.0.unwrap_or(false)
    }
}

/// Why a body has no end: its client's mistake, if it is not what HTTP/1.1 makes of bodies; or else its client has gone.
fn unreadable(error: &hyper::Error) -> Failure {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    match cause {
        // The library's words are for the log: they name its parts, and not what the client did.
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            Failure::MalformedChunks(error.to_string())
        }
        _ => Failure::ClientGone,
    }
}

/// The room that a long body takes.
struct Memory<'a> {
    budget: &'a Arc<Budget>,
    held: usize,
    room: &'a mut Option<Room>,
}

impl Memory<'_> {
    /// Takes room for a body of so many bytes so far, if it is long; `false` when there is not so much.
    fn holds(&mut self, bytes: usize) -> bool {
        if bytes <= LONG.max(self.held) {
            return true;
        }
        let more = bytes - self.held;
        let holds = match self.room {
            Some(room) => room.grow(more),
            None => {
                *self.room = self.budget.take(more);
                self.room.is_some()
            }
        };
        self.held = bytes;
        holds
    }
}

/// All bytes of a body, at most so many. One that came in one piece is not copied.
async fn collect(body: &mut Incoming, most: usize, memory: &mut Memory<'_>) -> Result<Bytes, Unreadable> {
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Unreadable::Failed)?.into_data() else { continue };
        if all.len() + data.len() > most {
            return Err(Unreadable::TooLong);
        }
        if !memory.holds(all.len() + data.len()) {
            return Err(Unreadable::NoRoom);
        }
        if all.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        all.extend_from_slice(&data);
    }
    Ok(all.freeze())
}

/// Waits for a body, and says whether it had to. Most are there already, and those need no timer.
async fn in_time<F: Future>(body: F, limit: std::time::Duration) -> (Option<F::Output>, bool) {
    let mut body = pin!(body);
    let at_once = poll_fn(|cx| match body.as_mut().poll(cx) {
        Poll::Ready(read) => Poll::Ready(Some(read)),
        Poll::Pending => Poll::Ready(None),
    });
    match at_once.await {
        Some(read) => (Some(read), false),
        None => (timeout(limit, body).await.ok(), true),
    }
}

/// Refuses bodies that are not JSON in UTF-8. A missing type is taken for JSON.
fn check_type(fields: Fields<'_>) -> Result<(), Failure> {
    if !fields::members(fields, &CONTENT_ENCODING).all(|coding| coding.eq_ignore_ascii_case(b"identity")) {
        return Err(Failure::UnsupportedEncoding);
    }
    let Some(value) = fields::single(fields, &CONTENT_TYPE)? else {
        return Ok(());
    };
    if value == b"application/json" {
        return Ok(());
    }
    let text = fields::text(value).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json =
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"));
    let charset_fits = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if is_json && charset_fits {
        return Ok(());
    }
    Err(Failure::UnsupportedMediaType(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[(&str, &str)]) -> Result<(), Failure> {
        check_type(fields::request(lines).fields())
    }

    #[test]
    fn only_json_is_accepted() {
        let accepted =
            ["application/json", "Application/JSON; charset=UTF-8", "application/merge-patch+json"];
        for value in accepted {
            assert!(check(&[("content-type", value)]).is_ok(), "{value}");
        }
        for value in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""]
        {
            assert!(check(&[("content-type", value)]).is_err(), "{value}");
        }
        assert!(check(&[]).is_ok());
        assert!(check(&[("content-encoding", "gzip")]).is_err());
    }
}
