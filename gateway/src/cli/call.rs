//! `callgate call`: one call of a method, straight to an instance or through a gateway. Straight, it is made by the gateway's own
//! connections and programs, so that what is refused, what is sent and what comes back is what a gateway would do.

mod exchange;
mod input;
mod output;
mod session;
mod through;

use super::instance::{self, Instance, Ways, is_address, method};
use super::{Config, Failure, completions, json};
use crate::config::{Address, CallRef, Tables, time};
use crate::transport::callgate::Security;
use clap::Args;
use clap_complete::ArgValueCompleter;
use input::Input;
use std::time::Duration;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate call 127.0.0.1:7101 calc.add a=2 b=3
  callgate call 127.0.0.1:7101 orders.get '{\"order_id\":\"1001\"}' -v
  callgate call 127.0.0.1:7101 echo.types @examples/shop/types.json
  callgate call 127.0.0.1:7101 echo.count from=1 to=3        a line for each item, as it comes
  seq 1000 | callgate call 127.0.0.1:7101 echo.sum           items from standard input, one a line
  callgate call orders.get order_id=1001                     to the backend that the tables name for it
  callgate call http://127.0.0.1:8080 orders.get order_id=1001  through a gateway, by the route of the tables

Exit status: 0 a result, 1 the call has failed, 2 nobody could be asked.";

/// What to call, and how.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// [ADDR] METHOD [ARGUMENTS]...
    ///
    /// ADDR is an instance (host:port or unix:/path) or a gateway (http://host:port); without it, the tables say which backend has the
    /// method. METHOD is such as orders.quote, or its number. ARGUMENTS are one JSON object, `@FILE` or `@-` for standard input, or
    /// FIELD=VALUE for each field.
    #[arg(value_name = "[ADDR] METHOD [ARGUMENTS]", required = true, num_args = 1.., add = ArgValueCompleter::new(completions::of_call))]
    pub words: Vec<String>,
    /// Where the items of a method come from whose caller streams: a file with a JSON text on each line; `-` is standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub items: String,
    /// What goes along with the call, as NAME: VALUE; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// How long the result may take, or the first item of one that streams
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "30s")]
    pub timeout: Duration,
    /// Say on standard error what is called, what goes along, and how long it took
    #[arg(short, long)]
    pub verbose: bool,
    /// Where the gateway's file is
    #[command(flatten)]
    pub config: Config,
    /// How it is said
    #[command(flatten)]
    pub output: json::Output,
    /// How it is connected to
    #[command(flatten)]
    pub ways: Ways,
}

/// Whom to call.
enum Place {
    /// That instance.
    Instance(Instance),
    /// A gateway of that URL.
    Gateway(String),
}

pub(super) fn run(call: &Call) -> Result<String, Failure> {
    let (addr, words) = match call.words.split_first() {
        Some((first, rest)) if is_address(first) => (Some(first.as_str()), rest),
        _ => (None, call.words.as_slice()),
    };
    let Some((name, arguments)) = words.split_first() else {
        return Err(Failure::NotAsked(
            "which method? such as: callgate call 127.0.0.1:7101 orders.get".to_owned(),
        ));
    };
    let name: CallRef = name.parse().map_err(Failure::NotAsked)?;
    let input = Input::new(arguments, &call.headers)?;
    match place(addr, &name, call)? {
        Place::Instance(instance) => straight(&instance, &name, &input, call),
        Place::Gateway(url) => through::run(&url, &name, &input, call),
    }
    .map(|()| String::new())
}

fn place(addr: Option<&str>, name: &CallRef, call: &Call) -> Result<Place, Failure> {
    match addr {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            Ok(Place::Gateway(url.to_owned()))
        }
        Some(addr) => Instance::new(addr, &call.ways).map(Place::Instance),
        None => of_tables(&super::load(&call.config.file)?, name, call).map(Place::Instance),
    }
}

/// The first instance of the backend that a route calls for that method.
fn of_tables(tables: &Tables, name: &CallRef, call: &Call) -> Result<Instance, Failure> {
    let spec = tables.calls().map(|(_, spec)| spec).find(|spec| spec.call == *name);
    let named = spec.map(|spec| spec.backend.as_str());
    let only = match tables.backends.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let backend = tables.backends.iter().find(|backend| Some(backend.name.as_str()) == named).or(only);
    let Some(backend) = backend else {
        let why = format!(
            "no route of the tables calls `{name}`; say where an instance is: callgate call HOST:PORT {name}"
        );
        return Err(Failure::NotAsked(why));
    };
    let Some(endpoint) = backend.endpoints.first() else {
        return Err(Failure::NotAsked(format!("backend `{}` has no endpoint", backend.name)));
    };
    let addr = match &endpoint.addr {
        Address::At(addr) => addr.clone(),
        Address::Discovered(_) => instance::endpoint(&endpoint.addr.to_string())?,
    };
    let security = Security::new(&backend.name, &backend.security, None);
    Ok(Instance { addr, security, patience: call.ways.connect_timeout })
}

/// Calls an instance.
fn straight(instance: &Instance, name: &CallRef, input: &Input, call: &Call) -> Result<(), Failure> {
    session::within(async {
        let session = session::open(instance).await?;
        let method = method(&session.offer, name, &instance.addr)?;
        exchange::run(&session, method, name, input, call).await
    })
}
