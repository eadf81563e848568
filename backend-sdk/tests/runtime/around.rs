//! What surrounds a call: the context that goes in, the metadata that comes back, and layers at both ends.

use crate::support::{Running, run, soon};
use callgate_sdk::layer::{Call, Layer, Metrics, Next, Outcome, Side};
use callgate_sdk::{Client, ClientBuilder, Code, Context, ReplyMetadata, Server, Status, service};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[service]
pub(crate) trait Desk {
    /// Who the layers say that the caller is, and what else is known of it.
    async fn who(&self, cx: &Context) -> Result<String, Status>;

    /// A page of a list, with the length of the whole beside it.
    async fn page(&self, cx: &Context, size: u32) -> Result<Vec<u32>, Status>;

    /// What the next desk sees of that metadata, when this one has set it so.
    async fn ask_next(
        &self,
        cx: &Context,
        name: String,
        set: Option<String>,
    ) -> Result<Option<String>, Status>;

    async fn metadata(&self, cx: &Context, name: String) -> Result<Option<String>, Status>;

    async fn fail(&self, cx: &Context) -> Result<(), Status>;

    async fn panic(&self) -> Result<(), Status>;
}

struct Room {
    next: Option<DeskClient>,
}

#[derive(Debug)]
struct User(String);

impl Desk for Room {
    async fn who(&self, cx: &Context) -> Result<String, Status> {
        let user = cx.extensions().get::<User>().map(|user| user.0.clone());
        let peer = cx.peer().ok_or_else(|| Status::internal("nobody calls"))?;
        let is_tcp = peer.address().starts_with("127.0.0.1:");
        Ok(format!("{user:?} {} {is_tcp}", peer.identity()))
    }

    async fn page(&self, cx: &Context, size: u32) -> Result<Vec<u32>, Status> {
        cx.reply().insert("x-total-count", "120")?;
        cx.reply().insert("x-raw", [0xff, 0])?;
        Ok((0..size).collect())
    }

    async fn ask_next(
        &self,
        cx: &Context,
        name: String,
        set: Option<String>,
    ) -> Result<Option<String>, Status> {
        let next = self.next.as_ref().ok_or_else(|| Status::failed_precondition("there is no next"))?;
        match set {
            Some(value) => next.metadata(&cx.clone().with_metadata(&name, value)?, name).await,
            None => next.metadata(cx, name).await,
        }
    }

    async fn metadata(&self, cx: &Context, name: String) -> Result<Option<String>, Status> {
        Ok(cx.metadata(&name).map(str::to_owned))
    }

    async fn fail(&self, cx: &Context) -> Result<(), Status> {
        cx.reply().insert("x-total-count", "1")?;
        Err(Status::not_found("as it was told"))
    }

    async fn panic(&self) -> Result<(), Status> {
        panic!("as it was told")
    }
}

pub(crate) fn server() -> Server {
    Server::new().service(DeskServer::new(Room { next: None }))
}

fn builder(running: &Running) -> ClientBuilder {
    Client::builder().endpoint(&running.address)
}

fn desk(builder: ClientBuilder) -> DeskClient {
    DeskClient::new(builder.build().expect("a good address"))
}

/// Lets those in who say who they are.
async fn authenticate(mut call: Call, next: Next) -> Outcome {
    let Some(name) = call.context().metadata("authorization").map(str::to_owned) else {
        return Err(Status::unauthenticated(format!("{} wants to know who calls", call.name())));
    };
    call.extensions_mut().insert(User(name));
    next.run(call).await
}

#[tokio::test]
async fn a_layer_hands_what_it_has_found_out_to_the_handler() {
    let running = run(server().layer(authenticate)).await;
    let desk = desk(builder(&running).caller("billing"));
    let cx = Context::background().with_metadata("Authorization", "ann").expect("fits");
    let who = soon(desk.who(&cx)).await.expect("is let in");
    assert_eq!(who, format!("Some(\"ann\") billing pid {} true", std::process::id()));
    let refused = soon(desk.who(&Context::background())).await.expect_err("says nothing");
    assert_eq!(
        (refused.code, &*refused.message),
        (Code::Unauthenticated, "desk.who wants to know who calls")
    );
    running.finish().await;
}

#[tokio::test]
async fn what_a_method_says_beside_its_result_or_failure_comes_to_the_caller() {
    let running = run(server()).await;
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let look = {
        let seen = seen.clone();
        move |call: Call, next: Next| {
            let seen = seen.clone();
            async move {
                let outcome = next.run(call).await;
                let name = "x-total-count";
                let total = match &outcome {
                    Ok(reply) => reply.metadata(name),
                    Err(status) => status.metadata(name),
                };
                seen.lock().expect("no panic").push(total.map(str::to_owned));
                outcome
            }
        }
    };
    for (desk, sees) in [(desk(builder(&running)), false), (desk(builder(&running).layer(look)), true)] {
        let reply = ReplyMetadata::new();
        let cx = Context::background().with_reply(&reply);
        assert_eq!(soon(desk.page(&cx, 2)).await, Ok(vec![0, 1]));
        assert_eq!(reply.get("X-Total-Count").as_deref(), Some("120"));
        assert_eq!((reply.get("x-raw"), reply.get_bin("x-raw")), (None, Some(vec![0xff, 0])));
        let names: Vec<String> = reply.entries().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["x-total-count", "x-raw"]);
        // So it is beside a failure. What comes without any metadata takes the place of what was before.
        assert_eq!(soon(desk.fail(&cx)).await.expect_err("fails").code, Code::NotFound);
        assert_eq!(reply.entries(), [("x-total-count".to_owned(), b"1".to_vec())]);
        assert_eq!(soon(desk.metadata(&cx, "absent".into())).await, Ok(None));
        assert_eq!(reply.entries(), []);
        let expected: &[_] = if sees { &[Some("120".to_owned()), Some("1".to_owned()), None] } else { &[] };
        assert_eq!(*seen.lock().expect("no panic"), expected);
    }
    running.finish().await;
}

#[tokio::test]
async fn a_handler_passes_request_id_and_trace_on_or_sets_its_own() {
    let last = run(server()).await;
    let next = Some(desk(builder(&last).caller("first")));
    let first = run(Server::new().service(DeskServer::new(Room { next }))).await;
    let desk = desk(builder(&first));
    let mut cx = Context::background();
    for (name, value) in
        [("request-id", "r1"), ("traceparent", "t1"), ("x-tenant", "blue"), ("caller", "web")]
    {
        cx.set_metadata(name, value).expect("fits");
    }
    for (name, set, seen) in [
        ("request-id", None, Some("r1")),
        ("request-id", Some("r2"), Some("r2")),
        ("traceparent", None, Some("t1")),
        ("traceparent", Some("t2"), Some("t2")),
        ("x-tenant", None, None),
        ("x-tenant", Some("red"), Some("red")),
        ("caller", None, Some("first")),
        ("caller", Some("another"), Some("another")),
    ] {
        let asked = soon(desk.ask_next(&cx, name.into(), set.map(Into::into))).await;
        assert_eq!(asked, Ok(seen.map(Into::into)), "{name} {set:?}");
    }
    first.finish().await;
    last.finish().await;
}

#[tokio::test]
async fn metadata_for_which_there_is_no_room_fails_the_call_and_is_not_left_out() {
    let running = run(server()).await;
    let desk = desk(builder(&running).caller("c".repeat(200)));
    let cx = Context::background().with_metadata("x-blob", [7; 16_300]).expect("it fits by itself");
    let failed = soon(desk.who(&cx)).await.expect_err("does not fit beside the caller");
    assert_eq!((failed.code, failed.not_executed), (Code::ResourceExhausted, true));
    assert!(failed.message.contains("\"caller\""), "{}", failed.message);
    running.finish().await;
}

/// Notes what it sees.
#[derive(Clone, Default)]
struct Audit(Arc<Mutex<Vec<String>>>);

impl Layer for Audit {
    async fn call(&self, call: Call, next: Next) -> Outcome {
        let seen = format!("{} {} {}", call.side().name(), call.service(), call.method());
        let outcome = next.run(call).await;
        let end = match &outcome {
            Ok(reply) => format!("{} bytes", reply.size()),
            Err(status) => status.to_string(),
        };
        self.0.lock().expect("no panic").push(format!("{seen}: {end}"));
        outcome
    }
}

#[tokio::test]
async fn a_layer_sees_the_outcome_at_both_ends_also_of_a_method_that_panics() {
    let (audit, metrics) = (Audit::default(), Metrics::new());
    let running = run(server().layer(audit.clone()).layer(metrics.clone())).await;
    let desk = desk(builder(&running).layer(metrics.clone()).layer(audit.clone()));
    let cx = Context::background();
    soon(desk.page(&cx, 3)).await.expect("succeeds");
    soon(desk.fail(&cx)).await.expect_err("fails");
    soon(desk.panic()).await.expect_err("fails");
    let expected = [
        "server desk page: 4 bytes",
        "client desk page: 4 bytes",
        "server desk fail: not_found: as it was told",
        "client desk fail: not_found: as it was told",
        "server desk panic: internal: the method failed unexpectedly",
        "client desk panic: internal: the method failed unexpectedly",
    ];
    assert_eq!(*audit.0.lock().expect("no panic"), expected);
    let text = metrics.render();
    for side in [Side::Server, Side::Client] {
        let side = side.name();
        let line = format!(
            "callgate_sdk_calls_total{{side=\"{side}\",service=\"desk\",method=\"panic\",code=\"internal\"}} 1"
        );
        assert!(text.contains(&line), "{line} is not in\n{text}");
    }
    running.finish().await;
}

async fn stamp(mut call: Call, next: Next) -> Outcome {
    call.context_mut().set_metadata("x-stamp", "red")?;
    next.run(call).await
}

async fn wait_for_ever(_: Call, _: Next) -> Outcome {
    std::future::pending().await
}

#[tokio::test]
async fn a_clients_layer_adds_to_what_goes_along_and_ends_with_the_calls_deadline() {
    let running = run(server()).await;
    let stamped = desk(builder(&running).layer(stamp));
    let seen = soon(stamped.metadata(&Context::background(), "x-stamp".into())).await;
    assert_eq!(seen, Ok(Some("red".into())));
    let stuck = desk(builder(&running).layer(wait_for_ever).timeout(Duration::from_millis(20)));
    let late = soon(stuck.panic()).await.expect_err("its time is up");
    assert_eq!(late.code, Code::DeadlineExceeded);
    assert!(late.message.contains("desk.panic"), "{}", late.message);
    running.finish().await;
}

#[tokio::test]
async fn arguments_that_cannot_be_read_are_refused_by_the_end_that_layers_see() {
    use crate::support::{Heard, Peer};
    let audit = Audit::default();
    let running = run(server().layer(audit.clone())).await;
    let mut peer = Peer::connect(&running.address).await;
    let page = callgate_protocol::CallId::of("desk", "page");
    peer.call(1, page, None, b"\xff\xff\xff");
    peer.flush().await;
    let Heard::Failure(1, status) = peer.hear().await else { panic!("a failure is the answer") };
    assert_eq!(status.code, Code::InvalidArgument);
    let noted = audit.0.lock().expect("no panic").clone();
    assert!(noted[0].starts_with("server desk page: invalid_argument"), "{noted:?}");
    running.finish().await;
}
