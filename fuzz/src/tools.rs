//! Messages of agents, and the requests that they make of tools.

use callgate::config::{Source, Tables};
use callgate::discovery::Lists;
use callgate::front::tool_request;
use callgate::method::Method;
use callgate::routes::Table;
use callgate_http1::{KnownNames, Limits, Request, RequestBuilder};
use serde_json::Value;
use std::sync::LazyLock;

static NAMES: KnownNames = KnownNames::new(&[]);

/// A tool of each kind of body, each in a table of its own.
static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let routes = [
        "match = 'POST /x/{id}/{*rest}'\nbind = { size = { query = 'limit' }, tags = { query = 'tag', split = ',' } }",
        "match = 'GET /y/{a}.json'\nbody = false",
        "match = 'PUT /z'\nbody = 'doc'",
    ];
    let table = |route: &str| {
        let text =
            format!("[backends.a]\nendpoints = ['x:1']\n[[routes]]\n{route}\ncall = 'a.b'\ntool = true\n");
        let tables = Tables::parse(vec![Source::new("fuzz.toml", text)]).expect("sound tables");
        Table::next(&Table::empty(), tables, &Lists::default(), 1)
    };
    routes.into_iter().map(table).collect()
});

/// A message makes no request, or one that is read as it was meant: it has the agent's headers and no others, meets no other route, and its
/// body is JSON, or none.
pub fn tools(input: &[u8]) {
    for table in TABLES.iter() {
        let agent = RequestBuilder::new(&NAMES, "POST", "/mcp").field("host", b"a.example");
        let agent = agent.field("x-own", b"1").field("mcp-name", b"b").build();
        let route = &table.routes[0];
        let Some((head, body)) = tool_request(&agent, route, input) else { continue };
        let mut request = Request::new(&NAMES);
        request.buffer().extend_from_slice(&head);
        let limits =
            Limits { max_head: 1 << 20, max_target: 1 << 16, max_fields: 100, max_trailers: 1 << 10 };
        match request.parse(&limits) {
            Ok(true) => {}
            // It may be too long.
            Ok(false) => panic!("a head has an end"),
            Err(_) => continue,
        }
        assert!(request.rest().is_empty(), "nothing follows it");
        assert_eq!(request.method(), route.matcher.method.as_str());
        let names: Vec<&str> = request.fields().iter().map(|(name, _)| name).collect();
        let expected = ["host", "x-own", "content-type", "content-length"];
        assert_eq!(names, expected[..if body.is_empty() { 2 } else { 4 }]);
        let method: Method = request.method().parse().expect("one of ours");
        if let Some((at, _)) = table.find(method, None, request.path()) {
            assert_eq!(at, 0);
        }
        if !body.is_empty() {
            serde_json::from_slice::<&serde_json::value::RawValue>(&body).expect("it is JSON");
            let whole = matches!(serde_json::from_slice(&body), Ok(Value::Object(_)) | Err(_));
            assert!(whole || route.matcher.method == Method::Put, "fields are members of an object");
        }
    }
}
