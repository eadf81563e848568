//! A library's contract as somebody would write it who knows nothing of HTTP: what is made has a number and a version, lists have a next
//! page, errors are those of a library. `bin/books.rs` serves it, and the tables of tests say what of it becomes status and headers.

use callgate_sdk::{Context, Message, Status, service};
use serde::{Deserialize, Serialize};

/// A book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Book {
    /// By which it is known.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// How often it was changed.
    pub version: u32,
    /// Whether it was not there before.
    pub created: bool,
    /// Where it can be read, if it can.
    pub url: Option<String>,
}

/// Some books.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Page {
    /// The books.
    pub items: Vec<Book>,
    /// The last of them, if others follow.
    pub next: Option<String>,
}

/// Why something cannot be done.
#[derive(Clone, Debug, PartialEq, callgate_sdk::Error)]
#[serde(rename_all = "snake_case")]
pub enum BookError {
    /// Somebody has it.
    #[error("{id} is lent", code = "failed_precondition")]
    Lent {
        /// Which one.
        id: String,
    },
    /// It was there once.
    #[error("{0} is gone", code = "not_found")]
    Gone(String),
    /// What only the log is told.
    #[error("the roof of {0} leaks", code = "internal")]
    Leak(String),
    /// Whatever else fails.
    #[error(status)]
    Other(Status),
}

/// A library.
#[service]
pub trait Books {
    /// Puts a book there.
    async fn put(&self, cx: &Context, id: String, title: String) -> Result<Book, BookError>;

    /// A book.
    async fn get(&self, id: String) -> Result<Book, BookError>;

    /// So many books behind one. The title of each is so long.
    async fn list(
        &self,
        #[default] after: u32,
        #[default(2)] limit: u32,
        #[default(1)] title: u32,
    ) -> Result<Page, Status>;

    /// Takes a book away.
    async fn remove(&self, id: String) -> Result<(), BookError>;
}
