//! What names listed last, kept on disk: a gateway that is started while the servers fail begins with it, as a successor begins with
//! what its predecessor knew. The first answer of a server replaces it.

use super::{Plane, aside};
use crate::discovery::{Listed, Lists, Query};
use crate::state::State;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// The file. A line for each instance: the name and what it lists, as an upgrade in place says them.
const FILE: &str = "names";

/// Its first line. What begins otherwise is of another version, and passed over.
const HEAD: &str = "callgate names 1";

/// More instances than anybody lists: what stands beyond that is not believed.
const MAX_LISTED: usize = 65_536;

/// The file is written so often at most.
const PAUSE: Duration = Duration::from_secs(1);

/// What the gateway before this one has kept.
pub fn read(state: &State) -> Vec<(Query, Listed)> {
    let content = state.read(FILE).unwrap_or_default();
    let listed = parse(&String::from_utf8_lossy(&content));
    if !listed.is_empty() {
        tracing::info!(instances = listed.len(), "names begin with what they listed last");
    }
    listed
}

/// Writes what names list whenever that has changed, for ever.
pub(super) async fn keep(plane: &Arc<Plane>) {
    let shared = &plane.shared;
    let (mut members, mut tables) = (shared.members_changed.subscribe(), shared.table_changed.subscribe());
    // Before, a name may have no answer only because nobody has waited for it.
    shared.names_have_begun().await;
    let mut written = None;
    loop {
        let text = text(&plane.names.lists());
        if written.as_ref() != Some(&text) {
            let content = text.clone();
            let _ = aside(plane, move |plane| plane.state.write(FILE, content.as_bytes())).await;
            written = Some(text);
        }
        sleep(PAUSE).await;
        // Whatever they tell, or have told too much of, is a reason to look. The senders are in `shared`.
        tokio::select! {
            _ = members.recv() => {}
            _ = tables.changed() => {}
        }
    }
}

fn text(lists: &Lists) -> String {
    let line = |query: &Query, one: &Listed| format!("{query} {one}\n");
    let mut lines: Vec<String> =
        lists.iter().flat_map(|(query, list)| list.listed.iter().map(|one| line(query, one))).collect();
    lines.sort_unstable();
    format!("{HEAD}\n{}", lines.concat())
}

/// Lines that cannot be read are passed over.
fn parse(text: &str) -> Vec<(Query, Listed)> {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return Vec::new();
    }
    let one = |line: &str| {
        let (query, listed) = line.split_once(' ')?;
        Some((query.parse().ok()?, listed.parse().ok()?))
    };
    lines.filter_map(one).take(MAX_LISTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::List;
    use std::net::IpAddr;

    #[test]
    fn what_is_kept_reads_back_as_itself_and_nonsense_is_passed_over() {
        let listed = |last| Listed::from(IpAddr::from([10, 0, 0, last]));
        let query = |host: &str| Query::Host(host.to_owned());
        let list = |all: &[u8]| Arc::new(List::of(all.iter().map(|last| listed(*last)).collect()));
        let lists = Lists::from([
            (query("b.test"), list(&[1, 2])),
            (query("a.test"), list(&[3])),
            (query("none.test"), list(&[])),
        ]);
        let text = text(&lists);
        assert_eq!(text, "callgate names 1\na.test 10.0.0.3\nb.test 10.0.0.1\nb.test 10.0.0.2\n");
        let kept = [(query("a.test"), listed(3)), (query("b.test"), listed(1)), (query("b.test"), listed(2))];
        assert_eq!(parse(&text), kept);
        assert_eq!(parse(&format!("{text}\n \nx\na.test what\n")), kept);
        for other in ["", "callgate names 2\na.test 10.0.0.3\n", "a.test 10.0.0.3\n"] {
            assert_eq!(parse(other), [], "{other}");
        }
    }
}
