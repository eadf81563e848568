//! Methods that stream: the code on docs/sdk.md, under "Streams".

use callgate_sdk::{Server, Status, Stream, Streaming, service, testing};
use futures_util::{StreamExt, stream};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What things cost.
#[service]
pub trait Prices {
    /// What a thing costs, and then each new price.
    async fn watch(&self, sku: String) -> Result<impl Stream<Item = Result<u64, Status>>, Status>;

    /// Takes what a branch has sold, and gives its turnover.
    async fn report(&self, branch: String, sold: Streaming<u64>) -> Result<u64, Status>;

    /// What each of these things costs.
    async fn ask(&self, skus: Streaming<String>) -> Result<impl Stream<Item = Result<u64, Status>>, Status>;
}

/// The prices now.
pub struct Shop {
    prices: HashMap<String, watch::Sender<u64>>,
    watchers: watch::Sender<usize>,
}

impl Shop {
    /// A shop that has these things.
    pub fn new<const N: usize>(prices: [(&str, u64); N]) -> Shop {
        let prices = prices.map(|(sku, price)| (sku.to_owned(), watch::Sender::new(price)));
        Shop { prices: prices.into(), watchers: watch::Sender::new(0) }
    }

    fn price(&self, sku: &str) -> Result<&watch::Sender<u64>, Status> {
        self.prices.get(sku).ok_or_else(|| Status::not_found(format!("there is no {sku}")))
    }

    /// Waits until nobody watches.
    async fn is_unwatched(&self) {
        let mut watchers = self.watchers.subscribe();
        // It fails when there is no sender any more, and there is one.
        let _ = watchers.wait_for(|watchers| *watchers == 0).await;
    }
}

/// One who watches a price, as long as this lives.
struct Watcher(watch::Sender<usize>);

impl Watcher {
    fn new(watchers: &watch::Sender<usize>) -> Watcher {
        watchers.send_modify(|watchers| *watchers += 1);
        Watcher(watchers.clone())
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.send_modify(|watchers| *watchers -= 1);
    }
}

impl Prices for Shop {
    async fn watch(&self, sku: String) -> Result<impl Stream<Item = Result<u64, Status>>, Status> {
        let mut price = self.price(&sku)?.subscribe();
        price.mark_changed();
        let watcher = Watcher::new(&self.watchers);
        Ok(stream::unfold((price, watcher), |(mut price, watcher)| async move {
            // When nobody sets the price any more, the stream ends.
            price.changed().await.ok()?;
            let now = *price.borrow_and_update();
            Some((Ok(now), (price, watcher)))
        }))
    }

    async fn report(&self, branch: String, mut sold: Streaming<u64>) -> Result<u64, Status> {
        let mut turnover = 0;
        while let Some(price) = sold.next().await {
            turnover += price?;
        }
        println!("{branch} has sold for {turnover}");
        Ok(turnover)
    }

    async fn ask(&self, skus: Streaming<String>) -> Result<impl Stream<Item = Result<u64, Status>>, Status> {
        Ok(skus.map(|sku| Ok(*self.price(&sku?)?.borrow())))
    }
}

/// Waits until a thing costs no more than that.
async fn affordable(prices: &PricesClient, sku: &str, most: u64) -> Result<u64, Status> {
    let mut watched = prices.watch(sku.into()).await?;
    while let Some(price) = watched.next().await {
        let price = price?;
        if price <= most {
            // The stream is dropped here, and the call with it.
            return Ok(price);
        }
    }
    Err(Status::not_found("it is not sold any more"))
}

#[tokio::main]
async fn main() -> Result<(), Status> {
    let shop = Arc::new(Shop::new([("tea", 450), ("coffee", 620)]));
    let client = testing::client(Server::new().service(PricesServer::new(shop.clone())));
    let prices = PricesClient::new(client.with_timeout(Duration::from_secs(3600)));

    let falls = async {
        shop.price("tea")?.send_replace(475);
        shop.price("tea")?.send_replace(390);
        Ok::<_, Status>(())
    };
    let (price, fell) = tokio::join!(affordable(&prices, "tea", 400), falls);
    fell?;
    assert_eq!(price?, 390);
    shop.is_unwatched().await;

    let sold = Streaming::of(stream::iter([450, 475, 390]));
    let turnover = prices.report("north".into(), sold).await?;
    assert_eq!(turnover, 1315);

    let skus = Streaming::of(stream::iter(["tea", "coffee", "cocoa"].map(String::from)));
    let mut costs = prices.ask(skus).await?;
    while let Some(cost) = costs.next().await {
        match cost {
            Ok(cost) => println!("it costs {cost}"),
            Err(status) => println!("that was all: {status}"),
        }
    }
    Ok(())
}

#[test]
fn it_runs() {
    main().expect("the example runs");
}
