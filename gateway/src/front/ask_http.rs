//! Who calls, where an authenticator asks a service over HTTP, in the manner of forward-auth: what that is told of a request, and what its
//! answer comes to.
//!
//! The service is told the request's method, host, path, scheme and client, and the headers that the table lists; never its body. What it
//! says in its own headers becomes an identity. Nothing of the client's own is taken for that: headers of the same names are not looked at.

use super::asked_path::asked_path;
use super::exchange::Exchange;
use crate::auth::{Authenticator, Question, Unanswered, Verdict};
use crate::config::{HttpSpec, Outside};
use crate::failure::{Failure, Flaw};
use crate::fields::{self, COOKIE};
use crate::http_client::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use crate::http_client::{Bounds, Failed, HeaderMap, Reply, Request};
use callgate_auth::{Identity, told};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cell::Cell;

/// The longest body of an answer, in bytes. Nobody reads it.
const MAX_BODY: usize = 64 * 1024;
/// The longest challenge that is passed on, in bytes.
const MAX_CHALLENGE: usize = 1024;

/// Has an authenticator's service asked who calls. Beside what it says of the caller, there may be a challenge for it.
///
/// # Errors
///
/// What is asked about cannot be read.
pub(super) async fn ask(
    exchange: &Exchange,
    authenticator: &Authenticator,
    spec: &HttpSpec,
) -> Result<(Verdict, Option<Box<str>>), Failure> {
    let Exchange { worker, context, .. } = exchange;
    let fields = told_fields(exchange, spec)?;
    let question = Question {
        authenticator,
        spec: &spec.external,
        told: &told_bytes(&fields),
        worker: worker.id,
        verified: &worker.verified,
        request_id: context.id.as_str(),
    };
    let challenge = Cell::new(None);
    let answer = async {
        let unavailable = || Unanswered::new(Flaw::Away, "the CAs of its URL could not be read yet");
        let (tls, hash) = authenticator.tls().ok_or_else(unavailable)?;
        let request = Request { fields, ..Request::get() };
        let bounds = Bounds { time: spec.external.timeout, body: MAX_BODY };
        let key = (authenticator.id, hash);
        let reply = worker.asked.ask(key, &spec.target.url, tls, request, &bounds).await;
        let reply = reply.map_err(|failed| unanswered(&failed))?;
        if reply.status == 401 {
            challenge.set(challenge_of(&reply));
        }
        caller(spec, &reply)
    };
    let verdict = question.ask(answer).await;
    Ok((verdict, challenge.take()))
}

/// All that the service is told.
fn told_fields(exchange: &Exchange, spec: &HttpSpec) -> Result<HeaderMap, Failure> {
    let Exchange { head, context, .. } = exchange;
    let mut told = HeaderMap::new();
    let sent = head.fields();
    for outside in &spec.told {
        let Outside::Header { name, .. } = outside else { continue };
        // Several lines of cookies are one (RFC 9113, 8.2.3).
        let value = match *name == COOKIE {
            true => fields::joined(sent, name, b"; "),
            false => fields::line(sent, name)?.map(Cow::Borrowed),
        };
        if let Some(value) = value {
            put(&mut told, name.as_str(), &value)?;
        }
    }
    let mut room = String::new();
    let mut uri = asked_path(head, &mut room)?.to_owned();
    if let Some(query) = head.query() {
        uri.push('?');
        uri.push_str(query);
    }
    put(&mut told, "x-forwarded-method", head.method().as_bytes())?;
    put(&mut told, "x-forwarded-uri", uri.as_bytes())?;
    put(&mut told, "x-forwarded-host", head.host().unwrap_or_default().as_bytes())?;
    let scheme = if exchange.connection().tls.get().is_some() { "https" } else { "http" };
    put(&mut told, "x-forwarded-proto", scheme.as_bytes())?;
    if let Some(client) = context.client {
        put(&mut told, "x-forwarded-for", client.to_string().as_bytes())?;
    }
    Ok(told)
}

fn put(fields: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), Failure> {
    let name = HeaderName::try_from(name).map_err(|error| Failure::Internal(error.to_string()))?;
    let not_text = |_| Failure::NotUtf8(format!("{name} cannot be sent along").into());
    fields.append(&name, HeaderValue::from_bytes(value).map_err(not_text)?);
    Ok(())
}

/// All that it is told, each text with its length before it. The order is that of the table.
fn told_bytes(fields: &HeaderMap) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        for text in [name.as_str().as_bytes(), value.as_bytes()] {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text);
        }
    }
    bytes
}

/// Whom an answer names.
fn caller(spec: &HttpSpec, reply: &Reply) -> Result<Identity, Unanswered> {
    match reply.status {
        200..=299 => {}
        401 => return Err(Unanswered::new(Flaw::Unknown, "it knows nobody like that")),
        403 => return Err(Unanswered::new(Flaw::Forbidden, "it does not let the caller in")),
        status => return Err(Unanswered::new(Flaw::Away, format!("it has answered {status}"))),
    }
    let nameless = || Unanswered::new(Flaw::BadAnswer, format!("its answer has no header {}", spec.name));
    let name = value(reply, &spec.name)?.ok_or_else(nameless)?;
    let scopes = match &spec.scopes {
        Some(header) => value(reply, header)?.unwrap_or_default(),
        None => "",
    };
    let scopes = scopes.split([' ', ',']).filter(|scope| !scope.is_empty());
    let identity = told::identity(name, scopes)?;
    let mut claims = Map::new();
    for (claim, header) in &spec.claims {
        if let Some(value) = value(reply, header)? {
            claims.insert(claim.clone(), Value::from(value));
        }
    }
    Ok(told::with_claims(identity, claims)?)
}

/// The only value of a header of an answer. Whoever reads another one of several would take the caller for somebody else.
fn value<'r>(reply: &'r Reply, name: &str) -> Result<Option<&'r str>, Unanswered> {
    reply.one(name).map_err(|why| Unanswered::new(Flaw::BadAnswer, format!("its header {name} {why}")))
}

/// How it says that a caller could show who it is: all of it, if that is plain and not long.
fn challenge_of(reply: &Reply) -> Option<Box<str>> {
    let all = reply.list(&WWW_AUTHENTICATE)?;
    let begins = all.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
    let is_plain = all.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (begins && is_plain && all.len() <= MAX_CHALLENGE).then(|| all.into())
}

/// What it means that there is no answer.
fn unanswered(failed: &Failed) -> Unanswered {
    let flaw = match failed {
        Failed::Unreachable(_) => Flaw::Away,
        Failed::TimedOut => Flaw::Late,
        Failed::TooLong | Failed::Broken(_) => Flaw::BadAnswer,
    };
    Unanswered::new(flaw, failed.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AuthKind, Source, Tables};

    const TABLE: &str = "[auth.gate]\ntype = 'http'\nurl = 'http://127.0.0.1:1/auth'\nname = 'X-User'\nscopes = 'x-scopes'\n\
         claims = { email = 'x-email' }\n";

    fn spec() -> HttpSpec {
        let tables = Tables::parse(vec![Source::new("t.toml", TABLE)]).expect("sound tables");
        match &tables.authenticators[0].kind {
            AuthKind::Http(spec) => spec.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn reply(status: u16, lines: &[(&'static str, &str)]) -> Reply {
        let mut fields = HeaderMap::new();
        for (name, value) in lines {
            fields.append(*name, HeaderValue::try_from(*value).expect("a value"));
        }
        Reply { status, fields, body: Default::default() }
    }

    #[test]
    fn an_answer_names_a_caller_or_says_why_not() {
        let spec = spec();
        let known = caller(
            &spec,
            &reply(204, &[("x-user", " ada "), ("x-scopes", "a, b c"), ("x-email", "a@b.example")]),
        );
        let known = known.expect("she is known");
        assert_eq!(known.name(), "ada");
        assert_eq!(known.claims().get("email"), Some(&Value::from("a@b.example")));
        assert_eq!(
            known,
            told::with_claims(
                told::identity("ada", ["a", "b", "c"]).expect("plain"),
                [("email".to_owned(), Value::from("a@b.example"))].into_iter().collect()
            )
            .expect("few")
        );
        for (status, lines, flaw) in [
            (401, &[("x-user", "ada")][..], Flaw::Unknown),
            (403, &[("x-user", "ada")], Flaw::Forbidden),
            (200, &[], Flaw::BadAnswer),
            (200, &[("x-user", "")], Flaw::BadAnswer),
            (200, &[("x-user", "ada"), ("x-user", "bob")], Flaw::BadAnswer),
            (200, &[("x-user", "ada"), ("x-scopes", "a"), ("x-scopes", "b")], Flaw::BadAnswer),
            (200, &[("x-user", "ada"), ("x-email", "a"), ("x-email", "a")], Flaw::BadAnswer),
            (101, &[("x-user", "ada")], Flaw::Away),
            (302, &[("x-user", "ada")], Flaw::Away),
            (404, &[("x-user", "ada")], Flaw::Away),
            (500, &[("x-user", "ada")], Flaw::Away),
        ] {
            let unanswered = caller(&spec, &reply(status, lines)).expect_err("nobody");
            assert_eq!(unanswered.flaw, flaw, "{status} {lines:?}");
        }
    }

    #[test]
    fn a_challenge_is_passed_on_if_it_is_plain_and_short() {
        let long = format!("Bearer realm=\"{}\"", "x".repeat(MAX_CHALLENGE));
        for (lines, expected) in [
            (&[][..], None),
            (&[("www-authenticate", "Bearer realm=\"id\"")][..], Some("Bearer realm=\"id\"")),
            (
                &[("www-authenticate", "Bearer"), ("www-authenticate", "Basic realm=\"a\"")],
                Some("Bearer, Basic realm=\"a\""),
            ),
            (&[("www-authenticate", "Bearer\ta")], None),
            (&[("www-authenticate", "ü")], None),
            (&[("www-authenticate", "")], None),
            (&[("www-authenticate", &long)], None),
        ] {
            assert_eq!(challenge_of(&reply(401, lines)).as_deref(), expected, "{lines:?}");
        }
    }

    #[test]
    fn two_questions_are_the_same_only_if_each_text_is() {
        let told = |lines: &[(&'static str, &str)]| told_bytes(&reply(200, lines).fields);
        let all = [
            told(&[("a", "bc")]),
            told(&[("ab", "c")]),
            told(&[("a", "b"), ("c", "")]),
            told(&[("a", "bc"), ("c", "")]),
            told(&[]),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other != one), "{at}");
        }
    }
}
