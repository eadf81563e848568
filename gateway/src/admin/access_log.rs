//! What the access log has: the last failures; and `POST /-/log`, which changes which requests have lines while the gateway runs.

use super::asked::Asked;
use crate::access_log::AccessLog;
use crate::config::{AccessLogFormat, AccessLogSettings};
use crate::routes::query_pairs;
use serde_json::{Value, json};

/// Has the access log be as the gateway's file says, but for what the query says; how it is then.
pub(super) fn change(query: &str, log: &AccessLog) -> Result<Value, String> {
    let pairs =
        query_pairs(query).map_err(|_| "the query is not UTF-8 after percent-decoding\n".to_owned())?;
    for (at, (name, _)) in pairs.iter().enumerate() {
        if pairs[..at].iter().any(|(other, _)| other == name) {
            return Err(format!("`{name}` is given twice\n"));
        }
    }
    let changed = log.change(pairs.iter().map(|(name, value)| (&**name, &**value)));
    let changed = changed.map_err(|why| format!("{why}\n"))?;
    tracing::info!(
        failures = changed.failures,
        successes = changed.successes.percent(),
        "the access log has changed"
    );
    Ok(shown(&changed))
}

/// The last failures, or those of them that are asked for; the newest first, each as a line of the access log has it.
pub(super) fn failures(log: &AccessLog, asked: &Asked) -> String {
    let Some((failures, dropped)) = log.failures() else {
        return "{\"failures\":[],\"dropped\":0}\n".to_owned();
    };
    let mut page = b"{\"failures\":[".to_vec();
    failures.look(|records| {
        for (n, record) in asked.part_or_all(records).enumerate() {
            page.extend_from_slice(if n == 0 { b"\n" } else { b",\n" });
            page.extend_from_slice(record);
        }
    });
    // Records are JSON, and that is UTF-8.
    format!("{}],\n\"dropped\":{dropped}}}\n", String::from_utf8_lossy(&page))
}

/// The failure of that id; of several the newest.
pub(super) fn record(log: &AccessLog, id: &str) -> Option<Value> {
    let (failures, _) = log.failures()?;
    let is_it = |record: &Value| record.get("request_id").and_then(Value::as_str) == Some(id);
    failures.look(|records| records.filter_map(|record| serde_json::from_slice(record).ok()).find(is_it))
}

/// The settings, as the gateway's file names them.
pub(super) fn shown(settings: &AccessLogSettings) -> Value {
    let AccessLogSettings { failures, successes, format, fields, headers } = settings;
    let format = AccessLogFormat::ALL.iter().find(|(_, own)| own == format).map(|(name, _)| name);
    json!({
        "failures": failures,
        "successes": format!("{}%", successes.percent()),
        "format": format,
        "fields": fields.names().collect::<Vec<_>>(),
        "headers": headers.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_there_are_failures_the_page_is_json_as_well() {
        let log = AccessLog::new(&AccessLogSettings::default());
        let read: Value = serde_json::from_str(&failures(&log, &Asked::default())).expect("JSON");
        assert_eq!(read, json!({ "failures": [], "dropped": 0 }));
    }

    #[test]
    fn what_the_query_says_holds_and_mistakes_change_nothing() {
        let log = AccessLog::new(&AccessLogSettings::default());
        let shown = change("successes=100%25", &log).expect("it can be so");
        assert_eq!((&shown["successes"], &shown["failures"]), (&json!("100%"), &json!(true)));
        for (query, told) in [
            ("successes=1%25&successes=2%25", "given twice"),
            ("successes=all", "a share such as 1%"),
            ("format=json", "no `format`"),
            ("%ff=1", "not UTF-8"),
        ] {
            let error = change(query, &log).expect_err(query);
            assert!(error.contains(told) && error.ends_with('\n'), "{error}");
        }
        assert_eq!(log.settings().successes.percent(), 100.0);
    }
}
