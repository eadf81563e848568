//! A hundred generated methods are described, and all references lead somewhere. With `CALLGATE_TEST_DOCUMENTS` the documents go into that folder, each with
//! values as the gateway writes and reads them: tests/clients/openapi.py has a validator look at both.

use callgate_json_schema::{Components, Method, Mode};
use callgate_protocol::schema::{MethodSchema, Type};
use callgate_protocol::{Code, schema};
use callgate_transcode::{RequestBinding, RequestInput, RequestProgram, ResponseBinding, ResponseProgram};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

// The generator of the protocol's own tests, whose crate is called `crate` there.
#[expect(dead_code, reason = "not all of it is used here")]
#[path = "../../protocol/src"]
mod of_protocol {
    pub(crate) mod generate;
}
use of_protocol::generate;

/// Methods that are made.
const METHODS: usize = 100;
/// Values of each that are tried.
const VALUES: usize = 5;

/// A value of that type as JSON.
fn written(schema: &MethodSchema, ty: &Type, tape: &generate::Tape) -> Option<Value> {
    let bytes = generate::value(tape, schema, ty);
    let of_type = MethodSchema { response: ty.clone(), ..schema.clone() };
    let program = ResponseProgram::compile(&of_type, &ResponseBinding::default()).ok()?;
    let mut json = Vec::new();
    // A time stamp can lie in a year that no text has.
    program.decode(&bytes, &mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Whether the gateway reads it as the request.
fn is_read(schema: &MethodSchema, request: &Value) -> bool {
    let program = RequestProgram::compile(schema, &RequestBinding::default()).expect("nothing to bind");
    let body = request.to_string();
    let input = RequestInput { path: &[], query: &[], bound: &[], body: body.as_bytes(), form: &[] };
    program.encode(&input, &mut Vec::new()).is_ok()
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

#[test]
fn a_hundred_methods_are_described_whatever_their_types_are() {
    let mut runner = TestRunner::deterministic();
    let tapes = generate::tapes();
    let mut tape = || tapes.new_tree(&mut runner).expect("a tape").current();
    let folder = std::env::var_os("CALLGATE_TEST_DOCUMENTS");
    let mut read = 0;
    for number in 0..METHODS {
        let schema = MethodSchema::decode(&generate::schema(&tape()).encode()).expect("it is sound");
        let method = Method::new(&schema);
        let mut components = Components::new("#/components/schemas/");
        let request = method.ty(&mut components, &schema.request, Mode::IN);
        let response = method.ty(&mut components, &schema.response, Mode::OUT);
        let content = |schema: &Value| json!({ "application/json": { "schema": schema } });
        let document = json!({
            "openapi": "3.1.0",
            "info": { "title": "Generated", "version": number.to_string() },
            "paths": { "/m": { "post": {
                "requestBody": { "content": content(&request) },
                "responses": { "200": { "description": "The result.", "content": content(&response) } },
            } } },
            "components": { "schemas": components.into_schemas() },
        });
        references(&document, &mut |reference| {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere: {document:#}");
        });
        let mut values = Vec::new();
        for _ in 0..VALUES {
            let tape = tape();
            values.extend(written(&schema, &schema.response, &tape).map(|value| json!([response, value])));
            let asked = written(&schema, &schema.request, &tape).filter(|asked| is_read(&schema, asked));
            read += usize::from(asked.is_some());
            values.extend(asked.map(|value| json!([request, value])));
        }
        if let Some(folder) = &folder {
            let file = std::path::Path::new(folder).join(format!("{number}.json"));
            let all = json!({ "document": document, "values": values });
            std::fs::write(file, all.to_string()).expect("it can be written");
        }
    }
    assert!(read > METHODS, "of {} requests only {read} are read", METHODS * VALUES);
}
