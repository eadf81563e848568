//! The same service as gRPC, with tonic: what stands behind Envoy's transcoder. `--descriptor` writes what Envoy has to be
//! handed out about it, and ends.

use callgate_bench::dealer::{self, Connections};
use clap::Parser;
use proto::calc_server::{Calc, CalcServer};
use proto::echo_server::{Echo, EchoServer};
use proto::orders_server::{Orders, OrdersServer};
use proto::{AddReply, AddRequest, CountReply, CountRequest, Line, QuoteReply, QuoteRequest};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status};

/// The messages and servers that build.rs makes of proto/shop.proto.
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
mod proto {
    tonic::include_proto!("shop");
}

const DESCRIPTOR: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shop.pb"));

/// Answers quotes, sums and counts over gRPC.
#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// How many threads serve.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Write the service's descriptor set there instead.
    #[arg(long)]
    descriptor: Option<PathBuf>,
}

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    match options.descriptor {
        Some(file) => std::fs::write(file, DESCRIPTOR),
        None => dealer::deal(options.listen, options.threads, serve),
    }
}

async fn serve(connections: Connections) {
    let connections = UnboundedReceiverStream::new(connections).map(tokio::net::TcpStream::from_std);
    let router = tonic::transport::Server::builder()
        .add_service(OrdersServer::new(Service))
        .add_service(CalcServer::new(Service))
        .add_service(EchoServer::new(Service));
    if let Err(error) = router.serve_with_incoming(connections).await {
        eprintln!("grpc: {error}");
    }
}

struct Service;

#[tonic::async_trait]
impl Orders for Service {
    async fn quote(&self, request: Request<QuoteRequest>) -> Result<Response<QuoteReply>, Status> {
        let QuoteRequest { order_id, express, items, .. } = request.into_inner();
        let price = |item: proto::Item| Line {
            amount: f64::from(item.qty) * item.unit_price,
            sku: item.sku,
            qty: item.qty,
        };
        let lines: Vec<Line> = items.into_iter().map(price).collect();
        let total = lines.iter().map(|line| line.amount).sum();
        Ok(Response::new(QuoteReply { order_id, total, lines, express }))
    }
}

#[tonic::async_trait]
impl Calc for Service {
    async fn add(&self, request: Request<AddRequest>) -> Result<Response<AddReply>, Status> {
        let AddRequest { a, b } = request.into_inner();
        match a.checked_add(b) {
            Some(result) => Ok(Response::new(AddReply { result })),
            None => Err(Status::out_of_range("the sum does not fit 64 bits")),
        }
    }
}

#[tonic::async_trait]
impl Echo for Service {
    type CountStream = Pin<Box<dyn Stream<Item = Result<CountReply, Status>> + Send>>;

    async fn count(&self, request: Request<CountRequest>) -> Result<Response<Self::CountStream>, Status> {
        let CountRequest { from, to, pause_ms } = request.into_inner();
        let numbers = tokio_stream::iter((from..=to).map(|number| Ok(CountReply { number })));
        if pause_ms == 0 {
            return Ok(Response::new(Box::pin(numbers)));
        }
        let pause = Duration::from_millis(pause_ms.into());
        Ok(Response::new(Box::pin(numbers.then(move |number| async move {
            tokio::time::sleep(pause).await;
            number
        }))))
    }
}
