//! An instance of [`callgate_tests::stock`], with five cups and no tea.

use callgate_sdk::layer::{Call, Next, Outcome};
use callgate_sdk::{Server, ServerError, Status};
use callgate_tests::stock::{Place, Stock, StockError, StockServer};
use clap::Parser;
use std::io::stderr;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

struct Shelves;

/// What is on them.
const ALL: [(&str, u32); 2] = [("cup", 5), ("tea", 0)];

impl Stock for Shelves {
    async fn reserve(&self, sku: String, count: u32) -> Result<u32, StockError> {
        match sku.as_str() {
            "closing" => return Err(StockError::Closing),
            "fire" => return Err(StockError::OnFire { shelf: 7 }),
            // As if a file or a number of the service's own were not what they should be.
            "file" => drop(std::fs::read("/no/such/secret")?),
            "number" => drop("secret".parse::<u8>()?),
            "refused" => {
                return Err(Status::permission_denied("not for you").with_details(&["tea", "cup"]).into());
            }
            _ => {}
        }
        let Some((_, left)) = ALL.iter().find(|(known, _)| *known == sku) else {
            return Err(StockError::Unknown(sku));
        };
        left.checked_sub(count).ok_or_else(|| {
            let elsewhere = vec![Place { name: "harbour".to_owned(), distance: 2.5 }];
            StockError::SoldOut { sku, left: *left, elsewhere }
        })
    }

    async fn count(&self, skus: Vec<String>, at_least: u32) -> Result<Vec<String>, Status> {
        let wanted = |sku: &str| skus.is_empty() || skus.iter().any(|wanted| wanted == sku);
        let all = ALL.iter().filter(|(sku, left)| wanted(sku) && *left >= at_least);
        Ok(all.map(|(sku, left)| format!("{left} {sku}")).collect())
    }
}

/// A layer, through which failures go too.
async fn pass_on(call: Call, next: Next) -> Outcome {
    next.run(call).await
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(false).init();
    let arguments = Arguments::parse();
    let server = Server::new().service(StockServer::new(Shelves)).layer(pass_on);
    server.listen(arguments.listen).run().await
}
