//! What a method that streams cannot be.
use callgate_sdk::{Status, Stream, Streaming, service};

#[service]
trait Streams {
    async fn no_item(&self) -> Result<impl Stream, Status>;
    async fn no_result(&self) -> Result<impl Stream<Item = u8>, Status>;
    async fn other(&self) -> Result<impl Iterator<Item = u8>, Status>;
    async fn two(&self, a: Streaming<u8>, b: Streaming<u8>) -> Result<(), Status>;
    async fn first(&self, a: Streaming<u8>, b: u8) -> Result<(), Status>;
    async fn untyped(&self, a: Streaming) -> Result<(), Status>;
    async fn told(&self, #[default] a: Streaming<u8>) -> Result<(), Status>;
}

fn main() {}
