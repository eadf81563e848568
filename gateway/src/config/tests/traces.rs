//! `[traces]`: what is read of it, and what is said of mistakes.

use super::check_settings;
use crate::config::testing::Folder;
use crate::config::{Settings, Source, TraceParents};

fn read(text: &str) -> Settings {
    super::judge::read_settings(Source::new("gateway.toml", text), None).expect("sound settings")
}

#[test]
fn there_are_none_unless_the_file_says_who_collects_them() {
    assert_eq!(read("").traces, None);
    let traces = read("[traces]\nendpoint = 'http://127.0.0.1:4318/v1/traces'").traces.expect("they are on");
    assert_eq!(
        (traces.sample.percent(), traces.parents, traces.service.as_str()),
        (100.0, TraceParents::All, "callgate")
    );
    assert_eq!(
        (traces.target.url.to_string().as_str(), traces.headers.len()),
        ("http://127.0.0.1:4318/v1/traces", 0)
    );
}

#[test]
fn all_of_it_is_read_and_secrets_are_shown_to_nobody() {
    let folder = Folder::new();
    let secret = folder.write("secret", "Bearer s3cret\n");
    let traces = read(&format!(
        "[traces]\nendpoint = {{ url = 'http://tempo.example/v1/traces', insecure = true }}\nsample = '0.5%'\nparents = 'proxies'\n\
         service = 'edge'\nheaders = {{ Authorization = {{ file = {secret:?} }}, x-scope-orgid = 'acme' }}"
    ));
    let traces = traces.traces.expect("they are on");
    assert_eq!(
        (traces.sample.percent(), traces.parents, traces.service.as_str()),
        (0.5, TraceParents::Proxies, "edge")
    );
    let mut headers: Vec<_> =
        traces.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text"))).collect();
    headers.sort_unstable();
    assert_eq!(headers, [("authorization", "Bearer s3cret"), ("x-scope-orgid", "acme")]);
    assert!(!format!("{traces:?}").contains("s3cret"));
}

#[test]
fn mistakes_are_told_in_their_places() {
    check_settings(
        r#"
[traces]
sample = 1
parents = "none"
service = ""
color = "red"
[traces.headers]
"a b" = "x"
host = "x"
x-a = 1
x-b = { env = "CALLGATE_NOT_SET" }"#,
        None,
        r#"
error: [traces] needs `endpoint`
 --> gateway.toml:2:1
  |
2 | [traces]
  | ^^^^^^^^ who collects them?
  |
  = help: write endpoint = "http://127.0.0.1:4318/v1/traces"

error: `sample` is written in percent
 --> gateway.toml:3:10
  |
3 | sample = 1
  |          ^ percent?
  |
  = help: write "1%"

error: `parents` cannot be `none`
 --> gateway.toml:4:11
  |
4 | parents = "none"
  |           ^^^^^^ expected `all` or `proxies`

error: not a service's name
 --> gateway.toml:5:11
  |
5 | service = ""
  |           ^^ expected 1 to 255 bytes

error: unknown key `color` in [traces]
 --> gateway.toml:6:1
  |
6 | color = "red"
  | ^^^^^ not known here
  |
  = help: there is `endpoint`, `sample`, `parents`, `service` and `headers`

error: `a b` is no header's name
 --> gateway.toml:8:9
  |
8 | "a b" = "x"
  |         ^^^ of this value

error: `host` cannot be set
 --> gateway.toml:9:8
  |
9 | host = "x"
  |        ^^^ the gateway says this itself

error: `x-a` must be a text, or where a secret is: { env = "…" } or { file = "…" }
  --> gateway.toml:10:7
   |
10 | x-a = 1
   |       ^ this is an integer

error: the variable `CALLGATE_NOT_SET` is not set
  --> gateway.toml:11:7
   |
11 | x-b = { env = "CALLGATE_NOT_SET" }
   |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ named here
   |
   = help: it holds the header's value
"#,
    );
}

fn told(text: &str) -> String {
    let read = super::judge::read_settings(Source::new("gateway.toml", text), None);
    read.map(drop).expect_err("a mistake").to_string()
}

#[test]
fn a_secret_in_the_file_is_a_mistake_and_shown_to_nobody() {
    let endpoint = "[traces]\nendpoint = 'http://127.0.0.1:4318/v1/traces'";
    let told =
        told(&format!("{endpoint}\nheaders = {{ Authorization = 'Bearer s3cret', host = 'x', x-a = 1 }}"));
    assert!(told.contains("a credential never stands in the file") && !told.contains("s3cret"), "{told}");
}

#[test]
fn spans_do_not_leave_the_machine_in_the_clear_unless_that_is_meant() {
    for (endpoint, why) in [
        ("'http://tempo.example/v1/traces'", "would be asked in the clear"),
        ("'tempo:4318'", "is not a URL to ask"),
        ("{ url = 'https://tempo.example/', ca = '/nowhere/ca.pem' }", "/nowhere/ca.pem"),
        ("{ url = 'http://127.0.0.1/', ca = '/nowhere/ca.pem' }", "`ca` without TLS"),
        ("4318", "must be a URL"),
    ] {
        let told = told(&format!("[traces]\nendpoint = {endpoint}"));
        assert!(told.contains(why), "{endpoint}: {told}");
    }
}
