//! What a service's trait may be told and where it may come from: names, defaults of arguments, shared and chosen
//! implementations, and the SDK by another path.

use callgate_protocol::schema::Field;
use callgate_sdk::service::Dispatch;
use callgate_sdk::{BadSchema, Client, Context, Message, Server, Status, service};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[service]
trait HTTPProxy {
    async fn pass_on(&self) -> Result<(), Status>;
}

#[service(name = "acme.orders.V1")]
trait Dotted {
    async fn _open(&self) -> Result<(), Status>;
}

struct Nobody;

impl HTTPProxy for Nobody {
    async fn pass_on(&self) -> Result<(), Status> {
        Ok(())
    }
}

impl Dotted for Nobody {
    async fn _open(&self) -> Result<(), Status> {
        Ok(())
    }
}

#[test]
fn names_are_those_that_the_protocol_knows() {
    assert_eq!(HTTPProxyServer::new(Nobody).name(), "http_proxy");
    assert_eq!(HTTPProxyServer::new(Nobody).methods()[0].name, "pass_on");
    assert_eq!(DottedServer::new(Nobody).name(), "acme.orders.V1");
}

const MOST: u32 = 20;

#[service]
trait Search {
    async fn search(
        &self,
        /// What is looked for.
        #[default]
        words: Vec<String>,
        #[default(MOST + 5)]
        #[message(min = 1, max = MOST * 5)]
        limit: u32,
        #[message(rename = "orderBy")]
        #[default("name".to_owned())]
        order_by: String,
        after: Option<String>,
        needed: bool,
    ) -> Result<String, Status>;
    async fn lone_number(&self, #[default(7)] n: u32) -> Result<u32, Status>;
    async fn lone_struct(&self, #[default] filter: Filter) -> Result<(), Status>;
}

#[derive(Default, Serialize, Deserialize, Message)]
struct Filter {
    name: String,
}

impl Search for Nobody {
    async fn search(
        &self,
        words: Vec<String>,
        limit: u32,
        order_by: String,
        after: Option<String>,
        needed: bool,
    ) -> Result<String, Status> {
        Ok(format!("{words:?} {limit} {order_by} {after:?} {needed}"))
    }

    async fn lone_number(&self, n: u32) -> Result<u32, Status> {
        Ok(n)
    }

    async fn lone_struct(&self, filter: Filter) -> Result<(), Status> {
        Err(Status::not_found(filter.name))
    }
}

fn fields(method: usize) -> Vec<Field> {
    let server = SearchServer::new(Nobody);
    let schema = &server.methods()[method].schema().expect("it can be described").schema;
    schema.request_struct().expect("a request is a struct").fields.clone()
}

#[test]
fn arguments_have_names_and_defaults_of_their_own() {
    let fields = fields(0);
    let told: Vec<_> = fields.iter().map(|field| (&*field.name, field.default.as_deref())).collect();
    let name = [&[4][..], b"name"].concat();
    let expected = [
        ("words", Some(&[0][..])),
        ("limit", Some(&[25][..])),
        ("orderBy", Some(&name[..])),
        ("after", None),
        ("needed", None),
    ];
    assert_eq!(told, expected);
    assert_eq!(fields[0].doc, "What is looked for.");
    let bounds = &fields[1].attributes;
    assert_eq!((bounds.minimum(), bounds.maximum()), (Some(&[1][..]), Some(&[100][..])));
    assert_eq!(self::fields(1)[0].default.as_deref(), Some(&[7][..]));
}

#[test]
fn what_is_said_of_an_argument_that_is_the_request_itself_has_no_place() {
    let server = SearchServer::new(Nobody);
    let refused = server.methods()[2].schema().err();
    assert_eq!(refused, Some(&BadSchema::LoneStruct { argument: "filter" }));
}

#[service]
trait Counter {
    async fn add(&self, cx: &Context, n: u32) -> Result<u32, Status>;
    async fn who(&self) -> Result<String, Status>;
}

#[derive(Default)]
struct Sum(AtomicU32);

impl Counter for Sum {
    async fn add(&self, _cx: &Context, n: u32) -> Result<u32, Status> {
        tokio::task::yield_now().await;
        Ok(self.0.fetch_add(n, Ordering::Relaxed) + n)
    }

    async fn who(&self) -> Result<String, Status> {
        Ok("sum".to_owned())
    }
}

struct Constant;

impl Counter for Constant {
    async fn add(&self, _cx: &Context, n: u32) -> Result<u32, Status> {
        Ok(n)
    }

    async fn who(&self) -> Result<String, Status> {
        Ok("constant".to_owned())
    }
}

/// As code that takes any implementation.
async fn twice(counter: impl Counter) -> Result<u32, Status> {
    let cx = Context::background();
    counter.add(&cx, 1).await?;
    counter.add(&cx, 1).await
}

#[tokio::test]
async fn one_that_is_shared_is_one() {
    let sum = Arc::new(Sum::default());
    assert_eq!(twice(sum.clone()).await, Ok(2));
    assert_eq!(twice(Box::new(Constant)).await, Ok(1));
    let bound = Server::new()
        .service(CounterServer::new(sum.clone()))
        .listen("127.0.0.1:0")
        .bind()
        .await
        .expect("it starts");
    let address = bound.addresses()[0].to_string();
    tokio::spawn(bound.serve());
    let client = Client::builder().endpoint(address).build().expect("a good address");
    assert_eq!(twice(CounterClient::new(client.clone())).await, Ok(4));
    assert_eq!(sum.0.load(Ordering::Relaxed), 4);
    // What is chosen at run time: an implementation here, or one of another process.
    let chosen: Vec<Arc<dyn DynCounter>> =
        vec![sum.clone(), Arc::new(Constant), Arc::new(CounterClient::new(client))];
    let mut said = Vec::new();
    for counter in &chosen {
        said.push(counter.who().await.expect("each knows"));
    }
    assert_eq!(said, ["sum", "constant", "sum"]);
    assert_eq!(twice(chosen[2].clone()).await, Ok(6));
    let boxed: Box<dyn DynCounter> = Box::new(Constant);
    assert_eq!(CounterServer::new(boxed).name(), "counter");
    assert_eq!(CounterServer::new(chosen[1].clone()).methods().len(), 2);
}

/// As a crate of a company, which has the SDK in its prelude.
mod prelude {
    pub(crate) mod rpc {
        pub(crate) use callgate_sdk::*;
    }
}

mod renamed {
    /// Here the usual name is nothing.
    mod callgate_sdk {}

    use super::prelude::rpc;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize, rpc::Message)]
    #[message(crate = "rpc")]
    pub(super) struct Note {
        #[serde(default)]
        pub(super) text: String,
    }

    #[derive(Debug, PartialEq, rpc::Error)]
    #[error(crate = "super::prelude::rpc")]
    pub(super) enum NoteError {
        #[error("too long: {0}", code = "out_of_range")]
        TooLong(usize),
        #[error(status)]
        Other(rpc::Status),
    }

    #[rpc::service(crate = "crate::prelude::rpc")]
    pub(super) trait Notes {
        async fn keep(&self, cx: &rpc::Context, note: Note, #[default] times: u8) -> Result<Note, NoteError>;
    }

    pub(super) struct Board;

    impl Notes for Board {
        async fn keep(&self, _cx: &rpc::Context, note: Note, _times: u8) -> Result<Note, NoteError> {
            if note.text.len() > 3 {
                return Err(NoteError::TooLong(note.text.len()));
            }
            Ok(note)
        }
    }
}

#[tokio::test]
async fn the_sdk_may_come_from_elsewhere() {
    use renamed::{Board, Note, NoteError, Notes, NotesServer};
    let note = |text: &str| Note { text: text.to_owned() };
    let cx = Context::background();
    let notes: Arc<dyn renamed::DynNotes> = Arc::new(Board);
    assert_eq!(notes.keep(&cx, note("tea"), 1).await, Ok(note("tea")));
    assert_eq!(notes.keep(&cx, note("long"), 1).await, Err(NoteError::TooLong(4)));
    let server = NotesServer::new(notes);
    let schema = server.methods()[0].schema().expect("it can be described");
    assert!(schema.schema.error_enum().is_some());
}
