//! `[[certificates]]`: what a table may say of them, and what is said about mistakes. What is in their files is tested where they come
//! into force.

use super::*;
use crate::config::testing::Folder;

#[test]
fn a_certificate_has_names_a_chain_and_a_key() {
    let read = tables(
        r#"
[[certificates]]
names = ["API.example.com.", "*.example.com", "127.0.0.1"]
cert = "certs/api.pem"
key = "/etc/api.key"
default = true
[[certificates]]
names = ["b.example"]
cert = "b.pem"
key = { env = "B_KEY" }
[[certificates]]
names = ["c.example"]
cert = "c.pem"
key = { file = "c.key" }
"#,
    );
    let shown = |spec: &CertificateSpec| {
        let names: Vec<String> = spec.names.iter().map(ToString::to_string).collect();
        let key = match &spec.key {
            SecretSource::File(path) => path.display().to_string(),
            SecretSource::Env(name) => format!("${name}"),
        };
        format!("{} {} {key} {}\n", names.join(","), spec.cert.display(), spec.default.unwrap_or_default())
    };
    let here = std::env::current_dir().unwrap().display().to_string();
    let shown: String = read.unwrap().certificates.iter().map(shown).collect();
    assert_eq!(
        shown.replace(&here, "~"),
        "api.example.com,*.example.com,127.0.0.1 ~/certs/api.pem /etc/api.key true\n\
         b.example ~/b.pem $B_KEY false\n\
         c.example ~/c.pem ~/c.key false\n"
    );
}

#[test]
fn what_is_missing_or_wrong_is_told_with_what_to_write() {
    check(
        r#"
[[certificates]]
[[certificates]]
names = []
cert = ""
key = { env = "A", file = "b" }
[[certificates]]
names = ["*", "a*.example", "a.example:443", "https://a.example", "b.example", "B.example"]
cert = "a.pem"
key = { env = "A=B" }
certificate = "x"
[[certificates]]
names = ["c.example"]
cert = "c.pem"
key = true
"#,
        r##"
error: a certificate without `names`
 --> t.toml:2:1
  |
2 | [[certificates]]
  | ^^^^^^^^^^^^^^^^ `names` is missing
  |
  = help: write the host names that clients ask for: names = ["api.example.com", "*.example.com"]

error: a certificate without `cert`
 --> t.toml:2:1
  |
2 | [[certificates]]
  | ^^^^^^^^^^^^^^^^ `cert` is missing
  |
  = help: write where its chain is: cert = "/etc/callgate/api.pem"

error: a certificate without `key`
 --> t.toml:2:1
  |
2 | [[certificates]]
  | ^^^^^^^^^^^^^^^^ `key` is missing
  |
  = help: write where its key is: key = "/etc/callgate/api.key"

error: a certificate without names
 --> t.toml:4:9
  |
4 | names = []
  |         ^^ expected at least one name
  |
  = help: write the host names that clients ask for: names = ["api.example.com", "*.example.com"]

error: an empty path
 --> t.toml:5:8
  |
5 | cert = ""
  |        ^^ expected a file in PEM

error: `key` has either `env` or `file`
 --> t.toml:6:7
  |
6 | key = { env = "A", file = "b" }
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^ it has both

error: `*` is not a name of a certificate
 --> t.toml:8:10
  |
8 | names = ["*", "a*.example", "a.example:443", "https://a.example", "b.example", "B.example"]
  |          ^^^ expected a host name
  |
  = help: for all names that no other certificate has write default = true

error: `a*.example` is not a name of a certificate
 --> t.toml:8:15
  |
8 | names = ["*", "a*.example", "a.example:443", "https://a.example", "b.example", "B.example"]
  |               ^^^^^^^^^^^^ expected a host name
  |
  = help: a `*` stands for the whole first label: "*.example.com"

error: `a.example:443` is not a name of a certificate
 --> t.toml:8:29
  |
8 | names = ["*", "a*.example", "a.example:443", "https://a.example", "b.example", "B.example"]
  |                             ^^^^^^^^^^^^^^^ expected a host name
  |
  = help: names have no port: write "a.example"

error: `https://a.example` is not a name of a certificate
 --> t.toml:8:46
  |
8 | names = ["*", "a*.example", "a.example:443", "https://a.example", "b.example", "B.example"]
  |                                              ^^^^^^^^^^^^^^^^^^^ expected a host name
  |
  = help: write the name that stands in the URL, without scheme, port and path

error: name `b.example` is listed twice
 --> t.toml:8:80
  |
8 | names = ["*", "a*.example", "a.example:443", "https://a.example", "b.example", "B.example"]
  |                                                                   -----------  ^^^^^^^^^^^ again
  |                                                                   |
  |                                                                   first here

error: `A=B` is not a variable's name
  --> t.toml:10:15
   |
10 | key = { env = "A=B" }
   |               ^^^^^ expected a name

error: unknown key `certificate` in a certificate
  --> t.toml:11:1
   |
11 | certificate = "x"
   | ^^^^^^^^^^^ not known here
   |
   = help: TLS is for listeners with `tls = true` in gateway.toml; their certificates are [[certificates]] in the tables

error: `key` must be a path such as "/etc/callgate/api.key", { file = "…" } or { env = "…" }
  --> t.toml:15:7
   |
15 | key = true
   |       ^^^^ this is true or false
"##,
    );
}

#[test]
fn a_name_has_one_certificate_in_all_files_and_so_has_who_asks_for_none() {
    check(
        r#"-- a.toml
[[certificates]]
names = ["a.example", "*.example"]
cert = "a.pem"
key = "a.key"
default = true
-- b.toml
[[certificates]]
names = ["b.example", "A.example"]
cert = "b.pem"
key = "b.key"
default = true
"#,
        r##"
error: `a.example` has two certificates
 --> b.toml:2:23
  |
2 | names = ["b.example", "A.example"]
  |                       ^^^^^^^^^^^ again
  |
 ::: a.toml:2:10
  |
2 | names = ["a.example", "*.example"]
  |          ----------- first here

error: two certificates are the default
 --> b.toml:5:11
  |
5 | default = true
  |           ^^^^ again
  |
 ::: a.toml:5:11
  |
5 | default = true
  |           ---- first here
  |
  = help: clients that ask for no name get one certificate: mark one of them
"##,
    );
}

/// What is wrong with the files of the one certificate in that folder, with the folder shown as `~`.
#[track_caller]
fn check_files(folder: &Folder, table: &str, expected: &str) {
    let tables = super::judge::read_tables(vec![Source::new(folder.path("t.toml"), table)]).unwrap();
    let spec = &tables.certificates[0];
    let seen = spec.load().and_then(|files| spec.check(&files, callgate_tls::UnixTime::now(), false));
    let seen = seen.unwrap_err().to_string().replace(&folder.path("").display().to_string(), "~");
    assert!(seen.trim() == expected.trim(), "saw:\n{seen}\n<<<saw, expected:\n{expected}");
}

const TABLE: &str = "[[certificates]]\nnames = ['a.example']\ncert = 'a.pem'\nkey = 'a.key'\n";

#[test]
fn a_file_that_is_missing_is_shown_where_it_is_named() {
    let folder = Folder::new();
    check_files(
        &folder,
        TABLE,
        r##"
error: cannot read ~/a.pem: No such file or directory (os error 2)
 --> ~/t.toml:3:8
  |
3 | cert = 'a.pem'
  |        ^^^^^^^ named here
"##,
    );
    crate::certificates::testing::certificate(&folder, "a", &["a.example"]);
    let table = TABLE.replace("'a.key'", "{ env = 'CALLGATE_TEST_NOT_SET' }");
    check_files(
        &folder,
        &table,
        r##"
error: the variable `CALLGATE_TEST_NOT_SET` is not set
 --> ~/t.toml:4:7
  |
4 | key = { env = 'CALLGATE_TEST_NOT_SET' }
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ named here
  |
  = help: it holds the certificate's key in PEM
"##,
    );
}

#[test]
fn a_file_that_is_wrong_is_shown_where_it_is_named() {
    let folder = Folder::new();
    crate::certificates::testing::certificate(&folder, "a", &["b.example", "*.c.example"]);
    check_files(
        &folder,
        TABLE,
        r##"
error: the certificate does not cover `a.example`
 --> ~/t.toml:2:10
  |
2 | names = ['a.example']
  |          ^^^^^^^^^^^ clients that ask for it would refuse it
  |
  = note: ~/a.pem is for `b.example`, `*.c.example`
"##,
    );
    crate::certificates::testing::certificate(&folder, "other", &["a.example"]);
    std::fs::rename(folder.path("other.pem"), folder.path("a.pem")).unwrap();
    check_files(
        &folder,
        TABLE,
        r##"
error: the certificate of `a.example` cannot be used
 --> ~/t.toml:4:7
  |
4 | key = 'a.key'
  |       ^^^^^^^ ~/a.key: the key does not belong to the certificate (CN=rcgen self signed cert)
  |
  = note: the certificate is ~/a.pem
  = help: name the key that this certificate was made for; both files may have to be renewed together
"##,
    );
}
