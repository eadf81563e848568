//! An instance of [`callgate_tests::uploads`], which keeps nothing and says what has come.

use callgate_sdk::{Bytes, Server, ServerError, Status};
use callgate_tests::uploads::{Author, Entry, Kept, Uploads, UploadsServer};
use clap::Parser;
use std::io::stderr;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

struct Shelf;

impl Uploads for Shelf {
    async fn keep(&self, content: Bytes, kind: Option<String>, name: Option<String>) -> Result<Kept, Status> {
        Ok(Kept { kind, name, ..Kept::of(&content) })
    }

    async fn say(&self, text: String) -> Result<String, Status> {
        Ok(text)
    }

    async fn enter(
        &self,
        title: String,
        tags: Vec<String>,
        pages: Option<u32>,
        author: Option<Author>,
        sold: bool,
        cover: Option<Bytes>,
        cover_name: Option<String>,
        cover_kind: Option<String>,
        pictures: Vec<Bytes>,
    ) -> Result<Entry, Status> {
        let cover = cover.map(|cover| Kept { kind: cover_kind, name: cover_name, ..Kept::of(&cover) });
        let pictures = pictures.iter().map(|picture| Kept::of(picture)).collect();
        Ok(Entry { title, tags, pages, author, sold, cover, pictures })
    }
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(false).init();
    let arguments = Arguments::parse();
    Server::new().service(UploadsServer::new(Shelf)).listen(arguments.listen).run().await
}
