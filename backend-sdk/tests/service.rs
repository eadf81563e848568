//! `#[service]`: the server stub is driven as the runtime drives it, the client stub is one more implementation.

mod common;

use callgate_protocol::schema::{MethodSchema, Type};
use callgate_protocol::{CallId, Code};
use callgate_sdk::service::{Dispatch, Method, Schema};
use callgate_sdk::{Client, Context, Message, Status, service};
use common::bincode_of;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One line of an order.
#[derive(Serialize, Deserialize, Message, Debug, PartialEq)]
struct Item {
    sku: String,
    quantity: u32,
}

#[derive(Serialize, Deserialize, Message, Debug, PartialEq)]
enum Priority {
    Low,
    High,
}

/// Takes orders.
#[service]
trait BookOrders {
    /// Prices an order.
    ///
    /// It is not kept.
    async fn quote(
        &self,
        order_id: String,
        /// What is bought.
        items: Vec<Item>,
        r#type: Option<u8>,
    ) -> Result<f64, Status>;

    #[idempotent]
    async fn get(&self, cx: &Context, item: Item) -> Result<Item, Status>;

    #[call(id = 0x1234)]
    async fn clear(&self) -> Result<(), Status>;

    #[deprecated = "it is of no use"]
    async fn rank(
        &self,
        _cx: &callgate_sdk::Context,
        priority: Priority,
    ) -> std::result::Result<bool, Status>;

    async fn boxed(&self, item: Box<Item>, payload: ()) -> Result<(), Status>;
}

struct Shop;

impl BookOrders for Shop {
    async fn quote(&self, order_id: String, items: Vec<Item>, r#type: Option<u8>) -> Result<f64, Status> {
        tokio::task::yield_now().await;
        let count: u32 = items.iter().map(|item| item.quantity).sum();
        Ok(f64::from(count) + order_id.len() as f64 + f64::from(r#type.unwrap_or(0)))
    }

    async fn get(&self, cx: &Context, item: Item) -> Result<Item, Status> {
        tokio::task::yield_now().await;
        match cx.deadline() {
            None => Ok(item),
            Some(_) => Err(Status::not_found(item.sku)),
        }
    }

    async fn clear(&self) -> Result<(), Status> {
        Err(Status::failed_precondition("never"))
    }

    async fn rank(&self, _cx: &Context, priority: Priority) -> Result<bool, Status> {
        Ok(priority == Priority::High)
    }

    async fn boxed(&self, _: Box<Item>, _: ()) -> Result<(), Status> {
        Ok(())
    }
}

#[derive(Serialize, Deserialize, Message, Debug)]
enum Nest {
    Egg,
    Inner(Box<Nest>),
}

#[service(name = "second-hand", version = "1.2")]
trait Other {
    async fn nothing(&self) -> Result<(), Status>;
    async fn nest(&self, nest: Nest, units: Vec<()>) -> Result<(), Status>;
}

struct Nothing;

impl Other for Nothing {
    async fn nothing(&self) -> Result<(), Status> {
        Ok(())
    }

    async fn nest(&self, _: Nest, _: Vec<()>) -> Result<(), Status> {
        Ok(())
    }
}

fn server() -> Arc<BookOrdersServer<Shop>> {
    Arc::new(BookOrdersServer::new(Shop))
}

fn index(name: &str) -> usize {
    let position = server().methods().iter().position(|method| method.name == name);
    position.expect("the method exists")
}

fn method(name: &str) -> &'static Method {
    &server().methods()[index(name)]
}

fn known(method: &'static Method) -> &'static Schema {
    method.schema().expect("its types can be described")
}

async fn call<R: DeserializeOwned>(name: &str, payload: &[u8]) -> Result<R, Status> {
    let answer = server().call(index(name), Context::background(), payload, None)?;
    let bytes = answer.await?;
    let (result, length) = bincode::serde::decode_from_slice(&bytes, bincode::config::standard())
        .expect("the answer can be read");
    assert_eq!(length, bytes.len());
    Ok(result)
}

fn item() -> Item {
    Item { sku: "a".into(), quantity: 3 }
}

#[tokio::test]
async fn methods_take_their_arguments_one_after_another() {
    let arguments = bincode_of(&("1001", [item()].as_slice(), Some(5u8)));
    assert_eq!(call("quote", &arguments).await, Ok(12.0));
    assert_eq!(call("get", &bincode_of(&item())).await, Ok(item()));
    assert_eq!(call("rank", &[1]).await, Ok(true));
    assert_eq!(call("boxed", &bincode_of(&item())).await, Ok(()));
}

#[tokio::test]
async fn a_handlers_failure_is_the_calls() {
    let failure = call::<()>("clear", &[]).await;
    assert_eq!(failure, Err(Status::failed_precondition("never")));
}

#[test]
fn a_payload_that_is_no_value_of_the_schema_is_an_invalid_argument() {
    let good = bincode_of(&("1001", [item()].as_slice(), Some(5u8)));
    let mut trailing = good.clone();
    trailing.push(0);
    let payloads = [&good[..good.len() - 1], &trailing, &[], &[253, 255, 255, 255, 255, 255, 255, 255, 255]];
    for payload in payloads {
        let refusal = server().call(index("quote"), Context::background(), payload, None).err();
        let refusal = refusal.expect("the payload is refused");
        assert_eq!(refusal.code, Code::InvalidArgument);
        assert!(refusal.message.contains("book_orders.quote"), "{refusal}");
    }
    let refusal = server().call(index("clear"), Context::background(), &[1], None).err();
    assert_eq!(refusal.map(|status| status.code), Some(Code::InvalidArgument));
}

/// A number that is even, which its schema cannot say: it writes what `u32` writes.
#[derive(Serialize)]
struct Even(u32);

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Even, D::Error> {
        let number = u32::deserialize(from)?;
        let refused = || serde::de::Error::custom(format!("{number} is not even"));
        if number % 2 == 0 { Ok(Even(number)) } else { Err(refused()) }
    }
}

impl Message for Even {
    fn describe(schema: &mut callgate_sdk::SchemaBuilder) -> Type {
        u32::describe(schema)
    }
}

#[service]
trait Halves {
    async fn half(&self, of: Even) -> Result<u32, Status>;
}

impl Halves for Nothing {
    async fn half(&self, of: Even) -> Result<u32, Status> {
        Ok(of.0 / 2)
    }
}

#[test]
fn what_a_type_of_ones_own_refuses_is_told_in_its_own_words() {
    let server = Arc::new(HalvesServer::new(Nothing));
    let refusal = server.call(0, Context::background(), &[7], None).err().expect("7 is refused");
    assert_eq!(
        refusal,
        Status::invalid_argument("the arguments of halves.half cannot be read: 7 is not even")
    );
}

/// Either would be the end of a process that gave it to bincode: the first by its stack, the second by its patience.
#[test]
fn what_bincode_does_not_bound_is_refused_before_it() {
    let units = bincode_of(&(Nest::Egg, u64::from(u32::MAX)));
    for payload in [vec![1; 1_000_000], units] {
        let server = Arc::new(OtherServer::new(Nothing));
        let refusal = server.call(1, Context::background(), &payload, None).err();
        assert_eq!(refusal.map(|status| status.code), Some(Code::InvalidArgument));
    }
}

#[test]
fn a_method_that_is_not_there_is_unimplemented() {
    let refusal = server().call(99, Context::background(), &[], None).err();
    assert_eq!(refusal.map(|status| (status.code, status.not_executed)), Some((Code::Unimplemented, true)));
}

#[test]
fn names_numbers_and_flags_are_those_of_the_trait() {
    assert_eq!((server().name(), server().version()), ("book_orders", ""));
    assert_eq!(method("quote").call_id, CallId::of("book_orders", "quote"));
    assert_eq!(method("clear").call_id.get(), 0x1234);
    assert!(method("get").idempotent && !method("quote").idempotent);
    let other = OtherServer::new(Nothing);
    assert_eq!((other.name(), other.version()), ("second-hand", "1.2"));
    assert_eq!(other.methods()[0].call_id, CallId::of("second-hand", "nothing"));
}

#[test]
fn each_methods_schema_is_valid_and_carries_documentation() {
    for method in server().methods() {
        let schema = known(method);
        assert_eq!(MethodSchema::decode(&schema.encoded).as_ref(), Ok(&schema.schema), "{}", method.name);
    }
    let quote = &known(method("quote")).schema;
    assert_eq!(quote.doc, "Prices an order.\n\nIt is not kept.");
    let request = quote.request_struct().expect("a request is a struct");
    assert_eq!(request.name, "QuoteRequest");
    let names: Vec<_> = request.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["order_id", "items", "type"]);
    assert_eq!(request.fields[1].doc, "What is bought.");
    assert_eq!(quote.response, Type::F64);
}

#[test]
fn the_only_argument_is_the_request_if_it_is_a_struct() {
    let request = |name| {
        let schema = &known(method(name)).schema;
        schema.request_struct().expect("a request is a struct").clone()
    };
    assert_eq!(
        (request("get").name, request("get").doc),
        ("Item".to_owned(), "One line of an order.".to_owned())
    );
    assert_eq!(known(method("get")).schema.response, known(method("get")).schema.request);
    assert_eq!((request("rank").name.as_str(), request("rank").fields.len()), ("RankRequest", 1));
    assert_eq!((request("clear").name.as_str(), request("clear").fields.len()), ("ClearRequest", 0));
    assert_eq!(request("boxed").fields.len(), 2);
}

/// It is enough that this compiles: what a client does with a call is the runtime's matter.
#[test]
fn the_client_stub_is_an_implementation_of_the_trait() {
    fn is_send<T: Send>(_: &T) {}
    fn is_clone<T: Clone>(_: &T) {}
    let _: fn(Client) = |client| {
        let stub = BookOrdersClient::from(client.clone());
        is_clone(&stub);
        is_send(&stub.quote(String::new(), vec![], None));
        is_send(&stub.get(&Context::background(), item()));
        let _forwarder = BookOrdersServer::new(BookOrdersClient::new(client));
    };
}
