//! What a call prints: results and items to standard output, and all about them to standard error.

use crate::cli::Failure;
use crate::config::ErrorTypes;
use crate::failure::Failure as CallFailure;
use crate::front::problem;
use serde_json::Value;
use std::fmt;
use std::io::{self, Write};

/// What was printed.
#[derive(Debug, Default)]
pub(super) struct Printed {
    items: Option<u64>,
    bytes: u64,
}

impl Printed {
    /// A result, in pieces; nothing where there is none.
    pub(super) fn result<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>) {
        let mut out = io::stdout().lock();
        for piece in pieces {
            self.bytes += piece.len() as u64;
            if out.write_all(piece).is_err() {
                return;
            }
        }
        if self.bytes > 0 {
            let _ = out.write_all(b"\n").and_then(|()| out.flush());
        }
    }

    /// An item, on a line of its own. Whether somebody reads on.
    pub(super) fn item(&mut self, item: &[u8]) -> bool {
        *self.items.get_or_insert(0) += 1;
        self.bytes += item.len() as u64;
        let mut out = io::stdout().lock();
        out.write_all(item).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).is_ok()
    }
}

impl fmt::Display for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.items {
            Some(items) => {
                write!(f, "{} with {} bytes", crate::cli::listing::count(items as usize, "item"), self.bytes)
            }
            None => f.write_str(&crate::cli::listing::count(self.bytes as usize, "byte")),
        }
    }
}

/// Bytes of a reply as they are. Whether somebody reads on.
pub(super) fn raw(bytes: &[u8]) -> bool {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).is_ok()
}

/// A line about a call: `>` what was sent, `<` what came.
pub(super) fn aside(mark: char, text: &str) {
    let _ = writeln!(io::stderr().lock(), "{mark} {text}");
}

/// A failure in the words of a problem, or as one. Whoever calls an instance itself is told what clients of a gateway are not.
pub(super) fn failure(failure: &CallFailure, as_json: bool) -> Failure {
    let status = failure.status();
    if as_json {
        let body = problem::body(failure, status, &ErrorTypes::default(), "");
        return Failure::Problem(String::from_utf8_lossy(&body).into_owned());
    }
    let error = failure.error().map(|error| format!(" {}", error.name)).unwrap_or_default();
    let (code, reason) = (failure.code().name(), failure.reason().name());
    let mut text = format!("{status} {code} ({reason}){error}: {}", inside(failure));
    for violation in failure.violations() {
        text += &format!("\n  {violation}");
    }
    if let Some(details) = failure.details() {
        text += &format!("\n  {details}");
    }
    Failure::Failed(text)
}

/// A problem that a gateway has sent, in the same words; or what it has sent instead.
pub(super) fn told(status: u16, document: &str) -> String {
    let problem: Value = serde_json::from_str(document).unwrap_or_default();
    let member = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default();
    if member("code").is_empty() {
        return format!("{status} {}", document.trim());
    }
    let mut text = format!("{status} {} ({}): {}", member("code"), member("reason"), member("detail"));
    for error in problem.get("errors").and_then(Value::as_array).into_iter().flatten() {
        let of = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        text += &format!("\n  `{}`: {}", of("pointer"), of("detail"));
    }
    if let Some(details) = problem.get("details") {
        text += &format!("\n  {details}");
    }
    text
}

/// What is wrong, with what the log of a gateway would have.
fn inside(failure: &CallFailure) -> String {
    match failure {
        CallFailure::Method(method) if !method.status.message.is_empty() => method.status.message.to_string(),
        CallFailure::BadReply(why) | CallFailure::Misfit(why) | CallFailure::Internal(why) => why.clone(),
        CallFailure::NoInstance => {
            "the instance takes no calls: it ends, or has closed the connection".to_owned()
        }
        _ => failure.detail().into_owned(),
    }
}
