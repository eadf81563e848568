//! Requests that meet no route, and those that ask which methods there are.

use super::asked_host::asked_host;
use super::asked_path::asked_path;
use super::reply::Reply;
use super::slash;
use crate::failure::Failure;
use crate::method::Method;
use crate::routes::Table;
use callgate_http1::Request;

/// What is there instead of a route for a request with that path: other methods, or nothing.
pub(super) fn missed(table: &Table, head: &Request, path: &str) -> Failure {
    let methods = slash::methods(table, asked_host(table, head), path);
    if methods.is_empty() {
        return Failure::NoRoute(head.path().to_owned());
    }
    Failure::WrongMethod { method: head.method().to_owned(), allow: allow(&methods) }
}

/// The reply to OPTIONS: the methods of a path, or of the gateway for `*` (RFC 9110, 9.3.7).
pub(super) fn options(head: &Request, table: &Table) -> Result<Reply, Failure> {
    let mut room = String::new();
    let path = asked_path(head, &mut room)?;
    let methods =
        if path == "*" { Method::ALL.to_vec() } else { slash::methods(table, asked_host(table, head), path) };
    if methods.is_empty() {
        return Err(Failure::NoRoute(path.to_owned()));
    }
    let mut reply = Reply::empty(204);
    reply.field("allow", &allow(&methods));
    Ok(reply)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_names_what_http_adds() {
        assert_eq!(allow(&[Method::Get, Method::Post]), "GET, HEAD, POST, OPTIONS");
        assert_eq!(allow(&[Method::Delete]), "DELETE, OPTIONS");
    }
}
