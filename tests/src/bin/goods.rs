//! A shop whose schema says more than types: constraints, decimals and dates, fields that tell absent from null, and errors that
//! its methods declare. The schema is written by hand, as an SDK in another language would make it.
//!
//! With `--plain` it is an earlier version of itself: the same types, and no constraints. With `--unusable` no gateway can use the
//! schema of `change`: a struct of it has two fields of one name.

use bincode::config::standard;
use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, Shape, Span, StructDef, Variant,
};
use callgate_sdk::generated::{CallId, Dispatch, answer, arguments};
use callgate_sdk::message::Type;
use callgate_sdk::service::{Answer, Directions, Items, Method};
use callgate_sdk::{BadSchema, Code, Context, Server, Status};
use clap::Parser;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// Whether the schema has no constraints. Set before anybody asks for it.
static PLAIN: AtomicBool = AtomicBool::new(false);

/// Whether the schema of `change` cannot be used. Likewise.
static UNUSABLE: AtomicBool = AtomicBool::new(false);

#[derive(Deserialize)]
struct Order {
    sku: String,
    qty: u32,
    price: String,
    ships_on: String,
    _tags: Vec<String>,
    _note: Option<String>,
}

#[derive(Serialize)]
struct Receipt {
    sku: String,
    total: String,
    ships_on: String,
    number: u64,
}

/// The errors of `order`. What the schema does not know of, the last one, is what a broken instance sends.
#[derive(Serialize)]
enum OrderError {
    SoldOut { left: u32, price: String, number: u64 },
    TooLate(String),
    Closed,
    Broken { secret: String },
    Unknown,
}

#[derive(Serialize, Deserialize)]
enum Presence<T> {
    Absent,
    Null,
    Value(T),
}

#[derive(Deserialize)]
struct Change {
    id: u32,
    name: Presence<String>,
    price: Presence<String>,
}

#[derive(Serialize)]
struct Changed {
    id: u32,
    name: Presence<String>,
    price: Presence<String>,
    seen: String,
}

fn encoded(value: &impl Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, standard()).unwrap_or_default()
}

fn order(order: Order) -> Result<Receipt, Status> {
    let fail =
        |code, message: &str, error: OrderError| Err(Status::new(code, message).with_error(encoded(&error)));
    let Order { sku, qty, price, ships_on, .. } = order;
    match sku.as_str() {
        "sold-out" => {
            let error = OrderError::SoldOut { left: 3, price, number: 1 << 60 };
            fail(Code::Aborted, "only 3 are left", error)
        }
        "late" => fail(Code::FailedPrecondition, "nothing leaves that day", OrderError::TooLate(ships_on)),
        "closed" => fail(Code::Unavailable, "the shop is closed", OrderError::Closed),
        "broken" => fail(Code::Internal, "secret words", OrderError::Broken { secret: "secret".to_owned() }),
        "lying" => fail(Code::Aborted, "an error that is none", OrderError::Unknown),
        "plain" => {
            Err(Status::not_found("a failure without a type")
                .with_details(&serde_json::json!({ "plain": true })))
        }
        _ => {
            // A decimal that shows both: what it costs is of no account.
            let total = if qty == 0 { "0".to_owned() } else { format!("{qty}{price}") };
            Ok(Receipt { total, sku, ships_on, number: 1 << 60 })
        }
    }
}

fn change(Change { id, name, price }: Change) -> Result<Changed, Status> {
    let word = |field: &Presence<String>| match field {
        Presence::Absent => "absent".to_owned(),
        Presence::Null => "null".to_owned(),
        Presence::Value(value) => value.clone(),
    };
    Ok(Changed { id, seen: format!("{} {}", word(&name), word(&price)), name, price })
}

fn text(logical: Logical) -> Type {
    Type::Logical(logical, Box::new(Type::String))
}

/// A field with constraints, which an earlier version has not.
fn bound(name: &str, ty: Type, constraints: Attributes) -> Field {
    let attributes = if PLAIN.load(Relaxed) { Attributes::default() } else { constraints };
    Field { attributes, ..Field::new(name, ty) }
}

fn describe_order() -> Result<MethodSchema, BadSchema> {
    let none = Attributes::default;
    let up_to = |max| Span { min: 0, max: Some(max) };
    let request = vec![
        bound(
            "sku",
            Type::String,
            none().with_length(Span { min: 1, max: Some(20) }).with_pattern("^[a-z-]+$"),
        ),
        bound("qty", Type::U32, none().with_minimum(encoded(&1u32)).with_maximum(encoded(&100u32))),
        bound("price", text(Logical::DECIMAL), none().with_minimum(encoded(&"0.01"))),
        bound("ships_on", text(Logical::DATE), none().with_minimum(encoded(&"2026-01-01"))),
        bound("tags", Type::List(Box::new(Type::String)), none().with_items(up_to(3))),
        bound("note", Type::Option(Box::new(Type::String)), none().with_length(up_to(10))),
    ];
    let receipt = vec![
        Field::new("sku", Type::String),
        Field::new("total", text(Logical::DECIMAL)),
        Field::new("ships_on", text(Logical::DATE)),
        Field::new("number", Type::U64),
    ];
    let sold_out = vec![
        Field::new("left", Type::U32),
        Field::new("price", text(Logical::DECIMAL)),
        Field::new("number", Type::U64),
    ];
    let secret = vec![Field::new("secret", Type::String)];
    let errors = [
        ("SoldOut", Shape::Struct(sold_out), Code::Aborted),
        ("TooLate", Shape::Newtype(text(Logical::DATE)), Code::FailedPrecondition),
        ("Closed", Shape::Unit, Code::Unavailable),
        ("Broken", Shape::Struct(secret), Code::Internal),
    ];
    let variant =
        |(name, shape, code)| Variant { attributes: none().with_code(code), ..Variant::new(name, shape) };
    let definitions = vec![
        Definition::Struct(StructDef::new("Order", request)),
        Definition::Struct(StructDef::new("Receipt", receipt)),
        Definition::Enum(EnumDef::new("OrderError", errors.map(variant).to_vec())),
    ];
    let schema = MethodSchema::new(Type::Ref(0), Type::Ref(1), definitions);
    Ok(MethodSchema { error: Some(Type::Ref(2)), ..schema })
}

fn describe_change() -> Result<MethodSchema, BadSchema> {
    let presence = |ty| Type::Presence(Box::new(ty));
    let length = Attributes::default().with_length(Span { min: 1, max: None });
    let least = Attributes::default().with_minimum(encoded(&"0"));
    let fields = || {
        vec![
            Field::new("id", Type::U32),
            bound("name", presence(Type::String), length.clone()),
            bound("price", presence(text(Logical::DECIMAL)), least.clone()),
        ]
    };
    let mut changed = fields();
    if UNUSABLE.load(Relaxed) {
        changed.push(Field::new("name", Type::String));
    }
    changed.push(Field::new("seen", Type::String));
    let definitions = vec![
        Definition::Struct(StructDef::new("Change", fields())),
        Definition::Struct(StructDef::new("Changed", changed)),
    ];
    Ok(MethodSchema::new(Type::Ref(0), Type::Ref(1), definitions))
}

static METHODS: OnceLock<[Method; 2]> = OnceLock::new();

struct Goods;

impl Dispatch for Goods {
    fn name(&self) -> &'static str {
        "goods"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn methods(&self) -> &'static [Method] {
        METHODS.get_or_init(|| {
            let method = |name, describe| Method {
                service: "goods",
                name,
                call_id: CallId::of("goods", name),
                idempotent: false,
                streams: Directions::default(),
                describe,
                cache: OnceLock::new(),
            };
            [method("order", describe_order), method("change", describe_change)]
        })
    }

    fn call(
        self: Arc<Self>,
        method: usize,
        _context: Context,
        payload: &[u8],
        _items: Option<Items>,
    ) -> Result<Answer, Status> {
        let called = &self.methods()[method];
        Ok(match method {
            0 => {
                let request = arguments(called, payload)?;
                answer(async move { order(request) })
            }
            _ => {
                let request = arguments(called, payload)?;
                answer(async move { change(request) })
            }
        })
    }
}

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
    /// Without constraints.
    #[arg(long)]
    plain: bool,
    /// With two fields of one name.
    #[arg(long)]
    unusable: bool,
}

#[tokio::main]
async fn main() -> Result<(), callgate_sdk::ServerError> {
    let arguments = Arguments::parse();
    PLAIN.store(arguments.plain, Relaxed);
    UNUSABLE.store(arguments.unusable, Relaxed);
    Server::new().service(Goods).listen(arguments.listen).run().await
}
