//! Keys, lists and rules change under load. No request is lost, and as soon as the gateway has said that it has read a change, nothing is decided
//! as it was before.
//!
//! The short form runs in `make test`. `scripts/soak` runs the long one, a thousand changes: `CALLGATE_SOAK=long`.

use callgate_tests::tokens::{jwk, rsa, tokens, write};
use callgate_tests::{Backend, Gateway, Setup, eventually, free_port};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::future::ready;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;

/// The year 2100.
const LATER: u64 = 4_102_444_800;

/// The hashes of `first-key` and `second-key`.
const FIRST: &str = "9e24b55356ef2a121ab5fd1a3ee8a3c9191e837f3853e399a369e9044ff183f7";
const SECOND: &str = "f397f260a275cc4d42e7965c556167bf3f068aed491d35a8f5b38c8c2db96bb0";

const CHANGED: &str = "the files of an authenticator changed";

const ROUTES: &str = "
[[routes]]
match = 'GET /pem'
auth  = 'pem'
call  = 'guarded.who'
response = { wrap = 'caller' }

[[routes]]
match = 'GET /jwks'
auth  = 'jwks'
call  = 'guarded.who'
response = { wrap = 'caller' }

[[routes]]
match = 'GET /keys'
auth  = 'keys'
call  = 'guarded.who'
response = { wrap = 'caller' }

[[routes]]
match = 'GET /revoked'
auth  = 'revoked'
call  = 'guarded.who'
response = { wrap = 'caller' }
";

/// Something that is in one of two states, and changes from one to the other. In each of them one of two requests is let in.
struct Subject {
    name: &'static str,
    /// What is written in each state: a table, or a file of the authenticator of that name.
    states: [String; 2],
    file: &'static str,
    /// The requests: a path, and a header. The first is let in in the first state.
    requests: [(String, (&'static str, String)); 2],
    /// What the other one hears.
    refusal: u16,
    /// How many changes were begun, and of how many the gateway has said that it has read them.
    begun: AtomicUsize,
    told: AtomicUsize,
}

impl Subject {
    fn new(
        name: &'static str,
        file: &'static str,
        states: [String; 2],
        requests: [(String, (&'static str, String)); 2],
    ) -> Subject {
        let refusal = if name == "rules" { 403 } else { 401 };
        let (begun, told) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Subject { name, states, file, requests, refusal, begun, told }
    }

    /// What a request may hear that was sent and answered between these changes.
    fn allows(&self, request: usize, changes: std::ops::RangeInclusive<usize>, status: u16) -> bool {
        changes.into_iter().any(|change| status == if change % 2 == request { 200 } else { self.refusal })
    }
}

/// The lines of a log that grows.
struct Told(Mutex<Lines>);

struct Lines {
    log: BufReader<std::fs::File>,
    /// One that is not yet whole.
    line: String,
    /// How often files of each authenticator have changed.
    changed: HashMap<String, usize>,
}

impl Told {
    fn of(&self, authenticator: &str) -> usize {
        let mut told = self.0.lock().expect("nobody has panicked");
        let Lines { log, line, changed } = &mut *told;
        while log.read_line(line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
            let said: Value = serde_json::from_str(line).unwrap_or_default();
            if said["message"] == CHANGED {
                let whose = said["authenticator"].as_str().unwrap_or_default();
                *changed.entry(whose.to_owned()).or_default() += 1;
            }
            line.clear();
        }
        changed.get(authenticator).copied().unwrap_or_default()
    }
}

/// A gateway whose routes are guarded in all these ways.
struct Rig {
    setup: Setup,
    gateway: Gateway,
    told: Told,
    subjects: Vec<Subject>,
    is_over: AtomicBool,
    answered: AtomicUsize,
    _backend: Backend,
}

impl Rig {
    async fn start() -> Rig {
        // Rules change as they like here.
        let setup = Setup::new().tables("accept_exposure = \"any\"");
        let endpoint = format!("127.0.0.1:{}", free_port());
        let notes = setup.file("notes").display().to_string();
        let backend = setup.backend_told("guarded", endpoint.clone(), &["--notes", &notes]);
        let subjects = subjects(&setup).await;
        let mut auth = format!("[backends.guarded]\nendpoints = [{endpoint:?}]\n");
        for subject in &subjects {
            if subject.name == "rules" {
                setup.write_routes(subject.file, &subject.states[0]);
                continue;
            }
            let file = write(&setup, subject.file, &subject.states[0]);
            let said = match subject.name {
                "pem" => format!("type = 'jwt'\nalgorithms = ['RS256']\nkeys = {file:?}\n"),
                "jwks" => format!("type = 'jwt'\nalgorithms = ['RS256']\njwks = {file:?}\n"),
                "revoked" => {
                    let keys = setup.file("one.pem");
                    format!("type = 'jwt'\nalgorithms = ['RS256']\nkeys = {keys:?}\nrevoked = {file:?}\n")
                }
                _ => format!("type = 'api_key'\nfile = {file:?}\n"),
            };
            auth += &format!("[auth.{}]\n{said}", subject.name);
        }
        setup.write_routes("auth.toml", &auth);
        setup.write_routes("routes.toml", &ROUTES.replace("call ", "backend = 'guarded'\ncall "));
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        let log = BufReader::new(std::fs::File::open(gateway.log_file()).expect("there is a log"));
        let told = Told(Mutex::new(Lines { log, line: String::new(), changed: HashMap::new() }));
        let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
        Rig { setup, gateway, told, subjects, is_over, answered, _backend: backend }
    }

    /// Changes a subject so often, each time as soon as the last change was read.
    async fn changes(&self, at: usize, changes: usize) {
        let subject = &self.subjects[at];
        for change in 1..=changes {
            subject.begun.store(change, SeqCst);
            let text = &subject.states[change % 2];
            if subject.name == "rules" {
                self.setup.write_routes(subject.file, text);
                self.gateway.takes_its_tables().await;
            } else {
                write(&self.setup, subject.file, text);
                let is_told = || ready((self.told.of(subject.name) >= change).then_some(()));
                eventually("word that a file has changed", is_told).await;
            }
            subject.told.store(change, SeqCst);
            // Somebody asks by it before it changes again.
            let answered = self.answered.load(SeqCst);
            eventually("requests", || ready((self.answered.load(SeqCst) > answered + 10).then_some(())))
                .await;
        }
    }

    /// Asks again and again, until all changes were made. Gives how often it was let in, and how often not.
    async fn asks(&self, at: usize, request: usize) -> [usize; 2] {
        let subject = &self.subjects[at];
        let (path, (name, value)) = &subject.requests[request];
        let mut counts = [0; 2];
        while !self.is_over.load(SeqCst) {
            let told = subject.told.load(SeqCst);
            let answer = self.gateway.client.try_send("GET", path, &[(*name, value.as_str())], "").await;
            let begun = subject.begun.load(SeqCst);
            let answer = answer.unwrap_or_else(|error| panic!("{} {request} is lost: {error}", subject.name));
            assert!(
                subject.allows(request, told..=begun, answer.status),
                "{} {request} after {told} of {begun} changes: {} {}",
                subject.name,
                answer.status,
                answer.text()
            );
            counts[usize::from(answer.status != 200)] += 1;
            self.answered.fetch_add(1, SeqCst);
        }
        counts
    }
}

async fn subjects(setup: &Setup) -> Vec<Subject> {
    let ((first, one), (second, two)) = (rsa(setup, "one").await, rsa(setup, "two").await);
    let text = |path: &Path| std::fs::read_to_string(path).expect("it is there");
    let claims = |id: &str| json!({ "sub": "ada", "exp": LATER, "jti": id });
    let by_first = tokens("RS256", &first, &[claims("a"), claims("b")]).await;
    let by_second = tokens("RS256", &second, &[claims("a")]).await;
    let bearer = |path: &str, token: &str| (path.to_owned(), ("authorization", token.to_owned()));
    let by_both = |path: &str| [bearer(path, &by_first[0]), bearer(path, &by_second[0])];
    let sets = [json!({ "keys": [jwk(&one, "1").await] }), json!({ "keys": [jwk(&two, "2").await] })];
    let key = |name: &str, sha256: &str| format!("[[key]]\nname = '{name}'\nsha256 = '{sha256}'\n");
    let keys = [key("first", FIRST), key("second", SECOND)];
    let rules = |tenant: &str| {
        format!(
            "[[routes]]\nmatch = 'GET /rules/{{tenant}}'\nbackend = 'guarded'\ncall = 'guarded.list'\nauth = 'keys-of-rules'\nrules = ['args.tenant == \"{tenant}\"']\n"
        )
    };
    let always = write(setup, "always.toml", &key("always", FIRST));
    let always = format!("[auth.keys-of-rules]\ntype = 'api_key'\nfile = {always:?}\n");
    let shown = |path: &str, key: &str| (path.to_owned(), ("x-api-key", key.to_owned()));
    vec![
        Subject::new("pem", "keys.pem", [text(&one), text(&two)], by_both("/pem")),
        Subject::new("jwks", "keys.json", sets.map(|set| set.to_string()), by_both("/jwks")),
        Subject::new("keys", "keys.toml", keys, [shown("/keys", "first-key"), shown("/keys", "second-key")]),
        Subject::new(
            "revoked",
            "revoked",
            ["jti b\n".to_owned(), "jti a\n".to_owned()],
            [bearer("/revoked", &by_first[0]), bearer("/revoked", &by_first[1])],
        ),
        Subject::new(
            "rules",
            "rules.toml",
            ["a", "b"].map(|tenant| rules(tenant) + &always),
            [shown("/rules/a", "first-key"), shown("/rules/b", "first-key")],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_lists_and_rules_change_under_load_and_no_request_is_lost_or_judged_by_old_ones() {
    let long = std::env::var("CALLGATE_SOAK").is_ok_and(|form| form == "long");
    // Of each of the five.
    let changes = if long { 200 } else { 8 };
    let rig = Arc::new(Rig::start().await);
    let (mut asking, mut changing) = (JoinSet::new(), JoinSet::new());
    for at in 0..rig.subjects.len() {
        for request in 0..2 {
            let rig = rig.clone();
            asking.spawn(async move { (at, request, rig.asks(at, request).await) });
        }
        let rig = rig.clone();
        changing.spawn(async move { rig.changes(at, changes).await });
    }
    while let Some(changed) = changing.join_next().await {
        changed.expect("all changes are read");
    }
    rig.is_over.store(true, SeqCst);
    while let Some(asked) = asking.join_next().await {
        let (at, request, [known, refused]) =
            asked.expect("no request is lost, and none is judged by what was");
        let name = rig.subjects[at].name;
        println!("{name} {request}: let in {known} times, refused {refused} times");
        assert!(known > 0 && refused > 0, "{name} {request}: {known} {refused}");
    }
    println!("{} requests under {} changes", rig.answered.load(SeqCst), changes * rig.subjects.len());
}
