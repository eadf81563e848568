//! TLS on listeners, and what they say of HTTPS.

use super::*;
use crate::config::testing::Folder;
use callgate_tls::Versions;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

/// A CA's certificate in PEM.
fn ca() -> String {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().pem()
}

/// The listeners of a gateway.toml in that folder.
fn listeners(folder: &Folder, text: &str) -> Result<Vec<ListenerSettings>, String> {
    let source = Source::new(folder.path("gateway.toml"), text);
    super::judge::read_settings(source, None)
        .map(|settings| settings.listeners)
        .map_err(|error| error.to_string())
}

fn one(folder: &Folder, keys: &str) -> Result<ListenerSettings, String> {
    listeners(folder, &format!("[[listeners]]\naddress = '0.0.0.0:443'\n{keys}\n"))
        .map(|mut all| all.remove(0))
}

#[test]
fn a_listener_speaks_tls_as_it_says() {
    let folder = Folder::new();
    folder.write("clients.pem", &ca());
    let tls = |keys: &str| one(&folder, keys).unwrap().tls;
    assert_eq!(tls(""), None);
    assert_eq!(tls("tls = false"), None);
    let plain = tls("tls = true").unwrap();
    assert_eq!(
        (plain.versions, plain.min_version(), plain.clients.is_none()),
        (Versions::From12, "1.2", true)
    );
    assert_eq!(tls("tls = {}").unwrap(), plain);
    assert_eq!(tls("tls = { min_version = '1.3' }").unwrap().versions, Versions::Only13);
    for (word, required) in [("required", true), ("optional", false)] {
        let keys = format!("tls = {{ client_certificates = '{word}', ca = 'clients.pem' }}");
        let clients = tls(&keys).unwrap().clients.unwrap();
        assert_eq!(
            (clients.required, clients.name(), &clients.ca),
            (required, word, &folder.path("clients.pem"))
        );
        assert_eq!(clients, clients.again().unwrap());
    }
}

#[test]
fn files_of_cas_that_cannot_be_used_are_errors_and_never_mean_everybody() {
    let folder = Folder::new();
    folder.write("empty.pem", "");
    folder.write("clients.pem", &ca());
    folder.write("nonsense.crl", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
    for (rest, expected) in [
        ("ca = 'absent.pem'", "absent.pem` cannot be read"),
        ("ca = 'empty.pem'", "empty.pem` cannot be used"),
        ("ca = 'clients.pem', crl = ['absent.crl']", "absent.crl` cannot be read"),
        ("ca = 'clients.pem', crl = ['nonsense.crl']", "nonsense.crl` cannot be used"),
    ] {
        for word in ["required", "optional"] {
            let keys = format!("tls = {{ client_certificates = '{word}', {rest} }}");
            let error = one(&folder, &keys).unwrap_err();
            assert!(error.contains(expected) && error.contains("gateway.toml:3:"), "{error}");
        }
    }
    let keys = "tls = { client_certificates = 'required', ca = 'clients.pem' }";
    let clients = one(&folder, keys).unwrap().tls.unwrap().clients.unwrap();
    folder.write("clients.pem", "");
    let error = clients.again().unwrap_err();
    assert!(error.contains("clients.pem` cannot be used"), "{error}");
}

#[test]
fn what_is_said_of_https_is_a_port_and_a_field() {
    let folder = Folder::new();
    for (written, port) in [("true", Some(443)), ("false", None), ("8443", Some(8443))] {
        let listener = one(&folder, &format!("https_redirect = {written}")).unwrap();
        assert_eq!(listener.https_redirect, port);
    }
    for (written, value) in [
        ("{ max_age = '1y' }", "max-age=31536000"),
        ("{ max_age = '180d', include_subdomains = true }", "max-age=15552000; includeSubDomains"),
        ("{ max_age = '5m' }", "max-age=300"),
        ("{ max_age = '0s' }", "max-age=0"),
        (
            "{ max_age = '2y', include_subdomains = true, preload = true }",
            "max-age=63072000; includeSubDomains; preload",
        ),
    ] {
        let listener = one(&folder, &format!("tls = true\nhsts = {written}")).unwrap();
        assert_eq!(listener.hsts.unwrap().value(), value);
    }
}

#[test]
fn mistakes_are_told_with_what_to_write_instead() {
    check_settings(
        r#"
[[listeners]]
address = "127.0.0.1:1"
tls = "yes"
https_redirect = "no"
[[listeners]]
address = "127.0.0.1:2"
tls = { min_version = "1.1", ca = "/none/ca.pem", key = "x" }
[[listeners]]
address = "127.0.0.1:3"
tls = { client_certificates = "required" }
https_redirect = true
[[listeners]]
address = "127.0.0.1:4"
tls = { client_certificates = "maybe", ca = "/none/ca.pem" }
hsts = {}
[[listeners]]
address = "127.0.0.1:5"
hsts = { max_age = "1w" }
[[listeners]]
address = "127.0.0.1:6"
hsts = { max_age = "20y" }
tls = true
[[listeners]]
address = "127.0.0.1:7"
tls = true
hsts = { max_age = "180d", preload = true }"#,
        None,
        r#"
error: `tls` must be true, or a table such as { client_certificates = "required", ca = "clients.pem" }
 --> gateway.toml:4:7
  |
4 | tls = "yes"
  |       ^^^^^ this is a string

error: `https_redirect` must be true, or the port of HTTPS
 --> gateway.toml:5:18
  |
5 | https_redirect = "no"
  |                  ^^^^ this is a string

error: `min_version` cannot be `1.1`
 --> gateway.toml:8:23
  |
8 | tls = { min_version = "1.1", ca = "/none/ca.pem", key = "x" }
  |                       ^^^^^ expected `1.2` or `1.3`
  |
  = help: did you mean `1.2`?

error: `ca` is for listeners that ask their clients for certificates
 --> gateway.toml:8:35
  |
8 | tls = { min_version = "1.1", ca = "/none/ca.pem", key = "x" }
  |                                   ^^^^^^^^^^^^^^ this one asks for none
  |
  = help: write client_certificates = "required", or "optional"

error: unknown key `key` in `tls`
 --> gateway.toml:8:51
  |
8 | tls = { min_version = "1.1", ca = "/none/ca.pem", key = "x" }
  |                                                   ^^^ not known here
  |
  = help: certificates stand in the tables: write [[certificates]] there, with `names`, `cert` and `key`

error: `client_certificates` needs `ca`
  --> gateway.toml:11:31
   |
11 | tls = { client_certificates = "required" }
   |                               ^^^^^^^^^^ signed by whom?
   |
   = help: write ca = "clients.pem", a file with the certificates of the CAs that sign them

error: `https_redirect` is for listeners without TLS
  --> gateway.toml:12:18
   |
12 | https_redirect = true
   |                  ^^^^ this one has `tls`
   |
   = help: write it at the listener of plain HTTP

error: `client_certificates` cannot be `maybe`
  --> gateway.toml:15:31
   |
15 | tls = { client_certificates = "maybe", ca = "/none/ca.pem" }
   |                               ^^^^^^^ expected `required` or `optional`

error: `/none/ca.pem` cannot be read
  --> gateway.toml:15:45
   |
15 | tls = { client_certificates = "maybe", ca = "/none/ca.pem" }
   |                                             ^^^^^^^^^^^^^^ No such file or directory (os error 2)

error: `hsts` needs `max_age`
  --> gateway.toml:16:8
   |
16 | hsts = {}
   |        ^^ for how long?
   |
   = help: write max_age = "1y"; "5m" while you try it

error: `hsts` is for listeners with TLS
  --> gateway.toml:19:8
   |
19 | hsts = { max_age = "1w" }
   |        ^^^^^^^^^^^^^^^^^^ without, browsers ignore it
   |
   = help: write it at the listener that has `tls`

error: unknown unit `w`
  --> gateway.toml:19:20
   |
19 | hsts = { max_age = "1w" }
   |                    ^^^^ expected `ms`, `s`, `m` or `h`
   |
   = help: `max_age` takes days and years as well: "180d", "1y"

error: `max_age` is out of bounds
  --> gateway.toml:22:20
   |
22 | hsts = { max_age = "20y" }
   |                    ^^^^^ expected at most 10y

error: `preload` asks for what browsers will not grant
  --> gateway.toml:27:38
   |
27 | hsts = { max_age = "180d", preload = true }
   |                                      ^^^^ browsers' list takes names with a `max_age` of a year or more and `include_subdomains`
"#,
    );
}
