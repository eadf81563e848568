//! What stands around the items of a reply, by its form, and what is said when it ends.
//!
//! Every form lets a client see that a reply was cut: it ends without what an end has. Where it can, it says why before that: with words that
//! are no item. A line of JSON never begins with [`CUT`], and items are never events of the types that are the gateway's.

use super::tool::ToolItems;
use crate::config::{EventsSpec, StreamForm};
use crate::failure::Failure;
use callgate_transcode::Picked;

/// What a line begins with that is no item but the problem by which a reply was cut. They are letters, because what counts as a line's end differs:
/// clients that ask Python's `splitlines` take each separator of ASCII for one, and would find an item behind it.
const CUT: &[u8] = b"error: ";

/// The types of events that are the gateway's own: the reply is complete; it was cut; and it goes on when the client comes again.
const END: &str = "end";
const ERROR: &str = "error";
const RECONNECT: &str = "reconnect";

/// A client that is to come again does so after that many milliseconds at least, and twice as many at most: those whose streams end at
/// one time do not come back at one time.
const COME_AGAIN: u64 = 1000;

/// The form of a reply in items, and how far it has come.
#[derive(Clone, Debug)]
pub(super) enum Framing {
    /// Items are bytes of one body.
    Raw,
    /// Each item is a line.
    Ndjson,
    /// Items stand in an array.
    Json {
        /// It has begun.
        has_begun: bool,
    },
    /// Each item is an event.
    Sse(EventsSpec),
    /// An agent gets all items at the end, and is told of each that comes. On the heap, because it is rare.
    Tool(Box<ToolItems>),
}

impl Framing {
    /// That of a form.
    pub(super) fn of(form: StreamForm, events: Option<EventsSpec>) -> Framing {
        match form {
            StreamForm::Ndjson => Framing::Ndjson,
            StreamForm::Json => Framing::Json { has_begun: false },
            StreamForm::Sse => Framing::Sse(events.unwrap_or_default()),
        }
    }

    /// Whether there is room for another item; everywhere but where all of them are kept.
    #[inline]
    pub(super) fn has_room(&self, item: &[u8]) -> bool {
        !matches!(self, Framing::Tool(items) if !items.have_room(item))
    }

    /// Puts an item, of which the route has picked that.
    ///
    /// # Errors
    /// It cannot be said in this form: why. Then nothing was put.
    pub(super) fn put_item(
        &mut self,
        item: &[u8],
        picked: Option<&Picked>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        match self {
            Framing::Raw => out.extend_from_slice(item),
            Framing::Ndjson => {
                out.extend_from_slice(item);
                out.push(b'\n');
            }
            Framing::Json { has_begun } => {
                out.push(if std::mem::replace(has_begun, true) { b',' } else { b'[' });
                out.extend_from_slice(item);
            }
            Framing::Sse(events) => {
                let said = Event::of(events, picked)?;
                said.put(item, out);
            }
            Framing::Tool(items) => items.put(item, out),
        }
        Ok(())
    }

    /// Puts what says that the last item was the last.
    pub(super) fn put_end(&mut self, out: &mut Vec<u8>) {
        match self {
            Framing::Raw | Framing::Ndjson => {}
            Framing::Json { has_begun: true } => out.push(b']'),
            Framing::Json { has_begun } => {
                *has_begun = true;
                out.extend_from_slice(b"[]");
            }
            Framing::Sse(_) => Event { event: Some(END), ..Event::default() }.put(b"{}", out),
            Framing::Tool(items) => items.put_end(out),
        }
    }

    /// Puts what says that the reply is cut, and why: a failure, as this problem. Says whether the reply is whole by that, so that nothing
    /// has to be torn.
    pub(super) fn put_cut(&self, failure: &Failure, problem: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            // Nothing can be said within a body, or within an array.
            Framing::Raw | Framing::Json { .. } => false,
            Framing::Ndjson => {
                out.extend_from_slice(CUT);
                out.extend_from_slice(problem);
                out.push(b'\n');
                false
            }
            Framing::Sse(_) => {
                let comes_again = matches!(failure, Failure::Leaving);
                let event = Some(if comes_again { RECONNECT } else { ERROR });
                let retry = comes_again.then(|| fastrand::u64(COME_AGAIN..=2 * COME_AGAIN).to_string());
                Event { event, retry: retry.as_deref(), id: None }.put(problem, out);
                comes_again
            }
            Framing::Tool(items) => {
                items.put_cut(problem, out);
                true
            }
        }
    }

    /// What is sent when nothing was for a while.
    pub(super) fn put_heartbeat(&self, out: &mut Vec<u8>) {
        if let Framing::Sse(_) | Framing::Tool(_) = self {
            out.extend_from_slice(b":\n\n");
        }
    }
}

/// What is said of an event beside its data.
#[derive(Default)]
struct Event<'a> {
    event: Option<&'a str>,
    id: Option<&'a str>,
    retry: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// What an item says. What is null is not said.
    fn of(events: &EventsSpec, picked: Option<&'a Picked>) -> Result<Event<'a>, String> {
        let text = |at: Option<usize>| at.and_then(|at| picked?.get(at));
        Event { event: text(events.event), id: text(events.id), retry: text(events.retry) }.checked()
    }

    fn checked(self) -> Result<Event<'a>, String> {
        let breaks = |text: Option<&str>| text.is_some_and(|text| text.contains(['\r', '\n', '\0']));
        if breaks(self.event) || breaks(self.id) {
            return Err("the type or the id of an event has a CR, a LF or a NUL".to_owned());
        }
        if let Some(own @ (END | ERROR | RECONNECT)) = self.event {
            return Err(format!("the type of an event is `{own}`, which is one of the gateway's own"));
        }
        match self.retry {
            Some(retry) if retry.is_empty() || !retry.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err("the `retry` of an event is no number of milliseconds".to_owned())
            }
            _ => Ok(self),
        }
    }

    fn put(&self, data: &[u8], out: &mut Vec<u8>) {
        let lines = [("event", self.event), ("id", self.id), ("retry", self.retry)];
        for (name, value) in lines {
            if let Some(value) = value {
                for part in [name, ": ", value, "\n"] {
                    out.extend_from_slice(part.as_bytes());
                }
            }
        }
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(data);
        out.extend_from_slice(b"\n\n");
    }
}

/// An item as an event, of which its fields say that: for whoever tries what events can be broken by.
///
/// # Errors
/// It cannot be said: why.
pub fn event(
    event: Option<&str>,
    id: Option<&str>,
    retry: Option<&str>,
    item: &[u8],
) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    Event { event, id, retry }.checked()?.put(item, &mut out);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of those items all that is sent, with the end that is given.
    fn sent(form: StreamForm, items: &[&str], end: impl Fn(&mut Framing, &mut Vec<u8>)) -> String {
        let (mut framing, mut out) = (Framing::of(form, None), Vec::new());
        for item in items {
            framing.put_item(item.as_bytes(), None, &mut out).expect("it can be said");
        }
        end(&mut framing, &mut out);
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn each_form_has_its_items_and_its_end() {
        for (form, items, expected) in [
            (StreamForm::Ndjson, &["1", "\"a\""][..], "1\n\"a\"\n"),
            (StreamForm::Ndjson, &[], ""),
            (StreamForm::Json, &["1", "\"a\"", "[]"], "[1,\"a\",[]]"),
            (StreamForm::Json, &["1"], "[1]"),
            (StreamForm::Json, &[], "[]"),
            (StreamForm::Sse, &["1", "{}"], "data: 1\n\ndata: {}\n\nevent: end\ndata: {}\n\n"),
            (StreamForm::Sse, &[], "event: end\ndata: {}\n\n"),
        ] {
            assert_eq!(sent(form, items, |framing, out| framing.put_end(out)), expected);
        }
    }

    #[test]
    fn what_is_cut_says_why_where_that_is_no_item_and_is_whole_only_when_its_client_is_to_come_again() {
        for (form, failure, expected, is_whole) in [
            (StreamForm::Ndjson, Failure::Lost, "1\nerror: {\"p\":1}\n", false),
            (StreamForm::Ndjson, Failure::Leaving, "1\nerror: {\"p\":1}\n", false),
            (StreamForm::Json, Failure::Lost, "[1", false),
            (StreamForm::Sse, Failure::Lost, "data: 1\n\nevent: error\ndata: {\"p\":1}\n\n", false),
        ] {
            let seen = sent(form, &["1"], |framing, out| {
                assert_eq!(framing.put_cut(&failure, b"{\"p\":1}", out), is_whole);
            });
            assert_eq!(seen, expected);
        }
        let seen = sent(StreamForm::Sse, &[], |framing, out| {
            assert!(framing.put_cut(&Failure::Leaving, b"{}", out));
        });
        let retry: u64 = seen
            .strip_prefix("event: reconnect\nretry: ")
            .and_then(|rest| rest.strip_suffix("\ndata: {}\n\n"))
            .and_then(|retry| retry.parse().ok())
            .expect("a number");
        assert!((COME_AGAIN..=2 * COME_AGAIN).contains(&retry), "{retry}");
    }

    #[test]
    fn an_event_says_what_its_lines_can_say() {
        let put = |event, id, retry| {
            let mut out = Vec::new();
            Event { event, id, retry }.put(b"1", &mut out);
            String::from_utf8(out).expect("it is text")
        };
        assert_eq!(put(Some("a"), Some("b: c"), Some("9")), "event: a\nid: b: c\nretry: 9\ndata: 1\n\n");
        assert_eq!(put(None, Some(""), None), "id: \ndata: 1\n\n");
        let checked = |event, id, retry| Event { event, id, retry }.checked().is_ok();
        assert!(checked(Some("tick"), Some("\u{e4}"), Some("0")));
        for text in ["a\nb", "\r", "\0"] {
            assert!(!checked(Some(text), None, None) && !checked(None, Some(text), None), "{text:?}");
        }
        for own in [END, ERROR, RECONNECT] {
            assert!(!checked(Some(own), None, None), "{own}");
        }
        for retry in ["", "-1", "1.5", "a"] {
            assert!(!checked(None, None, Some(retry)), "{retry}");
        }
    }
}
