//! Keys of tokens that the gateway fetches from a provider: which comes and goes, changes its keys, and answers badly.

use callgate_tests::provider::{Provider, SigningKey, jwks};
use callgate_tests::tls::Ca;
use callgate_tests::{Answer, Gateway, Setup, binary, eventually};
use serde_json::{Value, json};
use std::time::Instant;
use tokio::process::Command;

/// The year 2100.
const LATER: u64 = 4_102_444_800;

fn ada() -> Value {
    json!({ "sub": "ada", "exp": LATER })
}

/// A table whose tokens are verified by the keys there.
fn table(name: &str, jwks: &str) -> String {
    format!(
        "[auth.{name}]\ntype = 'jwt'\nalgorithms = ['RS256']\njwks = {jwks}\n\
         [[routes]]\nmatch = 'GET /{name}'\nrespond = {{ body = 'hello' }}\nauth = '{name}'\n"
    )
}

async fn get(gateway: &Gateway, path: &str, token: &str) -> Answer {
    gateway.client.send("GET", path, &[("authorization", token)], "").await
}

/// How often the keys were fetched, with that result.
async fn fetches(gateway: &Gateway, result: &str) -> f64 {
    gateway.metric("callgate_auth_key_fetches_total", &[&format!("result=\"{result}\"")]).await
}

/// What `/config` shows of the authenticator.
async fn shown(gateway: &Gateway) -> Value {
    gateway.admin.get("/config").await.json()["tables"]["authenticators"][0].clone()
}

#[tokio::test]
async fn keys_are_fetched_change_with_their_provider_and_outlive_it() {
    let began = Instant::now();
    let setup = Setup::new();
    let ca = Ca::new("a provider's CA");
    let ca_file = setup.file("ca.pem");
    std::fs::write(&ca_file, ca.pem()).expect("it can be written");
    let certificate = ca.server(&["localhost"]).write(setup.folder(), "provider");
    let [one, two, three] = [
        SigningKey::new(&setup, "one").await,
        SigningKey::new(&setup, "two").await,
        SigningKey::new(&setup, "three").await,
    ];
    let mut provider = Provider::new(&setup, "provider", Some(certificate));
    provider.answers(&json!({ "body": jwks(&[&one]) }));
    provider.start().await;
    let keys = format!("{{ url = '{}', ca = {ca_file:?} }}", provider.url("/keys"));
    setup.write_routes("auth.toml", &table("staff", &keys));
    let gateway = setup.gateway().await;

    // Fetched before they are needed: the first request finds them.
    let first = one.token(&ada()).await;
    assert_eq!(get(&gateway, "/staff", &first).await.text(), "hello");
    assert_eq!(provider.asked().len(), 1);
    let page = shown(&gateway).await;
    assert_eq!(
        (&page["in_force"], &page["last_error"], page["fetched_at"].is_u64()),
        (&json!(true), &json!(null), true)
    );

    // Another key: a token of it has the keys fetched. Those of before are not taken any more, verified or not.
    provider.answers(&json!({ "body": jwks(&[&two]) }));
    let second = two.token(&ada()).await;
    assert_eq!(get(&gateway, "/staff", &second).await.status, 401, "it waits for nothing");
    eventually("the new key", || async {
        (get(&gateway, "/staff", &second).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(get(&gateway, "/staff", &first).await.status, 401);

    // Whoever shows unknown keys has them fetched, and not for each.
    let unknown = three.token(&ada()).await;
    for _ in 0..300 {
        assert_eq!(get(&gateway, "/staff", &unknown).await.status, 401);
    }
    let most = 3 + began.elapsed().as_secs() / 10;
    assert!((2..=most).contains(&(provider.asked().len() as u64)), "{} of {most}", provider.asked().len());

    // A further table is in force with its keys.
    let other = table("others", &keys.replace("/keys", "/other"));
    setup.write_routes("other.toml", &other);
    gateway.takes_its_tables().await;
    eventually("the table", || async {
        (get(&gateway, "/others", "Bearer x").await.status == 401).then_some(())
    })
    .await;
    assert_eq!(get(&gateway, "/others", &second).await.status, 200);

    // Away, and the tables change: the keys go on.
    provider.stop().await;
    let more = "[[routes]]\nmatch = 'GET /more'\nrespond = { body = 'more' }\nauth = 'staff'\n";
    setup.write_routes("auth.toml", &format!("{}{more}", table("staff", &keys)));
    gateway.takes_its_tables().await;
    eventually("the table", || async {
        (get(&gateway, "/more", "Bearer x").await.status == 401).then_some(())
    })
    .await;
    assert_eq!(get(&gateway, "/more", &second).await.text(), "more");
    assert_eq!(get(&gateway, "/staff", &unknown).await.status, 401);
}

#[tokio::test]
async fn a_bad_answer_leaves_the_keys_and_is_told() {
    let setup = Setup::new();
    let key = SigningKey::new(&setup, "one").await;
    let mut provider = Provider::new(&setup, "provider", None);
    let good = json!({ "body": jwks(&[&key]) });
    provider.answers(&good);
    provider.start().await;
    let keys = format!("{{ url = '{}', refresh = '1s' }}", provider.url("/keys"));
    setup.write_routes("auth.toml", &table("staff", &keys));
    let gateway = setup.gateway().await;
    let token = key.token(&ada()).await;
    assert_eq!(get(&gateway, "/staff", &token).await.status, 200);
    let elsewhere = json!({ "location": provider.url("/elsewhere") });
    for (answer, result, told) in [
        (json!({ "body": "<html>" }), "no_keys", "this is no JWKS"),
        (json!({ "body": "{\"keys\":[]}" }), "no_keys", "no key"),
        (json!({ "body": format!("{}{}", jwks(&[&key]), " ".repeat(300_000)) }), "too_long", "too long"),
        (
            json!({ "status": 302, "headers": elsewhere, "body": jwks(&[&key]) }),
            "status",
            "redirects are not followed",
        ),
        (json!({ "status": 500 }), "status", "500"),
        (json!({ "stall": true }), "timeout", "not answered in time"),
    ] {
        let before = fetches(&gateway, result).await;
        provider.answers(&answer);
        eventually(result, || async { (fetches(&gateway, result).await > before).then_some(()) }).await;
        let page = shown(&gateway).await;
        assert!(page["last_error"].as_str().is_some_and(|error| error.contains(told)), "{told}: {page}");
        assert_eq!(get(&gateway, "/staff", &token).await.status, 200, "{result}");
        provider.answers(&good);
        eventually("good keys", || async { shown(&gateway).await["last_error"].is_null().then_some(()) })
            .await;
    }
    assert!(provider.asked().iter().all(|asked| asked["path"] == "/keys"));
    let told = gateway.told("keys cannot be fetched; those in force stay so", "error").await;
    assert!(told.len() >= 6, "{told:?}");
    assert!(gateway.metric("callgate_auth_keys_age_seconds", &["authenticator=\"staff\""]).await < 60.0);
}

#[tokio::test]
async fn where_no_keys_could_be_fetched_nobody_is_let_in() {
    let setup = Setup::new();
    let key = SigningKey::new(&setup, "one").await;
    let mut provider = Provider::new(&setup, "provider", None);
    provider.answers(&json!({ "body": jwks(&[&key]) }));
    setup.write_routes("auth.toml", &table("staff", &format!("'{}'", provider.url("/keys"))));
    let gateway = setup.gateway().await;
    let token = key.token(&ada()).await;
    for kid in ["one", "two"] {
        let token = key.named(kid, &ada()).await;
        // It is no fault of the token's: who has it is to come again, and not to ask for another one.
        let answer = get(&gateway, "/staff", &token).await;
        assert_eq!((answer.status, &answer.json()["reason"]), (503, &json!("auth_unavailable")));
        assert_eq!(answer.header("www-authenticate"), "");
    }
    let unavailable = ["authenticator=\"staff\"", "result=\"unavailable\""];
    assert_eq!(gateway.metric("callgate_auth_total", &unavailable).await, 2.0);
    let page = shown(&gateway).await;
    assert_eq!((&page["in_force"], page["last_error"].is_string()), (&json!(false), true));
    gateway.told("keys cannot be fetched; no token can be verified", "error").await;
    provider.start().await;
    eventually("keys", || async { (get(&gateway, "/staff", &token).await.status == 200).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_check_of_the_tables_fetches_nothing() {
    let setup = Setup::new();
    let key = SigningKey::new(&setup, "one").await;
    let mut provider = Provider::new(&setup, "provider", None);
    provider.answers(&json!({ "body": jwks(&[&key]) }));
    provider.start().await;
    setup.write_routes("auth.toml", &table("staff", &format!("'{}'", provider.url("/keys"))));
    let config = setup.file("check.toml");
    std::fs::write(&config, "[tables]\nwatch = [\"routes\"]\n").expect("it can be written");
    let mut check = Command::new(binary("callgate"));
    let output = check.args(["check", "--config"]).arg(&config).output().await.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(provider.asked(), [] as [Value; 0]);
}
