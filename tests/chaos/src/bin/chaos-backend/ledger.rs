//! Which ids have run, kept where a SIGKILL cannot take it: one line a run, appended in one write before the answer. The
//! system has the line once the write returns, whatever becomes of the process.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// The file of runs.
pub(crate) struct Ledger {
    file: File,
}

impl Ledger {
    /// Opens it for appending; instances that are restarted go on in the same file.
    pub(crate) fn open(path: &Path) -> io::Result<Ledger> {
        Ok(Ledger { file: File::options().create(true).append(true).open(path)? })
    }

    /// Notes a run.
    pub(crate) fn ran(&self, id: u64) -> io::Result<()> {
        (&self.file).write_all(format!("{id}\n").as_bytes())
    }
}
