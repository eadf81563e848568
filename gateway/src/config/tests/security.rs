//! `tls` and `token` of a backend: what may stand there, and what is in the files that they name.

use super::*;
use crate::config::testing::Folder;
use callgate_tls::UnixTime;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is said of a backend with these lines and that endpoint.
fn said(endpoint: &str, lines: &str) -> String {
    let text = format!("[backends.shop]\nendpoints = [\"{endpoint}\"]\n{lines}\n");
    tables(&text).map_or_else(|mistakes| mistakes.to_string(), |_| "nothing".to_owned())
}

#[test]
fn what_a_backend_says_of_tls_and_its_token_is_checked() {
    for (endpoint, lines, expected) in [
        ("shop:1", r#"tls = { ca = "ca.pem" }"#, "nothing"),
        ("dns:shop.internal:1", r#"tls = { ca = "ca.pem" }"#, "nothing"),
        ("10.0.0.1:1", r#"tls = { ca = "ca.pem", server_name = "10.0.0.1" }"#, "nothing"),
        ("srv:_s._tcp.x", r#"tls = { ca = "ca.pem", server_name = "Shop.internal." }"#, "nothing"),
        ("shop:1", r#"tls = { ca = "ca.pem", cert = "c", key = { env = "KEY" } }"#, "nothing"),
        ("unix:/run/s.sock", r#"token = { file = "token" }"#, "nothing"),
        ("shop:1", "tls = true", "`tls` has to say whom it trusts"),
        ("shop:1", "tls = {}", "`tls` without `ca`"),
        ("shop:1", "tls = 7", "`tls` must be a table such as"),
        ("10.0.0.1:1", r#"tls = { ca = "ca.pem" }"#, "`tls` without `server_name`"),
        ("srv:_s._tcp.x", r#"tls = { ca = "ca.pem" }"#, "srv:_s._tcp.x has no name"),
        ("unix:/run/s.sock", r#"tls = { ca = "ca.pem" }"#, "no TLS is spoken through a Unix socket"),
        ("shop:1", r#"tls = { ca = "ca.pem", cert = "c" }"#, "`tls` has `cert` without `key`"),
        ("shop:1", r#"tls = { ca = "ca.pem", key = "k" }"#, "`tls` has `key` without `cert`"),
        ("shop:1", r#"tls = { ca = "ca.pem", server_name = "*.x.y" }"#, "`*.x.y` is not a name"),
        ("shop:1", r#"tls = { ca = "ca.pem", sni = "x" }"#, "write server_name"),
        ("shop:1", r#"tls = { ca = "ca.pem", verify = false }"#, "certificates are always verified"),
        ("shop:1", "ssl = true", "write tls = { ca ="),
        ("shop:1", r#"token = { file = "t" }"#, "the token of backend `shop` would go over plain TCP"),
        ("127.0.0.1:1", r#"token = { file = "t" }"#, "127.0.0.1:1 is reached without TLS"),
        ("unix:/s", r#"token = { file = "t", env = "T" }"#, "`token` has either `env` or `file`"),
        ("unix:/s", "token = { env = \"A=B\" }", "`A=B` is not a variable's name"),
        ("unix:/s", r#"token = "s3cret""#, "the token of backend `shop` stands in a table"),
    ] {
        let said = said(endpoint, lines);
        assert!(said.contains(expected), "{lines}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

/// A folder with a CA, a certificate for the gateway, and one that has expired.
fn folder() -> Folder {
    let (folder, ca_key, key) = (Folder::new(), KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    folder.write("ca.pem", &ca.self_signed(&ca_key).unwrap().pem());
    let mut own = CertificateParams::new(["gateway".to_owned()]).unwrap();
    own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let issuer = Issuer::new(ca, ca_key);
    folder.write("own.pem", &own.signed_by(&key, &issuer).unwrap().pem());
    own.not_after = date_time_ymd(2001, 1, 1);
    folder.write("old.pem", &own.signed_by(&key, &issuer).unwrap().pem());
    folder.write("own.key", &key.serialize_pem());
    folder.write("other.key", &KeyPair::generate().unwrap().serialize_pem());
    folder.write("token", "s3cret\n");
    folder
}

/// A table in that folder, with a backend of these lines.
fn table(folder: &Folder, lines: &str) -> Tables {
    let text = format!("[backends.shop]\nendpoints = [\"shop:1\"]\n{lines}\n");
    super::judge::read_tables(vec![Source::new(folder.path("t.toml"), text)]).unwrap()
}

/// What is wrong with the files.
fn found(folder: &Folder, lines: &str, begins: bool, in_force: bool) -> String {
    let checked = table(folder, lines).check_security(begins, |_| in_force);
    checked.map_or_else(|mistakes| mistakes.to_string(), |()| "nothing".to_owned())
}

#[test]
fn what_the_files_hold_is_checked_where_it_is_not_in_force() {
    let folder = folder();
    let found = |lines: &str, begins: bool, in_force: bool| found(&folder, lines, begins, in_force);
    for (lines, expected) in [
        (r#"tls = { ca = "ca.pem" }"#, "nothing"),
        (r#"tls = { ca = "ca.pem", cert = "own.pem", key = "own.key" }"#, "nothing"),
        ("tls = { ca = \"ca.pem\" }\ntoken = { file = \"token\" }", "nothing"),
        (r#"tls = { ca = "missing.pem" }"#, "missing.pem"),
        (r#"tls = { ca = "own.key" }"#, "the CAs of backend `shop` cannot be used"),
        (
            r#"tls = { ca = "ca.pem", cert = "own.pem", key = "other.key" }"#,
            "the certificate for backend `shop` cannot be used",
        ),
        (
            r#"tls = { ca = "ca.pem", cert = "own.pem", key = { env = "CALLGATE_NOT_SET" } }"#,
            "the variable `CALLGATE_NOT_SET` is not set",
        ),
        (
            "tls = { ca = \"ca.pem\" }\ntoken = { file = \"own.pem\" }",
            "the token for backend `shop` cannot be used",
        ),
    ] {
        let said = found(lines, false, false);
        assert!(said.contains(expected), "{lines}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
        assert_eq!(found(lines, true, false), said, "the same when the gateway begins");
        assert_eq!(found(lines, false, true), "nothing", "what is in force stays so");
    }
}

#[test]
fn a_certificate_that_has_expired_is_let_pass_at_the_start_and_nothing_beside_it() {
    let folder = folder();
    let of = |ca: &str, key: &str| format!("tls = {{ ca = '{ca}', cert = 'old.pem', key = '{key}' }}");
    let expired = of("ca.pem", "own.key");
    assert_eq!(found(&folder, &expired, true, false), "nothing");
    let said = found(&folder, &expired, false, false);
    assert!(said.contains("old.pem: the certificate expired"), "{said}");
    for (lines, expected) in [
        (of("own.key", "own.key"), "the CAs of backend `shop` cannot be used"),
        (of("missing.pem", "own.key"), "missing.pem"),
        (of("ca.pem", "other.key"), "the key does not belong to the certificate"),
        (expired + "\ntoken = { file = 'own.pem' }", "the token for backend `shop` cannot be used"),
    ] {
        let said = found(&folder, &lines, true, false);
        assert!(said.contains(expected), "{lines}: {said}");
    }
}

#[test]
fn until_when_the_gateways_own_certificate_is_valid_is_known() {
    let (folder, until) = (folder(), u64::try_from(date_time_ymd(2001, 1, 1).unix_timestamp()).unwrap());
    let expires = |lines: &str| {
        let spec = table(&folder, lines).backends.remove(0).security.tls.unwrap();
        let early = UnixTime::since_unix_epoch(Duration::from_secs(until - 60));
        spec.load(None, early).unwrap().unwrap().value.expires.map(|until| until.as_secs())
    };
    assert_eq!(expires("tls = { ca = 'ca.pem', cert = 'old.pem', key = 'own.key' }"), Some(until));
    assert_eq!(expires("tls = { ca = 'ca.pem' }"), None);
}

/// As Kubernetes replaces files: all at once, by the link that leads to their folder. A look may fall on both sides of it.
#[test]
fn a_pair_that_is_just_being_replaced_is_looked_at_again() {
    let (one, two) = (folder(), folder());
    let lines = "tls = { ca = 'ca.pem', cert = 'now/own.pem', key = 'now/own.key' }";
    let spec = table(&one, lines).backends.remove(0).security.tls.unwrap();
    let lead_to = |folder: &Folder| {
        std::os::unix::fs::symlink(folder.path(""), one.path("next")).unwrap();
        std::fs::rename(one.path("next"), one.path("now")).unwrap();
    };
    lead_to(&one);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for next in [&two, &one].into_iter().cycle().take_while(|_| !done.load(Ordering::Relaxed)) {
                lead_to(next);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let torn = (0..500).find_map(|_| spec.load(None, UnixTime::now()).err());
        done.store(true, Ordering::Relaxed);
        assert!(torn.is_none(), "{}", torn.unwrap());
    });
}

#[test]
fn the_files_of_a_backend_are_those_that_are_watched() {
    let text = "[backends.shop]\nendpoints = [\"shop:1\"]\n\
        tls = { ca = \"/a/ca.pem\", cert = \"/a/own.pem\", key = \"/a/own.key\" }\ntoken = { file = \"/a/token\" }\n";
    let tables = tables(text).unwrap();
    let files: Vec<&str> = tables.backends[0].security.files().filter_map(|path| path.to_str()).collect();
    assert_eq!(files, ["/a/ca.pem", "/a/own.pem", "/a/own.key", "/a/token"]);
}

#[test]
fn what_only_moved_in_its_file_connects_as_before() {
    let spec = |lines: &str, endpoint: &str| {
        tables(&format!(
            "{lines}\n[backends.shop]\nendpoints = [\"{endpoint}\"]\ntls = {{ ca = \"ca.pem\" }}\n"
        ))
        .unwrap()
        .backends
        .remove(0)
    };
    let first = spec("", "shop:1");
    assert!(first.connects_like(&spec("\n\n", "shop:1")) && first == spec("\n\n", "shop:1"));
    // Another name is another certificate, at whatever address it is found.
    assert!(!first.connects_like(&spec("", "shop.internal:1")));
}
