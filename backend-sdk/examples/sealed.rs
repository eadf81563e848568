//! The code of docs/sdk.md on TLS and tokens. `tests/docs.rs` holds the page to this file.
//!
//!     cargo run -p callgate-sdk --features tls --example sealed

#![allow(missing_docs, reason = "the page says it")]

use callgate_sdk::tls::{ClientTls, ServerTls};
use callgate_sdk::{Client, ClientError, Context, Peer, Server, ServerError, Status, Token, service};

#[service]
pub trait Orders {
    async fn cancel(&self, cx: &Context, order_id: String) -> Result<(), Status>;
}

struct Book;

impl Orders for Book {
    async fn cancel(&self, cx: &Context, order_id: String) -> Result<(), Status> {
        let is_billing = |peer: &Peer| {
            let shown = peer.certificate();
            shown.is_some_and(|shown| shown.dns_names().iter().any(|name| name == "billing.internal"))
        };
        if !cx.peer().is_some_and(is_billing) {
            return Err(Status::permission_denied("only billing may do this"));
        }
        Err(Status::not_found(format!("there is no order {order_id}")))
    }
}

/// A server that knows its callers by their certificates.
pub async fn serve(orders: OrdersServer<impl Orders>) -> Result<(), ServerError> {
    let tls = ServerTls::new("/etc/shop/tls.crt", "/etc/shop/tls.key").client_ca("/etc/shop/ca.crt");
    Server::new().service(orders).tls(tls).listen("0.0.0.0:7101").run().await
}

/// A caller that shows its own.
pub fn billing() -> Result<Client, ClientError> {
    let tls = ClientTls::new("/etc/billing/ca.crt").identity("/etc/billing/tls.crt", "/etc/billing/tls.key");
    Client::builder().tls(tls).endpoint("shop.internal:7101").build()
}

/// A server that asks for a token.
pub fn behind_a_token(orders: OrdersServer<impl Orders>) -> Server {
    Server::new().service(orders).token(Token::file("/run/secrets/shop-token")).listen("unix:/run/shop.sock")
}

/// A server that believes gateways what they say of callers, and nobody else.
pub fn behind_gateways(orders: OrdersServer<impl Orders>) -> Server {
    let server = Server::new()
        .named_token("gateway", Token::file("/run/secrets/gateway-token"))
        .named_token("billing", Token::file("/run/secrets/billing-token"))
        .speaks_for_others(|peer| peer.token() == Some("gateway"));
    server.service(orders).listen("unix:/run/shop.sock")
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    serve(OrdersServer::new(Book)).await
}
