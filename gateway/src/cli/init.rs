//! `callgate init`: a table for what an instance offers, and a file for a gateway where there is none, so that `callgate run` serves it.
//!
//! What is written was read before by whatever reads tables, and each route fits its method: `callgate check --against` says so too.

mod routes;

use super::instance::{Instance, Ways};
use super::listing::count;
use super::{Failure, completions, instance, json};
use crate::config::{Settings, Source, Tables};
use crate::control;
use clap::Args;
use clap_complete::ArgValueCompleter;
use routes::Suggested;
use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf, absolute};

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate init 127.0.0.1:7101 && callgate run       a gateway for that backend, on 127.0.0.1:8080
  callgate init 127.0.0.1:7101 --to -                only look at the table
  callgate init 127.0.0.1:7101 --backend shop --prefix /api

What it writes is a beginning, and yours: change it as you like. It never writes over a file, unless --force says so.";

/// The file of a gateway that has none: what it says is the default.
const GATEWAY: &str = "\
# The gateway's own file: what needs a restart. Every key is optional. Backends and routes stand in the tables beside it, which are
# watched and need no restart.

[server]
listen = [\"127.0.0.1:8080\"]

[admin]
listen = \"127.0.0.1:8081\"
";

/// For whom a table is written.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// Where an instance is: host:port, or unix:/path
    #[arg(add = ArgValueCompleter::new(completions::addresses))]
    pub addr: String,
    /// What the backend is called; by default what the instance calls itself
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
    /// What all paths begin with; empty for nothing
    #[arg(long, value_name = "PATH", default_value = "/v1")]
    pub prefix: String,
    /// Where the table is written, `-` for standard output; by default the folder that the gateway watches
    #[arg(long, value_name = "FILE")]
    pub to: Option<String>,
    /// Write over files that are there
    #[arg(long)]
    pub force: bool,
    /// Where the gateway's file is
    #[command(flatten)]
    pub config: super::Config,
    /// How it is said
    #[command(flatten)]
    pub output: json::Output,
    /// How it is connected to
    #[command(flatten)]
    pub ways: Ways,
}

pub(super) fn run(init: &Init) -> Result<String, Failure> {
    let instance = Instance::new(&init.addr, &init.ways)?;
    let offer = instance.offer()?;
    let name = init.backend.clone().unwrap_or_else(|| routes::backend_name(&offer));
    let backend = format!("[backends.{name}]\n{}", instance::table(&instance.addr.to_string(), &init.ways));
    let suggested = Suggested::of(&offer, &backend, &init.prefix);
    let head = format!(
        "# Routes to {} at {}. `callgate init` has written this; change it as you like.\n# `callgate check --against {}` says whether they still fit what is offered there.\n\n",
        routes::comment(&offer.identity),
        instance.addr,
        instance.addr,
    );
    let text = format!("{head}{}", suggested.table);
    // A mistake in what the command line gave, such as a name that no backend has, is told with its line.
    Tables::parse(vec![Source::new("the new table", text.clone())])?;
    if init.to.as_deref() == Some("-") {
        return Ok(text.trim_end().to_owned());
    }
    let written = write(init, &name, &text)?;
    Ok(if init.output.json {
        let names: Vec<String> = written.iter().map(|path| shown(path)).collect();
        json::text(&json!({ "written": names, "routes": suggested.routes, "left_out": suggested.left_out }))
    } else {
        told(&written, &suggested, &instance.addr.to_string())
    })
}

/// Writes the table, and the gateway's file where there is none. Nothing stays where they do not hold together with what was there.
fn write(init: &Init, name: &str, text: &str) -> Result<Vec<PathBuf>, Failure> {
    let config = absolute(&init.config.file).unwrap_or_else(|_| init.config.file.clone());
    let mut files = Vec::new();
    let settings = if config.exists() {
        Settings::load(&config)?
    } else {
        files.push((config.clone(), GATEWAY.to_owned()));
        Settings::parse(Source::new(config.clone(), GATEWAY), None)?
    };
    let table = match &init.to {
        Some(file) => PathBuf::from(file),
        None => folder(&settings.tables.watch).join(format!("{name}.toml")),
    };
    files.push((table, text.to_owned()));
    if let Some((there, _)) = files.iter().find(|(path, _)| path.exists() && !init.force) {
        let why =
            format!("{} is there already: --to names another file, and --force writes over it", shown(there));
        return Err(Failure::NotAsked(why));
    }
    let mut written = Vec::new();
    for (path, text) in files {
        let before = fs::read(&path).ok();
        put(&path, text.as_bytes(), init.force)?;
        written.push((path, before));
    }
    let sound = super::load(&config).and_then(control::check);
    if let Err(mistakes) = sound {
        for (path, before) in written {
            // Whoever has made the mistake sees it; the files are as they were, as far as they can be.
            let _ = match before {
                Some(text) => fs::write(&path, text),
                None => fs::remove_file(&path),
            };
        }
        return Err(mistakes.into());
    }
    Ok(written.into_iter().map(|(path, _)| path).collect())
}

/// The folder of tables that a gateway watches.
fn folder(watch: &[PathBuf]) -> PathBuf {
    let first = watch.first().cloned().unwrap_or_default();
    let is_file = first.extension().is_some_and(|end| end == "toml") && !first.is_dir();
    if is_file { first.parent().map(Path::to_path_buf).unwrap_or_default() } else { first }
}

fn put(path: &Path, text: &[u8], force: bool) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::NotAsked(format!("cannot write {}: {error}", shown(path)));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.write(true);
    let options = if force { options.create(true).truncate(true) } else { options.create_new(true) };
    options.open(path).and_then(|mut file| file.write_all(text)).map_err(failed)
}

/// A path as people know it from where they are.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let plain: PathBuf = path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
        plain
    });
    plain.strip_prefix(&here).unwrap_or(&plain).display().to_string()
}

fn told(written: &[PathBuf], suggested: &Suggested, addr: &str) -> String {
    let mut lines: Vec<String> = written.iter().map(|path| format!("wrote {}", shown(path))).collect();
    lines.push(format!("{} to what is offered at {addr}", count(suggested.routes.len(), "route")));
    lines.extend(suggested.left_out.iter().map(|method| format!("left out: {method}, which no route fits")));
    lines.push("serve them: callgate run".to_owned());
    lines.join("\n")
}
