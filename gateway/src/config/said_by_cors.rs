//! Headers that a route's replies have by `cors`, and that the route cannot say itself.

use super::action::{ActionDraft, ActionSpec};
use super::complaint::Complaint;
use super::cors::RouteCors;
use super::fallback::FallbackSpec;
use super::keys;
use super::local_reply::LocalReply;
use super::reader::{Reader, Section};
use super::response::ReplySpec;

/// The key of fixed replies.
const RESPOND: &str = "respond";

/// Reports headers of a route that `cors` says itself.
pub(super) fn check(cors: &RouteCors, reader: &mut Reader<'_>, section: &Section<'_>, action: &ActionDraft) {
    let RouteCors::On(_) = cors else { return };
    let (mut said, mut fixed) = (None, None);
    match action {
        ActionDraft::Call(draft) => {
            said = draft.reply();
            fixed = draft.policy.fallback.as_ref().and_then(FallbackSpec::reply);
        }
        ActionDraft::Other(ActionSpec::Local(LocalReply::Respond(spec))) => fixed = Some(&**spec),
        ActionDraft::Other(_) | ActionDraft::Bad => {}
    }
    let said = said.into_iter().flat_map(ReplySpec::header_names).map(|name| (keys::RESPONSE.name, name));
    let key = if matches!(action, ActionDraft::Call(_)) { keys::FALLBACK.name } else { RESPOND };
    let fixed = fixed.into_iter().flat_map(|spec| &spec.headers).map(|(name, _)| (key, name.as_str()));
    for (key, name) in said.chain(fixed).filter(|(_, name)| name.starts_with("access-control-")) {
        let Some(item) = section.get(key) else { continue };
        let complaint = Complaint::new(format!("`{name}` is said by `cors`"), "said here too");
        reader.complain::<()>(&item, complaint.help("remove it, or write cors = false in this route"));
    }
}
