//! Tables that lose much at once. A file that is truncated and then written is empty in between, a folder that is copied lacks
//! most of its files for a moment, and each looks like an operator who takes routes away. So what file events bring and what
//! loses most of the routes is taken only when it has stayed so for a while. Whoever asks for a reload in so many words
//! (SIGHUP, the admin port) gets it at once.

use crate::certificates::InForce;
use crate::config::{Matcher, TableHash, Tables, shown};
use crate::routes::Table;
use callgate_tls::Name;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// How long what was read has to stay so.
pub(super) const STAYS: Duration = Duration::from_secs(2);

/// What speaks against taking tables at once: more than half of the routes or of the certificates are gone, or a file is empty that
/// was not.
pub(super) fn loss(before: &Table, certificates: &InForce, next: &Tables) -> Option<String> {
    let kept: HashSet<&Matcher> = next.routes.iter().map(|route| &route.matcher).collect();
    let gone = before.routes.iter().filter(|route| !kept.contains(&route.matcher));
    let (had, lost) = (before.routes.len(), gone.count());
    if lost * 2 > had {
        return Some(format!("{lost} of {had} routes are gone"));
    }
    let kept: HashSet<&Name> = next.certificates.iter().flat_map(|one| &one.names).collect();
    let names = certificates.entries().iter().filter_map(|entry| entry.spec.names.first());
    let (had, lost) = (certificates.entries().len(), names.filter(|name| !kept.contains(name)).count());
    if lost * 2 > had {
        return Some(format!("{lost} of {had} certificates are gone"));
    }
    let emptied = next.empty.iter().find(|file| !before.empty.contains(file));
    emptied.map(|file| format!("{} is empty", shown(file)))
}

/// Which tables wait, and until when.
#[derive(Debug, Default)]
pub(super) struct Waiting(Option<(TableHash, Instant)>);

/// What is to be done with tables that were read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// They are taken.
    Take,
    /// They begin to wait.
    Begin,
    /// They wait already, and go on.
    Wait,
}

impl Waiting {
    /// What is to be done with the tables of that hash, read `now`; they lose much or do not.
    pub(super) fn judge(&mut self, hash: TableHash, loses: bool, now: Instant) -> Verdict {
        match self.0 {
            Some((waiting, due)) if loses && waiting == hash && now < due => return Verdict::Wait,
            Some((waiting, _)) if loses && waiting != hash => {}
            None if loses => {}
            _ => {
                self.0 = None;
                return Verdict::Take;
            }
        }
        self.0 = Some((hash, now + STAYS));
        Verdict::Begin
    }

    /// Nothing waits any more. Whether something did.
    pub(super) fn end(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// Waits until what waits is to be read again; for ever where nothing does. Cancel safe.
    pub(super) async fn due(&self) {
        match self.0 {
            Some((_, due)) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;
    use crate::discovery::Lists;

    const BACKEND: &str = "[backends.a]\nendpoints = ['x:1']\n";

    fn tables(files: &[(&str, &str)]) -> Tables {
        let sources = files.iter().map(|(name, text)| Source::new(*name, *text)).collect();
        Tables::parse(sources).expect("sound tables")
    }

    fn routes(paths: &[&str]) -> String {
        paths.iter().map(|path| format!("[[routes]]\nmatch = 'GET /{path}'\nrespond = {{}}\n")).collect()
    }

    /// What is lost from one table to the next, each of files.
    fn lost(before: &[(&str, &str)], next: &[(&str, &str)]) -> Option<String> {
        let before = Table::next(&Table::empty(), tables(before), &Lists::default(), 1);
        loss(&before, &InForce::default(), &tables(next))
    }

    #[test]
    fn more_than_half_of_the_routes_or_a_file_that_was_not_empty_is_a_loss() {
        let (four, two, one) = (routes(&["a", "b", "c", "d"]), routes(&["a", "b"]), routes(&["a"]));
        let others = routes(&["x", "y", "z", "a"]);
        for (before, next, expected) in [
            (&four, &four, None),
            (&four, &two, None),
            (&four, &one, Some("3 of 4 routes are gone")),
            (&four, &String::new(), Some("4 of 4 routes are gone")),
            (&four, &others, Some("3 of 4 routes are gone")),
            (&one, &String::new(), Some("1 of 1 routes are gone")),
            (&String::new(), &four, None),
            (&String::new(), &String::new(), None),
        ] {
            assert_eq!(lost(&[("t.toml", before)], &[("t.toml", next)]).as_deref(), expected);
        }
        let beside = |text: &'static str| [("t.toml", four.as_str()), ("u.toml", text)];
        assert_eq!(lost(&beside(BACKEND), &beside(" \n")).as_deref(), Some("u.toml is empty"));
        assert_eq!(lost(&beside(BACKEND), &beside("# nothing yet\n")), None);
        assert_eq!(lost(&beside(""), &beside("\n")), None, "it was empty before");
    }

    #[test]
    fn what_stays_so_is_taken_and_what_changes_waits_anew() {
        let (one, two) = (tables(&[("t.toml", BACKEND)]).hash, tables(&[("u.toml", BACKEND)]).hash);
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut waiting = Waiting::default();
        let mut judge = |hash, loses, ms| waiting.judge(hash, loses, at(ms));
        assert_eq!(judge(one, true, 0), Verdict::Begin);
        assert_eq!(judge(one, true, 1000), Verdict::Wait);
        assert_eq!(judge(two, true, 1500), Verdict::Begin, "something else");
        assert_eq!(judge(two, true, 3499), Verdict::Wait);
        assert_eq!(judge(two, true, 3500), Verdict::Take);
        assert_eq!(judge(one, true, 4000), Verdict::Begin);
        assert_eq!(judge(two, false, 4100), Verdict::Take, "sound tables are taken at once");
        assert_eq!(judge(one, true, 9000), Verdict::Begin, "and what waited is forgotten");
        assert!(waiting.end() && !waiting.end());
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_due_after_two_seconds() {
        let began = Instant::now();
        let mut waiting = Waiting::default();
        waiting.judge(tables(&[("t.toml", BACKEND)]).hash, true, began);
        waiting.due().await;
        assert_eq!(began.elapsed().as_secs(), 2);
        waiting.end();
        assert!(tokio::time::timeout(Duration::from_secs(3600), waiting.due()).await.is_err());
    }
}
