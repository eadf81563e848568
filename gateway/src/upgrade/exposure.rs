//! Who could call what, carried over to the successor: else tables that are wider would be its first ones, which are compared with nothing.

use crate::exposure::Record;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// So many bytes of it go into a line.
const PIECE: usize = 600;
/// More than a record of many thousand routes: what is said beyond that is not believed.
const MOST: usize = 64 << 20;

/// Lines `exposure PART`, one after the other the whole record.
pub(super) fn lines(record: &Record) -> Vec<String> {
    record.text().chunks(PIECE).map(|piece| format!("exposure {}", STANDARD_NO_PAD.encode(piece))).collect()
}

/// A record whose lines are read.
#[derive(Default)]
pub(super) struct Parts(Vec<u8>);

impl Parts {
    /// Reads what follows `exposure`.
    pub(super) fn read(&mut self, part: &str) {
        if self.0.len() < MOST {
            // A part that is none makes the whole none.
            self.0.extend(STANDARD_NO_PAD.decode(part).unwrap_or_default());
        }
    }

    /// The record; none where there was none, or it is of another form.
    pub(super) fn whole(self) -> Option<Record> {
        Record::parse(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source, Tables};
    use crate::exposure::Ways;

    #[test]
    fn a_record_is_itself_after_it_was_said_in_lines() {
        let routes: String = (0..50)
            .map(|at| format!("[[routes]]\nmatch = 'GET /{at}'\ncall = 's.m{at}'\nauth = 'u'\n"))
            .collect();
        let text = format!("[backends.b]\nendpoints = ['h:1']\n[auth.u]\ntype = 'unix'\n{routes}");
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).unwrap();
        let settings = Settings::parse(Source::new("gateway.toml", String::new()), None).unwrap();
        let record = Record::begin(Ways::of(&tables, &settings.listeners));
        let lines = lines(&record);
        assert!(lines.len() > 3 && lines.iter().all(|line| line.len() < 1000));
        let mut parts = Parts::default();
        lines.iter().for_each(|line| parts.read(line.strip_prefix("exposure ").unwrap()));
        assert_eq!(parts.whole(), Some(record));
        assert_eq!(Parts::default().whole(), None);
    }
}
