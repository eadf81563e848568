//! What a schema says beyond types, as HTTP clients see it: constraints, errors that methods declare, decimals, dates, and fields
//! that tell absent from null.

use callgate_tests::{Answer, Backend, Gateway, Setup, eventually};
use serde_json::{Value, json};

const ROUTES: &str = r#"
[[routes]]
match = "POST /orders"
call = "goods.order"
[[routes]]
match = "POST /numbers/orders"
call = "goods.order"
int64 = "string"
decimal = "number"
[[routes]]
match = "PATCH /goods/{id}"
call = "goods.change"
[[routes]]
match = "PUT /goods/{id}/price/{price}"
call = "goods.change"
body = false
[[routes]]
match = "PUT /tags/{tags}"
call = "goods.order"
"#;

struct Goods {
    _setup: Setup,
    _backend: Backend,
    gateway: Gateway,
}

async fn goods(setup: Setup) -> Goods {
    let backend = setup.backend("goods");
    write(&setup, &[&backend]);
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    Goods { _setup: setup, _backend: backend, gateway }
}

fn write(setup: &Setup, backends: &[&Backend]) {
    let endpoints: Vec<String> = backends.iter().map(|backend| backend.endpoint()).collect();
    setup.write_routes("goods.toml", &format!("[backends.goods]\nendpoints = {endpoints:?}\n{ROUTES}"));
}

fn order() -> Value {
    json!({ "sku": "tea", "qty": 2, "price": "4.50", "ships_on": "2026-11-30", "tags": [] })
}

/// The same with other values.
fn order_with(members: Value) -> String {
    let mut order = order();
    for (name, value) in members.as_object().expect("an object") {
        order[name] = value.clone();
    }
    order.to_string()
}

/// The pointers of a problem, each once, in their order.
fn pointers(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    assert_eq!((answer.status, &body["code"]), (400, &json!("invalid_argument")), "{body}");
    assert_eq!(
        (answer.header("content-type"), &body["type"]),
        ("application/problem+json", &json!("about:blank"))
    );
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let mut pointers: Vec<String> =
        errors.iter().map(|error| error["pointer"].as_str().unwrap_or("no pointer").to_owned()).collect();
    pointers.dedup();
    pointers
}

#[tokio::test]
async fn all_constraints_that_are_broken_are_told_at_once() {
    let goods = goods(Setup::new()).await;
    let client = &goods.gateway.client;
    let answer = client.post("/orders", order().to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // The bounds themselves are inside.
    for members in [
        json!({ "qty": 1, "price": "0.01", "ships_on": "2026-01-01", "note": "ten-letter" }),
        json!({ "qty": 100, "sku": "twenty-letters-in-it", "tags": ["a", "b", "c"], "note": null }),
    ] {
        let answer = client.post("/orders", order_with(members)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let wrong = json!({
        "sku": "Not a SKU", "qty": 101, "price": "0.009", "ships_on": "2025-12-31",
        "tags": ["a", "b", "c", "d"], "note": "eleven-long",
    });
    let answer = client.post("/orders", order_with(wrong)).await;
    // In the order of the body, whose members are sorted.
    assert_eq!(
        pointers(&answer),
        ["/note", "/price", "/qty", "/ships_on", "/sku", "/tags"],
        "{}",
        answer.text()
    );
    let body = answer.json();
    assert!(body["errors"][0]["line"] == 1 && body["errors"][0]["column"].is_number(), "{body}");
    for (members, pointer) in [
        (json!({ "sku": "" }), "/sku"),
        (json!({ "qty": 0 }), "/qty"),
        (json!({ "price": 0 }), "/price"),
        (json!({ "sku": "more-than-twenty-letters" }), "/sku"),
    ] {
        let answer = client.post("/orders", order_with(members)).await;
        assert_eq!(pointers(&answer), [pointer], "{}", answer.text());
    }
    let counted = goods.gateway.metric("callgate_failures_total", &["\"constraint\""]).await;
    assert_eq!(counted, 5.0);
}

#[tokio::test]
async fn an_error_that_a_method_declares_is_a_problem_of_its_own_type() {
    let goods = goods(Setup::new()).await;
    let client = &goods.gateway.client;
    for (path, details) in [
        ("/orders", r#"{"left":3,"price":"4.50","number":1152921504606846976}"#),
        ("/numbers/orders", r#"{"left":3,"price":4.50,"number":"1152921504606846976"}"#),
    ] {
        let answer = client.post(path, order_with(json!({ "sku": "sold-out" }))).await;
        let text = answer.text();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (409, "application/problem+json"),
            "{text}"
        );
        let expected = format!(
            r#"{{"type":"urn:callgate:error:goods.order/SoldOut","title":"Conflict","status":409,"detail":"only 3 are left","code":"aborted","reason":"method_failed","request_id":"{}","details":{details}}}"#,
            answer.header("x-request-id")
        );
        assert_eq!(text, expected);
    }
    let answer = client.post("/orders", order_with(json!({ "sku": "late" }))).await;
    let body = answer.json();
    assert_eq!((answer.status, &body["code"]), (400, &json!("failed_precondition")));
    assert_eq!(body["type"], "urn:callgate:error:goods.order/TooLate");
    assert_eq!(body["details"], "2026-11-30");
    let answer = client.post("/orders", order_with(json!({ "sku": "closed" }))).await;
    let body = answer.json();
    assert_eq!((answer.status, answer.header("retry-after"), &body["details"]), (503, "1", &Value::Null));
    assert_eq!(body["type"], "urn:callgate:error:goods.order/Closed");
    // A failure without a type is as it was.
    let answer = client.post("/orders", order_with(json!({ "sku": "plain" }))).await;
    let body = answer.json();
    assert_eq!(
        (answer.status, &body["type"], &body["details"]),
        (404, &json!("about:blank"), &json!({"plain": true}))
    );
    assert_eq!(goods.gateway.metric("callgate_failures_total", &["\"method_failed\""]).await, 5.0);
}

#[tokio::test]
async fn what_is_for_the_log_stays_there_and_an_error_that_is_none_is_a_plain_failure() {
    let goods = goods(Setup::new()).await;
    let (gateway, client) = (&goods.gateway, &goods.gateway.client);
    let answer = client.post("/orders", order_with(json!({ "sku": "broken" }))).await;
    assert_eq!((answer.status, &answer.json()["type"]), (500, &json!("about:blank")));
    assert!(!answer.text().contains("secret") && !answer.text().contains("Broken"), "{}", answer.text());
    assert_eq!(gateway.told("the method failed", "declared").await, ["Broken"]);
    let answer = client.post("/orders", order_with(json!({ "sku": "lying" }))).await;
    let body = answer.json();
    assert_eq!(
        (answer.status, &body["type"], &body["code"]),
        (409, &json!("about:blank"), &json!("aborted"))
    );
    assert_eq!((&body["detail"], &body["details"]), (&json!("an error that is none"), &Value::Null));
    let told = gateway.told("an instance sends an error that its schema does not have", "method").await;
    assert_eq!(told, ["goods.order"]);
}

#[tokio::test]
async fn an_operator_says_where_the_errors_are_explained() {
    let setup = Setup::new().server("error_types = \"https://errors.example.com/#\"");
    let goods = goods(setup).await;
    let answer = goods.gateway.client.post("/orders", order_with(json!({ "sku": "closed" }))).await;
    assert_eq!(answer.json()["type"], "https://errors.example.com/#goods.order/Closed");
}

#[tokio::test]
async fn decimals_and_dates_are_read_in_their_forms_and_written_as_the_route_says() {
    let goods = goods(Setup::new()).await;
    let client = &goods.gateway.client;
    // As text: a tree of JSON values would not keep the digits.
    let whole = r#"{"sku":"tea","qty":2,"price":PRICE,"ships_on":"2026-11-30","tags":[]}"#;
    for price in ["4.50", "\"4.50\""] {
        for (path, total, number) in [
            ("/orders", "\"24.50\"", "1152921504606846976"),
            ("/numbers/orders", "24.50", "\"1152921504606846976\""),
        ] {
            let answer = client.post(path, whole.replace("PRICE", price)).await;
            let expected =
                format!(r#"{{"sku":"tea","total":{total},"ships_on":"2026-11-30","number":{number}}}"#);
            assert_eq!((answer.status, answer.text()), (200, expected));
        }
    }
    let exact = "12345678901234567890.123456789012345678901234567890";
    let answer = client.post("/numbers/orders", whole.replace("PRICE", exact)).await;
    assert!(answer.text().contains(&format!("\"total\":2{exact},")), "{}", answer.text());
    for price in ["\"1e3\"", "\"+1\"", "\"01\"", "\".5\"", "\"\"", "true", "\"NaN\""] {
        assert_eq!(
            pointers(&client.post("/orders", whole.replace("PRICE", price)).await),
            ["/price"],
            "{price}"
        );
    }
    for date in ["2026-02-29", "2026-13-01", "26-01-01", "2026-11-30T00:00:00Z", ""] {
        let answer = client.post("/orders", order_with(json!({ "ships_on": date }))).await;
        assert_eq!(pointers(&answer), ["/ships_on"], "{date}");
    }
}

#[tokio::test]
async fn a_patch_tells_absent_null_and_a_value_apart() {
    let goods = goods(Setup::new()).await;
    let client = &goods.gateway.client;
    let json = [("content-type", "application/json")];
    for (body, expected) in [
        ("{}", r#"{"id":7,"seen":"absent absent"}"#),
        (r#"{"name":null}"#, r#"{"id":7,"name":null,"seen":"null absent"}"#),
        (r#"{"name":"tea","price":null}"#, r#"{"id":7,"name":"tea","price":null,"seen":"tea null"}"#),
        (r#"{"price":"1.50"}"#, r#"{"id":7,"price":"1.50","seen":"absent 1.50"}"#),
    ] {
        let answer = client.send("PATCH", "/goods/7", &json, body).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, expected), "{body}");
    }
    // Constraints speak of values, and neither of what is absent nor of null.
    let answer = client.send("PATCH", "/goods/7", &json, r#"{"name":"","price":"-1"}"#).await;
    assert_eq!(pointers(&answer), ["/name", "/price"]);
    // From outside of the body.
    let answer = client.send("PUT", "/goods/7/price/1.50", &[], "").await;
    assert_eq!(answer.text(), r#"{"id":7,"price":"1.50","seen":"absent 1.50"}"#);
    let answer = client.send("PUT", "/goods/7/price/1.50?name=x", &[], "").await;
    assert_eq!(answer.text(), r#"{"id":7,"name":"x","price":"1.50","seen":"x 1.50"}"#);
    assert_eq!(pointers(&client.send("PUT", "/goods/7/price/1,50", &[], "").await), ["/price"]);
    assert_eq!(pointers(&client.send("PUT", "/goods/7/price/-1", &[], "").await), ["/price"]);
}

#[tokio::test]
async fn routes_are_checked_against_schemas_that_say_more_and_pages_show_them() {
    let goods = goods(Setup::new()).await;
    let gateway = &goods.gateway;
    eventually("what is found of the routes", || async {
        (gateway.metric("callgate_routes_unfit", &["fields"]).await == 1.0).then_some(())
    })
    .await;
    let routes = gateway.admin.get("/routes").await.json();
    for route in routes["routes"].as_array().expect("a list") {
        let fits = route["match"] != "PUT /tags/{tags}";
        assert_eq!(route["unfit"] == json!([]), fits, "{route}");
    }
    let backends = gateway.admin.get("/backends").await.json();
    let methods = &backends["backends"][0]["endpoints"][0]["instance"]["methods"];
    let methods = methods.as_array().unwrap_or_else(|| panic!("no methods: {backends}"));
    let order = methods.iter().find(|method| method["name"] == "goods.order").expect("it is offered");
    assert_eq!(order["error"], "OrderError");
    let fields = &order["definitions"][0]["fields"];
    assert_eq!(fields[1]["constraints"], json!({ "minimum": 1, "maximum": 100 }), "{order}");
    assert_eq!(
        (&fields[2]["type"], &fields[2]["constraints"]["minimum"]),
        (&json!("Decimal"), &json!("0.01"))
    );
    assert_eq!(fields[0]["constraints"], json!({ "length": [1, 20], "pattern": "^[a-z-]+$" }));
    let errors =
        order["definitions"].as_array().and_then(|all| all.iter().find(|one| one["enum"] == "OrderError"));
    assert_eq!(errors.expect("it is defined")["variants"][0]["code"], "aborted");
    let change = methods.iter().find(|method| method["name"] == "goods.change").expect("it is offered");
    let field = &change["definitions"][0]["fields"][2];
    assert_eq!(
        (&field["type"], &field["required"]),
        (&json!("Presence<Decimal>"), &json!(false)),
        "{change}"
    );
}

#[tokio::test]
async fn constraints_that_a_later_version_adds_hold_where_it_answers_and_no_call_fails() {
    let setup = Setup::new();
    let old = setup.backend_told("goods", format!("127.0.0.1:{}", callgate_tests::free_port()), &["--plain"]);
    write(&setup, &[&old]);
    let gateway = setup.gateway().await;
    gateway.connected(&old).await;
    let wrong = order_with(json!({ "qty": 0 }));
    assert_eq!(gateway.client.post("/orders", wrong.clone()).await.status, 200, "the old one takes it");
    let new = setup.backend("goods");
    write(&setup, &[&old, &new]);
    gateway.takes_its_tables().await;
    gateway.connected(&new).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (client, wrong) = (gateway.client.clone(), wrong.clone());
        tasks.spawn(async move {
            let (mut taken, mut refused) = (0, 0);
            for _ in 0..100 {
                let answer = client.post("/orders", order().to_string()).await;
                assert_eq!((answer.status, &answer.json()["total"]), (200, &json!("24.50")));
                let answer = client.post("/orders", wrong.clone()).await;
                if answer.status == 200 {
                    assert_eq!(answer.json()["total"], "0");
                    taken += 1;
                } else {
                    assert_eq!(pointers(&answer), ["/qty"]);
                    refused += 1;
                }
            }
            (taken, refused)
        });
    }
    let (mut taken, mut refused) = (0, 0);
    while let Some(counted) = tasks.join_next().await {
        let (by_old, by_new) = counted.expect("a task that asserts");
        (taken, refused) = (taken + by_old, refused + by_new);
    }
    assert!(taken > 0 && refused > 0, "both answered: {taken} by the old, {refused} by the new");
    write(&setup, &[&new]);
    gateway.takes_its_tables().await;
    for _ in 0..20 {
        assert_eq!(pointers(&gateway.client.post("/orders", wrong.clone()).await), ["/qty"]);
        assert_eq!(gateway.client.post("/orders", order().to_string()).await.status, 200);
    }
}
