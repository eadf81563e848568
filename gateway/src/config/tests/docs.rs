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
                slow_factor ejection max_ejection max_ejected slow_start retry_budget hold max_in_flight max_in_flight_per_instance adaptive queue priority when min max size match call backend timeout idempotent \
                retry body response unknown_fields int64 split version header shadow share fallback rate_limit rate burst by dry_run max_keys metadata respond redirect rewrite status body json content_type headers to prefix \
                server.listen server.workers server.max_body server.max_body_memory server.max_answer server.max_answer_memory server.min_send_rate server.min_send_rate_window server.max_head \
                server.max_connections server.header_timeout server.body_timeout server.idle_timeout \
                server.drain_timeout server.lame_duck server.state listeners.id listeners.address listeners.mode listeners.group listeners.protocol admin.listen admin.hosts admin.token admin.token_file tables.watch log.level log.format \
                upgrade.socket upgrade.drain_timeout dns.servers dns.timeout dns.min_ttl dns.max_ttl";
    for key in keys.split_whitespace() {
        assert!(DOCS.contains(&format!("\n| `{key}` |")), "{key}");
    }
}
