//! What the compiler says of errors whose types do not suit.
use callgate_sdk::{Message, Status, service};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct NoMessage;

#[derive(Debug, Serialize, Deserialize, Message)]
struct NoDefault;

#[derive(Debug, callgate_sdk::Error)]
enum Content {
    #[error("gone", code = "not_found")]
    Gone { what: NoMessage },
    #[error("{0}", code = "aborted")]
    NotShown(Vec<u8>),
    #[error(status)]
    Other(Status),
}

#[derive(Debug, callgate_sdk::Error)]
enum Held {
    #[error("gone", code = "not_found")]
    Gone,
    #[error(status)]
    Other(std::io::Error),
}

#[derive(Debug, callgate_sdk::Error)]
#[error(from(NoMessage))]
enum From {
    #[error("gone", code = "not_found")]
    Gone,
    #[error(status)]
    Other(Status),
}

#[service]
trait Files {
    async fn size(&self) -> Result<u64, NoMessage>;
}

#[service]
trait Defaults {
    async fn search(&self, #[default] after: NoDefault, #[default("a")] name: String) -> Result<(), Status>;
}

fn question_mark(error: NoMessage) -> Result<(), Status> {
    Err(error)?
}

fn main() {}
