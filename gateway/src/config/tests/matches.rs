//! A route with several matches: a route for each, and mistakes told once.

use super::*;

const HEAD: &str = "[backends.shop]\nendpoints = ['x:1']\n[[routes]]\n";

#[test]
fn a_route_is_there_for_each_of_its_matches() {
    let text = "match = ['GET /books/{id}', 'GET /isbn/{isbn}', 'POST /books']\ncall = 'books.get'\ntimeout = '3s'\n";
    let read = tables(&format!("prefix = '/v1'\n{HEAD}{text}")).unwrap();
    let seen: Vec<_> = read
        .routes
        .iter()
        .map(|route| {
            (route.matcher.to_string(), call(route).request.path.join(","), route.written.place.to_string())
        })
        .collect();
    let place = |column: usize| format!("t.toml:5:{column}");
    assert_eq!(
        seen,
        [
            ("GET /v1/books/{id}".to_owned(), "id".to_owned(), place(10)),
            ("GET /v1/isbn/{isbn}".to_owned(), "isbn".to_owned(), place(29)),
            ("POST /v1/books".to_owned(), String::new(), place(49)),
        ]
    );
    assert_eq!([0, 2].map(|at| call(&read.routes[at]).idempotent), [Some(true), None], "by method");
    tables(&format!("{HEAD}match = ['GET /x']\ncall = 'a.b'\n")).unwrap();
}

#[test]
fn what_is_wrong_with_all_is_told_once_and_what_one_lacks_with_its_path() {
    let file = |lines: &str| tables(&format!("{HEAD}{lines}\n")).unwrap_err().to_string();
    for (lines, count, expected) in [
        (
            "match = ['GET /a', 'GET /b']\ncall = 'a.b'\ntimout = '1s'\nbackend = 'ship'",
            2,
            "did you mean `timeout`?",
        ),
        ("match = ['GET /a', 'GET /b']\ncall = 'a.b'\nrate_limit = 'none'", 1, "none"),
        ("match = ['GET /a', 'GET b']\ncall = 'a.b'", 1, "write `/b`"),
        ("match = ['GET /a', 'GET /a']\ncall = 'a.b'", 1, "`GET /a` is routed twice"),
        ("match = []\ncall = 'a.b'", 1, "`match` is empty"),
        ("match = ['GET /a', 7]\ncall = 'a.b'", 1, "or an array of such"),
        (
            "match = ['GET /a/{id}', 'GET /b']\ncall = 'a.b'\nresponse = { headers = { location = '/c/{path.id}' } }",
            1,
            "no such parameter in `/b`",
        ),
        ("match = ['GET /a/{id}', 'GET /b']\nredirect = { to = '/c/{id}' }", 1, "no such parameter in `/b`"),
    ] {
        let said = file(lines);
        assert_eq!(said.matches("error: ").count(), count, "{lines}: {said}");
        assert!(said.contains(expected), "{lines}: {said}");
    }
    let many: Vec<String> = (0..17).map(|n| format!("'GET /{n}'")).collect();
    assert!(file(&format!("match = [{}]\ncall = 'a.b'", many.join(", "))).contains("more than 16 matches"));
}
