//! What `/routes` shows of what a route says of its replies.

use super::{ContentType, EtagSpec, ReplySpec, StatusSpec, StreamForm};
use callgate_transcode::Pick;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl ReplySpec {
    /// As it is shown. `picks` are the fields that the route picks.
    pub fn page(&self, picks: &[Pick]) -> Value {
        let field = |at: usize| picks.get(at).map(|pick| pick.field.as_str());
        let status = match &self.status {
            StatusSpec::Usual => Value::Null,
            StatusSpec::Fixed(status) => (*status).into(),
            StatusSpec::ByField { field: at, statuses } => {
                let statuses: BTreeMap<&str, u16> =
                    statuses.iter().map(|(value, status)| (value.as_str(), *status)).collect();
                json!({ "field": field(*at), "statuses": statuses })
            }
        };
        let etag = self.etag.map(|etag| match etag {
            EtagSpec::Hash => json!(true),
            EtagSpec::Field(at) => json!(field(at)),
        });
        let raw = self.raw.as_ref().map(|raw| {
            let content_type = match &raw.content_type {
                ContentType::Fixed(text) | ContentType::Template(_, text) => json!(text),
                ContentType::Field(at) => json!({ "field": field(*at) }),
            };
            json!({ "content_type": content_type, "is_file": raw.file.is_some() })
        });
        let events = self.events.map(|events| {
            json!({
                "event": events.event.and_then(field),
                "id": events.id.and_then(field),
                "retry": events.retry.and_then(field),
                "heartbeat_ms": events.heartbeat.as_millis() as u64,
            })
        });
        json!({
            "raw": raw,
            "stream": self.stream.map(StreamForm::name),
            "events": events,
            "status": status,
            "headers": self.header_names().collect::<Vec<_>>(),
            "links": self.links.iter().map(|link| link.relation.as_str()).collect::<Vec<_>>(),
            "etag": etag,
            "errors": self.errors.all().collect::<BTreeMap<_, _>>(),
        })
    }
}
