//! Routes that do not fit what instances offer: said before a request comes, and by `callgate check --against`.

use callgate_tests::{Backend, Gateway, Setup, eventually, free_port};
use serde_json::{Value, json};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const FIELDS: &str = "a route does not fit its method";
const METHOD: &str = "no instance offers the method of a route";

/// One route that fits the shop, and three that do not.
fn tables(endpoints: &[String]) -> String {
    format!(
        "[backends.shop]\nendpoints = {endpoints:?}\n\
         [[routes]]\nmatch = \"GET /add\"\ncall = \"calc.add\"\n\
         [[routes]]\nmatch = \"GET /upper\"\ncall = \"calc.Add\"\n\
         [[routes]]\nmatch = \"GET /path/{{c}}\"\ncall = \"calc.add\"\n\
         [[routes]]\nmatch = \"GET /orders/{{order_id}}\"\ncall = \"orders.get\"\nresponse = {{ field = \"totl\" }}\n"
    )
}

/// What `/routes` says is wrong with the route of that match.
async fn unfit(gateway: &Gateway, matched: &str) -> Value {
    let page = gateway.admin.get("/routes").await.json();
    let routes = page["routes"].as_array().cloned().unwrap_or_default();
    let mut route = routes.into_iter().find(|route| route["match"] == matched).expect("the route is there");
    route["unfit"].take()
}

#[tokio::test]
async fn a_route_that_does_not_fit_is_told_once_before_any_request() {
    let setup = Setup::new();
    let backends = [setup.backend("shop"), setup.backend("shop")];
    let endpoints: Vec<String> = backends.iter().map(Backend::endpoint).collect();
    setup.write_routes("shop.toml", &tables(&endpoints));
    let gateway = setup.gateway().await;
    for backend in &backends {
        gateway.connected(backend).await;
    }
    let count = async |reason: &str| gateway.metric("callgate_routes_unfit", &[reason]).await;
    eventually("what is found of the routes", || async {
        (count("method").await == 1.0 && count("fields").await == 2.0).then_some(())
    })
    .await;
    eventually("both instances", || async {
        let found = unfit(&gateway, "GET /path/{c}").await;
        (found[0]["instances"].as_array().map(Vec::len) == Some(2)).then_some(())
    })
    .await;
    let found = unfit(&gateway, "GET /path/{c}").await;
    assert_eq!((&found[0]["kind"], &found[0]["backend"]), (&json!("fields"), &json!("shop")));
    assert!(found[0]["why"].as_str().is_some_and(|why| why.contains("unknown field `c`")), "{found}");
    let found = unfit(&gateway, "GET /upper").await;
    assert_eq!(found[0]["kind"], "method");
    assert_eq!(found[0]["why"], "no instance offers `calc.Add`; did you mean `calc.add`?");
    assert!(unfit(&gateway, "GET /orders/{order_id}").await[0]["why"].as_str().is_some());
    assert_eq!(unfit(&gateway, "GET /add").await, json!([]));
    let told = |message| {
        let mut calls = gateway.logged(message, "place");
        calls.sort_by_key(|place| place.to_string());
        calls
            .iter()
            .map(|place| place.as_str().unwrap_or_default().rsplit('/').next().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let place = |text: &str| Some(text.to_owned());
    assert_eq!(
        told(FIELDS),
        [place("shop.toml:10:9"), place("shop.toml:13:9")],
        "once for both instances and workers"
    );
    assert_eq!(told(METHOD), [place("shop.toml:7:9")]);
    assert_eq!(gateway.metric("callgate_requests_total", &["/path"]).await, 0.0, "nobody has asked");

    setup.write_routes("shop.toml", &tables(&endpoints).replace("calc.Add", "calc.add"));
    gateway.takes_its_tables().await;
    eventually("one less", || async { (count("method").await == 0.0).then_some(()) }).await;
    assert_eq!(told(FIELDS).len(), 2, "what was known is not told again");
}

#[tokio::test]
async fn what_does_not_fit_is_known_when_an_instance_connects_and_not_before() {
    let setup = Setup::new();
    let mut backend = setup.backend("shop");
    backend.kill();
    setup.write_routes("shop.toml", &tables(&[backend.endpoint()]));
    let gateway = setup.gateway().await;
    for reason in ["method", "fields"] {
        assert_eq!(gateway.metric("callgate_routes_unfit", &[reason]).await, 0.0);
    }
    assert_eq!(gateway.admin.get("/readyz").await.status, 200);
    let strict = gateway.admin.get("/readyz?strict").await;
    assert_eq!((strict.status, strict.text().as_str()), (503, "not ready: no instance of shop\n"));
    backend.start();
    gateway.connected(&backend).await;
    eventually("what is found of the routes", || async {
        (gateway.metric("callgate_routes_unfit", &[]).await == 3.0).then_some(())
    })
    .await;
    assert_eq!(gateway.admin.get("/readyz?strict").await.status, 200);
    let drain = format!("/-/drain?endpoint={}", backend.endpoint());
    assert_eq!(gateway.admin.send("POST", &drain, &[], "").await.status, 200);
    assert_eq!(gateway.admin.get("/readyz?strict").await.status, 503, "nobody takes calls");
    assert_eq!(gateway.admin.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_schema_is_told_on_the_page_and_by_check_and_the_client_learns_whose_fault_it_is()
 {
    let setup = Setup::new();
    let backend = setup.backend_told("goods", format!("127.0.0.1:{}", free_port()), &["--unusable"]);
    let endpoint = backend.endpoint();
    setup.write_routes(
        "goods.toml",
        &format!(
            "[backends.goods]\nendpoints = [\"{endpoint}\"]\n\
             [[routes]]\nmatch = \"PATCH /goods/{{id}}\"\ncall = \"goods.change\"\n"
        ),
    );
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    eventually("what is found of the route", || async {
        (gateway.metric("callgate_routes_unfit", &["method"]).await == 1.0).then_some(())
    })
    .await;
    let found = unfit(&gateway, "PATCH /goods/{id}").await;
    let why = found[0]["why"].as_str().unwrap_or_default();
    let begins = "no instance offers `goods.change` with a schema that can be used: schema ";
    assert!(why.starts_with(begins) && why.contains("`name`"), "{why}");
    assert_eq!(gateway.told(METHOD, "error").await, [json!(why)]);

    let answer =
        gateway.client.send("PATCH", "/goods/7", &[("content-type", "application/json")], "{}").await;
    let problem = answer.json();
    let detail = "no instance of the service offers the method with a schema that can be used; \
                  the log has more under the request's id";
    assert_eq!((answer.status, &problem["detail"]), (501, &json!(detail)), "{problem}");
    let told = gateway.told("a method's schema cannot be used", "error").await;
    assert!(why.ends_with(told[0].as_str().unwrap_or("nothing")), "{told:?}");

    let (code, text) = setup.check_against(&endpoint, &[]).await;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("its schema at {endpoint} cannot be used: schema ")), "{text}");
}

/// The place of each mistake, with its title before it.
fn mistakes(text: &str, folder: &Path) -> Vec<String> {
    let lines =
        text.lines().filter_map(|line| line.trim().strip_prefix("--> ").or(line.strip_prefix("error: ")));
    lines.map(|line| line.replace(&format!("{}/", folder.display()), "")).collect()
}

#[tokio::test]
async fn tables_are_checked_against_a_backend_that_lives() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let endpoint = backend.endpoint();
    setup.write_shop(&[&backend]);
    let (code, text) = setup.check_against_backend(&backend).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.starts_with("ok: ") && text.contains(&format!(" routes of `shop` fit {endpoint} (")),
        "{text}"
    );

    setup.write_routes("shop.toml", &tables(std::slice::from_ref(&endpoint)));
    let (code, text) = setup.check_against(&endpoint, &[]).await;
    assert_eq!(code, Some(1), "{text}");
    let expected = [
        "`calc.Add` is not offered",
        "shop.toml:8:8",
        "the path of `GET /path/{c}` does not fit `calc.add`",
        "shop.toml:10:9",
        "`response` of `GET /orders/{order_id}` does not fit `orders.get`",
        "shop.toml:15:12",
    ];
    assert_eq!(mistakes(&text, &setup.routes()), expected, "{text}");
    assert!(text.contains("did you mean `calc.add`?"), "{text}");

    // Whose routes are checked.
    let other = "[backends.other]\nendpoints = [\"127.0.0.1:1\"]\n[[routes]]\nmatch = \"GET /other\"\ncall = \"a.b\"\n";
    setup.write_routes("other.toml", other);
    let all = tables(std::slice::from_ref(&endpoint));
    let (fits, _) = all.split_once("[[routes]]\nmatch = \"GET /upper").expect("the first that does not fit");
    setup.write_routes("shop.toml", fits);
    assert_eq!(
        setup.check_against(&endpoint, &[]).await.0,
        Some(0),
        "only those of the backend that has the endpoint"
    );
    let (code, text) = setup.check_against(&endpoint, &["--backend", "other"]).await;
    assert_eq!((code, mistakes(&text, &setup.routes())[1].as_str()), (Some(1), "other.toml:5:8"));
    let (code, text) = setup.check_against(&endpoint, &["--backend", "nobody"]).await;
    assert_eq!(code, Some(2), "{text}");
}

#[tokio::test]
async fn a_backend_that_cannot_be_asked_is_another_status_than_a_mistake() {
    let setup = Setup::new();
    setup.write_routes("shop.toml", &tables(&["127.0.0.1:1".to_owned()]));
    let closed = format!("127.0.0.1:{}", free_port());
    let (code, text) = setup.check_against(&closed, &[]).await;
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("cannot connect"), "{text}");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let http = listener.local_addr().expect("it is bound").to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut read = [0; 8];
            let _ = socket.read(&mut read).await;
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let (code, text) = setup.check_against(&http, &[]).await;
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("an HTTP server answers there"), "{text}");
    // Mistakes of the files themselves go first.
    setup.write_routes("shop.toml", "backend = 7\n");
    assert_eq!(setup.check_against(&closed, &[]).await.0, Some(1));
}
