//! `callgate man`: the manual's pages, made of the same declarations as `--help`.

use super::Failure;
use clap::Args;
use clap_mangen::{Man, generate_to};
use std::fs;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate man | man -l -              the page of the program
  callgate man --to /usr/share/man/man1    a page for it and for each command";

/// Where to.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// The folder into which all pages are written; without, the first one is printed
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

pub(super) fn run(pages: &Pages, line: clap::Command) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::NotAsked(format!("no page can be written: {error}"));
    let Some(folder) = &pages.to else {
        let mut page = Vec::new();
        Man::new(line).render(&mut page).map_err(failed)?;
        return Ok(String::from_utf8_lossy(&page).trim_end().to_owned());
    };
    fs::create_dir_all(folder).and_then(|()| generate_to(line, folder)).map_err(failed)?;
    Ok(format!("wrote the pages to {}", folder.display()))
}
