//! A method whose request has a field of each kind, and the short ways to ask its rules.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses a part.

use callgate_auth::{Claims, Identity};
use callgate_protocol::schema::{
    Definition, EnumDef, Field, Logical, MethodSchema, Shape, StructDef, Type, Variant,
};
use callgate_rules::{Denied, Misfit, Program, Rule};
use callgate_transcode::{Layout, RequestBinding, RequestInput, RequestProgram};
use serde_json::Value;
use std::sync::Arc;

fn option(ty: Type) -> Type {
    Type::Option(Box::new(ty))
}

fn list(ty: Type) -> Type {
    Type::List(Box::new(ty))
}

fn logical(logical: Logical) -> Type {
    Type::Logical(logical, Box::new(Type::String))
}

/// The method returns what it is asked.
pub(crate) fn schema() -> MethodSchema {
    let field = Field::new;
    let optional = |name: &str, ty| Field { default: None, ..Field::new(name, option(ty)) };
    let fields = vec![
        field("tenant", Type::String),
        field("kind", Type::Ref(2)),
        field("tags", list(Type::String)),
        field("amount", Type::U32),
        field("small", Type::I64),
        field("large", Type::U128),
        field("ratio", Type::F64),
        field("single", Type::F32),
        field("flag", Type::Bool),
        field("letter", Type::Char),
        optional("note", Type::String),
        optional("owner", Type::Ref(1)),
        field("price", logical(Logical::DECIMAL)),
        field("day", logical(Logical::DATE)),
        field("at", Type::Timestamp),
        field("wait", Type::Duration),
        field("id", Type::Uuid),
        field("ip", Type::IpAddr),
        field("mail", logical(Logical::EMAIL)),
        field("patch", Type::Presence(Box::new(Type::I32))),
        field("blob", Type::Bytes),
        field("any", Type::Json),
        field("counts", Type::Map(Box::new(Type::String), Box::new(Type::U8))),
        field("numbers", list(Type::I64)),
        field("kinds", list(Type::Ref(2))),
        field("prices", list(logical(Logical::DECIMAL))),
        field("pair", Type::Tuple(vec![Type::U8, Type::U8])),
        field("rest", list(option(Type::U8))),
        field("x-y", Type::String),
        field("nothing", Type::Unit),
        field("last", Type::U8),
    ];
    let owner =
        vec![field("name", Type::String), optional("age", Type::U8), field("boss", option(Type::Ref(1)))];
    let kinds = vec![
        Variant::new("card", Shape::Unit),
        Variant::new("cash", Shape::Unit),
        Variant::new("other", Shape::Newtype(Type::String)),
    ];
    let definitions = vec![
        Definition::Struct(StructDef::new("Request", fields)),
        Definition::Struct(StructDef::new("Owner", owner)),
        Definition::Enum(EnumDef::new("Kind", kinds)),
    ];
    let schema = MethodSchema::new(Type::Ref(0), Type::Ref(0), definitions);
    MethodSchema::decode(&schema.encode()).unwrap()
}

/// What a request is where nothing else is said.
pub(crate) fn usual() -> Value {
    serde_json::json!({
        "tenant": "acme", "kind": "card", "tags": ["a", "b"], "amount": 1000, "small": -5,
        "large": "340282366920938463463374607431768211455", "ratio": 0.5, "single": 0.25, "flag": true, "letter": "é",
        "price": "12.50", "day": "2026-02-28", "at": "2026-01-31T12:00:00Z", "wait": "90s",
        "id": "67e55044-10b1-426f-9247-bb680e5fe0c8", "ip": "10.0.0.1", "mail": "ada@example.com", "blob": "AAE=",
        "any": {"a": 1}, "counts": {"a": 1}, "numbers": [1, -2, 3], "kinds": ["cash"], "prices": ["1.50", "2"],
        "pair": [1, 2], "rest": [null, 1], "x-y": "z", "nothing": null, "last": 9,
    })
}

pub(crate) fn layout() -> Arc<Layout> {
    Arc::new(Layout::new(&schema()).unwrap())
}

/// The bytes that an instance gets.
pub(crate) fn encode(layout: &Arc<Layout>, request: &Value) -> Vec<u8> {
    let program = RequestProgram::bind(layout.clone(), &RequestBinding::default()).unwrap();
    let body = request.to_string();
    let input = RequestInput { path: &[], query: &[], bound: &[], body: body.as_bytes(), form: &[] };
    let mut out = Vec::new();
    program.encode(&input, &mut out).unwrap();
    out
}

pub(crate) fn program(layout: &Arc<Layout>, rules: &[&str]) -> Result<Program, Misfit> {
    let rules: Vec<Rule> = rules
        .iter()
        .map(|rule| Rule::parse(rule).unwrap_or_else(|error| panic!("{rule}: {error}")))
        .collect();
    Program::bind(layout.clone(), &rules)
}

/// One with these claims; `scopes` are its scopes, and `sub` its name.
pub(crate) fn identity(claims: &Value) -> Identity {
    let name = claims["sub"].as_str().unwrap_or("somebody");
    let scopes: Vec<&str> =
        claims["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Identity::new(name).with_scopes(scopes).with_claims(Claims::from(claims.as_object().unwrap().clone()))
}

/// What rules say of a request: the usual one, with these changes.
pub(crate) fn check(rules: &[&str], changes: Value, claims: Option<Value>) -> Result<(), Denied> {
    let layout = layout();
    let mut request = usual();
    for (name, value) in changes.as_object().unwrap() {
        request[name] = value.clone();
    }
    let program = program(&layout, rules).unwrap_or_else(|misfit| panic!("{rules:?}: {misfit:?}"));
    let identity = claims.as_ref().map(identity);
    program.check(&encode(&layout, &request), identity.as_ref())
}
