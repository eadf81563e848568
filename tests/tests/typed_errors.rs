//! Errors that a service's trait declares, from the trait to problem+json and to a caller with the SDK.

use callgate_sdk::{Client, Code, Status};
use callgate_tests::stock::{Place, Stock, StockClient, StockError};
use callgate_tests::{Backend, Gateway, Setup, eventually};
use serde_json::{Value, json};

const ROUTES: &str = r#"
[[routes]]
match = "POST /reservations"
call = "stock.reserve"
[[routes]]
match = "GET /stock"
call = "stock.count"
"#;

struct Running {
    setup: Setup,
    backend: Backend,
    gateway: Gateway,
}

async fn running() -> Running {
    let setup = Setup::new();
    let backend = setup.backend("stock");
    let endpoint = backend.endpoint();
    setup.write_routes("stock.toml", &format!("[backends.stock]\nendpoints = [\"{endpoint}\"]\n{ROUTES}"));
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    Running { setup, backend, gateway }
}

impl Running {
    async fn reserve(&self, body: Value) -> (u16, Value) {
        let answer = self.gateway.client.post("/reservations", body.to_string()).await;
        (answer.status, answer.json())
    }

    fn caller(&self) -> StockClient {
        let client = Client::builder().endpoint(self.backend.endpoint()).build();
        StockClient::new(client.expect("an endpoint of the harness is well-formed"))
    }
}

#[tokio::test]
async fn a_typed_error_is_a_problem_to_a_client_and_its_type_to_a_caller() {
    let running = running().await;
    let (status, problem) = running.reserve(json!({ "sku": "tea", "count": 2 })).await;
    assert_eq!(status, 409, "{problem}");
    let told = ["type", "title", "detail", "code", "details"].map(|member| problem[member].clone());
    let expected = [
        json!("urn:callgate:error:stock.reserve/sold_out"),
        json!("Conflict"),
        json!("only 0 of tea are left"),
        json!("aborted"),
        json!({ "sku": "tea", "left": 0, "elsewhere": [{ "name": "harbour", "distance": 2.5 }] }),
    ];
    assert_eq!(told, expected);
    let (status, problem) = running.reserve(json!({ "sku": "lamp" })).await;
    assert_eq!((status, &problem["details"]), (404, &json!("lamp")));
    assert_eq!(problem["type"], "urn:callgate:error:stock.reserve/unknown");
    let (status, problem) = running.reserve(json!({ "sku": "closing" })).await;
    assert_eq!((status, &problem["details"]), (503, &Value::Null));

    let stock = running.caller();
    let elsewhere = vec![Place { name: "harbour".to_owned(), distance: 2.5 }];
    for (sku, expected) in [
        ("cup", Ok(3)),
        ("tea", Err(StockError::SoldOut { sku: "tea".to_owned(), left: 0, elsewhere })),
        ("lamp", Err(StockError::Unknown("lamp".to_owned()))),
        ("closing", Err(StockError::Closing)),
        ("fire", Err(StockError::OnFire { shelf: 7 })),
    ] {
        assert_eq!(stock.reserve(sku.to_owned(), 2).await, expected, "{sku}");
    }
}

#[tokio::test]
async fn a_status_beside_the_typed_ones_is_as_it_was() {
    let running = running().await;
    let (status, problem) = running.reserve(json!({ "sku": "refused" })).await;
    assert_eq!((status, &problem["type"]), (403, &json!("about:blank")));
    assert_eq!((&problem["detail"], &problem["details"]), (&json!("not for you"), &json!(["tea", "cup"])));
    let failed = running.caller().reserve("refused".to_owned(), 1).await;
    let Err(StockError::Other(status)) = failed else { panic!("{failed:?}") };
    assert_eq!(status, Status::permission_denied("not for you").with_details(&["tea", "cup"]));
    assert_eq!(status.details_as::<Vec<String>>(), Some(vec!["tea".to_owned(), "cup".to_owned()]));
}

#[tokio::test]
async fn what_an_unexpected_error_says_is_in_the_instances_log_with_the_requests_id_and_nowhere_else() {
    let running = running().await;
    let port = running.backend.endpoint().rsplit(':').next().map(str::to_owned).unwrap_or_default();
    let log = running.setup.log(&format!("stock-{port}"));
    for (sku, says) in [("file", "No such file"), ("number", "invalid digit")] {
        let (status, problem) = running.reserve(json!({ "sku": sku })).await;
        assert_eq!((status, &problem["code"]), (500, &json!("internal")));
        assert!(!problem.to_string().contains(says), "{problem}");
        let id = problem["request_id"].as_str().expect("each request has one").to_owned();
        let line = eventually("the line in the instance's log", || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let mut lines = text.lines().filter(|line| line.contains(&id));
            let line = lines.next().map(str::to_owned);
            assert_eq!(lines.next(), None, "it is told once");
            std::future::ready(line)
        })
        .await;
        assert!(["ERROR", "stock.reserve", says].iter().all(|part| line.contains(part)), "{line}");
        let failed = running.caller().reserve(sku.to_owned(), 1).await;
        let Err(StockError::Other(status)) = failed else { panic!("{failed:?}") };
        assert_eq!(status.code, Code::Internal);
        assert!(!format!("{status:?}").contains(says), "{status:?}");
    }
}

#[tokio::test]
async fn arguments_that_are_left_out_have_their_defaults() {
    let running = running().await;
    let answer = running.gateway.client.get("/stock").await;
    assert_eq!((answer.status, answer.json()), (200, json!(["5 cup", "0 tea"])));
    let answer = running.gateway.client.get("/stock?atLeast=1").await;
    assert_eq!(answer.json(), json!(["5 cup"]));
    let answer = running.gateway.client.get("/stock?skus=tea").await;
    assert_eq!(answer.json(), json!(["0 tea"]));
    let (status, left) = running.reserve(json!({ "sku": "cup" })).await;
    assert_eq!((status, left), (200, json!(4)));
}

#[tokio::test]
async fn what_arguments_must_be_is_told_to_clients_and_callers_with_pointers() {
    let running = running().await;
    let (status, problem) = running.reserve(json!({ "sku": "", "count": 101 })).await;
    let told = |errors: &Value| {
        let errors = errors.as_array().cloned().unwrap_or_default();
        let mut pointers: Vec<String> = errors.iter().map(|error| error["pointer"].to_string()).collect();
        pointers.sort();
        pointers
    };
    assert_eq!(
        (status, told(&problem["errors"])),
        (400, vec!["\"/count\"".to_owned(), "\"/sku\"".to_owned()])
    );
    let failed = running.caller().reserve(String::new(), 101).await;
    let Err(StockError::Other(status)) = failed else { panic!("{failed:?}") };
    assert_eq!(status.code, Code::InvalidArgument);
    let details = status.details_as::<Value>().expect("there are details");
    assert_eq!(told(&details["errors"]), ["\"/count\"", "\"/sku\""]);
}
