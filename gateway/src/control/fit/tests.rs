//! What a look at all routes finds, against instances that are there in name only.

use super::offers::MAX_OFFERS;
use super::*;
use crate::config::{Source, Tables};
use crate::control::Found;
use crate::discovery::Lists;
use crate::routes::Route;
use crate::transport::callgate::{Offer, Schema};
use callgate_protocol::schema::{Definition, Fingerprint, MethodSchema, StructDef, Type};
use callgate_protocol::{CallId, Hello, Limits, MethodOffer, ServiceOffer, Streaming};

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
pub(in crate::control) fn offer(methods: &[&str]) -> Arc<Offer> {
    offer_where(methods, "")
}

/// The same where the schema of one of them cannot be used.
fn offer_where(methods: &[&str], unusable: &str) -> Arc<Offer> {
    let empty = StructDef::new("Empty", Vec::new());
    let schema = MethodSchema::new(Type::Ref(0), Type::Ref(0), vec![Definition::Struct(empty)]);
    let schema = Arc::new(Schema::new(schema).expect("it compiles"));
    let method = |name: &&str| MethodOffer {
        name: (*name).to_owned(),
        call_id: CallId::of("s", name),
        schema: Fingerprint::of(if *name == unusable { b"unusable" } else { b"" }),
        wire: Fingerprint::of(b"wire"),
        idempotent: false,
        streams: Streaming::default(),
    };
    let methods = methods.iter().map(method).collect();
    let service = ServiceOffer { name: "s".to_owned(), version: String::new(), methods };
    let hello = Hello::new(String::new(), Limits::default(), vec![service]);
    let of = |fingerprint| match fingerprint == Fingerprint::of(b"") {
        true => Ok(schema.clone()),
        false => Err("it has holes".into()),
    };
    Arc::new(Offer::new(hello, of).expect("no number twice"))
}

fn table(text: &str) -> Table {
    let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
    Table::next(&Table::empty(), tables, &Lists::default(), 1)
}

/// What is known, and what pages show of it.
#[derive(Default)]
struct Rig {
    known: Known,
    fits: Fits,
}

impl Rig {
    /// Looks at all backends of a table again.
    fn look(&mut self, table: &Table) -> Found {
        let all = table.backends.iter().map(|backend| backend.spec.name.clone()).collect();
        self.known.look(table, &all, &self.fits);
        self.fits.found()
    }

    /// What is wrong, by routes.
    fn shown(&mut self, table: &Table) -> Vec<String> {
        let found = self.look(table);
        let of = |route: &Arc<Route>| {
            let path = route.matcher.path.to_string();
            let all = route.action.call().map(|call| found.of(call)).unwrap_or_default();
            all.into_iter()
                .map(move |one| format!("{path} {} {} {}", one.kind.name(), one.instances.join(","), one.why))
        };
        table.routes.iter().flat_map(of).collect()
    }

    /// How many lines the log has of the first backend.
    fn told(&self) -> usize {
        self.known.backends.values().next().map_or(0, |backend| backend.told.len())
    }

    /// What was found of the first backend's routes: another object with each look at these.
    fn routes(&self) -> Arc<HashMap<u64, RouteFit>> {
        let backend = self.known.backends.values().next().expect("there is one");
        backend.fit.as_ref().expect("it was looked at").routes.clone()
    }
}

#[test]
fn what_is_missing_is_known_when_no_instance_is_left_and_what_does_not_fit_at_the_first_one() {
    let table = table(TABLES);
    let endpoints = table.backends[0].endpoints();
    let mut rig = Rig::default();
    assert_eq!(rig.shown(&table), [""; 0]);
    endpoints[0].offer.store(Some(offer(&["a", "b"])));
    let misfit =
        |at: &str| format!("/p/{{q}} fields {at} path parameter `q`: unknown field `q` (fields: none)");
    assert_eq!(rig.shown(&table), [misfit("x:1")]);
    assert_eq!(rig.told(), 1, "what is missing is not told yet");
    endpoints[1].offer.store(Some(offer(&["a"])));
    endpoints[2].error.store(Some(Arc::new("refused".to_owned())));
    let missing = "/b method x:1,x:2 no instance offers `s.B`; did you mean `s.b`?";
    assert_eq!(rig.shown(&table), [missing.to_owned(), misfit("x:1,x:2")]);
    let found = rig.fits.found();
    assert_eq!((found.count(Kind::Method), found.count(Kind::Fields)), (1, 1));
    assert_eq!(rig.told(), 2);
    endpoints[2].offer.store(Some(offer(&["c"])));
    assert_eq!(rig.shown(&table).len(), 2);
    assert_eq!(rig.told(), 2, "a third instance without it is no news");
    endpoints[2].offer.store(Some(offer(&["B"])));
    assert_eq!(rig.shown(&table), [misfit("x:1,x:2")], "one is enough: the others are passed over");
    assert_eq!(rig.told(), 1, "it would be news again");
}

#[test]
fn what_is_wrong_with_the_schema_of_a_method_is_told_while_no_instance_offers_it_with_a_good_one() {
    let table = table(TABLES);
    let endpoints = table.backends[0].endpoints();
    let mut rig = Rig::default();
    endpoints[0].offer.store(Some(offer(&["a"])));
    endpoints[1].offer.store(Some(offer_where(&["a", "B"], "B")));
    endpoints[2].error.store(Some(Arc::new("refused".to_owned())));
    let unusable = "/b method x:1,x:2 no instance offers `s.B` with a schema that can be used: it has holes";
    assert_eq!(rig.shown(&table)[0], unusable);
    endpoints[1].offer.store(Some(offer(&["a"])));
    let shown = rig.shown(&table);
    assert!(shown[0].contains("no instance offers `s.B`;"), "that is another offer: {shown:?}");
    endpoints[1].offer.store(Some(offer_where(&["a", "B"], "B")));
    endpoints[2].offer.store(Some(offer(&["a", "B"])));
    assert!(rig.shown(&table).iter().all(|shown| !shown.contains("method")), "one is enough");
}

#[test]
fn a_member_that_comes_with_what_is_offered_already_has_no_route_looked_at() {
    let table = table(TABLES);
    let endpoints = table.backends[0].endpoints();
    let mut rig = Rig::default();
    endpoints[0].offer.store(Some(offer(&["a"])));
    endpoints[1].offer.store(Some(offer(&["a", "b"])));
    // The third is not connected yet.
    rig.look(&table);
    let before = rig.routes();
    assert_eq!(rig.fits.found().count(Kind::Method), 0);
    endpoints[2].offer.store(Some(offer(&["a", "b"])));
    assert_eq!(rig.look(&table).count(Kind::Method), 1);
    assert!(Arc::ptr_eq(&before, &rig.routes()), "its offer is known");
    assert!(rig.shown(&table)[0].contains(" x:1,x:2,x:3 "), "it is named");
    endpoints[0].offer.store(Some(offer(&["a", "b"])));
    rig.look(&table);
    assert!(!Arc::ptr_eq(&before, &rig.routes()), "an offer is gone");
}

#[test]
fn only_backends_that_are_noted_are_looked_at_and_all_of_a_new_table() {
    let two = format!("[backends.b]\nendpoints = ['y:1']\n{TABLES}").replace("s.a\"", "s.a\"\nbackend = 'a'");
    let first = table(&two.replace("s.B\"", "s.B\"\nbackend = 'b'"));
    let mut rig = Rig::default();
    rig.look(&first);
    first.backends.iter().for_each(|backend| backend.endpoints()[0].offer.store(Some(offer(&["a"]))));
    rig.known.look(&first, &["gone", "b"].map(str::to_owned).into(), &rig.fits);
    let found = rig.fits.found();
    assert_eq!((found.count(Kind::Method), found.count(Kind::Fields)), (1, 0), "b alone");
    let tables = Tables::parse(vec![Source::new("t.toml", two.replace("s.B\"", "s.a\"\nbackend = 'a'"))]);
    let next = Table::next(&first, tables.expect("sound tables"), &Lists::default(), 1);
    rig.known.look(&next, &BTreeSet::new(), &rig.fits);
    let found = rig.fits.found();
    assert_eq!((found.count(Kind::Method), found.count(Kind::Fields)), (0, 1));
    rig.known.look(&table("[backends.c]\nendpoints = ['z:1']\n"), &BTreeSet::new(), &rig.fits);
    assert!(Kind::ALL.iter().all(|kind| rig.fits.found().count(*kind) == 0), "their backends are gone");
}

#[test]
fn a_look_compiles_once_for_each_route_and_schema_whatever_the_number_of_instances() {
    let listed: Vec<String> = (1..=500).map(|port| format!("x:{port}")).collect();
    let table = table(&TABLES.replace("[\"x:1\", \"x:2\", \"x:3\"]", &format!("{listed:?}")));
    for (n, endpoint) in table.backends[0].endpoints().iter().enumerate() {
        // Two offers that differ, with the same schema.
        endpoint.offer.store(Some(offer(if n % 2 == 0 { &["a"] } else { &["a", "b"] })));
    }
    let mut rig = Rig::default();
    let found = rig.look(&table);
    let checked = &rig.known.backends["a"].checked;
    assert_eq!(checked.len(), 2, "two routes call what is offered");
    let call = table.routes[2].action.call().expect("a call");
    assert_eq!(found.of(call)[0].instances.len(), 8);
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
    let found = Rig::default().look(&table);
    assert!(Kind::ALL.iter().all(|kind| found.count(*kind) == 0), "the others are not known not to offer it");
}
