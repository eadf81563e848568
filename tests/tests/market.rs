//! What types say in Rust, as HTTP clients and callers by the SDK see it: constraints, decimals, dates, presence, shapes in JSON. The service is
//! written with the macros alone.

use callgate_sdk::{Client, Code, Presence};
use callgate_tests::market::{Change, Dates, Market, MarketClient, Order, Payment, Receipt};
use callgate_tests::{Backend, Gateway, Setup};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const ROUTES: &str = r#"
[[routes]]
match = "POST /orders"
call = "market.order"
[[routes]]
match = "PATCH /goods/{id}"
call = "market.change"
body = "change"
"#;

struct Stalls {
    _setup: Setup,
    backend: Backend,
    gateway: Gateway,
}

async fn stalls() -> Stalls {
    let setup = Setup::new();
    let backend = setup.backend("market");
    setup.write_routes(
        "market.toml",
        &format!("[backends.market]\nendpoints = [{:?}]\n{ROUTES}", backend.endpoint()),
    );
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    Stalls { _setup: setup, backend, gateway }
}

impl Stalls {
    /// A caller that comes without the gateway.
    fn caller(&self) -> MarketClient {
        let client = Client::builder().endpoint(self.backend.endpoint()).build().expect("a client");
        MarketClient::new(client)
    }
}

fn order() -> Order {
    Order {
        sku: "tea".to_owned(),
        qty: 2,
        price: Decimal::new(450, 2),
        ships_on: "2026-11-30".parse().expect("a date"),
        parcels: std::num::NonZero::<u8>::MIN,
        tags: vec!["hot".to_owned()],
        note: None,
        at: Some("2026-11-29T12:00:00.5Z".parse().expect("a moment")),
    }
}

const ORDER: &str = r#"{"order":{"sku":"tea","qty":2,"price":4.50,"ships_on":"2026-11-30","parcels":1,"tags":["hot"],"at":"2026-11-29T13:00:00.5+01:00"},"payment":{"type":"card","last":"1234"}}"#;

#[tokio::test]
async fn decimals_dates_and_times_of_common_crates_go_from_a_trait_to_json_and_to_a_caller() {
    let stalls = stalls().await;
    let answer = stalls.gateway.client.post("/orders", ORDER).await;
    let expected = r#"{"total":"9.00","ships_on":"2026-11-30","at":"2026-11-29T12:00:00.500Z","payment":{"type":"card","last":"1234"}}"#;
    assert_eq!((answer.status, answer.text().as_str()), (200, expected));

    let payment = Payment::Card { last: "1234".to_owned() };
    let receipt = stalls.caller().order(order(), payment.clone()).await.expect("a receipt");
    let Order { ships_on, at, .. } = order();
    assert_eq!(receipt, Receipt { total: Decimal::new(900, 2), dates: Dates { ships_on, at }, payment });
}

#[tokio::test]
async fn broken_constraints_are_told_with_the_same_words_by_the_gateway_and_by_the_server_itself() {
    let stalls = stalls().await;
    let wrong = r#"{"order":{"sku":"Not a SKU","qty":101,"price":"0.009","ships_on":"2025-12-31","parcels":0,"tags":["a","b","c","d"],"note":"eleven-long","at":"2025-12-31T23:59:59.999Z"},"payment":{"last":"12345","type":"card"}}"#;
    let answer = stalls.gateway.client.post("/orders", wrong).await;
    let problem = answer.json();
    assert_eq!(
        (answer.status, answer.header("content-type"), &problem["code"]),
        (400, "application/problem+json", &json!("invalid_argument")),
        "{problem}"
    );
    let told = |errors: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or("no text").to_owned();
        let errors = errors.as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (text(&error["pointer"]), text(&error["detail"]))).collect()
    };
    let by_gateway = told(&problem["errors"]);
    let expected = [
        ("/order/sku", "must match the pattern `^[a-z-]+$`"),
        ("/order/qty", "must be at most 100"),
        ("/order/price", "must be at least 0.01"),
        ("/order/ships_on", "must be at least 2026-01-01"),
        ("/order/parcels", "must be at least 1"),
        ("/order/tags", "must have at most 3 items, has 4"),
        ("/order/note", "must be at most 10 characters long, has 11"),
        ("/order/at", "must be at least 2026-01-01T00:00:00Z"),
        ("/payment/last", "must be exactly 4 characters long, has 5"),
    ];
    assert_eq!(by_gateway, expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned())));

    // A caller cannot have a zero of a type without zeros; the rest it can send.
    let wrong = Order {
        sku: "Not a SKU".to_owned(),
        qty: 101,
        price: Decimal::new(9, 3),
        ships_on: "2025-12-31".parse().expect("a date"),
        tags: ["a", "b", "c", "d"].map(str::to_owned).into(),
        note: Some("eleven-long".to_owned()),
        at: Some("2025-12-31T23:59:59.999Z".parse().expect("a moment")),
        ..order()
    };
    let caller = stalls.caller();
    let failed = caller.order(wrong, Payment::Card { last: "12345".to_owned() }).await;
    let status = failed.expect_err("the server checks");
    assert_eq!((status.code, &*status.message), (Code::InvalidArgument, "the arguments have 8 errors"));
    let details: Value = serde_json::from_str(&status.details.unwrap_or_default()).expect("details are JSON");
    let by_server = told(&details["errors"]);
    let rest: Vec<_> = by_gateway.into_iter().filter(|(pointer, _)| pointer != "/order/parcels").collect();
    assert_eq!(by_server, rest);
    let failed = caller.order(Order { qty: 0, ..order() }, Payment::Cash).await;
    assert_eq!(failed.expect_err("the server checks").message, "`/order/qty`: must be at least 1");
}

#[tokio::test]
async fn a_patch_is_absent_null_or_a_value_to_the_method_and_to_a_caller() {
    let stalls = stalls().await;
    let json = [("content-type", "application/json")];
    let caller = stalls.caller();
    for (body, change) in [
        ("{}", Change { name: Presence::Absent, price: Presence::Absent }),
        (r#"{"name":null}"#, Change { name: Presence::Null, price: Presence::Absent }),
        (
            r#"{"name":"tea","price":"1.50"}"#,
            Change { name: Presence::Value("tea".to_owned()), price: Presence::Value(Decimal::new(150, 2)) },
        ),
    ] {
        let answer = stalls.gateway.client.send("PATCH", "/goods/7", &json, body).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, body));
        assert_eq!(caller.change(7, change.clone()).await, Ok(change));
    }
    let answer = stalls.gateway.client.send("PATCH", "/goods/7", &json, r#"{"name":"","price":"-1"}"#).await;
    let pointers: Vec<Value> = answer.json()["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|error| error["pointer"].clone())
        .collect();
    assert_eq!((answer.status, pointers), (400, vec![json!("/name"), json!("/price")]), "{}", answer.text());
    let wrong = Change { name: Presence::Value(String::new()), price: Presence::Null };
    let status = caller.change(7, wrong).await.expect_err("a name of no characters");
    assert_eq!(status.message, "`/change/name`: must be at least 1 character long");
}
