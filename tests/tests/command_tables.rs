//! `callgate init`, which makes a gateway of an instance in two commands, `diff` between two versions, completions and the manual.

use callgate_tests::command::{Ran, Talk, callgate};
use callgate_tests::{Backend, Setup, binary, eventually, free_port};
use serde_json::Value;
use std::path::Path;
use tokio::process::Command;

async fn run(folder: &Path, arguments: &[&str]) -> Ran {
    callgate(folder, arguments, "").await
}

/// A backend that is there.
async fn up(setup: &Setup, program: &str) -> Backend {
    let backend = setup.backend(program);
    let addr = backend.endpoint();
    eventually("an instance", || async {
        let ran = run(setup.folder(), &["list", &addr]).await;
        (ran.status == Some(0)).then_some(())
    })
    .await;
    backend
}

#[tokio::test]
async fn two_commands_make_a_gateway_of_an_instance() {
    let setup = Setup::new();
    let backend = up(&setup, "shop").await;
    let addr = &*backend.endpoint();
    let folder = setup.file("new");
    std::fs::create_dir(&folder).expect("it can be made");
    let made = run(&folder, &["init", addr]).await;
    assert_eq!(made.status, Some(0), "{made:?}");
    assert!(made.out.contains("wrote config/gateway.toml\nwrote routes/shop.toml\n"), "{}", made.out);
    assert!(!made.out.contains("left out"), "{}", made.out);
    let table = std::fs::read_to_string(folder.join("routes/shop.toml")).expect("it was written");
    for expected in [
        "match = \"GET /calc/add\"",
        "match = \"POST /orders/{order_id}/quote\"",
        "match = \"GET /orders/{order_id}\"",
        "match = \"GET /library/{id}\"",
        "match = \"DELETE /library/{id}\"",
        "match = \"PATCH /library/{id}\"",
        "match = \"POST /library\"",
        "body = { stream = true }",
    ] {
        assert!(table.contains(expected), "{expected}: {table}");
    }
    let fits = run(&folder, &["check", "--against", addr]).await;
    assert_eq!(fits.status, Some(0), "{fits:?}");

    let again = run(&folder, &["init", addr]).await;
    assert_eq!(again.status, Some(2), "{again:?}");
    assert!(again.err.contains("is there already"), "{}", again.err);
    assert_eq!(run(&folder, &["init", addr, "--force"]).await.status, Some(0));
    let shown = run(&folder, &["init", addr, "--to", "-"]).await;
    assert!(shown.out.contains("[backends.shop]"), "{}", shown.out);

    // The ports of this test are its own.
    let (http, admin) = (free_port(), free_port());
    let config = folder.join("config/gateway.toml");
    let text = std::fs::read_to_string(&config).expect("it was written");
    let text = text.replace(":8080", &format!(":{http}")).replace(":8081", &format!(":{admin}"));
    std::fs::write(&config, text).expect("it can be written");
    let _gateway = Talk::begin(&folder, &["run"]);
    let url = format!("http://127.0.0.1:{http}");
    eventually("the gateway", || async {
        let ran = run(&folder, &["call", &url, "calc.add", "a=2", "b=3"]).await;
        (ran.status == Some(0) && ran.out == "{\"result\":5}\n").then_some(())
    })
    .await;
    let book = run(&folder, &["call", &url, "library.get", "id=1"]).await;
    assert_eq!(book.status, Some(0), "{book:?}");
    assert_eq!(book.json()["id"], 1);
}

/// What would not hold together with what is there is not written.
#[tokio::test]
async fn nothing_stays_of_a_table_that_does_not_go_with_the_others() {
    let setup = Setup::new();
    let backend = up(&setup, "shop").await;
    let addr = &*backend.endpoint();
    setup.write_shop(&[&backend]);
    std::fs::create_dir(setup.file("config")).expect("it can be made");
    std::fs::write(setup.file("config/gateway.toml"), "").expect("it can be written");
    let same_name = run(setup.folder(), &["init", addr, "--to", "routes/other.toml"]).await;
    assert_eq!(same_name.status, Some(1), "{same_name:?}");
    assert!(same_name.err.contains("shop"), "{}", same_name.err);
    assert!(!setup.file("routes/other.toml").exists());
    let other = ["init", addr, "--backend", "other", "--prefix", "/other", "--json"];
    let other = run(setup.folder(), &other).await;
    assert_eq!(other.status, Some(0), "{other:?}");
    assert_eq!(other.json()["written"][0], "routes/other.toml");
    let no_name = run(setup.folder(), &["init", addr, "--backend", "a b", "--to", "-"]).await;
    assert_eq!(no_name.status, Some(1), "{no_name:?}");
}

#[tokio::test]
async fn a_new_version_is_told_by_what_it_breaks_and_for_whom() {
    let setup = Setup::new();
    let (old, new) = (up(&setup, "shop").await, up(&setup, "shop-next").await);
    let (old, new) = (&*old.endpoint(), &*new.endpoint());
    let same = run(setup.folder(), &["diff", old, old]).await;
    assert_eq!((same.status, &*same.err), (Some(0), ""), "{same:?}");
    assert!(same.out.contains("nothing breaks"), "{}", same.out);

    let broken = run(setup.folder(), &["diff", old, new, "--json"]).await;
    assert_eq!(broken.status, Some(1), "{broken:?}");
    let report = broken.json();
    let of = |method: &str| -> Vec<Value> {
        let all = report["breaks"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|one| one["method"] == method).collect()
    };
    assert_eq!(of("orders.get")[0]["detail"], "the method is gone");
    // Fields that moved, and a new one with a default, break nobody. That it may not run twice does.
    let quote = of("orders.quote");
    assert_eq!(quote.len(), 1, "{quote:?}");
    assert_eq!(quote[0]["for"], "wire");

    // The other way: what the new one says beside is gone.
    let back = run(setup.folder(), &["diff", new, old]).await;
    assert_eq!(back.status, Some(1), "{back:?}");
    assert!(back.out.contains("  answers   /currency: the field is gone"), "{}", back.out);
    assert!(
        back.out.contains("  requests  /items/*/gift: the field is gone, and is refused now"),
        "{}",
        back.out
    );
    assert!(back.out.contains("orders.get\n  new\n"), "{}", back.out);
    let nobody = format!("127.0.0.1:{}", free_port());
    assert_eq!(run(setup.folder(), &["diff", old, &nobody]).await.status, Some(2));
}

/// What bash would offer for a line.
async fn completed(folder: &Path, line: &str) -> Vec<String> {
    let program = binary("callgate");
    let path = format!(
        "{}:{}",
        program.parent().expect("it is in a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let script = "source <(callgate completions bash); COMP_LINE=\"$1\"; COMP_POINT=${#1}; _COMPLETE_callgate; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let ran = Command::new("bash")
        .args(["-c", script, "bash", line])
        .env("PATH", path)
        .current_dir(folder)
        .output()
        .await;
    let ran = ran.expect("bash runs");
    let text = String::from_utf8(ran.stdout).expect("it is text");
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[tokio::test]
async fn bash_completes_commands_methods_and_fields() {
    let setup = Setup::new();
    let backend = up(&setup, "shop").await;
    let addr = &*backend.endpoint();
    let folder = setup.folder();
    assert_eq!(completed(folder, "callgate des").await, ["describe"]);
    assert!(completed(folder, "callgate call --ver").await.contains(&"--verbose".to_owned()));
    let methods = completed(folder, &format!("callgate call {addr} orders.")).await;
    assert_eq!(methods, ["orders.quote", "orders.get"]);
    assert_eq!(completed(folder, &format!("callgate describe {addr} orders.q")).await, ["orders.quote"]);
    let fields = completed(folder, &format!("callgate call {addr} calc.add a=1 ")).await;
    assert!(
        fields.iter().any(|field| field == "b=") && !fields.iter().any(|field| field == "a="),
        "{fields:?}"
    );
    let config = setup.file("config");
    std::fs::create_dir(&config).expect("it can be made");
    std::fs::write(config.join("gateway.toml"), "").expect("it can be written");
    setup.write_shop(&[&backend]);
    // bash puts what it is given behind the colon.
    let port = addr.rsplit(':').next().unwrap_or_default();
    assert_eq!(completed(folder, "callgate list 127.0.0.1:").await, [port]);
}

#[tokio::test]
async fn scripts_and_pages_are_made_of_what_the_program_takes() {
    let setup = Setup::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(setup.folder(), &["completions", shell]).await;
        assert_eq!(script.status, Some(0), "{script:?}");
        assert!(script.out.contains("COMPLETE") && script.out.contains("callgate"), "{}", script.out);
    }
    assert_eq!(run(setup.folder(), &["completions", "ksh"]).await.status, Some(2));
    let written = run(setup.folder(), &["man", "--to", "man"]).await;
    assert_eq!(written.status, Some(0), "{written:?}");
    let help = run(setup.folder(), &["--help"]).await;
    let commands =
        help.out.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> =
        commands.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in commands {
        let page = std::fs::read_to_string(setup.file(&format!("man/callgate-{command}.1")));
        let page = page.unwrap_or_else(|error| panic!("{command}: {error}"));
        let help = run(setup.folder(), &[command, "--help"]).await;
        assert!(help.out.contains("Example"), "{command} --help has an example: {}", help.out);
        for option in help.out.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 4) {
            let name = option
                .trim_start_matches('-')
                .split(['=', '[', ',', ')', '`', '.', ':'])
                .next()
                .unwrap_or_default();
            assert!(page.replace("\\-", "-").contains(name), "{command}: {name}");
        }
    }
}

/// The members that a row of the page says a document has.
fn members_of(command: &str) -> Vec<String> {
    let page = include_str!("../../docs/cli.md");
    let page = page.split("## For programs").nth(1).expect("a section");
    let row = page.lines().find_map(|line| line.strip_prefix(&format!("| {command} | "))).expect("a row");
    let cell = row.split(" | ").next().expect("a cell");
    let mut names: Vec<String> = cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn what_programs_are_told_has_the_members_that_the_page_lists() {
    let setup = Setup::new();
    let backend = up(&setup, "shop").await;
    let addr = &*backend.endpoint();
    let folder = setup.file("new");
    std::fs::create_dir(&folder).expect("it can be made");
    let cases: [(&str, &[&str]); 9] = [
        ("`list`", &["list", addr, "--json"]),
        ("`describe`", &["describe", addr, "orders.quote", "--json"]),
        ("`init`", &["init", addr, "--json"]),
        ("`diff`", &["diff", addr, addr, "--json"]),
        ("`routes`", &["routes", "--json"]),
        ("`check`", &["check", "--json"]),
        ("`check`, of mistakes", &["check", "--json", "--config", "wrong.toml"]),
        ("`key new`", &["key", "new", "billing", "--json"]),
        ("`key password`", &["key", "password", "ada", "--json"]),
    ];
    std::fs::write(folder.join("wrong.toml"), "server = 1\n").expect("it can be written");
    for (command, arguments) in cases {
        let input = if command.contains("password") { "a secret\n" } else { "" };
        let said = callgate(&folder, arguments, input).await;
        assert_eq!(said.status, Some(i32::from(command.contains("mistakes"))), "{command}: {said:?}");
        let document = said.json();
        let mut members: Vec<String> = document.as_object().expect("an object").keys().cloned().collect();
        members.sort_unstable();
        assert_eq!(members, members_of(command), "{command}");
    }
    for command in ["routes", "plan"] {
        let mistakes = run(&folder, &[command, "--json", "--config", "wrong.toml"]).await;
        assert_eq!((mistakes.status, &mistakes.json()["ok"]), (Some(1), &Value::Bool(false)), "{command}");
    }
}

#[tokio::test]
async fn the_schemas_are_those_that_are_shipped() {
    let setup = Setup::new();
    for (kind, shipped) in [
        ("tables", include_str!("../../config/schema/tables.json")),
        ("gateway", include_str!("../../config/schema/gateway.json")),
    ] {
        let printed = run(setup.folder(), &["schema", kind]).await;
        assert_eq!((printed.status, printed.out.as_str()), (Some(0), shipped));
    }
    assert_eq!(run(setup.folder(), &["schema", "nothing"]).await.status, Some(2));
}
