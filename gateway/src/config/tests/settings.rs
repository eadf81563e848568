//! Diagnostics of the gateway's own file.

use super::{Settings, Source, check_settings};
use crate::config::testing::Folder;

#[test]
fn sections_and_keys_of_the_gateways_file_are_known() {
    check_settings(
        r#"
[sever]
[server]
listen_on = 1
[log]
file = "x"
[backends.shop]
endpoints = []"#,
        None,
        r#"
error: unknown key `sever` in the gateway's file
 --> gateway.toml:2:2
  |
2 | [sever]
  |  ^^^^^ not known here
  |
  = help: did you mean `server`?

error: unknown key `listen_on` in [server]
 --> gateway.toml:4:1
  |
4 | listen_on = 1
  | ^^^^^^^^^ not known here
  |
  = help: did you mean `listen`?

error: unknown key `file` in [log]
 --> gateway.toml:6:1
  |
6 | file = "x"
  | ^^^^ not known here
  |
  = help: there is `level` and `format`

error: unknown key `backends` in the gateway's file
 --> gateway.toml:7:2
  |
7 | [backends.shop]
  |  ^^^^^^^^ not known here
  |
  = help: there is `server`, `listeners`, `http2`, `admin`, `tables`, `log`, `access_log`, `traces`, `replay`, `upgrade` and `dns`
"#,
    );
}

#[test]
fn settings_of_another_type_are_told_what_they_must_be() {
    check_settings(
        r#"
server = 1
[admin]
listen = ["127.0.0.1:1"]
[tables]
watch = "x"
[log]
level = 3"#,
        None,
        r#"
error: `server` must be a table, written [server]
 --> gateway.toml:2:10
  |
2 | server = 1
  |          ^ this is an integer

error: `listen` must be an address such as "127.0.0.1:8080"
 --> gateway.toml:4:10
  |
4 | listen = ["127.0.0.1:1"]
  |          ^^^^^^^^^^^^^^^ this is an array

error: `watch` must be an array of strings such as ["../routes"]
 --> gateway.toml:6:9
  |
6 | watch = "x"
  |         ^^^ this is a string

error: `level` must be a level such as "info"
 --> gateway.toml:8:9
  |
8 | level = 3
  |         ^ this is an integer
"#,
    );
}

#[test]
fn addresses_are_ip_addresses_and_ports() {
    check_settings(
        r#"
[server]
listen = [":80", "localhost:80", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:1"]
[admin]
listen = "127.0.0.1:1""#,
        None,
        r#"
error: `:80` is not an address
 --> gateway.toml:3:11
  |
3 | listen = [":80", "localhost:80", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:1"]
  |           ^^^^^ expected an IP address and a port
  |
  = help: write "0.0.0.0:80" or "[::]:80"

error: `localhost:80` is not an address
 --> gateway.toml:3:18
  |
3 | listen = [":80", "localhost:80", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:1"]
  |                  ^^^^^^^^^^^^^^ expected an IP address and a port
  |
  = help: write "127.0.0.1:80" or "[::1]:80"

error: `127.0.0.1` is not an address
 --> gateway.toml:3:34
  |
3 | listen = [":80", "localhost:80", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:1"]
  |                                  ^^^^^^^^^^^ expected an IP address and a port

error: address `127.0.0.1:1` is listed twice
 --> gateway.toml:3:62
  |
3 | listen = [":80", "localhost:80", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:1"]
  |                                               -------------  ^^^^^^^^^^^^^ again
  |                                               |
  |                                               first here

error: `127.0.0.1:1` is the server's own address
 --> gateway.toml:5:10
  |
5 | listen = "127.0.0.1:1"
  |          ^^^^^^^^^^^^^ also a listener's
"#,
    );
}

#[test]
fn listeners_are_checked_and_each_address_and_id_is_there_once() {
    check_settings(
        r#"
server.listen = ["127.0.0.1:1", "/run/x.sock"]
[[listeners]]
id = "a b"
address = "127.0.0.1:1"
mode = "0600"
protocol = "h2"
[[listeners]]
address = "unix:/run/x.sock"
id = "x"
mode = "rw"
group = ""
[[listeners]]
id = "x"
address = "unix:y.sock"
[[listeners]]
address = "unix:"
[[listeners]]
adress = "127.0.0.1:2"
[upgrade]
socket = "/run/x.sock""#,
        None,
        r#"
error: `/run/x.sock` is not an address
 --> gateway.toml:2:33
  |
2 | server.listen = ["127.0.0.1:1", "/run/x.sock"]
  |                                 ^^^^^^^^^^^^^ expected an IP address and a port
  |
  = help: write "unix:/run/x.sock"

error: `a b` cannot name a listener
 --> gateway.toml:4:6
  |
4 | id = "a b"
  |      ^^^^^ expected 1 to 64 ASCII letters, digits, `_`, `-` and `.`

error: address `127.0.0.1:1` is listed twice
 --> gateway.toml:5:11
  |
2 | server.listen = ["127.0.0.1:1", "/run/x.sock"]
  |                  ------------- first here
...
5 | address = "127.0.0.1:1"
  |           ^^^^^^^^^^^^^ again

error: `mode` is for Unix sockets that have a file
 --> gateway.toml:6:8
  |
6 | mode = "0600"
  |        ^^^^^^ `127.0.0.1:1` has none

error: `protocol` cannot be `h2`
 --> gateway.toml:7:12
  |
7 | protocol = "h2"
  |            ^^^^ expected `http1`

error: `rw` is not a file's mode
  --> gateway.toml:11:8
   |
11 | mode = "rw"
   |        ^^^^ expected "0000" to "0777"

error: `` is not a group
  --> gateway.toml:12:9
   |
12 | group = ""
   |         ^^ expected a group's name or number

error: id `x` is listed twice
  --> gateway.toml:14:6
   |
10 | id = "x"
   |      --- first here
...
14 | id = "x"
   |      ^^^ again

error: a socket without a name
  --> gateway.toml:17:11
   |
17 | address = "unix:"
   |           ^^^^^^^ expected a path or a name

error: a listener without an address
  --> gateway.toml:18:1
   |
18 | [[listeners]]
   | ^^^^^^^^^^^^^ `address` is missing

error: unknown key `adress` in [[listeners]]
  --> gateway.toml:19:1
   |
19 | adress = "127.0.0.1:2"
   | ^^^^^^ not known here
   |
   = help: did you mean `address`?

error: `unix:/run/x.sock` is the server's own address
  --> gateway.toml:21:10
   |
21 | socket = "/run/x.sock"
   |          ^^^^^^^^^^^^^ also a listener's
"#,
    );
}

#[test]
fn http_2_in_the_clear_is_for_those_who_know_it_beforehand() {
    check_settings(
        r#"
[[listeners]]
address = "127.0.0.1:1"
http2 = true
[[listeners]]
address = "127.0.0.1:2"
http2 = "h2c"
[[listeners]]
address = "127.0.0.1:3"
http2 = 2
[[listeners]]
address = "127.0.0.1:4"
tls = true
http2 = "prior_knowledge"
[http2]
max_concurrent_streams = 0
max_connection_age = "0s""#,
        None,
        r#"
error: HTTP/2 is chosen by TLS, and this listener has none
 --> gateway.toml:4:9
  |
4 | http2 = true
  |         ^^^^ no TLS here
  |
  = help: for clients that know it beforehand write "prior_knowledge"

error: `http2` cannot be `h2c`
 --> gateway.toml:7:9
  |
7 | http2 = "h2c"
  |         ^^^^^ expected `prior_knowledge`

error: `http2` must be false, or "prior_knowledge"
  --> gateway.toml:10:9
   |
10 | http2 = 2
   |         ^ this is an integer

error: within TLS clients choose HTTP/2 themselves
  --> gateway.toml:14:9
   |
14 | http2 = "prior_knowledge"
   |         ^^^^^^^^^^^^^^^^^ this one has `tls`
   |
   = help: write true or false

error: `max_concurrent_streams` is out of bounds
  --> gateway.toml:16:26
   |
16 | max_concurrent_streams = 0
   |                          ^ expected 1 to 1000

error: `max_connection_age` is out of bounds
  --> gateway.toml:17:22
   |
17 | max_connection_age = "0s"
   |                      ^^^^ expected 1s to 168h
"#,
    );
}

#[test]
fn empty_lists_are_refused() {
    check_settings(
        r"
[server]
listen = []
[tables]
watch = []",
        None,
        r"
error: the server listens nowhere
 --> gateway.toml:3:10
  |
3 | listen = []
  |          ^^ expected at least one address

error: no tables are watched
 --> gateway.toml:5:9
  |
5 | watch = []
  |         ^^ expected at least one path
",
    );
}

#[test]
fn a_watched_path_is_not_empty() {
    check_settings(
        r#"
[tables]
watch = [""]"#,
        None,
        r#"
error: an empty path
 --> gateway.toml:3:10
  |
3 | watch = [""]
  |          ^^ expected a file or a folder
"#,
    );
}

#[test]
fn the_folder_for_state_is_a_path_beside_the_file() {
    check_settings(
        r#"
[server]
state = """#,
        None,
        r#"
error: an empty path
 --> gateway.toml:3:9
  |
3 | state = ""
  |         ^^ expected a folder
"#,
    );
    let source = Source::new("/etc/callgate/config/gateway.toml", "[server]\nstate = '../state'");
    let settings = super::judge::read_settings(source, None).unwrap();
    assert_eq!(settings.server.state.as_deref(), Some(std::path::Path::new("/etc/callgate/state")));
}

#[test]
fn sizes_counts_and_times_have_bounds() {
    check_settings(
        r#"
[server]
workers = 2000
max_body = 0
max_head = "4KiB"
max_connections = 0
header_timeout = "0s"
body_timeout = 30
idle_timeout = "2d""#,
        None,
        r#"
error: `workers` is out of bounds
 --> gateway.toml:3:11
  |
3 | workers = 2000
  |           ^^^^ expected 0 to 1024

error: `max_body` is out of bounds
 --> gateway.toml:4:12
  |
4 | max_body = 0
  |            ^ expected 1B to 1GiB

error: `max_head` is out of bounds
 --> gateway.toml:5:12
  |
5 | max_head = "4KiB"
  |            ^^^^^^ expected 8KiB to 1MiB

error: `max_connections` is out of bounds
 --> gateway.toml:6:19
  |
6 | max_connections = 0
  |                   ^ expected 1 to 10000000

error: `header_timeout` is out of bounds
 --> gateway.toml:7:18
  |
7 | header_timeout = "0s"
  |                  ^^^^ expected 1ms to 24h

error: `body_timeout` needs a unit
 --> gateway.toml:8:16
  |
8 | body_timeout = 30
  |                ^^ milliseconds, seconds, …?
  |
  = help: write "30s" or "30ms"

error: unknown unit `d`
 --> gateway.toml:9:16
  |
9 | idle_timeout = "2d"
  |                ^^^^ expected `ms`, `s`, `m` or `h`
"#,
    );
}

#[test]
fn sizes_have_units() {
    check_settings(
        r#"
[server]
max_body = "4mb"
max_head = "big""#,
        None,
        r#"
error: unknown unit `mb`
 --> gateway.toml:3:12
  |
3 | max_body = "4mb"
  |            ^^^^^ expected `KiB`, `MiB`, `GiB`, or `KB`, `MB`, `GB`
  |
  = help: write "4MB"

error: not a size
 --> gateway.toml:4:12
  |
4 | max_head = "big"
  |            ^^^^^ expected a whole number and a unit, such as "64KiB" or "4MB"
"#,
    );
}

#[test]
fn a_log_level_is_a_level_and_not_a_target() {
    check_settings(
        r#"
[log]
level = "inof"
format = "jsn""#,
        None,
        r#"
error: `inof` is not a level
 --> gateway.toml:3:9
  |
3 | level = "inof"
  |         ^^^^^^ expected off, error, warn, info, debug or trace
  |
  = help: did you mean `info`?

error: `format` cannot be `jsn`
 --> gateway.toml:4:10
  |
4 | format = "jsn"
  |          ^^^^^ expected `auto`, `text` or `json`
  |
  = help: did you mean `json`?
"#,
    );
}

#[test]
fn the_environments_log_level_is_checked_too() {
    check_settings(
        "",
        Some("tokio"),
        r"
error: CALLGATE_LOG: `tokio` is not a level: expected off, error, warn, info, debug or trace
 |
 = help: for one target alone write `tokio=debug`
",
    );
}

#[test]
fn a_filter_that_would_panic_its_parser_is_refused() {
    check_settings(
        "",
        Some(" 𐠊="),
        r"
error: CALLGATE_LOG: not a log filter: expected ASCII characters only
",
    );
}

#[test]
fn a_broken_filter_is_refused() {
    check_settings(
        r#"
[log]
level = "a=b=c""#,
        None,
        r#"
error: not a log filter
 --> gateway.toml:3:9
  |
3 | level = "a=b=c"
  |         ^^^^^^^ error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
"#,
    );
}

#[test]
fn a_secret_is_not_shown_in_what_is_said_against_it() {
    for (text, expected) in [
        ("[admin]\ntoken = 's3cret token'", "it has other characters"),
        ("[admin]\ntoken = ''", "it is empty"),
        ("[admin]\ntoken = 53143", "it is not a string"),
        ("[admin]\ntoken = 's3cret'\ntoken_file = '/x'", "it has both"),
        ("[admin]\ntoken_file = '/nowhere/token'", "`/nowhere/token` cannot be read"),
        ("[admin]\ntoken = { file = '/nowhere/token' }", "/nowhere/token"),
        ("[admin]\ntoken = { env = 'CALLGATE_NOT_SET' }", "the variable `CALLGATE_NOT_SET` is not set"),
        ("[admin]\nread_token = 's3cret'", "`read_token` goes with `token`"),
        ("[admin]\ntoken = 's3cret'\nread_token = 's3cret'", "`read_token` is the same as `token`"),
        ("[admin]\ntoken = 's3cret-a'\nread_token = 's3cret b'", "[admin] read_token cannot be one"),
    ] {
        let seen =
            super::judge::read_settings(Source::new("gateway.toml", text), None).unwrap_err().to_string();
        assert!(seen.contains(expected), "{seen}");
        assert!(!seen.contains("s3cret") && !seen.contains("53143"), "{seen}");
    }
}

#[test]
fn a_token_may_stand_in_a_file_of_its_own() {
    let folder = Folder::new();
    folder.write("secrets/token", "s3cret\n");
    let file = folder.write("config/gateway.toml", "admin.token_file = '../secrets/token'");
    let token = Settings::load(&file).unwrap().admin.token.expect("there is one");
    assert!(token.is(b"s3cret"));
    let file = folder.write(
        "config/gateway.toml",
        "[admin]\ntoken = { file = '../secrets/token' }\nread_token = 'for-reading'",
    );
    let admin = Settings::load(&file).unwrap().admin;
    assert!(admin.token.expect("there is one").is(b"s3cret"));
    assert!(admin.read_token.expect("there is one").is(b"for-reading"));
    folder.write("secrets/token", "\n");
    let told = Settings::load(&file).unwrap_err().to_string();
    assert!(told.contains("secrets/token holds no token") && told.contains("gateway.toml:2:9"), "{told}");
    let file = folder.write("config/gateway.toml", "admin.token_file = '../secrets/token'");
    assert!(Settings::load(&file).unwrap_err().to_string().contains("the file holds no token"));
}

#[test]
fn hosts_of_the_admin_port_are_names() {
    check_settings(
        r#"
[admin]
hosts = ["10.0.0.1", "http://x", "x:8081", "", "good.example"]"#,
        None,
        r#"
error: `10.0.0.1` is an address
 --> gateway.toml:3:10
  |
3 | hosts = ["10.0.0.1", "http://x", "x:8081", "", "good.example"]
  |          ^^^^^^^^^^ addresses need not be listed

error: `http://x` is not a host's name
 --> gateway.toml:3:22
  |
3 | hosts = ["10.0.0.1", "http://x", "x:8081", "", "good.example"]
  |                      ^^^^^^^^^^ expected a name alone
  |
  = help: write the name that stands in the URL, without scheme, port and path

error: `x:8081` is not a host's name
 --> gateway.toml:3:34
  |
3 | hosts = ["10.0.0.1", "http://x", "x:8081", "", "good.example"]
  |                                  ^^^^^^^^ expected a name alone
  |
  = help: write the name that stands in the URL, without scheme, port and path

error: `` is not a host's name
 --> gateway.toml:3:44
  |
3 | hosts = ["10.0.0.1", "http://x", "x:8081", "", "good.example"]
  |                                            ^^ expected a name alone
  |
  = help: write the name that stands in the URL, without scheme, port and path
"#,
    );
}
