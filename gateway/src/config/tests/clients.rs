//! Lists of addresses, and whom a listener believes of who its clients are.

use super::*;
use crate::clients::{ForwardedHeader, Trusted};
use std::net::IpAddr;

fn listener(keys: &str) -> ListenerClients {
    let text = format!("[[listeners]]\naddress = '127.0.0.1:0'\n{keys}\n");
    super::judge::read_settings(Source::new("gateway.toml", text), None).unwrap().listeners[0].clients.clone()
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn a_listener_says_whom_it_believes_and_who_may_come() {
    assert_eq!(listener(""), ListenerClients::default());
    let keys = "proxy_protocol = { from = ['10.0.0.0/8', '192.0.2.1'], optional = true }\n\
                forwarded = { header = 'forwarded', from = ['2001:db8::/32'] }\n\
                clients = { allow = ['0.0.0.0/0'], deny = ['127.0.0.1'] }\n\
                max_connections_per_client = 7\nnew_connections_per_client = { rate = '20/s' }";
    let clients = listener(keys);
    let proxy = clients.proxy_protocol.clone().unwrap();
    assert!(
        proxy.optional && proxy.from.trusts(address("10.9.9.9")) && proxy.from.trusts(address("192.0.2.1"))
    );
    assert!(!proxy.from.trusts(address("192.0.2.2")) && !proxy.from.trusts(None));
    assert_eq!(clients.forwarded.clone().unwrap().header, ForwardedHeader::Forwarded);
    assert!(clients.is_proxy(address("2001:db8::1")) && !clients.is_proxy(address("10.0.0.1")));
    let list = clients.list.clone().unwrap();
    assert_eq!(list.to_string(), "allow 0.0.0.0/0; deny 127.0.0.1");
    assert!(list.admits(address("127.0.0.2")) && !list.admits(address("127.0.0.1")));
    assert!(!list.admits(address("::2")) && !list.admits(None));
    assert_eq!(clients.max_connections, Some(7));
    let rate = clients.new_connections.unwrap();
    assert_eq!((rate.rate.to_string().as_str(), rate.burst, rate.by), ("20/s", 20, LimitBy::Client));
    let deny = listener("clients = { deny = ['127.0.0.1'] }").list.unwrap();
    assert!(deny.admits(None) && deny.admits(address("::1")) && !deny.admits(address("127.0.0.1")));
}

#[test]
fn whoever_connects_to_a_unix_socket_is_believed_where_it_says_so() {
    let text = "[[listeners]]\naddress = '@a'\nforwarded = { header = 'x-forwarded-for', from = ['unix', '10.0.0.0/8'] }\n\
                [[listeners]]\naddress = '@b'\nproxy_protocol = { from = ['unix'] }\n\
                forwarded = { header = 'x-forwarded-for', from = ['10.0.0.0/8'] }\nmax_connections_per_client = 1\n";
    let settings = super::judge::read_settings(Source::new("gateway.toml", text), None).unwrap();
    let [first, second] = settings.listeners.as_slice() else { panic!("two") };
    assert!(first.clients.is_proxy(None) && first.clients.is_proxy(address("10.0.0.1")));
    assert_eq!(first.clients.forwarded.as_ref().unwrap().from.to_string(), "unix, 10.0.0.0/8");
    assert!(
        second.clients.proxy_protocol.as_ref().unwrap().from.trusts(None) && !second.clients.is_proxy(None)
    );
    assert_eq!(Trusted::default().to_string(), "");
}

#[test]
fn a_route_narrows_what_its_file_says() {
    let shown = |file: &str, route: &str| {
        let text = format!("{file}\n[[routes]]\nmatch = 'GET /x'\nrespond = {{}}\n{route}\n");
        let tables = tables(&text).unwrap();
        tables.routes[0]
            .policy
            .clients
            .lists()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let (file, route) = ("clients = { allow = ['10.0.0.0/8'] }", "clients = { allow = ['10.1.0.0/16'] }");
    assert_eq!(shown("", ""), "");
    assert_eq!(shown(file, ""), "allow 10.0.0.0/8");
    assert_eq!(shown("", route), "allow 10.1.0.0/16");
    assert_eq!(shown(file, route), "allow 10.0.0.0/8 | allow 10.1.0.0/16");
    assert_eq!(shown(file, "clients = { deny = ['10.0.0.1'] }"), "allow 10.0.0.0/8 | deny 10.0.0.1");
    assert_eq!(shown(file, "clients = { allow = ['0.0.0.0/0'] }"), "allow 10.0.0.0/8 | allow 0.0.0.0/0");
}

#[test]
fn routes_that_say_nothing_share_the_policy_of_their_file() {
    let text = "clients = { allow = ['10.0.0.0/8'] }\n\
                [[routes]]\nmatch = 'GET /x'\nrespond = {}\n[[routes]]\nmatch = 'GET /y'\nrespond = {}\n";
    let tables = tables(text).unwrap();
    assert!(std::sync::Arc::ptr_eq(&tables.routes[0].policy, &tables.routes[1].policy));
}

#[test]
fn networks_that_are_none_are_told_what_to_write() {
    check_settings(
        r#"
[[listeners]]
address = "127.0.0.1:0"
clients.allow = ["10.1.2.3/8", "10.0.0.0/33", "::1/", "a"]
clients.deny  = ["::ffff:10.0.0.0/104", "localhost", "10.0.0.0/8", "10.0.0.0/8"]"#,
        None,
        r#"
error: `10.1.2.3/8` is an address within a network
 --> gateway.toml:4:18
  |
4 | clients.allow = ["10.1.2.3/8", "10.0.0.0/33", "::1/", "a"]
  |                  ^^^^^^^^^^^^ bits are set behind the first 8
  |
  = help: write "10.0.0.0/8" for the network, or "10.1.2.3" for the address

error: `/33` is no prefix of an address
 --> gateway.toml:4:41
  |
4 | clients.allow = ["10.1.2.3/8", "10.0.0.0/33", "::1/", "a"]
  |                                         ^^^ expected `/0` to `/32`

error: `/` is no prefix of an address
 --> gateway.toml:4:51
  |
4 | clients.allow = ["10.1.2.3/8", "10.0.0.0/33", "::1/", "a"]
  |                                                   ^ expected `/0` to `/128`

error: `a` is not a network
 --> gateway.toml:4:55
  |
4 | clients.allow = ["10.1.2.3/8", "10.0.0.0/33", "::1/", "a"]
  |                                                       ^^^ expected an address, or a network such as "10.0.0.0/8"

error: `::ffff:10.0.0.0/104` is IPv4 written as IPv6
 --> gateway.toml:5:18
  |
5 | clients.deny  = ["::ffff:10.0.0.0/104", "localhost", "10.0.0.0/8", "10.0.0.0/8"]
  |                  ^^^^^^^^^^^^^^^^^^^^^ clients of IPv4 have IPv4 addresses here
  |
  = help: write "10.0.0.0/8"

error: `localhost` is not a network
 --> gateway.toml:5:41
  |
5 | clients.deny  = ["::ffff:10.0.0.0/104", "localhost", "10.0.0.0/8", "10.0.0.0/8"]
  |                                         ^^^^^^^^^^^ expected an address, or a network such as "10.0.0.0/8"
  |
  = help: write "127.0.0.0/8" and "::1"

error: network `10.0.0.0/8` is listed twice
 --> gateway.toml:5:68
  |
5 | clients.deny  = ["::ffff:10.0.0.0/104", "localhost", "10.0.0.0/8", "10.0.0.0/8"]
  |                                                      ------------  ^^^^^^^^^^^^ again
  |                                                      |
  |                                                      first here
"#,
    );
}

#[test]
fn what_a_listener_cannot_say_of_its_clients_is_told() {
    check_settings(
        r#"
[[listeners]]
address = "127.0.0.1:0"
proxy_protocol = { from = ["unix"] }
forwarded = { from = ["10.0.0.0/8"] }
clients = {}
new_connections_per_client = { burst = 2 }
[[listeners]]
address = "@a"
proxy_protocol = { optional = true }
forwarded = { header = "x-forwarded", from = [] }
[[listeners]]
address = "@b"
proxy_protocol = { from = ["10.0.0.0/8"] }
clients = { deny = [] }
[[listeners]]
address = "@c"
clients = { deny = ["10.0.0.0/8"] }
max_connections_per_client = 3
[[listeners]]
address = "127.0.0.1:0"
proxy_protocol = true"#,
        None,
        r#"
error: `unix` is for listeners at Unix sockets
 --> gateway.toml:4:28
  |
4 | proxy_protocol = { from = ["unix"] }
  |                            ^^^^^^ clients of this one have addresses

error: `forwarded` needs `header`
 --> gateway.toml:5:13
  |
5 | forwarded = { from = ["10.0.0.0/8"] }
  |             ^^^^^^^^^^^^^^^^^^^^^^^^^ it does not say which header counts
  |
  = help: write header = "x-forwarded-for", or "forwarded"

error: `clients` has `allow`, `deny` or both
 --> gateway.toml:6:11
  |
6 | clients = {}
  |           ^^ it has neither

error: a limit needs `rate`
 --> gateway.toml:7:30
  |
7 | new_connections_per_client = { burst = 2 }
  |                              ^^^^^^^^^^^^^ this one has none
  |
  = help: write rate = "100/s"

error: `proxy_protocol` needs `from`
  --> gateway.toml:10:18
   |
10 | proxy_protocol = { optional = true }
   |                  ^^^^^^^^^^^^^^^^^^^ it does not say whose word counts
   |
   = help: list the networks of the proxies: from = ["10.0.0.0/8"]

error: `header` cannot be `x-forwarded`
  --> gateway.toml:11:24
   |
11 | forwarded = { header = "x-forwarded", from = [] }
   |                        ^^^^^^^^^^^^^ expected `forwarded` or `x-forwarded-for`
   |
   = help: did you mean `forwarded`?

error: `from` is empty
  --> gateway.toml:11:46
   |
11 | forwarded = { header = "x-forwarded", from = [] }
   |                                              ^^ expected at least one network

error: `from` does not list "unix"
  --> gateway.toml:14:27
   |
14 | proxy_protocol = { from = ["10.0.0.0/8"] }
   |                           ^^^^^^^^^^^^^^ whoever connects to this Unix socket has no address
   |
   = help: write from = ["unix"]: who may connect is for the file's `mode` and `group` to say

error: `deny` is empty
  --> gateway.toml:15:20
   |
15 | clients = { deny = [] }
   |                    ^^ expected at least one network

error: `clients` has no effect
  --> gateway.toml:18:11
   |
18 | clients = { deny = ["10.0.0.0/8"] }
   |           ^^^^^^^^^^^^^^^^^^^^^^^^^ clients of a Unix socket have no address
   |
   = help: a proxy can say who they are: `proxy_protocol`, or `forwarded` for requests

error: `max_connections_per_client` has no effect
  --> gateway.toml:19:30
   |
19 | max_connections_per_client = 3
   |                              ^ clients of a Unix socket have no address
   |
   = help: a proxy can say who they are: `proxy_protocol`, or `forwarded` for requests

error: `proxy_protocol` must be a table such as { from = ["10.0.0.0/8"] }
  --> gateway.toml:22:18
   |
22 | proxy_protocol = true
   |                  ^^^^ this is true or false
"#,
    );
}

#[test]
fn what_a_route_cannot_say_of_its_clients_is_told() {
    check(
        r#"
clients = { allow = ["10.0.0.0/8"] }
[[routes]]
match = "GET /x"
respond = {}
clients = { allow = ["10.1.0.0/16", "192.0.2.0/24"] }
[[routes]]
match = "GET /y"
respond = {}
clients = ["10.1.0.0/16"]
[[routes]]
match = "GET /z"
respond = {}
allow = ["10.1.0.0/16"]"#,
        r#"
error: the file does not allow clients of `192.0.2.0/24`
 --> t.toml:6:11
  |
6 | clients = { allow = ["10.1.0.0/16", "192.0.2.0/24"] }
  |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a route can only narrow what its file allows
  |
  = note: at the top of the file: allow 10.0.0.0/8

error: `clients` must be a table such as { allow = ["10.0.0.0/8"] }
  --> t.toml:10:11
   |
10 | clients = ["10.1.0.0/16"]
   |           ^^^^^^^^^^^^^^^ this is an array

error: unknown key `allow` in a route
  --> t.toml:14:1
   |
14 | allow = ["10.1.0.0/16"]
   | ^^^^^ not known here
   |
   = help: write clients = { allow = ["10.0.0.0/8"], deny = ["10.1.0.0/16"] }: in a route, at the top of a file, or in [[listeners]]
"#,
    );
}
