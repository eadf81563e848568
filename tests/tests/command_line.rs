//! `callgate list`, `describe` and `call` against living instances: what they print, how they end, streams both ways, TLS, tokens, Unix
//! sockets, and a gateway between.

use callgate_tests::command::{Ran, Talk, callgate};
use callgate_tests::tls::Ca;
use callgate_tests::{Setup, free_port};
use serde_json::{Value, json};

async fn run(setup: &Setup, arguments: &[&str]) -> Ran {
    callgate(setup.folder(), arguments, "").await
}

/// Runs a command until its instance is there.
async fn run_when_up(setup: &Setup, arguments: &[&str]) -> Ran {
    callgate_tests::eventually("an instance", || async {
        let ran = run(setup, arguments).await;
        (!ran.err.contains("cannot connect")).then_some(ran)
    })
    .await
}

#[tokio::test]
async fn an_instance_says_what_it_offers_and_how_it_is_called() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let addr = &*backend.endpoint();
    let listed = run_when_up(&setup, &["list", addr]).await;
    assert_eq!(listed.status, Some(0), "{listed:?}");
    assert!(listed.out.contains("\norders 1.0\n"), "{}", listed.out);
    assert!(listed.out.contains("  orders.get(order_id: string) -> Order\n"), "{}", listed.out);
    assert!(listed.out.contains("echo.chat(stream string) -> stream string"), "{}", listed.out);

    let listed = run(&setup, &["list", addr, "--json"]).await.json();
    let services = listed["services"].as_array().expect("a list");
    let orders = services.iter().find(|service| service["name"] == "orders").expect("it is there");
    assert_eq!(orders["version"], "1.0");
    let quote =
        orders["methods"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "orders.quote"));
    assert_eq!(quote.expect("it is there")["idempotent"], true);

    let described = run(&setup, &["describe", addr, "orders.quote"]).await;
    for expected in ["Prices an order. It is not kept.", "note?", "What is ordered.", "\nLine", "\nExample\n"]
    {
        assert!(described.out.contains(expected), "{expected}: {}", described.out);
    }
    let missing = run(&setup, &["describe", addr, "orders.quoet"]).await;
    assert_eq!(missing.status, Some(1));
    assert!(missing.err.contains("did you mean `orders.quote`?"), "{}", missing.err);
    let nobody = run(&setup, &["list", &format!("127.0.0.1:{}", free_port())]).await;
    assert_eq!((nobody.status, nobody.out.as_str()), (Some(2), ""));
    assert!(nobody.err.contains("cannot connect"), "{}", nobody.err);
}

/// The examples that `describe` gives are requests that the methods take.
#[tokio::test]
async fn each_example_is_a_request_that_the_method_takes() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let addr = &*backend.endpoint();
    let listed = run_when_up(&setup, &["list", addr, "--json"]).await.json();
    let mut tried = 0;
    for method in listed["services"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|service| service["methods"].as_array().cloned().unwrap_or_default())
    {
        let name = method["name"].as_str().expect("it has a name");
        let described = run(&setup, &["describe", addr, name, "--json"]).await.json();
        let example = described["example"].to_string();
        let called = callgate(setup.folder(), &["call", addr, name, &example, "--json"], "").await;
        let problem: Value = serde_json::from_str(&called.err).unwrap_or_default();
        // It may be about nothing that is there; but there is nothing in it that the method does not take.
        assert_eq!(problem.get("errors"), None, "{name} {example}: {called:?}");
        tried += 1;
    }
    assert!(tried > 15, "{tried}");
}

#[tokio::test]
async fn a_call_prints_its_result_and_says_on_standard_error_how_it_went() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let addr = &*backend.endpoint();
    let called = run_when_up(&setup, &["call", addr, "calc.add", "a=2", "b=3"]).await;
    assert_eq!((called.status, &*called.out, &*called.err), (Some(0), "5\n", ""));
    let text =
        "{\"customer\":\"ada\",\"express\":false,\"items\":[{\"sku\":\"tea\",\"qty\":2,\"unit_price\":4.5}]}";
    std::fs::write(setup.file("order.json"), text).expect("it can be written");
    let from_file = run(&setup, &["call", addr, "orders.quote", "@order.json", "order_id=7"]).await;
    let from_stdin =
        callgate(setup.folder(), &["call", addr, "orders.quote", "@-", "order_id=7"], text).await;
    assert_eq!(from_file.json()["total"], json!(9.0), "{from_file:?}");
    assert_eq!(from_stdin.out, from_file.out);

    let told = run(&setup, &["call", addr, "calc.add", "a=2", "b=3", "-v", "-H", "X-Shop: 7"]).await;
    assert_eq!(told.out, "5\n");
    for expected in ["> calc.add(a: i64, b: i64) -> i64", "schema ", "> x-shop: 7", "< 1 byte, begun after "]
    {
        assert!(told.err.contains(expected), "{expected}: {}", told.err);
    }
}

#[tokio::test]
async fn a_call_that_fails_says_why_in_the_words_of_a_problem() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let addr = &*backend.endpoint();
    let body = "{\"customer\":\"ada\",\"express\":false,\"items\":[{\"sku\":\"tea\",\"qty\":\"two\",\"unit_price\":4.5}]}";
    let wrong = run_when_up(&setup, &["call", addr, "orders.quote", body]).await;
    assert_eq!((wrong.status, &*wrong.out), (Some(1), ""));
    assert!(wrong.err.starts_with("error: 400 invalid_argument ("), "{}", wrong.err);
    assert!(
        wrong.err.contains("`/items/0/qty`: expected an integer, got a string (line 1, column 63)"),
        "{}",
        wrong.err
    );

    let declared = run(&setup, &["call", addr, "library.get", "id=99", "--json"]).await;
    let problem: Value = serde_json::from_str(&declared.err).expect("it is JSON");
    assert_eq!(problem["type"], "urn:callgate:error:library.get/no_such_book");
    assert_eq!((&problem["status"], &problem["details"]["id"]), (&json!(404), &json!(99)));
    assert_eq!((declared.status, problem.get("request_id")), (Some(1), None));

    // The log of a gateway would have it; whoever asks the instance itself is told.
    let inside = run(&setup, &["call", addr, "echo.fail", "code=internal"]).await;
    assert!(inside.err.starts_with("error: 500 internal (method_failed): "), "{}", inside.err);
    assert!(!inside.err.contains("the log has more"), "{}", inside.err);

    let late = run(&setup, &["call", addr, "echo.delay", "ms=60000", "--timeout", "50ms"]).await;
    assert!(late.err.contains("deadline_exceeded"), "{}", late.err);
    for arguments in [
        &["call", addr][..],
        &["call"],
        &["call", addr, "nomethod"],
        &["call", addr, "calc.add", "{}", "{}"],
        &["call", addr, "calc.add", "-H", "nothing"],
    ] {
        assert_eq!(run(&setup, arguments).await.status, Some(2), "{arguments:?}");
    }
}

#[tokio::test]
async fn streams_are_printed_and_read_as_they_come() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    let addr = &*backend.endpoint();
    let counted = run_when_up(&setup, &["call", addr, "echo.count", "from=1", "to=3"]).await;
    assert_eq!((counted.status, &*counted.out), (Some(0), "1\n2\n3\n"));
    let numbers: String = (1..=1000).map(|n| format!("{n}\n")).collect();
    let summed = callgate(setup.folder(), &["call", addr, "echo.sum"], &numbers).await;
    assert_eq!((summed.status, &*summed.out), (Some(0), "500500\n"));
    std::fs::write(setup.file("numbers"), "1\n\n2").expect("it can be written");
    let summed = run(&setup, &["call", addr, "echo.sum", "--items", "numbers"]).await;
    assert_eq!(summed.out, "3\n");
    let wrong = callgate(setup.folder(), &["call", addr, "echo.sum"], "1\n\"two\"\n").await;
    assert_eq!(wrong.status, Some(1));
    assert!(wrong.err.contains("expected an integer"), "{}", wrong.err);

    // Each message comes back before the next one is said.
    let mut chat = Talk::begin(setup.folder(), &["call", addr, "echo.chat"]);
    for message in ["\"a\"", "\"b\"", "\"c\""] {
        chat.say(message).await;
        assert_eq!(chat.hear().await.as_deref(), Some(message));
    }
    assert_eq!(chat.end().await, Some(0));
}

#[tokio::test]
async fn an_instance_is_reached_by_a_unix_socket_inside_tls_and_with_a_token() {
    let setup = Setup::new();
    let ca = Ca::new("house");
    std::fs::write(setup.file("ca.pem"), ca.pem()).expect("it can be written");
    ca.server(&["sealed.internal"]).write(setup.folder(), "server");
    ca.client("tester.internal").write(setup.folder(), "own");
    std::fs::write(setup.file("token"), "a-token-of-forty-three-characters-or-so-0123")
        .expect("it can be written");
    let file = |name: &str| setup.file(name).display().to_string();
    let (cert, key, token, trusted) = (file("server.pem"), file("server.key"), file("token"), file("ca.pem"));
    let told = ["--cert", &cert, "--key", &key, "--client-ca", &trusted, "--token-file", &token];
    let inside = setup.backend_told("sealed", format!("127.0.0.1:{}", free_port()), &told);
    let addr = &*inside.endpoint();
    let all = [
        "call",
        addr,
        "sealed.caller",
        "--ca",
        "ca.pem",
        "--server-name",
        "sealed.internal",
        "--cert",
        "own.pem",
        "--key",
        "own.key",
        "--token-file",
        "token",
        "-v",
    ];
    let called = run_when_up(&setup, &all).await;
    assert_eq!(called.status, Some(0), "{called:?}");
    assert!(called.json()["certificate"].as_str().is_some_and(|subject| subject.contains("tester.internal")));
    assert!(called.err.contains("inside TLSv1.3"), "{}", called.err);
    let without = run(&setup, &all[..7]).await;
    assert_eq!(without.status, Some(2), "{without:?}");
    let in_the_clear = run(&setup, &["call", addr, "sealed.caller", "--token-file", "token"]).await;
    assert_eq!(in_the_clear.status, Some(1));
    assert!(in_the_clear.err.contains("would go over plain TCP"), "{}", in_the_clear.err);

    let socket = setup.file("shop.sock");
    let _shop = setup.backend_at("shop", format!("unix:{}", socket.display()));
    for addr in [format!("unix:{}", socket.display()), "./shop.sock".to_owned()] {
        let called = run_when_up(&setup, &["call", &addr, "calc.add", "a=1", "b=1"]).await;
        assert_eq!((called.status, &*called.out), (Some(0), "2\n"), "{called:?}");
    }
}

#[tokio::test]
async fn the_tables_say_whom_to_call_and_how_a_gateway_is_asked() {
    let setup = Setup::new();
    let backend = setup.backend("shop");
    setup.write_shop(&[&backend]);
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    let config = gateway.config.display().to_string();
    let ask = async |arguments: &[&str], input: &str| {
        callgate(setup.folder(), &[arguments, &["--config", &config]].concat(), input).await
    };
    let called = ask(&["call", "calc.add", "a=2", "b=3"], "").await;
    assert_eq!((called.status, &*called.out), (Some(0), "5\n"), "{called:?}");
    let url = format!("http://{}", gateway.addr);
    let url = url.as_str();
    let through = ask(&["call", url, "calc.add", "{\"a\":2,\"b\":3}", "-v"], "").await;
    assert_eq!((through.status, &*through.out), (Some(0), "{\"result\":5}\n"), "{through:?}");
    assert!(through.err.contains("/v1/calc/add?a=2&b=3"), "{}", through.err);
    let body = "{\"order_id\":\"a/b\",\"customer\":\"ada\",\"express\":false,\"items\":[{\"sku\":\"tea\",\"qty\":2,\"unit_price\":4.5}]}";
    let through = ask(&["call", url, "orders.quote", body], "").await;
    assert_eq!(through.json()["order_id"], "a/b", "{through:?}");
    let through = ask(&["call", url, "echo.count", "from=1", "to=3"], "").await;
    assert_eq!(through.out, "1\n2\n3\n", "{through:?}");
    let through = ask(&["call", url, "echo.sum"], "1\n2\n3\n").await;
    assert_eq!(through.out, "{\"result\":6}\n", "{through:?}");
    let failed = ask(&["call", url, "orders.get", "order_id=none"], "").await;
    assert_eq!(failed.status, Some(1));
    assert!(failed.err.starts_with("error: 404 not_found (method_failed): "), "{}", failed.err);
    let unknown = ask(&["call", url, "orders.cancel"], "").await;
    assert_eq!(unknown.status, Some(2), "{unknown:?}");
}
