//! `callgate check`: whether the files hold, and whether they suit an instance that lives or a gateway that runs.

mod against;
mod exposure;

use super::{Config, Failure, json, listing, load};
use crate::config::Settings;
use crate::control;
use clap::Args;
use serde_json::json;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate check && git commit                    commit only tables that hold
  callgate check --against 127.0.0.1:7101         do the routes fit what that backend offers?
  callgate check --diff http://127.0.0.1:8081     would that gateway take these tables?
  callgate check --json | jq '.errors[]?.places[0]'";

/// What to check.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Where the gateway's file is
    #[command(flatten)]
    pub config: Config,
    /// Connect to this backend too, and check whether the routes fit what it offers
    ///
    /// Checks the routes of those backends that have this endpoint: that it offers their methods, and that the fields of their
    /// paths, bodies and responses are the methods'. Exits with 2 where it cannot be asked.
    #[arg(long, value_name = "HOST:PORT")]
    pub against: Option<String>,
    /// Ask this gateway's admin port too, and say what the files would open that is closed there
    ///
    /// A change that lets more callers come to a method than before is refused with the line that accepts it. The token of the
    /// port is in CALLGATE_ADMIN_TOKEN. Exits with 2 where it cannot be asked.
    #[arg(long, value_name = "URL", conflicts_with = "against")]
    pub diff: Option<String>,
    /// Whose routes to check, where no backend of the tables has that endpoint
    #[arg(long, value_name = "NAME", requires = "against")]
    pub backend: Option<String>,
    /// How it is said
    #[command(flatten)]
    pub output: json::Output,
}

pub(super) fn run(what: &Check) -> Result<String, Failure> {
    let checked = check(what);
    if !what.output.json {
        return checked;
    }
    checked.map(|said| json::text(&json!({ "ok": true, "said": said }))).map_err(Failure::into_json)
}

fn check(what: &Check) -> Result<String, Failure> {
    let tables = load(&what.config.file)?;
    if let Some(endpoint) = &what.against {
        tables.check_security(false, |_| false)?;
        return against::check(&tables, endpoint, what.backend.as_deref());
    }
    let tables = control::check(tables)?;
    if let Some(url) = &what.diff {
        exposure::check(&tables, &Settings::load(&what.config.file)?, url)?;
    }
    Ok(listing::summary(&tables))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::Folder;
    use std::path::{Path, PathBuf};

    /// A gateway's file that watches one table of that text.
    fn folder(table: &str) -> (Folder, PathBuf) {
        let folder = Folder::new();
        folder.write("routes/t.toml", table);
        let file = folder.write("config/gateway.toml", "");
        (folder, file)
    }

    fn of_files(file: &Path) -> Check {
        Check {
            config: Config { file: file.to_owned() },
            against: None,
            diff: None,
            backend: None,
            output: json::Output::default(),
        }
    }

    /// How many mistakes a check finds.
    fn mistakes(file: &Path) -> usize {
        match run(&of_files(file)) {
            Err(Failure::Mistakes(found)) => found.len(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn check_counts_what_holds_and_shows_what_does_not() {
        let (_folder, file) = folder("[backends.a]\nendpoints = ['x:1']\n");
        let text = run(&of_files(&file)).unwrap();
        assert!(text.starts_with("ok: 0 routes, 1 backend, hash "), "{text}");
        let (_folder, file) = folder("[[routes]]\n");
        assert_eq!(mistakes(&file), 3);
        assert_eq!(mistakes(Path::new("/nowhere/gateway.toml")), 1);
        let (_folder, file) = folder(
            "[backends.a]\nendpoints = ['x:1']\ntls = { ca = 'missing.pem' }\n\
             [[certificates]]\nnames = ['a.example']\ncert = 'a.pem'\nkey = 'a.key'\n",
        );
        assert_eq!(mistakes(&file), 2, "of all files that are named");
    }
}
