//! An alias of `Result` may stand for a method's result, if its error is a `Status`.
use callgate_sdk::service;

#[service]
trait Files {
    async fn size(&self) -> std::io::Result<u64>;
}

fn main() {}
