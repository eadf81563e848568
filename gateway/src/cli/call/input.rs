//! What a call is given on the command line: its arguments as one JSON text or field by field, what goes along, and the items of a
//! caller that streams, which are read while the call is under way.

use crate::call::Piece;
use crate::cli::Failure;
use crate::failure::Failure as CallFailure;
use bytes::Bytes;
use callgate_protocol::limits::MAX_ASSEMBLY;
use callgate_protocol::metadata::is_metadata_name;
use callgate_transcode::{ItemError, ItemForm, ItemSplitter};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::thread;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// What arguments may have, in bytes: what a message may.
const LONGEST: u64 = MAX_ASSEMBLY as u64;

/// What is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// So many items wait for their turn to be sent.
const QUEUE: usize = 16;

/// What the thread that reads items has found.
pub(super) enum Line {
    Item(Bytes),
    /// That was the last one.
    End,
    /// What follows can be no item.
    Wrong(ItemError),
    /// Nothing more can be read: why.
    Unreadable(String),
}

/// What a call is made of.
pub(super) struct Input {
    /// The arguments as one JSON text; empty where they are given field by field, or not at all.
    pub(super) json: Bytes,
    /// Fields by their names.
    pub(super) fields: Vec<(String, String)>,
    /// What goes along: names and values.
    pub(super) headers: Vec<(String, String)>,
    /// Standard input was read for the arguments.
    has_read_stdin: bool,
}

impl Input {
    /// Reads what the command line says.
    pub(super) fn new(arguments: &[String], headers: &[String]) -> Result<Input, Failure> {
        let headers = headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?;
        let mut input = Input { json: Bytes::new(), fields: Vec::new(), headers, has_read_stdin: false };
        for argument in arguments {
            if let Some(json) = text(argument)? {
                if !input.json.is_empty() {
                    let why = "the arguments are one JSON text, and several are given";
                    return Err(Failure::NotAsked(why.to_owned()));
                }
                input.has_read_stdin |= matches!(argument.as_str(), "-" | "@-");
                input.json = json;
            } else if let Some((name, value)) = argument.split_once('=') {
                input.fields.push((name.to_owned(), value.to_owned()));
            } else {
                let why = format!(
                    "`{argument}` is no argument: expected JSON, FIELD=VALUE, @FILE, or @- for standard input"
                );
                return Err(Failure::NotAsked(why));
            }
        }
        Ok(input)
    }

    /// The fields as a query has them.
    pub(super) fn query(&self) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        self.fields.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// Begins to read the items of the caller, in a thread of its own.
    pub(super) fn items(&self, file: &str) -> Result<Receiver<Line>, Failure> {
        let source: Box<dyn Read + Send> = match file {
            "-" if self.has_read_stdin => {
                let why = "standard input is the arguments, so the items come from a file: --items FILE";
                return Err(Failure::NotAsked(why.to_owned()));
            }
            "-" => Box::new(io::stdin()),
            file => Box::new(File::open(file).map_err(|error| unreadable(file, &error))?),
        };
        let (sender, receiver) = channel(QUEUE);
        let thread = thread::Builder::new().name("items".to_owned());
        let reading = thread.spawn(move || read_items(source, &sender));
        reading.map_err(|error| Failure::NotAsked(format!("no items can be read: {error}")))?;
        Ok(receiver)
    }

    /// The same as the body of a call, which takes them as they come. On the runtime of the call.
    pub(super) fn pieces(&self, file: &str) -> Result<Receiver<Piece>, Failure> {
        let mut lines = self.items(file)?;
        let (sender, receiver) = channel(QUEUE);
        tokio::task::spawn_local(async move {
            while let Some(line) = lines.recv().await {
                if sender.send(line.into()).await.is_err() {
                    return;
                }
            }
        });
        Ok(receiver)
    }
}

/// Reads items until the last one, or until nobody wants more.
fn read_items(mut source: Box<dyn Read + Send>, to: &Sender<Line>) {
    let mut splitter = ItemSplitter::new(ItemForm::Lines, MAX_ASSEMBLY);
    let mut chunk = vec![0; CHUNK];
    let last = loop {
        let read = match source.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break Line::Unreadable(error.to_string()),
        };
        if read == 0 {
            break match splitter.end() {
                Ok(item) => {
                    if let Some(item) = item {
                        // Nobody waits for it where the call is over.
                        let _ = to.blocking_send(Line::Item(item.into()));
                    }
                    Line::End
                }
                Err(error) => Line::Wrong(error),
            };
        }
        let mut bytes = chunk.get(..read).unwrap_or_default();
        match send_items(&mut splitter, &mut bytes, to) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => break Line::Wrong(error),
        }
    };
    let _ = to.blocking_send(last);
}

/// Sends the items that end in those bytes. Whether somebody wants more.
fn send_items(splitter: &mut ItemSplitter, bytes: &mut &[u8], to: &Sender<Line>) -> Result<bool, ItemError> {
    while let Some(item) = splitter.next(bytes)? {
        if to.blocking_send(Line::Item(item.into())).is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

impl From<Line> for Piece {
    fn from(line: Line) -> Piece {
        Piece::Failed(Box::new(match line {
            Line::Item(item) => return Piece::Item(item),
            Line::End => return Piece::End,
            Line::Wrong(ItemError::TooLong) => CallFailure::MessageTooLarge(LONGEST),
            Line::Wrong(ItemError::Malformed(violation)) => CallFailure::Invalid(vec![violation]),
            Line::Unreadable(why) => CallFailure::Internal(format!("the items cannot be read: {why}")),
        }))
    }
}

/// The JSON that an argument is or names; none where it is something else.
fn text(argument: &str) -> Result<Option<Bytes>, Failure> {
    let read = |file: &str, source: &mut dyn Read| {
        let mut text = Vec::new();
        let read = source.take(LONGEST + 1).read_to_end(&mut text);
        read.map_err(|error| unreadable(file, &error))?;
        if text.len() as u64 > LONGEST {
            return Err(Failure::NotAsked(format!("{file} is longer than {LONGEST} bytes")));
        }
        Ok(Some(Bytes::from(text)))
    };
    match (argument, argument.strip_prefix('@')) {
        ("-" | "@-", _) => read("standard input", &mut io::stdin().lock()),
        (_, Some(file)) => {
            let mut source = File::open(file).map_err(|error| unreadable(file, &error))?;
            read(file, &mut source)
        }
        // A method takes an object; whatever else it is, the method's program says so.
        _ if argument.trim_start().starts_with(['{', '[', '"']) => {
            Ok(Some(Bytes::copy_from_slice(argument.as_bytes())))
        }
        _ => Ok(None),
    }
}

fn unreadable(file: &str, error: &io::Error) -> Failure {
    Failure::NotAsked(format!("cannot read {file}: {error}"))
}

/// `name: value`.
fn header(line: &str) -> Result<(String, String), Failure> {
    let wrong = |why: &str| Failure::NotAsked(format!("`{line}` does not go along: {why}"));
    let (name, value) = line.split_once(':').ok_or_else(|| wrong("expected NAME: VALUE"))?;
    let name = name.trim().to_ascii_lowercase();
    if !is_metadata_name(&name) {
        return Err(wrong("a name has letters, digits, `-`, `_` and `.`"));
    }
    Ok((name, value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(arguments: &[&str]) -> Result<Input, Failure> {
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        Input::new(&arguments, &["X-Shop:  a:b ".to_owned()])
    }

    #[test]
    fn arguments_are_one_text_or_fields() {
        let both = input(&["{\"a\":1}", "b=x=y", "c="]).unwrap();
        assert_eq!(both.json, "{\"a\":1}");
        assert_eq!(both.fields, [("b".to_owned(), "x=y".to_owned()), ("c".to_owned(), String::new())]);
        assert_eq!(both.headers, [("x-shop".to_owned(), "a:b".to_owned())]);
        for wrong in [&["{}", "{}"][..], &["a"], &["@/nowhere/x.json"]] {
            assert!(matches!(input(wrong), Err(Failure::NotAsked(_))), "{wrong:?}");
        }
        assert!(matches!(Input::new(&[], &["a b: c".to_owned()]), Err(Failure::NotAsked(_))));
    }

    #[test]
    fn items_are_the_lines_of_what_is_read_and_their_end_is_told() {
        let (sender, mut receiver) = channel(QUEUE);
        read_items(Box::new(&b"1\n\n {\"a\":2}\r\n3"[..]), &sender);
        let mut items = Vec::new();
        let last = loop {
            match receiver.blocking_recv().unwrap() {
                Line::Item(item) => items.push(item),
                last => break last,
            }
        };
        assert_eq!(items, ["1", " {\"a\":2}", "3"]);
        assert!(matches!(last, Line::End));
    }
}
