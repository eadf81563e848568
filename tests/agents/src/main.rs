//! Tools as the Rust SDK of the Model Context Protocol sees them: `callgate-agents URL`. It lists, calls, streams and cancels, by both eras of the
//! protocol, and ends with the revisions that were spoken.

use rmcp::handler::client::progress::ProgressDispatcher;
use rmcp::model::{
    CallToolRequestParams, ClientRequest, ProgressNotificationParam, ProtocolVersion, Request, ServerResult,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt, ServiceError};
use serde_json::{Value, json};
use std::time::Duration;

type Client = RunningService<RoleClient, Agent>;

/// What hears of progress.
#[derive(Default)]
struct Agent {
    progress: ProgressDispatcher,
}

impl ClientHandler for Agent {
    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.progress.handle_notification(params).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::args().nth(1).expect("callgate-agents URL");
    let current = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    speak(&url, current).await;
    speak(&url, ClientLifecycleMode::Initialize).await;
    println!("spoke both");
}

async fn speak(url: &str, era: ClientLifecycleMode) {
    let transport = StreamableHttpClientTransport::from_uri(url.to_owned());
    let client = Agent::default().serve_with_lifecycle(transport, era).await.expect("it begins");
    let tools = client.list_all_tools().await.expect("a list");
    let names: Vec<&str> = tools.iter().map(|tool| &*tool.name).collect();
    assert!(names.contains(&"orders_quote") && !names.contains(&"calc_divide"), "{names:?}");

    let item = |qty: i64| json!({ "sku": "tea", "qty": qty, "unit_price": 4.5 });
    let order = |qty| json!({ "order_id": "7", "customer": "ada", "express": false, "items": [item(qty)] });
    let quote = client.call_tool(params("orders_quote", order(2))).await.expect("a quote");
    assert_eq!(quote.structured_content.expect("a result")["total"], 9.0);

    let wrong = client.call_tool(params("orders_quote", order(-1))).await.expect("a tool error");
    let told = serde_json::to_string(&wrong.content).expect("JSON");
    assert!(wrong.is_error == Some(true) && told.contains("`/items/0/qty`"), "{told}");

    match client.call_tool(params("calc_divide", json!({ "a": 1, "b": 2 }))).await {
        Err(ServiceError::McpError(error)) => assert_eq!(error.code.0, -32602),
        other => panic!("what is not declared was called: {other:?}"),
    }
    stream(&client).await;
    give_up(&client).await;
    client.cancel().await.expect("it ends");
}

fn params(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    CallToolRequestParams::new(tool).with_arguments(arguments)
}

fn request(arguments: Value) -> ClientRequest {
    ClientRequest::CallToolRequest(Request::new(params("echo_count", arguments)))
}

/// All items come as the result.
async fn stream(client: &Client) {
    let asked = request(json!({ "from": 1, "to": 3 }));
    let options = PeerRequestOptions::no_options();
    let called = client.send_cancellable_request(asked, options).await.expect("it is sent");
    match called.await_response().await.expect("a result") {
        ServerResult::CallToolResult(result) => {
            assert_eq!(result.structured_content, Some(json!({ "items": [1, 2, 3] })));
        }
        other => panic!("{other:?}"),
    }
}

/// A call that would take an hour is given up when an item of it has come.
async fn give_up(client: &Client) {
    let asked = request(json!({ "from": 1, "to": 1_000_000, "pause_ms": 5 }));
    let options = PeerRequestOptions::no_options();
    let called = client.send_cancellable_request(asked, options).await.expect("it is sent");
    let mut progress = client.service().progress.subscribe(called.progress_token.clone()).await;
    let next = std::future::poll_fn(|cx| futures::Stream::poll_next(std::pin::Pin::new(&mut progress), cx));
    let told = tokio::time::timeout(Duration::from_secs(30), next).await.expect("in time").expect("progress");
    assert!(told.progress >= 1.0 && told.message.is_some(), "{told:?}");
    called.cancel(Some("enough".to_owned())).await.expect("it is given up");
}
