//! `callgate openapi`: the document of a gateway that runs, to standard output or into a file.

use super::admin::{AdminPort, page};
use super::failure::Failure;
use clap::Args;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate openapi                                     what the gateway here has
  callgate openapi --admin http://10.0.0.7:8081 -o openapi.json
  callgate openapi | npx openapi-typescript -o api.d.ts

Environment:
  CALLGATE_ADMIN_TOKEN  the token of the admin port";

/// Whose document, and where to.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct OpenApi {
    /// Whom to ask
    #[command(flatten)]
    pub admin: AdminPort,
    /// Where to write it; to standard output without
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Fetches it, and writes it.
pub(super) fn run(what: &OpenApi) -> Result<String, Failure> {
    let page = page(&what.admin.url, "/openapi.json")?;
    let Some(file) = &what.output else {
        return Ok(String::from_utf8_lossy(page.trim_ascii_end()).into_owned());
    };
    std::fs::write(file, &page)
        .map_err(|error| Failure::NotAsked(format!("{} cannot be written: {error}", file.display())))?;
    Ok(format!("written: {}", file.display()))
}
