//! Who may call by the word of a method of the operator's own: it is asked, its answer is what counts, and without one nobody is let in.

use callgate_tests::websocket::{Frame, WebSocket};
use callgate_tests::{Answer, Backend, Client, Gateway, Raw, Setup, eventually, free_port};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::process::Command;

const WHO: &str = "[[routes]]\nmatch = 'GET /who'\ncall = 'guarded.who'\nbackend = 'guarded'\nresponse = { wrap = 'caller' }\n";
const PARTNER: &str = "[auth.partner]\ntype = 'rpc'\ncall = 'identity.check'\nbackend = 'identity'\n\
    bind = { token = { header = 'x-token' }, session = { cookie = 'sid' }, address = { client = 'address' }, area = { query = 'area' } }\n";

/// A service behind a gateway that asks another one who calls.
struct House {
    setup: Setup,
    gateway: Gateway,
    identity: Backend,
    _guarded: Backend,
}

impl House {
    /// With those authenticators, and those lines of the file of routes.
    async fn start(setup: Setup, auth: &str, routes: &str) -> House {
        let [at, door] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
        let [notes, calls] = ["notes", "calls"].map(|name| setup.file(name).display().to_string());
        let identity = setup.backend_told("identity", at.clone(), &["--notes", &notes]);
        let guarded = setup.backend_told("guarded", door.clone(), &["--notes", &calls]);
        let backends = format!(
            "[backends.identity]\nendpoints = [{at:?}]\nhold = '0s'\n[backends.guarded]\nendpoints = [{door:?}]\n"
        );
        setup.write_routes("backends.toml", &backends);
        setup.write_routes("auth.toml", auth);
        setup.write_routes(
            "routes.toml",
            &format!("auth = 'partner'\nforward_claims = ['tenant']\nignore_query = ['area']\n{WHO}{routes}"),
        );
        let gateway = setup.gateway().await;
        gateway.connected(&identity).await;
        gateway.connected(&guarded).await;
        House { setup, gateway, identity, _guarded: guarded }
    }

    /// What a GET with these headers gets.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.gateway.client.send("GET", path, headers, "").await
    }

    /// Its status and, where it has failed, the code.
    async fn told(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let answer = self.get(path, headers).await;
        let code = answer.json()["code"].as_str().unwrap_or_default().to_owned();
        (answer.status, code)
    }

    /// The questions that the service was asked, in order.
    fn notes(&self, name: &str) -> Vec<String> {
        let notes = std::fs::read_to_string(self.setup.file(name)).expect("there are notes");
        notes.lines().map(str::to_owned).collect()
    }

    /// How often the authenticator has said that.
    async fn said(&self, result: &str) -> f64 {
        let result = format!("result=\"{result}\"");
        self.gateway.metric("callgate_auth_total", &["authenticator=\"partner\"", &result]).await
    }

    async fn waiting(&self) -> f64 {
        self.gateway.metric("callgate_auth_waiting", &["authenticator=\"partner\""]).await
    }
}

#[tokio::test]
async fn a_caller_is_whom_the_method_names_and_has_what_it_says() {
    let more = "[[routes]]\nmatch = 'GET /mine'\ncall = 'guarded.list'\nbackend = 'guarded'\nbind = { tenant = { claim = 'tenant' } }\n\
        rules = [\"claims.tenant == 'acme'\"]\n\
        [[routes]]\nmatch = 'GET /write'\ncall = 'guarded.who'\nbackend = 'guarded'\nrequire = { scopes = ['orders:write'] }\n\
        [[routes]]\nmatch = 'GET /open'\nauth = ['partner', 'anonymous']\ncall = 'guarded.who'\nbackend = 'guarded'\nresponse = { wrap = 'caller' }\n\
        [[routes]]\nmatch = 'GET /once'\ncall = 'guarded.who'\nbackend = 'guarded'\nrate_limit = { rate = '1/h', by = 'identity' }\n";
    let house = House::start(Setup::new(), PARTNER, more).await;
    let answer = house.get("/who?area=north", &[("x-token", "ada")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let caller =
        json!({ "name": "ada", "authenticator": "partner", "scopes": ["orders:read"], "tenant": "acme" });
    assert_eq!(answer.json()["caller"], caller);
    let answer = house.get("/who", &[("cookie", "a=1; sid=bob")]).await;
    assert_eq!(answer.json()["caller"]["name"], "bob");
    assert_eq!(
        house.notes("notes"),
        ["ada - 127.0.0.1 north", "- bob 127.0.0.1 -"],
        "that is what it was told"
    );
    assert_eq!(house.get("/mine", &[("x-token", "ada")]).await.json(), json!("acme"));
    assert_eq!(house.told("/mine", &[("x-token", "bob")]).await, (403, "permission_denied".to_owned()));
    assert_eq!(house.told("/write", &[("x-token", "ada")]).await, (403, "permission_denied".to_owned()));
    let statuses = [
        house.told("/once", &[("x-token", "ada")]).await.0,
        house.told("/once", &[("x-token", "ada")]).await.0,
    ];
    assert_eq!(statuses, [200, 429]);
    assert_eq!(house.told("/once", &[("x-token", "bob")]).await.0, 200, "a bucket for each");

    // Nothing is shown, so nobody is asked.
    let asked = house.notes("notes").len();
    assert_eq!(house.get("/open", &[]).await.json()["caller"], Value::Null);
    let answer = house.get("/who", &[]).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("www-authenticate"), "External realm=\"callgate\"");
    assert_eq!(house.notes("notes").len(), asked);
    // What goes along beside the fields does not say who the client is.
    assert_eq!(house.get("/who", &[("x-token", "client")]).await.json()["caller"]["name"], "nobody");
}

#[tokio::test]
async fn who_is_not_known_or_not_let_in_or_badly_answered_for_is_refused_and_it_is_said_why() {
    let open = WHO.replace("/who", "/open").replace("backend", "auth = ['partner', 'anonymous']\nbackend");
    let house = House::start(Setup::new(), &format!("{PARTNER}timeout = '300ms'\n"), &open).await;
    for (token, status, code, reason, result) in [
        ("eve", 401, "unauthenticated", "bad_credentials", "unknown"),
        ("stranger", 401, "unauthenticated", "bad_credentials", "unknown"),
        ("barred", 403, "permission_denied", "caller_refused", "forbidden"),
        ("broken", 503, "unavailable", "auth_unavailable", "away"),
        ("nameless", 503, "unavailable", "auth_unavailable", "bad_answer"),
        ("late", 503, "unavailable", "auth_unavailable", "late"),
    ] {
        let before = house.said(result).await;
        for path in ["/who", "/open"] {
            assert_eq!(
                house.told(path, &[("x-token", token)]).await,
                (status, code.to_owned()),
                "{path} {token}"
            );
        }
        assert_eq!(house.said(result).await - before, 2.0, "{token}");
        eventually("the line of the log", || async {
            let reasons = house.gateway.logged("a caller was not let in", "reason");
            reasons.contains(&json!(reason)).then_some(())
        })
        .await;
    }
    // What the client is told says nothing of what happened, and the log does.
    let answer = house.get("/who", &[("x-token", "broken")]).await;
    assert!(!answer.text().contains("burns"), "{}", answer.text());
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("www-authenticate"), "");
    let errors = house.gateway.told("nobody could say who calls", "error").await;
    assert!(
        errors.iter().any(|error| error.as_str().is_some_and(|error| error.contains("burns"))),
        "{errors:?}"
    );
    assert_eq!(house.notes("calls"), Vec::<String>::new(), "nobody has called");
    eventually("those who were late are given up", || async {
        let left = house.notes("notes").iter().filter(|line| *line == "left").count();
        (left == 2).then_some(())
    })
    .await;
    // Two tokens are no token.
    let twice = house.told("/who", &[("x-token", "ada"), ("x-token", "bob")]).await;
    assert_eq!(twice, (400, "invalid_argument".to_owned()));
}

#[tokio::test]
async fn without_an_instance_nobody_is_let_in_until_there_is_one_again() {
    let mut house = House::start(Setup::new(), &format!("{PARTNER}timeout = '10s'\n"), "").await;
    assert_eq!(house.told("/who", &[("x-token", "ada")]).await.0, 200);
    house.identity.kill();
    eventually("the end of its connection", || async {
        let told = house.told("/who", &[("x-token", "ada")]).await;
        (told == (503, "unavailable".to_owned())).then_some(())
    })
    .await;
    assert!(house.said("away").await >= 1.0);
    house.identity.start();
    eventually("the instance again", || async {
        (house.told("/who", &[("x-token", "ada")]).await.0 == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_kept_where_the_table_says_so_and_found_by_all_that_was_told() {
    let house = House::start(Setup::new().workers(1), &format!("{PARTNER}cache = '1h'\n"), "").await;
    let ada = [("x-token", "ada")];
    for _ in 0..5 {
        assert_eq!(house.told("/who?area=north", &ada).await.0, 200);
    }
    assert_eq!(house.notes("notes"), ["ada - 127.0.0.1 north"], "asked once");
    assert_eq!(house.said("ok").await, 5.0);
    for (path, headers) in [
        ("/who?area=south", &ada[..]),
        ("/who", &ada),
        ("/who?area=north", &[("x-token", "ada"), ("cookie", "sid=bob")]),
        ("/who?area=north", &[("cookie", "sid=ada")]),
    ] {
        let asked = house.notes("notes").len();
        assert_eq!([house.told(path, headers).await.0, house.told(path, headers).await.0], [200, 200]);
        assert_eq!(
            house.notes("notes").len(),
            asked + 1,
            "{path} {headers:?} is another question, asked once"
        );
    }
    // Who is not known is asked about each time.
    let asked = house.notes("notes").len();
    for _ in 0..2 {
        assert_eq!(house.told("/who", &[("x-token", "eve")]).await.0, 401);
    }
    assert_eq!(house.notes("notes").len(), asked + 2);
    // Another authenticator, as far as anybody knows: nothing of the one before counts.
    house.setup.write_routes("auth.toml", &format!("{PARTNER}cache = '30m'\n"));
    house.gateway.takes_its_tables().await;
    assert_eq!(house.told("/who?area=north", &ada).await.0, 200);
    assert_eq!(house.notes("notes").last().map(String::as_str), Some("ada - 127.0.0.1 north"));
    assert_eq!(house.notes("notes").len(), asked + 3);
}

#[tokio::test]
async fn a_question_ends_with_its_client_and_too_many_at_once_are_refused() {
    let house = House::start(Setup::new().workers(1), &format!("{PARTNER}timeout = '30s'\n"), "").await;
    let mut clients = Vec::new();
    for _ in 0..256 {
        let mut client = Raw::connect(house.gateway.addr).await;
        client.write("GET /who HTTP/1.1\r\nhost: x\r\nx-token: late\r\n\r\n").await;
        clients.push(client);
    }
    eventually("all of them wait", || async { (house.waiting().await == 256.0).then_some(()) }).await;
    assert_eq!(house.told("/who", &[("x-token", "ada")]).await, (503, "unavailable".to_owned()));
    assert_eq!(house.said("busy").await, 1.0);
    drop(clients);
    eventually("none waits", || async { (house.waiting().await == 0.0).then_some(()) }).await;
    eventually("each question is given up", || async {
        let left = house.notes("notes").iter().filter(|line| *line == "left").count();
        (left == 256).then_some(())
    })
    .await;
    assert_eq!(house.told("/who", &[("x-token", "ada")]).await.0, 200);
}

#[tokio::test]
async fn a_method_that_does_not_say_who_somebody_is_does_not_fit_and_lets_nobody_in() {
    let auth = |call: &str, bind: &str| {
        format!(
            "[auth.partner]\ntype = 'rpc'\nbackend = 'identity'\ncall = 'identity.{call}'\nbind = {{ {bind} }}\n"
        )
    };
    let token = "token = { header = 'x-token' }";
    let house = House::start(Setup::new(), &auth("badge", token), "").await;
    assert_eq!(house.told("/who", &[("x-token", "ada")]).await, (503, "unavailable".to_owned()));
    assert!(house.said("away").await == 1.0 && house.notes("notes").is_empty(), "it was not even asked");
    let unfit = eventually("what is found", || async {
        let page = house.gateway.admin.get("/config").await.json();
        Some(page["tables"]["authenticators"][0]["asks"]["unfit"][0].clone()).filter(|unfit| !unfit.is_null())
    })
    .await;
    assert!(unfit["why"].as_str().is_some_and(|why| why.contains("`name`")), "{unfit}");
    let told = house.gateway.told("an authenticator's question does not fit its method", "place").await;
    assert!(told[0].as_str().is_some_and(|place| place.ends_with("auth.toml:1:7")), "{told:?}");

    for (call, bind, place, words) in [
        ("badge", token, "auth.toml:4:8", "unknown field `name`"),
        ("check", "tokn = { header = 'x-token' }", "auth.toml:5:10", "did you mean `token`?"),
        ("chek", token, "auth.toml:4:8", "did you mean `identity.check`?"),
    ] {
        house.setup.write_routes("auth.toml", &auth(call, bind));
        let (code, told) = house.setup.check_against(&house.identity.endpoint(), &[]).await;
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains(place) && told.contains(words), "{told}");
    }
    house.setup.write_routes("auth.toml", &auth("check", token));
    let (code, told) = house.setup.check_against(&house.identity.endpoint(), &[]).await;
    assert!(code == Some(0) && told.contains("0 routes and 1 authenticator of `identity` fit"), "{told}");
}

#[tokio::test]
async fn curl_is_let_in_by_the_word_of_the_method() {
    let house = House::start(Setup::new(), PARTNER, "").await;
    let url = format!("http://{}/who", house.gateway.addr);
    let output =
        Command::new("curl").args(["-s", "-S", "--max-time", "20", "-H", "x-token: ada", &url]).output();
    let output = output.await.expect("curl is there");
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(said["caller"]["name"], "ada");
}

#[tokio::test]
async fn equal_questions_at_once_are_asked_once_where_answers_are_kept() {
    let auth = format!("{PARTNER}timeout = '30s'\ncache = '1h'\n");
    let house = House::start(Setup::new().workers(1), &auth, "").await;
    let ask = async || {
        let mut client = Raw::connect(house.gateway.addr).await;
        client.write("GET /who HTTP/1.1\r\nhost: x\r\nx-token: late\r\n\r\n").await;
        client
    };
    let wait = async |n: f64| {
        eventually("they wait", || async { (house.waiting().await == n).then_some(()) }).await;
    };
    let first = ask().await;
    wait(1.0).await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(ask().await);
    }
    wait(21.0).await;
    // Another question is asked meanwhile, and its answer tells that nothing else is on its way.
    assert_eq!(house.told("/who", &[("x-token", "ada")]).await.0, 200);
    let question = "late - 127.0.0.1 -";
    assert_eq!(house.notes("notes"), [question, "ada - 127.0.0.1 -"]);
    // Whoever has asked leaves, and one of the others asks in his place.
    drop(first);
    eventually("it is asked again", || async {
        (house.notes("notes").iter().filter(|line| *line == question).count() == 2).then_some(())
    })
    .await;
    wait(20.0).await;
    assert_eq!(house.notes("notes").iter().filter(|line| *line == question).count(), 2);
}

#[tokio::test]
async fn requests_of_http2_and_handshakes_of_websockets_are_asked_about_too() {
    let port = free_port();
    let http2 = format!("[[listeners]]\naddress = \"127.0.0.1:{port}\"\nhttp2 = \"prior_knowledge\"\n");
    let setup = Setup::new().section(&http2);
    let feeds = setup.backend("feeds");
    let talk = format!(
        "[backends.feeds]\nendpoints = [\"{}\"]\n[[routes]]\nmatch = 'GET /talk'\ncall = 'feeds.talk'\nbackend = 'feeds'\nwebsocket = true\n",
        feeds.endpoint()
    );
    let house = House::start(setup, PARTNER, &talk).await;
    house.gateway.connected(&feeds).await;
    let http2 = Client::http2(SocketAddr::from(([127, 0, 0, 1], port)));
    for (token, status) in [("ada", 200), ("eve", 401), ("barred", 403), ("broken", 503)] {
        let answer = http2.send("GET", "/who", &[("x-token", token)], "").await;
        assert_eq!(answer.status, status, "{token}: {}", answer.text());
        let lines = format!("x-token: {token}\r\n");
        let socket = WebSocket::ask(house.gateway.addr, "/talk", &lines).await;
        match status {
            200 => {
                let mut socket = socket.expect("she is let in");
                socket.say("{\"n\":7}").await;
                assert_eq!(socket.next().await, Some(Frame::text("{\"n\":7}")));
            }
            _ => {
                let refused = socket.expect_err(token);
                assert!(refused.starts_with(&format!("HTTP/1.1 {status} ")), "{token}: {refused}");
            }
        }
    }
    assert_eq!(house.notes("calls"), ["ada"], "nobody else has called");
}
