//! Types that compile and yet cannot be offered: a server says so when it starts, and not its callers later.

use callgate_protocol::schema::{SchemaError, Type};
use callgate_sdk::{
    BadSchema, Client, Message, Presence, SchemaBuilder, Server, ServerError, Status, service,
};
use serde::ser::Error;
use serde::{Deserialize, Serialize, Serializer};
use std::marker::PhantomData;

/// Has no name in JSON, and no end.
#[derive(Debug, Serialize, Deserialize, Message)]
struct Knot(Vec<Knot>);

/// Cannot be written.
#[derive(Debug, Default, Deserialize)]
struct Stubborn;

impl Serialize for Stubborn {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("not with me"))
    }
}

impl Message for Stubborn {
    fn describe(_: &mut SchemaBuilder) -> Type {
        Type::Unit
    }
}

#[derive(Debug, Serialize, Deserialize, Message)]
struct Owner {
    #[serde(default)]
    stubborn: Stubborn,
}

/// Describes itself as what it is not.
#[derive(Debug, Serialize, Deserialize)]
struct Liar(u8);

impl Message for Liar {
    fn describe(_: &mut SchemaBuilder) -> Type {
        Type::Ref(99)
    }
}

/// The default is right for what it is, and wrong for what it says it is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Short;

impl Message for Short {
    fn describe(_: &mut SchemaBuilder) -> Type {
        Type::U8
    }
}

#[derive(Debug, Serialize, Deserialize, Message)]
struct Settings {
    #[serde(default)]
    short: Short,
}

/// Its field has a name of 257 bytes.
#[derive(Debug, Serialize, Deserialize, Message)]
struct Wordy {
    #[serde(
        rename = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\
              wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww\
              wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
    )]
    word: u8,
}

type Eight<T> = Vec<Vec<Vec<Vec<Vec<Vec<Vec<Vec<T>>>>>>>>;
type Deep = Eight<Eight<Eight<Eight<Vec<u8>>>>>;

/// Implements all of them by never being called.
#[derive(Debug)]
struct Nobody<T>(PhantomData<T>);

macro_rules! services {
    ($($service:ident, $server:ident, $client:ident: $ty:ty;)*) => {$(
        #[service]
        trait $service {
            async fn take(&self, it: $ty) -> Result<(), Status>;
        }

        impl $service for Nobody<()> {
            async fn take(&self, _: $ty) -> Result<(), Status> {
                Ok(())
            }
        }
    )*};
}

services! {
    Endless, EndlessServer, EndlessClient: Knot;
    Unwritable, UnwritableServer, UnwritableClient: Owner;
    Dangling, DanglingServer, DanglingClient: Liar;
    Mistaken, MistakenServer, MistakenClient: Settings;
    TooDeep, TooDeepServer, TooDeepClient: Deep;
    TooLong, TooLongServer, TooLongClient: Wordy;
    Misplaced, MisplacedServer, MisplacedClient: Vec<Presence<u8>>;
}

async fn refused(server: Server) -> (String, BadSchema) {
    let error = server.listen("127.0.0.1:0").bind().await.map(|_| ()).expect_err("it cannot be offered");
    let text = error.to_string();
    match error {
        ServerError::BadSchema { method, problem } => {
            assert!(text.contains(&method) && text.contains(&problem.to_string()), "{text}");
            (method, problem)
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn types_that_cannot_be_offered_are_an_error_of_bind_that_names_the_method() {
    let server = Server::new;
    let nobody = || Nobody(PhantomData);
    let (method, problem) = refused(server().service(EndlessServer::new(nobody()))).await;
    assert_eq!(method, "endless.take");
    assert!(matches!(problem, BadSchema::Endless { ty } if ty.ends_with("Knot")));

    let (_, problem) = refused(server().service(UnwritableServer::new(nobody()))).await;
    assert!(matches!(&problem, BadSchema::Default { ty, .. } if ty.ends_with("Stubborn")));
    assert!(problem.to_string().contains("not with me"), "{problem}");

    let expected = [
        (refused(server().service(DanglingServer::new(nobody()))).await, SchemaError::DanglingRef(99)),
        (
            refused(server().service(MistakenServer::new(nobody()))).await,
            SchemaError::BadDefault("short".into()),
        ),
        (refused(server().service(TooDeepServer::new(nobody()))).await, SchemaError::TooDeep),
        (refused(server().service(TooLongServer::new(nobody()))).await, SchemaError::NameTooLong(257)),
        (refused(server().service(MisplacedServer::new(nobody()))).await, SchemaError::MisplacedPresence),
    ];
    for ((_, problem), expected) in expected {
        assert_eq!(problem, BadSchema::Refused(expected));
    }
}

#[tokio::test]
async fn a_client_calls_no_method_that_no_server_can_offer() {
    let client = Client::builder().endpoint("127.0.0.1:1").build().expect("a good address");
    let failed = EndlessClient::new(client).take(Knot(vec![])).await.expect_err("it cannot be called");
    assert!(failed.not_executed && failed.message.contains("Knot"), "{failed}");
}
