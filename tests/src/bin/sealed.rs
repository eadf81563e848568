//! An instance of [`callgate_tests::sealed`], inside TLS, behind a token, or both.

use callgate_sdk::tls::ServerTls;
use callgate_sdk::{Server, ServerError, Token};
use callgate_tests::sealed::{Porter, SealedServer};
use clap::Parser;
use std::io::stderr;
use std::path::PathBuf;

#[derive(Parser)]
struct Options {
    #[arg(long)]
    listen: String,
    /// Its certificate.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// The key of that.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Callers have to show a certificate of this CA.
    #[arg(long)]
    client_ca: Option<PathBuf>,
    /// Callers may show a certificate of this CA.
    #[arg(long)]
    optional_client_ca: Option<PathBuf>,
    /// Callers have to bring along a token that stands there.
    #[arg(long)]
    token_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(false).init();
    let options = Options::parse();
    let mut server = Server::new().service(SealedServer::new(Porter)).listen(options.listen);
    if let (Some(cert), Some(key)) = (options.cert, options.key) {
        let tls = ServerTls::new(cert, key);
        server = server.tls(match (options.client_ca, options.optional_client_ca) {
            (Some(ca), _) => tls.client_ca(ca),
            (None, Some(ca)) => tls.optional_client_ca(ca),
            (None, None) => tls,
        });
    }
    if let Some(file) = options.token_file {
        server = server.token(Token::file(file));
    }
    server.run().await
}
