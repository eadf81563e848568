//! Methods that stream: the code on docs/sdk.md, under "Streams".

use callgate_sdk::{Server, Status, Stream, Streaming, service, testing};
use futures_util::{StreamExt, stream};

/// Prices as they change.
#[service]
trait Prices {
    /// The next prices of a thing.
    async fn watch(&self, sku: String, count: u32)
    -> Result<impl Stream<Item = Result<u64, Status>>, Status>;

    /// Takes what was sold, and gives the turnover.
    async fn report(&self, shop: String, sold: Streaming<u64>) -> Result<u64, Status>;

    /// The price of each thing that is asked for.
    async fn ask(&self, skus: Streaming<String>) -> Result<impl Stream<Item = Result<u64, Status>>, Status>;
}

struct Shop {
    first: u64,
}

impl Prices for Shop {
    async fn watch(
        &self,
        sku: String,
        count: u32,
    ) -> Result<impl Stream<Item = Result<u64, Status>>, Status> {
        if sku.is_empty() {
            return Err(Status::invalid_argument("the price of what?"));
        }
        let prices = (0..count.into()).map(|step: u64| Ok(self.first + step));
        Ok(stream::iter(prices))
    }

    async fn report(&self, shop: String, mut sold: Streaming<u64>) -> Result<u64, Status> {
        let mut turnover = 0;
        while let Some(price) = sold.next().await {
            turnover += price?;
        }
        println!("{shop} has sold for {turnover}");
        Ok(turnover)
    }

    async fn ask(&self, skus: Streaming<String>) -> Result<impl Stream<Item = Result<u64, Status>>, Status> {
        Ok(skus.map(|sku| Ok(self.first + sku?.len() as u64)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Status> {
    let server = Server::new().service(PricesServer::new(Shop { first: 100 }));
    let prices = PricesClient::new(testing::client(server));

    let mut watched = prices.watch("tea".into(), 3).await?;
    while let Some(price) = watched.next().await {
        println!("tea costs {}", price?);
    }

    let sold = Streaming::of(stream::iter([100, 101, 102]));
    let turnover = prices.report("north".into(), sold).await?;

    let skus = Streaming::of(stream::iter(["tea".to_owned(), "coffee".to_owned()]));
    let mut costs = prices.ask(skus).await?;
    while let Some(price) = costs.next().await {
        println!("it costs {}", price?);
    }

    assert_eq!(turnover, 303);
    Ok(())
}

#[test]
fn it_runs() {
    main().expect("the example runs");
}
