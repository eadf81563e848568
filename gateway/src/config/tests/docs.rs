//! docs/routes.md shows what is so: its tables hold, and its mistakes are told as it says.

use super::*;

const DOCS: &str = include_str!("../../../../docs/routes.md");

/// The fenced blocks of a language, each with the line before it.
fn blocks<'d>(language: &str) -> Vec<(&'d str, &'d str)> {
    let fence = format!("\n\n```{language}\n");
    let block = |(at, _): (usize, &str)| {
        let before = DOCS[..at].rsplit('\n').next().unwrap_or_default();
        let text = DOCS[at + fence.len()..].split("```").next().unwrap_or_default();
        (before, text)
    };
    DOCS.match_indices(fence.as_str()).map(block).collect()
}

#[test]
fn the_mistakes_are_told_as_the_page_says() {
    let (named, others): (Vec<_>, Vec<_>) =
        blocks("toml").into_iter().partition(|(line, _)| line.ends_with(".toml`:"));
    let sources =
        named.iter().map(|(line, text)| Source::new(line.trim_matches(['`', ':']), *text)).collect();
    let seen = Tables::parse(sources).unwrap_err().to_string();
    assert_eq!(seen.trim(), blocks("text")[0].1.trim());
    assert!(!others.is_empty());
    for (_, text) in others {
        tables(text).unwrap();
    }
}

#[test]
fn every_key_is_explained() {
    let keys = "endpoints address drain connect_timeout ping_interval ping_timeout max_age max_calls health failures failure_rate \
                slow_factor ejection max_ejection max_ejected slow_start retry_budget hold max_in_flight max_in_flight_per_instance adaptive queue tls token ca server_name when min max size \
                names cert key default header share origins methods credentials expose rate burst by dry_run max_keys status body json content_type headers to \
                compress raw filename inline stream \
                server.listen server.workers server.max_body server.compressed_bodies server.max_body_memory server.max_answer server.max_answer_memory server.min_send_rate server.min_send_rate_window server.min_body_rate server.min_body_rate_window server.max_head server.max_headers \
                server.max_connections server.max_handshakes server.max_requests_per_connection server.handshake_timeout server.header_timeout server.body_timeout server.idle_timeout server.websocket_ping \
                server.drain_timeout server.stream_drain server.lame_duck server.state server.tls_ticket_keys server.error_types listeners.id listeners.address listeners.mode listeners.group listeners.protocol listeners.http2 listeners.half_close listeners.proxy_protocol listeners.forwarded listeners.clients listeners.max_connections_per_client listeners.new_connections_per_client listeners.tls listeners.tls.min_version listeners.tls.client_certificates listeners.tls.ca listeners.tls.crl listeners.https_redirect listeners.hsts http2.max_concurrent_streams http2.max_connection_age admin.listen admin.hosts admin.token admin.token_file admin.read_token tables.watch tables.accept_exposure log.level log.format \
                access_log.failures access_log.successes access_log.format access_log.fields access_log.headers replay.keep \
                upgrade.socket upgrade.drain_timeout dns.servers dns.timeout dns.min_ttl dns.max_ttl";
    for key in keys.split_whitespace() {
        assert!(DOCS.contains(&format!("\n| `{key}` |")), "{key}");
    }
}

/// The rows of the table behind a line: key, default and meaning; where the table has two columns, the default is empty.
fn rows(behind: &str) -> Vec<[&'static str; 3]> {
    let text = DOCS.split_once(&format!("\n{behind}\n")).map(|(_, text)| text).unwrap_or_default();
    let lines =
        text.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let row = |line: &'static str| -> [&'static str; 3] {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        match cells.as_slice() {
            [key, meaning] => [key, "", meaning],
            cells => std::array::from_fn(|at| cells.get(at).copied().unwrap_or_default()),
        }
    };
    // Behind its head.
    lines.skip(2).map(row).collect()
}

/// The names in backquotes.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_keys_of_a_route_are_those_of_the_table_with_their_words() {
    let (routes, others) = (rows("### `[[routes]]`"), rows("### Routes that call nothing"));
    let explained: Vec<&[&str; 3]> = routes.iter().chain(&others).collect();
    for [key, default, meaning] in &explained {
        let key = names(key).next().unwrap();
        let declared = route_keys::all().find(|declared| declared.name == key).unwrap();
        assert!(meaning.contains(declared.words), "{key}: {meaning}");
        let of_file = default.starts_with("the file's") || default.starts_with("the [file's]");
        assert_eq!(of_file, declared.at_top, "{key}");
    }
    assert_eq!(explained.len(), route_keys::all().count(), "each once");
    let top = rows("### At the top of a file");
    let mut top: Vec<&str> = top.iter().flat_map(|[key, ..]| names(key)).collect();
    let mut declared = keys::at_top().to_vec();
    top.sort_unstable();
    declared.sort_unstable();
    assert_eq!(top, declared);
}

#[test]
fn what_routes_that_call_nothing_take_is_said_where_they_are_explained() {
    let section = DOCS.split("### Routes that call nothing").nth(1).and_then(|text| text.split("```").next());
    for key in route_keys::of_action(keys::REWRITE.name).iter().filter(|key| **key != keys::MATCH.name) {
        assert!(section.unwrap().contains(&format!("`{key}`")), "{key}");
    }
}
