//! Instances whose schemas the gateway cannot use: too many bytes of them, or a method whose schema is none.

use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{
    CallId, Event, Hello, Inbound, Limits, MethodOffer, Outbound, Role, ServiceOffer, Streaming,
};
use callgate_tests::{Gateway, PATIENCE, Setup, free_port};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

/// An instance that offers a method for each of these schemas, and what it is told when a gateway leaves it.
struct Instance {
    endpoint: String,
    told: watch::Receiver<Option<String>>,
    /// How many gateways' workers have been served.
    greeted: watch::Receiver<usize>,
}

async fn instance(schemas: Vec<Vec<u8>>) -> Instance {
    let port = free_port();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    let (tell, told) = watch::channel(None);
    let (greet, greeted) = watch::channel(0);
    // Once, because hashing takes its time.
    let schemas: Vec<(Fingerprint, Vec<u8>)> =
        schemas.into_iter().map(|schema| (Fingerprint::of(&schema), schema)).collect();
    let (tell, greet, schemas) = (Arc::new(tell), Arc::new(greet), Arc::new(schemas));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (tell, greet, schemas) = (tell.clone(), greet.clone(), schemas.clone());
            tokio::spawn(async move {
                if let Some(reason) = serve(socket, &schemas, &greet).await {
                    tell.send_replace(Some(reason));
                }
            });
        }
    });
    Instance { endpoint: format!("127.0.0.1:{port}"), told, greeted }
}

/// Serves one connection; what it was told at the end.
async fn serve(
    mut socket: TcpStream,
    schemas: &[(Fingerprint, Vec<u8>)],
    greet: &watch::Sender<usize>,
) -> Option<String> {
    let methods = (0..).zip(schemas).map(|(n, (schema, _)): (u32, _)| {
        let name = format!("m{n}");
        let call_id = CallId::of("large", &name);
        MethodOffer {
            name,
            call_id,
            schema: *schema,
            wire: *schema,
            idempotent: false,
            streams: Streaming::default(),
        }
    });
    let service =
        ServiceOffer { name: "large".to_owned(), version: String::new(), methods: methods.collect() };
    let mut outbound = Outbound::new(&Hello::new("large", Limits::default(), vec![service]));
    let mut inbound = Inbound::new(Role::Acceptor, Limits::default());
    let (mut unread, mut reason) = (Vec::new(), None);
    loop {
        let chunk = outbound.chunk().to_vec();
        outbound.advance(chunk.len());
        if !chunk.is_empty() && socket.write_all(&chunk).await.is_err() {
            return reason;
        }
        if chunk.is_empty() && socket.read_buf(&mut unread).await.unwrap_or(0) == 0 {
            return reason;
        }
        let mut at = 0;
        while let Ok((taken, event)) = inbound.next(&unread[at..]) {
            if taken == 0 {
                break;
            }
            at += taken;
            match event {
                Some(Event::Hello(_)) => greet.send_modify(|greeted| *greeted += 1),
                Some(Event::SchemaRequest(wanted)) => {
                    let schema = schemas.iter().find(|(known, _)| *known == wanted);
                    outbound.schema(wanted, schema.map_or(&[], |(_, schema)| schema));
                }
                Some(Event::GoAway { reason: why, .. }) => reason = Some(why.to_owned()),
                _ => {}
            }
        }
        unread.drain(..at);
    }
}

async fn gateway_of(instances: &[&Instance]) -> (Setup, Gateway) {
    let setup = Setup::new();
    let endpoints: Vec<String> = instances.iter().map(|one| format!("\"{}\"", one.endpoint)).collect();
    let endpoints = endpoints.join(", ");
    let route = "[[routes]]\nmatch = \"GET /\"\ncall = \"large.m0\"";
    setup.write_routes("large.toml", &format!("[backends.large]\nendpoints = [{endpoints}]\n{route}\n"));
    let gateway = setup.gateway().await;
    (setup, gateway)
}

#[tokio::test]
async fn an_instance_with_too_many_bytes_of_schemas_is_told_why_it_is_left() {
    // Each is as long as a schema may be, and 65 are more than the 64 MiB that a connection may bring.
    let long = |n: u8| vec![n; callgate_protocol::limits::MAX_SCHEMA];
    let mut large = instance((0..66).map(long).collect()).await;
    let (_setup, gateway) = gateway_of(&[&large]).await;
    let told = timeout(PATIENCE, large.told.wait_for(Option::is_some)).await;
    let told = told.expect("it is told in time").expect("it runs").clone().unwrap_or_default();
    assert!(told.contains("the schemas are larger than 67108864 bytes together"), "{told}");
    let page = gateway.admin.get("/backends").await.json();
    let error = page["backends"][0]["endpoints"][0]["error"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains("larger than 67108864 bytes"), "{error}");
}

#[tokio::test]
async fn that_a_method_cannot_be_called_is_told_once_and_not_by_each_connection() {
    let broken = || instance(vec![b"no schema".to_vec()]);
    let (mut first, mut second) = (broken().await, broken().await);
    let (_setup, gateway) = gateway_of(&[&first, &second]).await;
    // Each of both workers connects to each of both instances.
    for one in [&mut first, &mut second] {
        let greeted = timeout(PATIENCE, one.greeted.wait_for(|greeted| *greeted >= 2)).await;
        greeted.expect("they connect in time").expect("it runs");
    }
    let status = gateway.client.get("/").await.status;
    assert!(status >= 500, "{status}");
    let told = gateway.told("the instance offers a method that cannot be called", "method").await;
    assert_eq!(told, ["large.m0"]);
}
