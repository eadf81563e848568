//! The service with its layer, called as others call it, without a port: the client stub and the server are connected in memory, and so
//! are the server and the shop's.

use callgate_sdk::{Code, Context, Server, Status, testing};
use checkout::checkout::{Checkout, CheckoutClient, CheckoutError, CheckoutServer, Item, Receipt};
use checkout::counter::Counter;
use checkout::users::{User, Users};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use shop::orders::{self, OrderBook, Orders, OrdersClient, OrdersServer};
use std::sync::{Arc, Mutex};

/// A client of a checkout whose orders are priced by that implementation.
fn checkout(orders: impl Orders) -> CheckoutClient {
    let orders = OrdersClient::new(testing::client(Server::new().service(OrdersServer::new(orders))));
    let users = Users::default()
        .with("ada-token", User { name: "ada".to_owned(), limit: 100.into() })
        .with("alan-token", User { name: "alan".to_owned(), limit: 10.into() });
    let server = Server::new().layer(users).service(CheckoutServer::new(Counter::new(orders)));
    CheckoutClient::new(testing::client(server))
}

/// The context of a call that a user makes.
fn user(token: &str) -> Result<Context, Status> {
    Ok(Context::background().with_metadata("authorization", format!("Bearer {token}"))?)
}

fn tea(qty: u32) -> Vec<Item> {
    vec![Item { sku: "tea".to_owned(), qty }]
}

/// A day of that month, whose first one is a Tuesday.
fn december(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 12, day).expect("a day of December")
}

#[tokio::test]
async fn an_order_is_priced_by_the_shop_and_its_receipt_is_kept_for_its_user() -> Result<(), CheckoutError> {
    let checkout = checkout(OrderBook::default());
    let (ada, alan) = (user("ada-token")?, user("alan-token")?);
    let receipt = checkout.place(&ada, tea(3), december(1), "ring twice".to_owned()).await?;
    let expected = Receipt {
        number: 1,
        customer: "ada".to_owned(),
        total: Decimal::new(1350, 2),
        deliver_on: december(1),
        note: "ring twice".to_owned(),
    };
    assert_eq!(receipt, expected);
    assert_eq!(checkout.receipt(&ada, 1).await?, expected);
    let not_his = checkout.receipt(&alan, 1).await;
    assert_eq!(not_his.map_err(|status| status.code), Err(Code::NotFound));
    Ok(())
}

#[tokio::test]
async fn a_caller_gets_the_errors_of_the_service_as_their_type() -> Result<(), Status> {
    let checkout = checkout(OrderBook::default());
    let alan = &user("alan-token")?;
    let told = checkout.place(alan, tea(1), december(6), String::new()).await;
    assert!(matches!(told, Err(CheckoutError::NoDelivery { next }) if next == december(7)), "{told:?}");
    let told = checkout.place(alan, tea(3), december(7), String::new()).await;
    let Err(CheckoutError::TooExpensive { total, limit }) = told else { panic!("{told:?}") };
    assert_eq!((total, limit), (Decimal::new(1350, 2), 10.into()));
    let cake = vec![Item { sku: "cake".to_owned(), qty: 1 }];
    let told = checkout.place(alan, cake, december(7), String::new()).await;
    assert!(matches!(&told, Err(CheckoutError::NoSuchArticle { sku }) if sku == "cake"), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn nobody_orders_without_saying_who_it_is_or_what_no_one_can_order() -> Result<(), Status> {
    let checkout = checkout(OrderBook::default());
    for stranger in [Context::background(), user("stolen")?] {
        let told = checkout.place(&stranger, tea(1), december(1), String::new()).await;
        let Err(CheckoutError::Other(status)) = told else { panic!("{told:?}") };
        assert_eq!(status.code, Code::Unauthenticated);
    }
    let told = checkout.place(&user("ada-token")?, tea(0), december(1), "x".repeat(201)).await;
    let Err(CheckoutError::Other(status)) = told else { panic!("{told:?}") };
    assert_eq!(status.code, Code::InvalidArgument);
    let details = status.details.as_deref().unwrap_or_default();
    assert!(details.contains("/items/0/qty") && details.contains("/note"), "both at once: {details}");
    Ok(())
}

/// Prices nothing, and notes which trace the calls belong to.
#[derive(Clone, Default)]
struct Away(Arc<Mutex<Vec<Option<String>>>>);

impl Orders for Away {
    async fn quote(
        &self,
        cx: &Context,
        _order_id: String,
        _customer: String,
        _express: bool,
        _items: Vec<orders::Item>,
        _note: Option<String>,
    ) -> Result<orders::Quote, Status> {
        let trace = cx.metadata("traceparent").map(str::to_owned);
        self.0.lock().expect("nobody has panicked").push(trace);
        Err(Status::unavailable("closed for stocktaking"))
    }

    async fn get(&self, _cx: &Context, _order_id: String) -> Result<orders::Order, Status> {
        Err(Status::unimplemented("not here"))
    }
}

#[tokio::test]
async fn a_call_goes_on_within_its_callers_trace_and_a_failure_of_the_shop_comes_through()
-> Result<(), Status> {
    let away = Away::default();
    let checkout = checkout(away.clone());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let cx = user("ada-token")?.with_metadata("traceparent", trace)?;
    let told = checkout.place(&cx, tea(1), december(1), String::new()).await;
    let Err(CheckoutError::Other(status)) = told else { panic!("{told:?}") };
    assert_eq!((status.code, status.message.as_str()), (Code::Unavailable, "closed for stocktaking"));
    let seen = away.0.lock().expect("nobody has panicked");
    // Pricing is idempotent, so it is tried three times.
    assert_eq!(*seen, vec![Some(trace.to_owned()); 3]);
    Ok(())
}
