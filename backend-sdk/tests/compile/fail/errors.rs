//! What a typed error cannot be, and what cannot be a method's error.
use callgate_sdk::Status;

#[derive(Debug, callgate_sdk::Error)]
enum NoStatus {
    #[error("gone", code = "not_found")]
    Gone,
}

#[derive(Debug, callgate_sdk::Error)]
enum NothingDeclared {
    #[error(status)]
    Other(Status),
}

#[derive(Debug, callgate_sdk::Error)]
enum Variants {
    NoText,
    #[error("no code")]
    NoCode,
    #[error(code = "not_found")]
    NoMessage,
    #[error("a code that is none", code = "missing")]
    NoSuchCode,
    #[error("the item {}", code = "not_found")]
    Unnamed(String),
    #[error("the item {sku} of {self.count}", code = "not_found")]
    Expression { sku: String },
    #[error("a brace {", code = "not_found")]
    Brace,
    #[error("an argument {0}", self.0.len(), code = "not_found")]
    Argument(String),
    #[error(transparent)]
    Transparent(std::io::Error),
    #[error("words", status)]
    Worded(Status),
    #[error(status)]
    NoContent,
    #[error(status)]
    One(Status),
    #[error(status)]
    Two(Status),
}

#[derive(Debug, callgate_sdk::Error)]
#[error("all of them")]
enum Container {
    #[error("gone", code = "not_found")]
    Gone,
    #[error(status)]
    Other(Status),
}

#[derive(Debug, callgate_sdk::Error)]
struct NoEnum(Status);

#[derive(Debug, callgate_sdk::Error)]
enum Generic<T> {
    #[error("gone", code = "not_found")]
    Gone(T),
    #[error(status)]
    Other(Status),
}

fn main() {}
