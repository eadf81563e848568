//! What a trial came to: each promise, whether it held, and the figures.

use std::process::ExitCode;

/// The promises of a trial.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    promises: Vec<(bool, String)>,
    skipped: Option<String>,
}

impl Verdict {
    /// A trial that cannot be held here, and why.
    pub(crate) fn skipped(why: impl Into<String>) -> Verdict {
        Verdict { promises: Vec::new(), skipped: Some(why.into()) }
    }

    /// A promise, and whether it held.
    pub(crate) fn promise(&mut self, held: bool, what: impl Into<String>) {
        self.promises.push((held, what.into()));
    }

    /// Whether all of them held.
    pub(crate) fn held(&self) -> bool {
        self.promises.iter().all(|(held, _)| *held)
    }

    /// Says how each promise stands; the process's exit status.
    pub(crate) fn conclude(&self) -> ExitCode {
        if let Some(why) = &self.skipped {
            println!("SKIPPED: {why}");
            return ExitCode::SUCCESS;
        }
        println!();
        for (held, what) in &self.promises {
            println!("{}  {what}", if *held { "held   " } else { "BROKEN " });
        }
        if self.held() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
