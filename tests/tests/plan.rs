//! `callgate plan`: what it says of tables is what happens when they go in, and asking changes nothing.

use callgate_tests::{Backend, Gateway, Setup, binary};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Output;
use tokio::process::Command;

const TABLE: &str = r#"
[backends.shop]
endpoints = ["SHOP", "SPARE"]

[auth.user]
type = "unix"

[[routes]]
match = "GET /v1/add"
call = "calc.add"
backend = "shop"
auth = "anonymous"

[[routes]]
match = "GET /v1/limited"
call = "calc.add"
backend = "shop"
auth = "anonymous"
rate_limit = { rate = "1000/s", by = "route" }

[[routes]]
match = "GET /v1/old"
call = "calc.add"
backend = "shop"
auth = "anonymous"

[[routes]]
match = "GET /v1/orders/{order_id}"
call = "orders.get"
backend = "shop"
auth = "user"
"#;

struct Planned {
    setup: Setup,
    gateway: Gateway,
    shop: Backend,
    spare: Backend,
    /// The tables in force.
    table: String,
    /// The file of the settings that name the tables to come.
    config: PathBuf,
}

impl Planned {
    async fn start(section: &str) -> Planned {
        let setup = Setup::new().workers(1).section(section);
        let (shop, spare) = (setup.backend("shop"), setup.backend("shop"));
        let table = TABLE.replace("SHOP", &shop.endpoint()).replace("SPARE", &spare.endpoint());
        setup.write_routes("shop.toml", &table);
        let gateway = setup.gateway().await;
        for backend in [&shop, &spare] {
            gateway.connected(backend).await;
        }
        std::fs::create_dir(setup.file("next")).expect("a folder");
        let config = setup.file("next.toml");
        std::fs::write(&config, "[tables]\nwatch = [\"next\"]\n").expect("it can be written");
        Planned { setup, gateway, shop, spare, table, config }
    }

    /// Runs `callgate plan` for that text of the tables.
    async fn run(&self, table: &str, more: &[&str]) -> (Option<i32>, String) {
        std::fs::write(self.setup.file("next").join("shop.toml"), table).expect("it can be written");
        let admin = format!("http://{}", self.gateway.admin_addr);
        let mut command = Command::new(binary("callgate"));
        command.args(["plan", "--admin", &admin, "--config"]).arg(&self.config).args(more);
        let Output { status, stdout, stderr } = command.output().await.expect("callgate runs");
        (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
    }

    /// What it says for programs.
    async fn plan(&self, table: &str) -> (Option<i32>, Value) {
        let (code, text) = self.run(table, &["--json"]).await;
        (code, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
    }
}

#[tokio::test]
async fn what_would_change_is_said_in_words_and_nothing_changes() {
    let planned = Planned::start("").await;
    let hash = planned.gateway.admin.get("/config").await.json()["tables"]["hash"].clone();
    let (code, plan) = planned.plan(&planned.table).await;
    assert_eq!((code, &plan["breaks"]), (Some(0), &json!(false)), "{plan:#}");
    for kind in ["routes", "backends"] {
        assert_eq!(plan[kind]["counts"], json!({ "added": 0, "removed": 0, "changed": 0 }), "{plan:#}");
    }
    assert_eq!((&plan["leaves"], &plan["opens"], &plan["closes"]), (&json!([]), &json!([]), &json!([])));

    let next = planned
        .table
        .replace("/v1/old", "/v1/new")
        .replace("rate_limit = { rate = \"1000/s\", by = \"route\" }\n", "timeout = \"1s\"\n")
        .replace(&format!(", \"{}\"", planned.spare.endpoint()), "");
    let (code, plan) = planned.plan(&next).await;
    assert_eq!(code, Some(0), "{plan:#}");
    let first = |list: &Value| list[0].as_str().unwrap_or_default().to_owned();
    assert!(first(&plan["routes"]["added"]).starts_with("GET /v1/new ("), "{plan:#}");
    assert!(first(&plan["routes"]["removed"]).starts_with("GET /v1/old ("), "{plan:#}");
    let changed = &plan["routes"]["changed"][0];
    assert_eq!(changed["match"], "GET /v1/limited");
    let changes = changed["changes"].to_string();
    assert!(
        changes.contains("steps: no more rate_limit route:1000/s") && changes.contains("timeout_ms: "),
        "{changes}"
    );
    let left = &plan["leaves"][0];
    assert_eq!(
        (&left["endpoint"], &left["comes_again"]),
        (&planned.spare.endpoint().into(), &false.into()),
        "{plan:#}"
    );
    assert!(left["connections"].as_u64() > Some(0), "{plan:#}");
    assert_eq!(plan["leaves"].as_array().map(Vec::len), Some(1), "the other one stays: {plan:#}");
    // It was only asked.
    assert_eq!(planned.gateway.admin.get("/config").await.json()["tables"]["hash"], hash);
    assert_eq!(planned.gateway.client.get("/v1/old?a=1&b=2").await.status, 200);
    assert_eq!(planned.gateway.client.get("/v1/new?a=1&b=2").await.status, 404);
    let (_, text) = planned.run(&next, &[]).await;
    assert!(text.starts_with("+ route GET /v1/new (") && text.contains("\ncloses "), "{text}");
}

#[tokio::test]
async fn what_breaks_has_a_status_for_pipelines() {
    let planned = Planned::start("").await;
    // Opened to everybody: the gateway would refuse it, with the same line that accepts it.
    let open = planned.table.replace("auth = \"user\"", "auth = \"anonymous\"");
    let (code, plan) = planned.plan(&open).await;
    assert_eq!((code, &plan["accepted"]), (Some(1), &false.into()), "{plan:#}");
    let hash = plan["accept_exposure"].as_str().expect("it can be accepted").to_owned();
    assert!(plan["opens"][0].as_str().is_some_and(|text| text.starts_with("shop orders.get: ")), "{plan:#}");
    planned.setup.write_routes("shop.toml", &open);
    let refused = planned.gateway.admin.send("POST", "/-/reload", &[], "").await;
    assert!(refused.status == 422 && refused.text().contains(&hash), "{}", refused.text());
    let (code, plan) = planned.plan(&format!("accept_exposure = \"{hash}\"\n{open}")).await;
    assert_eq!((code, &plan["accepted"]), (Some(0), &true.into()), "{plan:#}");
    planned.setup.write_routes("shop.toml", &planned.table);
    // Closed: that is said, and breaks nothing that is guarded.
    let closed = planned.table.replace(
        "match = \"GET /v1/add\"\ncall = \"calc.add\"",
        "match = \"GET /v1/add\"\ncall = \"calc.sub\"",
    );
    let (code, plan) = planned.plan(&closed).await;
    let unfit = &plan["unfit"][0];
    assert_eq!(
        (code, &unfit["call"], &unfit["known"]),
        (Some(1), &"calc.sub".into(), &false.into()),
        "{plan:#}"
    );
    let (code, plan) = planned.plan(&planned.table.replace("auth = \"anonymous\"", "auth = \"user\"")).await;
    assert_eq!(code, Some(0), "{plan:#}");
    assert!(plan["closes"][0].as_str().is_some_and(|text| text.starts_with("shop calc.add: ")), "{plan:#}");
    // Mistakes are shown as `check` shows them, and nobody is asked.
    let (code, text) = planned.run("[[routes]]\n", &[]).await;
    assert!(code == Some(1) && text.contains("error: "), "{text}");
    assert!(planned.shop.pid() > 0);
}

#[tokio::test]
async fn what_would_become_of_the_last_requests_is_counted() {
    let planned = Planned::start("[replay]\nkeep = 20\n").await;
    let client = &planned.gateway.client;
    for _ in 0..3 {
        assert_eq!(client.get("/v1/old?a=1&b=2").await.status, 200);
    }
    for _ in 0..2 {
        assert_eq!(client.get("/v1/limited?a=1&b=2").await.status, 200);
    }
    assert_eq!(client.send("GET", "/v1/add?a=1&b=2", &[("authorization", "s3cret")], "").await.status, 200);
    assert_eq!(client.get("/v1/new").await.status, 404);
    let next = planned
        .table
        .replace("/v1/old", "/v1/new")
        .replace("rate_limit = { rate = \"1000/s\", by = \"route\" }\n", "");
    let (code, plan) = planned.plan(&next).await;
    assert_eq!((code, &plan["replay"]["requests"]), (Some(1), &7.into()), "{plan:#}");
    let changes: Vec<(u64, &str, bool)> = plan["replay"]["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|one| {
            (
                one["requests"].as_u64().unwrap_or_default(),
                one["what"].as_str().unwrap_or_default(),
                one["breaks"] == true,
            )
        })
        .collect();
    let expected = [
        (3, "would now be 404 no_route", true),
        (2, "would lose their limit", true),
        (1, "would no longer be 404 no_route", false),
    ];
    assert_eq!(changes, expected, "{plan:#}");
    assert!(!plan.to_string().contains("s3cret"), "no values are kept");
    let (code, plan) = planned.plan(&planned.table.replace("auth = \"anonymous\"", "auth = \"user\"")).await;
    let what = plan["replay"]["changes"].to_string();
    assert!(
        what.contains("would be asked who sends them\"") && what.contains("show nothing: 401 no_credentials"),
        "{plan:#}"
    );
    assert_eq!(code, Some(1));
    // The oldest make room.
    for _ in 0..60 {
        client.get("/v1/add?a=1&b=2").await;
    }
    let (code, plan) = planned.plan(&next).await;
    assert_eq!((code, &plan["replay"]["requests"]), (Some(0), &20.into()), "{plan:#}");
    let (_, text) = planned.run(&planned.table, &[]).await;
    assert_eq!(text.trim(), "nothing changes");
}
