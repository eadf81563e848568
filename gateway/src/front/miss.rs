//! What a request is answered with that no route takes: what there is instead.

use super::handler::Answer;
use crate::failure::Failure;
use crate::method::Method;
use crate::routes::{Found, Table};
use http_body_util::Full;
use hyper::header::{ALLOW, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

/// The answer to a request without a route.
pub(super) fn miss(found: Found<'_, '_>, parts: &Parts, table: &Table) -> Result<Answer, Failure> {
    let path = parts.uri.path();
    let options = parts.method == hyper::Method::OPTIONS;
    match found {
        Found::OtherMethods(methods) if options => Ok(options_answer(&allow(&methods))),
        Found::OtherMethods(methods) => {
            Err(Failure::WrongMethod { method: parts.method.as_str().to_owned(), allow: allow(&methods) })
        }
        _ if options && path == "*" => Ok(options_answer(&allow(&Method::ALL))),
        _ => {
            debug_assert!(table.methods(path).is_empty(), "a path without methods matches nothing");
            Err(Failure::NoRoute(path.to_owned()))
        }
    }
}

/// The value of `Allow`: GET brings HEAD, and OPTIONS is always there (RFC 9110, 9.3.2 and 9.3.7).
fn allow(methods: &[Method]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for method in methods {
        names.push(method.as_str());
        if *method == Method::Get {
            names.push("HEAD");
        }
    }
    names.push("OPTIONS");
    names.join(", ")
}

fn options_answer(allow: &str) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(value) = HeaderValue::from_str(allow) {
        answer.headers_mut().insert(ALLOW, value);
    }
    Answer::Other(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_names_what_http_adds() {
        assert_eq!(allow(&[Method::Get, Method::Post]), "GET, HEAD, POST, OPTIONS");
        assert_eq!(allow(&[Method::Delete]), "DELETE, OPTIONS");
    }
}
