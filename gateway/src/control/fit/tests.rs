//! What a look at all routes finds, against instances that are there in name only.

use super::*;
use crate::config::{Source, Tables};
use crate::discovery::Lists;
use crate::routes::Route;
use crate::transport::callgate::Schema;
use callgate_protocol::schema::{Definition, MethodSchema, StructDef, Type};
use callgate_protocol::{CallId, Hello, Limits, MethodOffer, ServiceOffer};

const TABLES: &str = r#"
    [backends.a]
    endpoints = ["x:1", "x:2", "x:3"]
    [[routes]]
    match = "GET /a"
    call = "s.a"
    [[routes]]
    match = "GET /b"
    call = "s.B"
    [[routes]]
    match = "GET /p/{q}"
    call = "s.a"
"#;

/// What an instance offers that has those methods of the service `s`, none of which has a field.
fn offer(methods: &[&str]) -> Arc<Offer> {
    let empty = StructDef { name: "Empty".to_owned(), doc: String::new(), fields: Vec::new() };
    let schema = MethodSchema {
        doc: String::new(),
        request: Type::Ref(0),
        response: Type::Ref(0),
        definitions: vec![Definition::Struct(empty)],
    };
    let schema = Arc::new(Schema::new(schema).expect("it compiles"));
    let method = |name: &&str| MethodOffer {
        name: (*name).to_owned(),
        call_id: CallId::of("s", name),
        schema: Fingerprint::of(b""),
        idempotent: false,
    };
    let methods = methods.iter().map(method).collect();
    let service = ServiceOffer { name: "s".to_owned(), version: String::new(), methods };
    let hello = Hello::new(String::new(), Limits::default(), vec![service]);
    Arc::new(Offer::new(hello, |_| Some(schema.clone())).expect("no number twice"))
}

fn table(text: &str) -> Table {
    let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
    Table::next(&Table::empty(), tables, &Lists::default(), 1)
}

fn shown(table: &Table, found: &Found) -> Vec<String> {
    let of = |route: &Arc<Route>| {
        let path = route.matcher.path.to_string();
        found
            .of(route.id)
            .iter()
            .map(move |one| format!("{path} {} {} {}", one.kind.name(), one.instances.join(","), one.why))
    };
    table.routes.iter().flat_map(of).collect()
}

#[test]
fn what_is_missing_is_known_when_no_instance_is_left_and_what_does_not_fit_at_the_first_one() {
    let table = table(TABLES);
    let endpoints = table.backends[0].endpoints();
    let mut known = Known::default();
    assert_eq!(shown(&table, &known.look(&table)), [""; 0]);
    endpoints[0].offer.store(Some(offer(&["a", "b"])));
    let misfit =
        |at: &str| format!("/p/{{q}} fields {at} path parameter `q`: unknown field `q` (fields: none)");
    assert_eq!(shown(&table, &known.look(&table)), [misfit("x:1")]);
    endpoints[1].offer.store(Some(offer(&["a"])));
    endpoints[2].error.store(Some(Arc::new("refused".to_owned())));
    let missing = "/b method x:1,x:2 no instance offers `s.B`; did you mean `s.b`?";
    let found = known.look(&table);
    assert_eq!(shown(&table, &found), [missing.to_owned(), misfit("x:1,x:2")]);
    assert_eq!((found.count(Kind::Method), found.count(Kind::Fields)), (1, 1));
    let route = table.routes[1].id;
    endpoints[2].offer.store(Some(offer(&["c"])));
    let next = known.look(&table);
    assert!(next.of(route).iter().all(|one| found.has(route, one)), "a third instance without it is no news");
    endpoints[2].offer.store(Some(offer(&["B"])));
    assert!(known.look(&table).of(route).is_empty(), "one is enough: the others are passed over");
}

#[test]
fn a_look_compiles_once_for_each_route_and_schema_whatever_the_number_of_instances() {
    let listed: Vec<String> = (1..=500).map(|port| format!("x:{port}")).collect();
    let table = table(&TABLES.replace("[\"x:1\", \"x:2\", \"x:3\"]", &format!("{listed:?}")));
    for (n, endpoint) in table.backends[0].endpoints().iter().enumerate() {
        // Two offers that differ, with the same schema.
        endpoint.offer.store(Some(offer(if n % 2 == 0 { &["a"] } else { &["a", "b"] })));
    }
    let mut known = Known::default();
    let found = known.look(&table);
    assert_eq!(known.0.len(), 2, "two routes call what is offered");
    assert_eq!(found.of(table.routes[2].id)[0].instances.len(), MAX_NAMED);
    let offers = Offers::of(&table.backends[0]);
    assert_eq!((offers.alike.len(), offers.all_known), (2, true));
}

#[test]
fn what_instances_may_differ_in_is_bounded() {
    let listed: Vec<String> = (1..=100).map(|port| format!("x:{port}")).collect();
    let table = table(&TABLES.replace("[\"x:1\", \"x:2\", \"x:3\"]", &format!("{listed:?}")));
    for (n, endpoint) in table.backends[0].endpoints().iter().enumerate() {
        endpoint.offer.store(Some(offer(&[format!("m{n}").as_str()])));
    }
    let offers = Offers::of(&table.backends[0]);
    assert_eq!((offers.alike.len(), offers.all_known), (MAX_OFFERS, false));
    let found = Known::default().look(&table);
    assert!(Kind::ALL.iter().all(|kind| found.count(*kind) == 0), "the others are not known not to offer it");
}
