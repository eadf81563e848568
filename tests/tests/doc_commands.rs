//! The commands that the documents and the examples of `--help` show are run, as somebody would paste them, against a gateway with the demo's tables. Of a `console` block the
//! output has to be what the page shows.
//!
//! What needs a cluster, root, or an hour is in [`NOT_RUN`], with the reason. Of those, the targets of make have to exist, and so have the files that
//! are named.

use callgate_tests::tls::Ca;
use callgate_tests::{Setup, binary, demo, free_port};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How commands begin that are not run, and why. Each has to stand somewhere.
const NOT_RUN: &[(&str, &str)] = &[
    ("git clone", "the repository is here"),
    ("make ", "they take minutes to hours, and make the rest of this suite"),
    ("QUICK=1 make", "likewise"),
    ("TIME=600 make", "likewise"),
    ("cargo ", "likewise"),
    ("CALLGATE_FUZZ_SECONDS", "likewise"),
    ("CALLGATE_TEST_BIN_DIR", "likewise"),
    ("CALLGATE_BLESS", "it writes into the repository"),
    ("git diff", "it shows what that has written"),
    ("scripts/fuzz", "it takes minutes"),
    ("scripts/bench", "likewise"),
    ("scripts/floods", "likewise"),
    ("kill -USR2 PID", "upgrade.rs does it"),
    ("dpkg ", "package.rs does it"),
    ("install ", "it writes into the system"),
    ("callgate check --config /etc", "it reads what that has written"),
    ("systemctl ", "there is no systemd in tests"),
    ("journalctl ", "likewise"),
    ("docker ", "there is no container engine in tests"),
    ("kubectl ", "there is no cluster in tests"),
    ("helm install", "likewise; scripts/check-deploy renders the chart"),
    ("python -m websockets", "it is a program for a terminal"),
    ("callgate run", "it serves until it is told to stop; command_tables.rs does it"),
    ("callgate diff shop-1", "it takes two versions; command_tables.rs does it"),
    ("callgate man --to /usr", "it writes into the system; command_tables.rs does it"),
    ("source <(callgate completions zsh)", "not every machine has that shell"),
    ("callgate why 9e58", "the id is an example; why.rs does it"),
    ("callgate plan &&", "it pushes; plan.rs does it"),
    ("callgate check && git", "it commits; command_tables.rs checks"),
    ("callgate why --client", "the demo has no such listener; why.rs does it"),
    ("callgate plan --config /etc", "it reads what the package installs; plan.rs does it"),
    ("callgate openapi --admin http://10", "nobody is there; openapi.rs does it"),
    ("callgate openapi | npx", "it fetches a program; `make clients` does it"),
    ("callgate list unix:/run", "nobody is there; command_line.rs does it"),
    (
        "callgate init 127.0.0.1:7101 && callgate run",
        "it serves until it is told to stop; command_tables.rs does it",
    ),
    ("callgate man | man", "not every machine has that program"),
    ("check-jsonschema ", "scripts/check-deploy does it"),
    ("taplo ", "likewise"),
    ("tombi ", "likewise"),
    ("curl -i -N --http1.1 -H 'Upgrade", "it waits for what the client says next; websocket.rs does it"),
    ("curl -F title=Emma", "its route stands in the table above it; forms.rs does it"),
    ("curl --data-urlencode", "likewise"),
    ("curl -T backup.tar", "its route stands in the table above it; raw_streams.rs does it"),
    ("tar c photos", "likewise"),
    ("curl -F comment", "likewise"),
];

const ORDER: &str = r#"{"customer":"ada","express":false,"items":[{"sku":"tea","qty":2,"unit_price":4.5}]}"#;

/// A block of a page.
struct Block {
    place: String,
    is_console: bool,
    text: String,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace").to_owned()
}

fn blocks() -> Vec<Block> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "deploy/README.md"].iter().map(PathBuf::from).collect();
    let docs = fs::read_dir(workspace().join("docs")).expect("a folder");
    let names = docs.map(|entry| Path::new("docs").join(entry.expect("an entry").file_name()));
    pages.extend(names.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    pages.sort();
    let mut found = Vec::new();
    for page in pages {
        let text = fs::read_to_string(workspace().join(&page)).expect("a page");
        let mut open: Option<Block> = None;
        for (number, line) in text.lines().enumerate() {
            let is_fence = line.starts_with("```");
            match (&mut open, line) {
                (None, "```sh" | "```console") => {
                    let place = format!("{}:{}", page.display(), number + 1);
                    open = Some(Block { place, is_console: line.ends_with("console"), text: String::new() });
                }
                (Some(_), _) if is_fence => found.extend(open.take()),
                (Some(block), line) => block.text += &format!("{line}\n"),
                (None, _) => {}
            }
        }
    }
    found
}

/// What `--help` of the program and of each command gives as examples, without what is said beside them.
fn examples() -> Vec<Block> {
    let help = |command: &[&str]| {
        let output = Command::new(binary("callgate")).args(command).arg("--help").output().expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    };
    let of_program = help(&[]);
    let commands = of_program.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.map_while(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let mut found = Vec::new();
    for command in commands.map(Some).chain([None]) {
        let text = help(command.as_slice());
        let lines = text.lines().skip_while(|line| *line != "Examples:").skip(1);
        let lines = lines.take_while(|line| line.starts_with("  ")).map(|line| &line[2..]);
        // What is indented further goes on with what is said of the line before.
        let lines = lines.filter(|line| !line.starts_with(' '));
        let lines: Vec<&str> = lines.filter_map(|line| line.split("  ").next()).collect();
        assert!(!lines.is_empty(), "{command:?} --help has examples");
        let place = format!("callgate {} --help", command.unwrap_or_default());
        // They begin where there are tables, but for the one that makes them.
        let tables = if command == Some("init") { "" } else { "callgate init 127.0.0.1:7101 > made.txt\n" };
        found.push(Block { place, is_console: false, text: format!("{tables}{}\n", lines.join("\n")) });
    }
    found
}

/// The commands of a block, each with what the page shows of its output.
fn commands(block: &Block) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    if !block.is_console {
        for line in block.text.lines() {
            match found.last_mut() {
                // A quotation that is open, or a line that goes on.
                Some((last, _)) if last.ends_with('\\') || last.matches('\'').count() % 2 == 1 => {
                    *last += &format!("\n{line}");
                }
                _ => found.push((line.to_owned(), None)),
            }
        }
        return found;
    }
    for line in block.text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => found.push((command.to_owned(), Some(String::new()))),
            None => {
                let (_, output) = found.last_mut().unwrap_or_else(|| panic!("{}: no command", block.place));
                *output.get_or_insert_default() += &format!("{line}\n");
            }
        }
    }
    found
}

/// Whether a text is what a page shows: `…` stands for anything, and an id for any other.
fn is_as(shown: &str, text: &str) -> bool {
    let blank = |text: &str| -> String {
        let words = text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric());
        words
            .map(|word| match word.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric()) {
                id if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                    word.replacen(id, "ID", 1)
                }
                _ => word.to_owned(),
            })
            .collect()
    };
    let (shown, text) = (blank(shown.trim_end()), blank(text.trim_end()).replace('\r', ""));
    let parts: Vec<&str> = shown.split('…').collect();
    let (first, last) = (parts[0], parts[parts.len() - 1]);
    if parts.len() == 1 {
        return shown == text;
    }
    let mut rest = match text.strip_prefix(first) {
        Some(rest) if rest.ends_with(last) => rest,
        _ => return false,
    };
    parts[1..].iter().all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn outputs_are_compared_by_what_a_page_shows() {
    for (shown, text, expected) in [
        ("a\n", "a", true),
        ("a", "b", false),
        ("{a, …}", "{a, b, c}", true),
        ("{a, …}", "{a, b", false),
        ("{…, c}", "{a, b, c}", true),
        ("\"0123456789abcdef0123456789abcdef\",1", "\"ffffffffffffffffffffffffffffffff\",1", true),
        ("\"0123456789abcdef0123456789abcdef\",1", "\"ffffffffffffffffffffffffffffffff\",2", false),
    ] {
        assert_eq!(is_as(shown, text), expected, "{shown} {text}");
    }
}

/// What cannot be run is at least there.
fn is_there(command: &str, place: &str) {
    let words: Vec<&str> = command.split_whitespace().collect();
    if let Some(target) = words.iter().position(|word| *word == "make").and_then(|at| words.get(at + 1)) {
        let makefile = fs::read_to_string(workspace().join("Makefile")).expect("a Makefile");
        assert!(makefile.contains(&format!("\n{target}: ")), "{place}: there is no `make {target}`");
    }
    for word in words.iter().map(|word| word.trim_matches(['\'', '"'])) {
        let word = word.rsplit('=').next().unwrap_or_default();
        let is_ours =
            ["deploy/", "config/", "scripts/", "tests/", "routes/"].iter().any(|at| word.starts_with(at));
        if is_ours && !word.contains('*') {
            assert!(workspace().join(word).exists(), "{place}: there is no {word}");
        }
    }
}

#[tokio::test]
async fn what_pages_show_can_be_done_and_says_what_they_show() {
    let (ca, secure) = (Ca::new("demo"), format!("127.0.0.1:{}", free_port()));
    let setup = Setup::new().section(&format!("[[listeners]]\naddress = '{secure}'\ntls = true\n"));
    ca.server(&["localhost"]).write(setup.folder(), "localhost");
    setup.write_routes(
        "certificates.toml",
        "[[certificates]]\nnames = ['localhost']\ncert = '../localhost.pem'\nkey = '../localhost.key'\n",
    );
    let (backend, gateway) = demo(&setup).await;
    // What commands name: files of whoever pastes them, and the certificate that `make demo` makes.
    let home = setup.file("home");
    for (name, content) in [
        ("emma.png", "a picture"),
        ("order.json", ORDER),
        ("body.json", ORDER),
        ("password.txt", "a secret\n"),
        ("target/demo/tls/ca.pem", ca.pem()),
        (
            "examples/shop/types.json",
            &fs::read_to_string(workspace().join("examples/shop/types.json")).expect("it is there"),
        ),
        (".config/fish/completions/none", ""),
        (".curlrc", "silent\nshow-error\nmax-time = 30\nnoproxy = \"*\"\n"),
    ] {
        let path = home.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    std::os::unix::fs::symlink(workspace().join("tests"), home.join("tests")).expect("a link");
    let programs = binary("callgate").parent().expect("a folder").display().to_string();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap_or_default());
    let here = |command: &str| {
        command
            .replace("127.0.0.1:8080", &gateway.addr.to_string())
            .replace("127.0.0.1:8081", &gateway.admin_addr.to_string())
            .replace("localhost:8443", &secure.replace("127.0.0.1", "localhost"))
            .replace("127.0.0.1:7101", &backend.endpoint())
            .replace("127.0.0.1:7102", &backend.endpoint())
    };
    let mut unused: Vec<&str> = NOT_RUN.iter().map(|(begin, _)| *begin).collect();
    let mut failed = Vec::new();
    for block in blocks().into_iter().chain(examples()) {
        // Each begins where nobody has made files yet.
        for made in ["config", "routes"] {
            let _ = fs::remove_dir_all(home.join(made));
        }
        for (command, shown) in commands(&block) {
            let word = command.trim_start();
            if let Some((begin, _)) = NOT_RUN.iter().find(|(begin, _)| word.starts_with(begin)) {
                unused.retain(|one| one != begin);
                is_there(word, &block.place);
                continue;
            }
            // Not every machine has it; `websocket.rs` and the tests of clients speak with the demo as it does.
            if word.contains("websocat") {
                continue;
            }
            let output = Command::new("bash")
                .args(["-o", "pipefail", "-c", &here(&command)])
                .current_dir(&home)
                .env("HOME", &home)
                .env("PATH", &path)
                .env("CALLGATE_ADMIN", format!("http://{}", gateway.admin_addr))
                .output()
                .expect("bash runs");
            let text = String::from_utf8_lossy(&output.stdout);
            let is_good = match &shown {
                // A terminal shows both.
                Some(shown) if shown.starts_with("error: ") => {
                    !output.status.success() && is_as(shown, &String::from_utf8_lossy(&output.stderr))
                }
                Some(shown) => output.status.success() && is_as(&here(shown), &text),
                None => {
                    output.status.success()
                        && !text.contains("\"status\":4")
                        && !text.contains("\"status\":5")
                }
            };
            if !is_good {
                let errors = String::from_utf8_lossy(&output.stderr);
                failed.push(format!("{}: {command}\n{}: {text}{errors}", block.place, output.status));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert_eq!(unused, Vec::<&str>::new(), "no page shows these");
}
