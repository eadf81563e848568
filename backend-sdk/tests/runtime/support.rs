//! A service written by hand as the macro will write them, and a server and a client around it.

pub(crate) use crate::peer::{Heard, Peer};
use callgate_protocol::schema::{Definition, EnumDef, Field, MethodSchema, Shape, StructDef, Type, Variant};
use callgate_protocol::{CallId, check};
use callgate_sdk::service::{Answer, Directions, Dispatch, Items, Method, Schema};
use callgate_sdk::{BadSchema, Client, Context, Handle, Server, Status};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Longer than anything here takes; a test that waits for so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("happens soon")
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Tree {
    Leaf,
    Node(Box<Tree>),
}

type Described = Result<MethodSchema, BadSchema>;

fn schema_of(argument: Type, response: Type, definitions: Vec<Definition>) -> Described {
    let field = Field::new("argument", argument);
    let request = Definition::Struct(StructDef::new("Request", vec![field]));
    let mut all = vec![request];
    all.extend(definitions);
    Ok(MethodSchema::new(Type::Ref(0), response, all))
}

pub(crate) fn bytes_to_bytes() -> Described {
    schema_of(Type::Bytes, Type::Bytes, Vec::new())
}

fn size_to_bytes() -> Described {
    schema_of(Type::U64, Type::Bytes, Vec::new())
}

fn tree() -> Described {
    let variant = |name: &str, shape| Variant::new(name, shape);
    let tree = EnumDef::new(
        "Tree",
        vec![variant("Leaf", Shape::Unit), variant("Node", Shape::Newtype(Type::Ref(1)))],
    );
    schema_of(Type::Ref(1), Type::Bytes, vec![Definition::Enum(tree)])
}

fn units() -> Described {
    schema_of(Type::List(Box::new(Type::Unit)), Type::Bytes, Vec::new())
}

const fn method(name: &'static str, idempotent: bool, describe: fn() -> Described) -> Method {
    Method {
        service: "stage",
        name,
        call_id: CallId::of("stage", name),
        idempotent,
        streams: Directions { caller: false, service: false },
        describe,
        cache: OnceLock::new(),
    }
}

static METHODS: [Method; 8] = [
    method("echo", true, bytes_to_bytes),
    method("wait", false, bytes_to_bytes),
    method("panic", false, bytes_to_bytes),
    method("produce", false, size_to_bytes),
    method("tree", false, tree),
    method("units", false, units),
    method("block", false, bytes_to_bytes),
    method("who", false, bytes_to_bytes),
];

/// Gives back what it gets.
pub(crate) static ECHO: &Method = &METHODS[0];
/// Gives back what it gets, once the gate is opened for it.
pub(crate) static WAIT: &Method = &METHODS[1];
/// Panics.
pub(crate) static PANIC: &Method = &METHODS[2];
/// Gives as many bytes as it is told.
pub(crate) static PRODUCE: &Method = &METHODS[3];
/// Takes a recursive enum.
pub(crate) static TREE: &Method = &METHODS[4];
/// Takes a list of units.
pub(crate) static UNITS: &Method = &METHODS[5];
/// Blocks its thread, without a word to tokio, until the gate is opened for it; with the argument `later` not at once.
pub(crate) static BLOCK: &Method = &METHODS[6];
/// Gives deadline, request id and caller of its context.
pub(crate) static WHO: &Method = &METHODS[7];

/// The schema of a method.
pub(crate) fn known(method: &'static Method) -> &'static Schema {
    method.schema().expect("its types can be described")
}

/// What happens in the handlers.
#[derive(Debug, PartialEq)]
pub(crate) enum Happened {
    Started(Vec<u8>),
    /// A handler's future was dropped before its end.
    Dropped(Vec<u8>),
    /// What a handler has spawned has heard that nobody waits any more.
    Cancelled(Vec<u8>),
}

/// The service.
pub(crate) struct Stage {
    happened: mpsc::UnboundedSender<Happened>,
    pub(crate) gate: Semaphore,
}

pub(crate) type Events = mpsc::UnboundedReceiver<Happened>;

pub(crate) fn stage() -> (Arc<Stage>, Events) {
    let (happened, events) = mpsc::unbounded_channel();
    let gate = Semaphore::new(0);
    (Arc::new(Stage { happened, gate }), events)
}

impl Stage {
    fn tell(&self, happened: Happened) {
        let _ = self.happened.send(happened);
    }
}

pub(crate) struct StageServer(pub(crate) Arc<Stage>);

impl Dispatch for StageServer {
    fn name(&self) -> &'static str {
        "stage"
    }

    fn version(&self) -> &'static str {
        "1"
    }

    fn methods(&self) -> &'static [Method] {
        &METHODS
    }

    fn call(
        self: Arc<Self>,
        method: usize,
        context: Context,
        payload: &[u8],
        _: Option<Items>,
    ) -> Result<Answer, Status> {
        let schema = &known(&METHODS[method]).schema;
        check::value(schema, &schema.request, payload)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let stage = self.0.clone();
        Ok(match METHODS[method].name {
            "produce" => {
                let size: u64 = decode(payload)?;
                Box::pin(async move { encode(&vec![7u8; size as usize]) })
            }
            "tree" => {
                let _: Tree = decode(payload)?;
                Box::pin(async { encode(&Vec::<u8>::new()) })
            }
            "units" => {
                let units: Vec<()> = decode(payload)?;
                Box::pin(async move { encode(&units.len().to_le_bytes().to_vec()) })
            }
            name => {
                let bytes: Vec<u8> = decode(payload)?;
                match name {
                    "echo" => Box::pin(async move { encode(&bytes) }),
                    "wait" => Box::pin(wait(stage, context, bytes)),
                    "block" => Box::pin(block(stage, bytes)),
                    "who" => Box::pin(async move { encode(&who(&context).into_bytes()) }),
                    _ => Box::pin(async { panic!("as it was asked to") }),
                }
            }
        })
    }
}

async fn wait(stage: Arc<Stage>, context: Context, bytes: Vec<u8>) -> Result<Vec<u8>, Status> {
    struct Dropped(Arc<Stage>, Option<Vec<u8>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            if let Some(bytes) = self.1.take() {
                self.0.tell(Happened::Dropped(bytes));
            }
        }
    }
    let mut unfinished = Dropped(stage.clone(), Some(bytes.clone()));
    tokio::spawn({
        let (stage, bytes) = (stage.clone(), bytes.clone());
        async move {
            context.cancelled().await;
            stage.tell(Happened::Cancelled(bytes));
        }
    });
    stage.tell(Happened::Started(bytes.clone()));
    stage.gate.acquire().await.expect("the gate is never closed").forget();
    unfinished.1 = None;
    encode(&bytes)
}

async fn block(stage: Arc<Stage>, bytes: Vec<u8>) -> Result<Vec<u8>, Status> {
    if bytes == b"later" {
        // Whoever waits for the timer waits for the sockets too, and goes on to run this.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stage.tell(Happened::Started(bytes.clone()));
    let since = Instant::now();
    while stage.gate.try_acquire().map(|permit| permit.forget()).is_err() {
        // Were all threads blocked, not even a test's time limit would be noticed.
        assert!(since.elapsed() < PATIENCE, "nobody was there to open the gate");
        std::thread::sleep(Duration::from_millis(1));
    }
    encode(&bytes)
}

fn who(context: &Context) -> String {
    let seconds = context.remaining().map(|left| left.as_secs_f64().ceil());
    let (id, caller) = (context.metadata("request-id"), context.metadata("caller"));
    format!("{seconds:?} {id:?} {caller:?}")
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Status> {
    bincode::serde::encode_to_vec(value, bincode::config::standard())
        .map_err(|error| Status::internal(error.to_string()))
}

pub(crate) fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Status> {
    bincode::serde::decode_from_slice(bytes, bincode::config::standard())
        .map(|(value, _)| value)
        .map_err(|error| Status::invalid_argument(error.to_string()))
}

/// A running server.
pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) handle: Handle,
    pub(crate) task: JoinHandle<()>,
}

impl Running {
    /// Drains and waits for the end.
    pub(crate) async fn finish(self) {
        self.handle.drain();
        soon(self.task).await.expect("the server does not panic");
    }
}

pub(crate) fn server(stage: &Arc<Stage>) -> Server {
    Server::new().service(StageServer(stage.clone()))
}

pub(crate) async fn run(server: Server) -> Running {
    run_at(server, "127.0.0.1:0").await
}

pub(crate) async fn run_at(server: Server, address: &str) -> Running {
    let bound = server.listen(address).bind().await.expect("the address is free");
    Running {
        address: bound.addresses()[0].to_string(),
        handle: bound.handle(),
        task: tokio::spawn(bound.serve()),
    }
}

pub(crate) fn client<'a>(addresses: impl IntoIterator<Item = &'a String>) -> Client {
    let builder = addresses.into_iter().fold(Client::builder(), |b, address| b.endpoint(address));
    builder.timeout(PATIENCE).build().expect("the addresses are well-formed")
}

pub(crate) async fn echo(client: &Client, bytes: &[u8]) -> Result<Vec<u8>, Status> {
    soon(client.call(ECHO, None, &bytes)).await
}
