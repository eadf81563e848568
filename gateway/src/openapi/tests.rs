//! Documents of small tables, with and without instances.

use super::*;
use crate::config::{ErrorTypes, Source, Tables};
use crate::discovery::Lists;
use crate::transport::callgate::{Offer, Schema};
use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Field, Fingerprint, MethodSchema, Shape, StructDef, Type, Variant,
};
use callgate_protocol::{CallId, Code, Hello, Limits, MethodOffer, ServiceOffer, Streaming};
use std::collections::HashSet;
use std::sync::Arc;

/// An instance of that version that offers a method, `orders.get`.
fn offer(version: &str, schema: MethodSchema, streams: Streaming) -> Arc<Offer> {
    let fingerprint = schema.fingerprint();
    let schema = Arc::new(Schema::new(schema).expect("it compiles"));
    let method = MethodOffer {
        name: "get".to_owned(),
        call_id: CallId::of("orders", "get"),
        schema: fingerprint,
        wire: Fingerprint::of(b"wire"),
        idempotent: true,
        streams,
    };
    let service =
        ServiceOffer { name: "orders".to_owned(), version: version.to_owned(), methods: vec![method] };
    let hello = Hello::new(String::new(), Limits::default(), vec![service]);
    Arc::new(Offer::new(hello, |_| Ok(schema.clone())).expect("no number twice"))
}

/// `get(id: u32, note: Option<String>, filter: Filter) -> Order`, which fails with `Gone`.
fn get(order: Vec<Field>) -> MethodSchema {
    let option = Type::Option(Box::new(Type::String));
    let fields =
        vec![Field::new("id", Type::U32), Field::new("note", option), Field::new("filter", Type::Ref(1))];
    let gone = Variant {
        doc: "It is gone.".to_owned(),
        attributes: Attributes::new().with_code(Code::NotFound),
        ..Variant::new("Gone", Shape::Newtype(Type::U8))
    };
    let definitions = vec![
        Definition::Struct(StructDef::new("GetRequest", fields)),
        Definition::Struct(StructDef::new("Filter", vec![Field::new("name", Type::String)])),
        Definition::Struct(StructDef::new("Order", order)),
        Definition::Enum(EnumDef::new("Failed", vec![gone])),
    ];
    MethodSchema {
        doc: "An order. There may be none.".to_owned(),
        error: Some(Type::Ref(3)),
        attributes: Attributes::new().with_deprecated("Use `find`."),
        ..MethodSchema::new(Type::Ref(0), Type::Ref(2), definitions)
    }
}

/// The document of a table whose backend has an instance for each of those offers.
fn made(routes: &str, offers: &[Arc<Offer>]) -> Value {
    let addresses: Vec<String> = (1..=offers.len().max(1)).map(|n| format!("'x:{n}'")).collect();
    let text = format!("[backends.a]\nendpoints = [{}]\n{routes}", addresses.join(", "));
    let tables = match Tables::parse(vec![Source::new("t.toml", text)]) {
        Ok(tables) => tables,
        Err(mistakes) => panic!("{mistakes}"),
    };
    let table = Table::next(&Table::empty(), tables, &Lists::default(), 1);
    for (member, offer) in table.backends[0].members().iter().zip(offers) {
        member.endpoint.offer.store(Some(offer.clone()));
    }
    let types = ErrorTypes::default();
    let servers = vec!["http://127.0.0.1:8080".to_owned()];
    let about = About { title: "T", description: None, servers, error_types: &types };
    let text = document(&table, &about, |_| true);
    let document: Value = serde_json::from_str(&text).expect("it is JSON");
    check(&document);
    document
}

/// What OpenAPI asks of every document, as far as it can be told without a validator.
fn check(document: &Value) {
    assert_eq!(document["openapi"], "3.1.0");
    references(document, &mut |reference| {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    });
    let mut ids = HashSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let names: HashSet<&str> =
            path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect();
        for operation in item.as_object().expect("operations").values() {
            assert!(ids.insert(operation["operationId"].clone()), "{path}");
            assert!(!operation["responses"].as_object().expect("responses").is_empty());
            let params = operation["parameters"].as_array().cloned().unwrap_or_default();
            let of_path = params.iter().filter(|param| param["in"] == "path");
            let told: HashSet<&str> = of_path.filter_map(|param| param["name"].as_str()).collect();
            assert_eq!(told, names, "{path}");
            let known: HashSet<String> =
                params.iter().map(|one| format!("{} {}", one["in"], one["name"])).collect();
            assert_eq!(known.len(), params.len(), "{path}: a parameter twice");
        }
    }
}

fn references(value: &Value, told: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                told(reference);
            }
            members.values().for_each(|member| references(member, told));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, told)),
        _ => {}
    }
}

fn total() -> Vec<Field> {
    vec![Field::new("total", Type::U64)]
}

const NONE: Streaming = Streaming { caller: false, service: false };

#[test]
fn an_operation_has_all_that_table_and_schema_say() {
    let routes = "[[routes]]\nmatch = 'PUT /v1/orders/{id}'\ncall = 'orders.get'\ntimeout = '2s'\n\
                  errors = { Gone = 410 }\nint64 = 'string'\nbind = { note = { header = 'x-note' } }\n\
                  metadata = ['x-tenant']\nrate_limit = { rate = '5/s' }\n\
                  response = { status = 201, headers = { location = '/v1/orders/{path.id}' } }\n";
    let document = made(routes, &[offer("1.0", get(total()), NONE)]);
    let operation = &document["paths"]["/v1/orders/{id}"]["put"];
    assert_eq!(operation["operationId"], "orders.get");
    assert_eq!((&operation["summary"], &operation["deprecated"]), (&json!("An order"), &json!(true)));
    let description = operation["description"].as_str().expect("a text");
    for part in
        ["There may be none.", "Deprecated. Use `find`.", "Answered within 2s.", "Limits: 5/s by route."]
    {
        assert!(description.contains(part), "{description}");
    }
    let params = operation["parameters"].as_array().expect("parameters");
    let told: Vec<_> =
        params.iter().map(|one| (one["in"].as_str(), one["name"].as_str(), &one["required"])).collect();
    let expected = [
        (Some("path"), Some("id"), &json!(true)),
        (Some("header"), Some("x-note"), &Value::Null),
        (Some("header"), Some("x-tenant"), &Value::Null),
    ];
    assert_eq!(told, expected);
    let body = &operation["requestBody"];
    assert_eq!(body["required"], true);
    let schema = &body["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["filter"]), "the path and a header fill the others");
    assert_eq!(schema["properties"]["filter"], json!({ "$ref": "#/components/schemas/FilterInput" }));
    let responses = &operation["responses"];
    assert_eq!(responses["201"]["headers"]["location"], json!({ "schema": { "type": "string" } }));
    let order = &document["components"]["schemas"]["Order"];
    assert_eq!(order["properties"]["total"]["type"], "string");
    let gone = &responses["410"]["content"]["application/problem+json"]["schema"]["anyOf"];
    assert_eq!(gone[0]["allOf"][1]["properties"]["type"]["const"], "urn:callgate:error:orders.get/Gone");
    assert_eq!(gone[0]["allOf"][1]["properties"]["details"]["maximum"], 255);
    for status in ["400", "413", "415", "429", "503", "504", "default"] {
        assert!(responses[status]["$ref"].is_string(), "{status}");
    }
    assert!(responses.get("401").is_none() && responses.get("200").is_none());
    assert_eq!(document["servers"], json!([{ "url": "http://127.0.0.1:8080" }]));
}

#[test]
fn what_a_get_takes_comes_by_the_query() {
    let document = made(
        "[[routes]]\nmatch = 'GET /o/{id}.json'\ncall = 'orders.get'\nresponse = { field = 'total' }\n\
         [[routes]]\nmatch = 'GET /f/{*note}'\ncall = 'orders.get'\nresponse = { wrap = 'it' }\netag = true\n",
        &[offer("1", get(total()), NONE)],
    );
    let operation = &document["paths"]["/o/{id}.json"]["get"];
    assert!(operation.get("requestBody").is_none());
    assert_eq!(operation["parameters"][2]["name"], "filter.name");
    assert_eq!(operation["parameters"][2]["required"], true);
    let answered =
        |operation: &Value| operation["responses"]["200"]["content"]["application/json"]["schema"].clone();
    assert_eq!(answered(operation)["type"], "integer");
    let tail = &document["paths"]["/f/{note}"]["get"];
    assert_eq!(tail["operationId"], "orders.get.get_f_note");
    assert_eq!(tail["parameters"][0]["description"], "It may have slashes.");
    assert_eq!(answered(tail)["required"], json!(["it"]));
    assert!(tail["responses"]["304"].is_object());
}

#[test]
fn versions_that_differ_are_both_there_and_marked() {
    let two = vec![Field::new("total", Type::U64), Field::new("note", Type::String)];
    let offers = [offer("1.9", get(total()), NONE), offer("1.10", get(two), NONE)];
    let document = made("[[routes]]\nmatch = 'GET /o/{id}'\ncall = 'orders.get'\n", &offers);
    let operation = &document["paths"]["/o/{id}"]["get"];
    let versions = operation["x-callgate-versions"].as_array().expect("versions");
    let versions: Vec<&Value> = versions.iter().map(|version| &version["version"]).collect();
    assert_eq!(versions, ["1.10", "1.9"], "the latest first");
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    let expected = json!({ "anyOf": [
        { "$ref": "#/components/schemas/Order", "title": "version 1.10" },
        { "$ref": "#/components/schemas/Order_2", "title": "version 1.9" },
    ] });
    assert_eq!(*schema, expected);
    assert_eq!(operation["parameters"].as_array().map(Vec::len), Some(3), "they take the same");
    let pinned = made("[[routes]]\nmatch = 'GET /o/{id}'\ncall = 'orders.get'\nversion = '1.9'\n", &offers);
    assert!(pinned["paths"]["/o/{id}"]["get"].get("x-callgate-versions").is_none());
}

#[test]
fn parameters_items_and_errors_of_one_version_are_marked() {
    let one = MethodSchema { request_items: Some(Type::Bool), ..get(total()) };
    let mut other = MethodSchema { request_items: Some(Type::U8), ..get(total()) };
    if let Definition::Struct(request) = &mut other.definitions[0] {
        request.fields.push(Field::new("after", Type::Option(Box::new(Type::U64))));
    }
    if let Definition::Enum(errors) = &mut other.definitions[3] {
        errors.variants[0].name = "Lost".to_owned();
    }
    let streams = Streaming { caller: true, service: true };
    let offers = [offer("1", one, streams), offer("2", other, streams)];
    let document = made(
        "[[routes]]\nmatch = 'POST /o/{id}'\ncall = 'orders.get'\nbody = { stream = true }\n\
         [[routes]]\nmatch = 'GET /w'\ncall = 'orders.get'\nwebsocket = true\n",
        &offers,
    );
    let operation = &document["paths"]["/o/{id}"]["post"];
    let parameters = operation["parameters"].as_array().expect("parameters");
    let after = parameters.iter().find(|one| one["name"] == "after").expect("it is a parameter");
    assert_eq!(
        (&after["description"], &after["required"]),
        (&json!("Only of instances of version 2."), &json!(false))
    );
    let titles = |schema: &Value| [schema["anyOf"][0]["title"].clone(), schema["anyOf"][1]["title"].clone()];
    let item = &operation["requestBody"]["content"]["application/x-ndjson"]["x-item-schema"];
    let socket = &document["paths"]["/w"]["get"]["responses"]["101"]["x-request-item-schema"];
    assert_eq!([titles(item), titles(socket)], [["version 2", "version 1"], ["version 2", "version 1"]]);
    let missing = operation["responses"]["404"]["description"].as_str().expect("a description");
    assert!(missing.contains("`Gone`") && missing.contains("`Lost`"), "{missing}");
}

#[test]
fn where_no_instance_is_known_the_operation_says_so() {
    let document = made("[[routes]]\nmatch = 'POST /o/{id}'\ncall = 'orders.get'\nbody = 'filter'\n", &[]);
    let operation = &document["paths"]["/o/{id}"]["post"];
    assert_eq!(operation["x-callgate-unknown"], true);
    assert!(operation["description"].as_str().is_some_and(|text| text.contains("`orders.get` is known")));
    assert_eq!(operation["requestBody"]["content"]["application/json"]["schema"], json!({}));
    assert!(operation["responses"]["200"].is_object());
}

#[test]
fn routes_that_call_nothing_and_those_of_hosts_have_their_places() {
    let document = made(
        "[[routes]]\nmatch = 'GET /a/{x}'\nrespond = { status = 404, json = { a = 1 } }\n\
         [[routes]]\nmatch = 'POST /a/{y}'\nredirect = { to = '/b/{y}' }\n\
         [[routes]]\nmatch = 'GET /c'\nrewrite = '/a/1'\n\
         [[routes]]\nmatch = 'GET /a/{z}'\nrespond = {}\nhosts = ['a.example', '*.b.example']\n\
         [[routes]]\nmatch = 'GET /d'\nrespond = {}\nhosts = ['*.b.example']\n",
        &[],
    );
    let item = &document["paths"]["/a/{x}"];
    assert!(item["get"]["responses"]["404"]["content"]["application/json"].is_object());
    assert_eq!(item["post"]["responses"]["308"]["description"], "The client is sent to `/b/{y}`.");
    assert!(document["paths"].get("/c").is_none());
    assert_eq!(document["x-callgate-omitted"], json!(["GET a.example,*.b.example/a/{z}"]));
    assert_eq!(document["paths"]["/d"]["get"]["servers"][0]["url"], "//{label}.b.example");
}

#[test]
fn streams_are_told_by_their_items() {
    let streams = Streaming { caller: true, service: true };
    let schema = MethodSchema { request_items: Some(Type::Bool), ..get(total()) };
    let offers = [offer("", schema, streams)];
    let document = made(
        "[[routes]]\nmatch = 'POST /o/{id}/{filter.name}'\ncall = 'orders.get'\nbody = { stream = true }\n\
         [[routes]]\nmatch = 'GET /w'\ncall = 'orders.get'\nwebsocket = true\n",
        &offers,
    );
    let operation = &document["paths"]["/o/{id}/{filter.name}"]["post"];
    let content = &operation["requestBody"]["content"];
    assert_eq!(content["application/json"]["schema"]["items"]["type"], "boolean");
    assert_eq!(content["application/x-ndjson"]["x-item-schema"]["type"], "boolean");
    let answered = operation["responses"]["200"]["content"].as_object().expect("contents");
    let media: Vec<&String> = answered.keys().collect();
    assert_eq!(media, ["application/json", "application/x-ndjson", "text/event-stream"]);
    let socket = &document["paths"]["/w"]["get"];
    assert_eq!(socket["responses"]["101"]["x-request-item-schema"]["type"], "boolean");
    assert!(socket["responses"]["426"].is_object());
}

#[test]
fn callers_are_told_how_to_show_who_they_are() {
    let document = made(
        "[auth.keys]\ntype = 'api_key'\nfile = '/nowhere'\n\
         [[routes]]\nmatch = 'GET /a/{id}'\ncall = 'orders.get'\nauth = ['keys', 'anonymous']\n\
         require = { scopes = ['read'] }\n",
        &[],
    );
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["keys"], json!({ "type": "apiKey", "in": "header", "name": "x-api-key" }));
    let operation = &document["paths"]["/a/{id}"]["get"];
    assert_eq!(operation["security"], json!([{ "keys": ["read"] }, {}]));
    for status in ["401", "403"] {
        assert!(operation["responses"][status].is_object(), "{status}");
    }
}
