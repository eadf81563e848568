//! `callgate schema`: the JSON Schemas of the files, by which editors complete and check them.

use super::failure::Failure;
use super::json;
use crate::config::schema;
use clap::{Args, ValueEnum};

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate schema tables > tables.schema.json     for files with the line `#:schema tables.schema.json`
  callgate schema gateway | jq '.properties.server.properties | keys'";

/// Whose schema.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The kind of file
    pub of: File,
}

/// The kinds of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum File {
    /// Backends and routes: what the gateway watches
    Tables,
    /// The gateway's own file
    Gateway,
}

/// Says it.
pub(super) fn run(what: &Schema) -> Result<String, Failure> {
    let schema = match what.of {
        File::Tables => schema::of_tables(),
        File::Gateway => schema::of_settings(),
    };
    Ok(json::text(&schema))
}
