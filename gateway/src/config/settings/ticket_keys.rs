//! `tls_ticket_keys`: a file of ticket keys, which gateways share so that each resumes the sessions of the others.

use crate::config::diagnostics::Diagnostic;
use crate::config::places::path;
use crate::config::reader::{Item, Reader};
use crate::config::{files, shown};
use callgate_tls::TicketKeys;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const HELP: &str = "`openssl rand -hex 32 > FILE` makes one; put a new key into a line before it now and then, and remove the oldest";

/// The file, and what it said when the settings were read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TicketKeysFile {
    /// Where it is. Absolute.
    pub path: PathBuf,
    /// The keys.
    pub keys: TicketKeys,
}

impl TicketKeysFile {
    /// What it says now.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in one line.
    pub fn again(&self) -> Result<TicketKeys, String> {
        keys(&self.path)
    }
}

pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<TicketKeysFile> {
    let source = Arc::clone(reader.source);
    let place = |text: &str| path(source.path(), text, "a file of ticket keys");
    let path = reader.text(item, "a path such as \"/etc/callgate/ticket-keys\"", place)?;
    match keys(&path) {
        Ok(keys) => Some(TicketKeysFile { path, keys }),
        Err(why) => {
            let unusable = Diagnostic::new("the ticket keys cannot be used");
            reader.report(unusable.at(&source, item.span(), why).help(HELP));
            None
        }
    }
}

fn keys(path: &Path) -> Result<TicketKeys, String> {
    let text = files::read(path).map_err(|error| format!("cannot read {}: {error}", shown(path)))?;
    TicketKeys::read(&text).map_err(|error| {
        let line = error.line().map(|line| format!(":{line}")).unwrap_or_default();
        format!("{}{line}: {error}", shown(path))
    })
}
