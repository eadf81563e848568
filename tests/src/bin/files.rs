//! A backend with files: bytes with a name, a type and a version, as long as each call asks for; and lists and texts that are long.

use callgate_sdk::{Bytes, Message, Server, Status, service};
use clap::Parser;
use serde::{Deserialize, Serialize};

/// A file.
#[derive(Clone, Serialize, Deserialize, Message)]
struct File {
    name: String,
    kind: Option<String>,
    content: Bytes,
    version: u32,
}

/// A list as text.
#[derive(Clone, Serialize, Deserialize, Message)]
struct Export {
    csv: Option<String>,
    rows: u32,
}

/// A row.
#[derive(Clone, Serialize, Deserialize, Message)]
struct Row {
    number: u32,
    title: String,
}

#[service]
trait Files {
    /// A file of so many bytes, each the last of its place's.
    #[idempotent]
    async fn get(
        &self,
        name: String,
        #[default(10)] bytes: u32,
        kind: Option<String>,
        #[default(1)] version: u32,
    ) -> Result<File, Status>;

    /// So many rows as CSV; none where there are none.
    #[idempotent]
    async fn export(&self, rows: u32) -> Result<Export, Status>;

    /// So many rows.
    #[idempotent]
    async fn list(&self, rows: u32) -> Result<Vec<Row>, Status>;

    /// Bytes alone.
    #[idempotent]
    async fn picture(&self) -> Result<Bytes, Status>;

    /// Fails, with a long text.
    async fn fail(&self, bytes: u32) -> Result<(), Status>;

    /// What it is given.
    async fn put(&self, version: String) -> Result<String, Status>;
}

struct Instance;

impl Files for Instance {
    async fn get(
        &self,
        name: String,
        bytes: u32,
        kind: Option<String>,
        version: u32,
    ) -> Result<File, Status> {
        Ok(File { name, kind, content: Bytes((0..bytes).map(|at| at as u8).collect()), version })
    }

    async fn export(&self, rows: u32) -> Result<Export, Status> {
        let csv: String = (0..rows).map(|row| format!("{row},\"title {row}\"\n")).collect();
        Ok(Export { csv: (rows > 0).then_some(csv), rows })
    }

    async fn list(&self, rows: u32) -> Result<Vec<Row>, Status> {
        Ok((0..rows).map(|number| Row { number, title: format!("title {number}") }).collect())
    }

    async fn picture(&self) -> Result<Bytes, Status> {
        Ok(Bytes(b"\x89PNG\r\n\x1a\n".to_vec()))
    }

    async fn fail(&self, bytes: u32) -> Result<(), Status> {
        Err(Status::not_found("x".repeat(bytes as usize)))
    }

    async fn put(&self, version: String) -> Result<String, Status> {
        Ok(version)
    }
}

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

#[tokio::main]
async fn main() -> Result<(), callgate_sdk::ServerError> {
    Server::new().service(FilesServer::new(Instance)).listen(Arguments::parse().listen).run().await
}
