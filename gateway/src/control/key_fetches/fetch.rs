//! How keys are fetched once: one GET, answered with 200 and a document of a bounded length.

use super::Answer;
use crate::config::HttpTarget;
use crate::http_client::header::{ACCEPT, AGE, CACHE_CONTROL, HeaderValue, LOCATION};
use crate::http_client::{Bounds, Failed, HeaderMap, Reply, Request, ask};
use crate::telemetry::FetchOutcome;
use callgate_auth::jwt::Keys;
use std::time::Duration;

/// What an answer may take.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), body: Keys::MAX_BYTES };

/// Asks once, within the bounds.
pub(super) async fn fetch(target: &HttpTarget) -> Answer {
    let whose = target.clone();
    // Files are read beside the runtime.
    let tls = tokio::task::spawn_blocking(move || whose.tls()).await;
    let tls = match tls.unwrap_or_else(|error| Err(error.to_string())) {
        Ok(tls) => tls,
        Err(why) => return (Err((FetchOutcome::Unreachable, why)), None),
    };
    let mut request = Request::get();
    request.fields.insert(ACCEPT, HeaderValue::from_static("application/jwk-set+json, application/json"));
    match ask(&target.url, tls, request, &BOUNDS).await {
        Ok(Reply { status: 200, fields, body }) => (Ok(body.to_vec()), max_age(&fields)),
        Ok(reply) => (Err((FetchOutcome::Status, status(&reply))), None),
        Err(failed) => {
            let outcome = match failed {
                Failed::Unreachable(_) => FetchOutcome::Unreachable,
                Failed::TimedOut => FetchOutcome::Timeout,
                Failed::TooLong => FetchOutcome::TooLong,
                Failed::Broken(_) => FetchOutcome::Broken,
            };
            (Err((outcome, failed.to_string())), None)
        }
    }
}

/// What a reply says that has no keys. Whoever is sent elsewhere does not go there: the table says whose word counts.
fn status(reply: &Reply) -> String {
    let elsewhere = reply.fields.get(LOCATION).and_then(|value| value.to_str().ok());
    match elsewhere.filter(|_| (300..400).contains(&reply.status)) {
        Some(elsewhere) => {
            format!("it has answered {}, and redirects are not followed: {elsewhere}", reply.status)
        }
        None => format!("it has answered {}", reply.status),
    }
}

/// For how long an answer is good still (RFC 9111, 4.2), if it says that.
fn max_age(fields: &HeaderMap) -> Option<Duration> {
    let texts = fields.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut directives = texts.flat_map(|text| text.split(',')).map(|one| one.trim().to_ascii_lowercase());
    let seconds = directives.find_map(|one| match one.as_str() {
        "no-store" | "no-cache" => Some(0),
        one => one.strip_prefix("max-age=")?.trim_matches('"').parse().ok(),
    })?;
    let age = fields.get(AGE).and_then(|value| value.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
    Some(Duration::from_secs(u64::saturating_sub(seconds, age)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_for_how_long_it_is_good() {
        for (cache_control, age, expected) in [
            (None, None, None),
            (Some("public, max-age=300"), None, Some(300)),
            (Some("Max-Age=300"), Some("100"), Some(200)),
            (Some("max-age=300"), Some("400"), Some(0)),
            (Some("no-store"), None, Some(0)),
            (Some("max-age=x, private"), None, None),
            (Some("max-age=99999999999999999999999"), None, None),
            (Some("s-maxage=5"), Some("x"), None),
        ] {
            let mut fields = HeaderMap::new();
            for (name, value) in [(CACHE_CONTROL, cache_control), (AGE, age)] {
                value.map(|value| fields.insert(name, HeaderValue::from_static(value)));
            }
            assert_eq!(max_age(&fields), expected.map(Duration::from_secs), "{cache_control:?}");
        }
    }
}
