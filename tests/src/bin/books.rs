//! An instance of [`callgate_tests::books`], which keeps nothing: what becomes of a book its name says.

use callgate_sdk::{Context, Server, ServerError, Status};
use callgate_tests::books::{Book, BookError, Books, BooksServer, Page};
use clap::Parser;
use std::io::stderr;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

struct Library;

/// There are so many.
const ALL: u32 = 5;

fn book(id: &str, title: &str) -> Book {
    Book {
        id: id.to_owned(),
        title: title.to_owned(),
        version: title.len() as u32,
        created: !id.starts_with("old"),
        url: title.contains("://").then(|| title.to_owned()),
    }
}

fn fails(id: &str) -> Result<(), BookError> {
    match id {
        "lent" => Err(BookError::Lent { id: id.to_owned() }),
        "gone" => Err(BookError::Gone(id.to_owned())),
        "leak" => Err(BookError::Leak(id.to_owned())),
        "unpaid" => Err(Status::permission_denied("there is a fee to be paid").into()),
        "unknown" => Err(Status::not_found("there is no such book").into()),
        _ => Ok(()),
    }
}

impl Books for Library {
    async fn put(&self, cx: &Context, id: String, title: String) -> Result<Book, BookError> {
        fails(&id)?;
        cx.reply().insert("x-shelf", format!("shelf {id}")).map_err(Status::from)?;
        cx.reply().insert("x-key", cx.metadata("idempotency-key").unwrap_or("none")).map_err(Status::from)?;
        cx.reply().insert("x-secret", "nobody lists it").map_err(Status::from)?;
        Ok(book(&id, &title))
    }

    async fn get(&self, id: String) -> Result<Book, BookError> {
        fails(&id)?;
        Ok(book(&id, &format!("the book {id}")))
    }

    async fn list(&self, after: u32, limit: u32, title: u32) -> Result<Page, Status> {
        let last = after.saturating_add(limit).min(ALL);
        let title = "x".repeat(title as usize);
        let items = (after + 1..=last).map(|id| book(&id.to_string(), &title)).collect();
        Ok(Page { items, next: (last < ALL).then(|| last.to_string()) })
    }

    async fn remove(&self, id: String) -> Result<(), BookError> {
        fails(&id)
    }
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(false).init();
    let arguments = Arguments::parse();
    Server::new().service(BooksServer::new(Library)).listen(arguments.listen).run().await
}
